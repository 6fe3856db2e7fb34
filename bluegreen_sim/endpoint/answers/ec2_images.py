"""EC2's images and snapshots, answered by the world.

Sources: API reference of EC2, version 2016-11-15, and its user guide, "Create an Amazon EBS-backed AMI".
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from bluegreen_sim.groups import builds
from bluegreen_sim.world import Image, World

from .. import names
from ..asking import (
    Change,
    Given,
    NotSimulated,
    Read,
    owner,
    page,
    paged,
    passing,
    tag_dict,
    tag_list,
    tag_values,
)
from ..notes import all_about, note, noted, tagged, tags
from ..times import iso, moment
from ..wire import AwsError


def _describe_images(world: World, given: Given) -> Given:
    ids = given.get("ImageIds")
    if missing := [each for each in ids or () if world.image(each) is None]:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{missing[0]}]' does not exist")
    ours = not given.get("Owners") or {"self", names.ACCOUNT} & set(given["Owners"])
    found = [image for image in world.images if ours and (not ids or image.id in ids)]
    found = passing(found, given.get("Filters", ()), partial(_filtered, world))
    some, following = page(found, given, "MaxResults", "NextToken", 1000)
    return paged("Images", [_image(world, image) for image in some], "NextToken", following)


def _filtered(world: World, image: Image, name: str) -> Iterable[str] | None:
    known = {
        "name": [image.label],
        "image-id": [image.id],
        "state": [state(world, image)],
        "owner-id": [names.ACCOUNT],
        "is-public": ["false"],
    }
    return known.get(name) or tag_values(tags(world, image.id), name)


def state(world: World, image: Image) -> str:
    """``pending``, or ``available`` once it is."""
    return "available" if image.available_at <= world.now else "pending"


def _image(world: World, image: Image) -> Given:
    created = note(world, f"image {image.id}", {}).get("created", 0)
    root = {"SnapshotId": names.snapshot_id(image.id), "VolumeSize": 8, "VolumeType": "gp3"}
    return {
        "ImageId": image.id,
        "Name": image.label,
        "State": state(world, image),
        "CreationDate": iso(moment(created)).replace("Z", ".000Z"),
        "OwnerId": names.ACCOUNT,
        "ImageLocation": f"{names.ACCOUNT}/{image.label}",
        "Public": False,
        "Architecture": "x86_64",
        "ImageType": "machine",
        "RootDeviceType": "ebs",
        "RootDeviceName": "/dev/xvda",
        "VirtualizationType": "hvm",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": root}],
        "Tags": tag_list(tags(world, image.id)),
    }


def _create_image(world: World, given: Given) -> tuple[World, Given]:
    """There is no client token: a name that is taken is an error, whoever took it."""
    name, instance = given["Name"], given["InstanceId"]
    if any(image.label == name for image in world.images):
        taken = next(image.id for image in world.images if image.label == name)
        raise AwsError("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {taken}")
    if any(instance == each.id for group in world.groups for each in group.instances):
        raise NotSimulated("an image can be made of an instance that stands in no group")
    wanted = {each["ResourceType"]: tag_dict(each["Tags"]) for each in given.get("TagSpecifications", ())}
    made = builds.image_id(name)
    world = builds.create_image(world, instance, name, owner(wanted.get("image", {})))
    world = noted(world, f"image {made}", {"created": world.now})
    for kind, about in (("image", made), ("snapshot", names.snapshot_id(made))):
        world = tagged(world, about, wanted.get(kind, {}))
    return world, {"ImageId": made}


def _deregister_image(world: World, given: Given) -> tuple[World, Given]:
    """Its snapshots stay; later launches from it fail (API reference, DeregisterImage)."""
    image = world.image(given["ImageId"])
    if image is None:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{given['ImageId']}]' does not exist")
    if given.get("DeleteAssociatedSnapshots"):
        raise NotSimulated("DeleteAssociatedSnapshots is not simulated: call DeleteSnapshot")
    world = world.replaced(images=tuple(other for other in world.images if other is not image))
    world = noted(noted(world, f"image {image.id}", None), f"tags {image.id}", None)
    return noted(world, f"snapshot {names.snapshot_id(image.id)}", image.label), {"Return": True}


def _delete_snapshot(world: World, given: Given) -> tuple[World, Given]:
    snapshot = given["SnapshotId"]
    for image in world.images:
        if names.snapshot_id(image.id) == snapshot:
            said = f"The snapshot {snapshot} is currently in use by {image.id}"
            raise AwsError("InvalidSnapshot.InUse", said)
    if snapshot not in dict(all_about(world, "snapshot")):
        raise AwsError("InvalidSnapshot.NotFound", f"The snapshot '{snapshot}' does not exist.")
    return noted(noted(world, f"snapshot {snapshot}", None), f"tags {snapshot}", None), {}


def _describe_snapshots(world: World, given: Given) -> Given:
    """Those of images, and those that images left behind."""
    of_images = {names.snapshot_id(image.id): image.label for image in world.images}
    found = list((of_images | dict(all_about(world, "snapshot"))).items())
    ids = given.get("SnapshotIds")
    if missing := set(ids or ()) - {name for name, _ in found}:
        raise AwsError("InvalidSnapshot.NotFound", f"The snapshot '{min(missing)}' does not exist.")
    ours = not given.get("OwnerIds") or {"self", names.ACCOUNT} & set(given["OwnerIds"])
    found = [each for each in found if ours and (not ids or each[0] in ids)]

    def values(snapshot: tuple[str, str], name: str) -> Iterable[str] | None:
        return [snapshot[0]] if name == "snapshot-id" else tag_values(tags(world, snapshot[0]), name)

    found = passing(found, given.get("Filters", ()), values)
    some, following = page(found, given, "MaxResults", "NextToken", 1000)
    return paged("Snapshots", [_snapshot(world, *each) for each in some], "NextToken", following)


def _snapshot(world: World, snapshot: str, label: str) -> Given:
    return {
        "SnapshotId": snapshot,
        "Description": f"Created for {label}",
        "State": "completed",
        "Progress": "100%",
        "StartTime": moment(0),
        "OwnerId": names.ACCOUNT,
        "VolumeSize": 8,
        "Tags": tag_list(tags(world, snapshot)),
    }


def _describe_volumes(world: World, given: Given) -> Given:  # noqa: ARG001
    """None: an instance's volume ends with it, and the world has no others."""
    if missing := given.get("VolumeIds"):
        raise AwsError("InvalidVolume.NotFound", f"The volume '{missing[0]}' does not exist.")
    return {"Volumes": []}


READS: dict[str, Read] = {
    "DescribeImages": _describe_images,
    "DescribeSnapshots": _describe_snapshots,
    "DescribeVolumes": _describe_volumes,
}
CHANGES: dict[str, Change] = {
    "CreateImage": _create_image,
    "DeleteSnapshot": _delete_snapshot,
    "DeregisterImage": _deregister_image,
}
