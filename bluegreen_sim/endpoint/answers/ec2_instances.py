"""EC2's instances, answered by the world: those of groups, and those on which images are built.

Sources: API reference of EC2, version 2016-11-15, and its user guide, "Instance lifecycle".
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from functools import partial

from attrs import frozen

from bluegreen_sim import engine
from bluegreen_sim.groups import autoscaling, builds
from bluegreen_sim.world import Group, Instance, World

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
from ..notes import done, note, noted, once, tagged, tags
from ..times import moment
from ..wire import AwsError
from .autoscaling_reads import group_tag
from .ec2_templates import pinned, version_data

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
"""API reference, InstanceState."""
CANNOT_CHANGE = {
    "SubnetId",
    "SecurityGroupIds",
    "IamInstanceProfile",
    "KeyName",
    "UserData",
    "MetadataOptions",
}
"""What RunInstances may be given and this world has no use for."""


@frozen
class Machine:
    """An instance as EC2 sees it, whatever it is for."""

    id: str
    state: str
    version: int
    launched_at: int
    tags: dict[str, str]
    group: str | None = None
    checks: str = "ok"
    zone: int = 0


def machines(world: World) -> list[Machine]:
    """The instances that can be listed, those of groups first."""
    found = [_member(world, group, each) for group in world.groups for each in group.instances]
    found += [
        Machine(each.id, "running", each.version, each.launched_at, tags(world, each.id), zone=each.zone)
        for each in world.loose
    ]
    for build in world.builds:
        kept = note(world, f"machine {build.id}", {})
        version, at = kept.get("version", world.versions[0].number), kept.get("launched", 0)
        found.append(Machine(build.id, build.state, version, at, tags(world, build.id)))
    return found


def _member(world: World, group: Group, instance: Instance) -> Machine:
    at_launch = note(world, f"propagated {group.name}", {})
    of_group = tags(world, group_tag(group.name))
    kept = {key: of_group[key] for key in of_group if at_launch.get(key)} | tags(world, instance.id)
    kept |= {"aws:autoscaling:groupName": group.name, "aws:ec2launchtemplate:version": str(instance.version)}
    state = "running"
    if instance.life == "pending":
        state = "pending"
    elif instance.life == "leaving" and instance.target != "draining":
        state = "shutting-down"
    # In this world a machine is up when its application is; what has answered and does so no more is broken.
    checks = "ok" if instance.answers else "impaired" if instance.answered else "initializing"
    at, zone = instance.launched_at, instance.zone
    return Machine(instance.id, state, instance.version, at, kept, group.name, checks, zone)


def find_machine(world: World, name: str) -> Machine:
    """The instance of that id; an ended one can still be looked up by its id.

    Raises:
        AwsError: If there never was one.
    """
    for machine in machines(world):
        if machine.id == name:
            return machine
    serial = name.removeprefix("i-")
    if serial.isdecimal() and 1 <= int(serial) <= world.serial and name == f"i-{int(serial):04d}":
        kept = note(world, f"machine {name}", {})
        version, at = kept.get("version", world.versions[0].number), kept.get("launched", 0)
        return Machine(name, "terminated", version, at, tags(world, name))
    raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{name}' does not exist")


def _chosen(world: World, given: Given) -> list[Machine]:
    ids = given.get("InstanceIds")
    found = machines(world) if ids is None else [find_machine(world, each) for each in ids]
    return passing(found, given.get("Filters", ()), partial(_filtered, world))


def _filtered(world: World, machine: Machine, name: str) -> Iterable[str] | None:
    known = {
        "instance-id": [machine.id],
        "instance-state-name": [machine.state],
        "instance-state-code": [str(CODES[machine.state])],
        "image-id": [_image_of(world, machine)],
        "client-token": [note(world, f"machine {machine.id}", {}).get("token", "")],
    }
    return known.get(name) or tag_values(machine.tags, name)


def _image_of(world: World, machine: Machine) -> str:
    version = world.version(machine.version)
    return version.image if version else ""


def _state(name: str) -> Given:
    return {"Code": CODES[name], "Name": name}


def _describe_instances(world: World, given: Given) -> Given:
    some, following = page(_chosen(world, given), given, "MaxResults", "NextToken", 1000)
    return paged("Reservations", [_reservation(world, each) for each in some], "NextToken", following)


def _reservation(world: World, machine: Machine) -> Given:
    return {
        "ReservationId": f"r-0{names.digest(machine.id)}",
        "OwnerId": names.ACCOUNT,
        "Instances": [_instance(world, machine)],
    }


def _instance(world: World, machine: Machine) -> Given:
    version = world.version(machine.version)
    number = int(machine.id.removeprefix("i-"))
    shown = {
        "InstanceId": machine.id,
        "ImageId": _image_of(world, machine),
        "State": _state(machine.state),
        "InstanceType": version_data(world, version)["InstanceType"] if version else names.INSTANCE_TYPE,
        "LaunchTime": moment(machine.launched_at),
        "Placement": {"AvailabilityZone": names.zone(machine.zone), "Tenancy": "default"},
        "Architecture": "x86_64",
        "RootDeviceType": "ebs",
        "RootDeviceName": "/dev/xvda",
        "ClientToken": note(world, f"machine {machine.id}", {}).get("token", ""),
        "Tags": tag_list(machine.tags),
    }
    if machine.state != "terminated":
        address = f"10.{machine.zone}.{number >> 8 & 255}.{number & 255}"
        subnet = names.subnet(machine.zone)
        shown |= {"PrivateIpAddress": address, "SubnetId": subnet, "VpcId": names.NETWORK}
    return shown


def _describe_instance_status(world: World, given: Given) -> Given:
    """Only running instances, unless all are asked for (API reference)."""
    every = given.get("IncludeAllInstances", False)
    found = [machine for machine in _chosen(world, given) if every or machine.state == "running"]
    some, following = page(found, given, "MaxResults", "NextToken", 1000)
    return paged("InstanceStatuses", [_status(each) for each in some], "NextToken", following)


def _status(machine: Machine) -> Given:
    word = machine.checks if machine.state == "running" else "not-applicable"
    return {
        "InstanceId": machine.id,
        "AvailabilityZone": names.zone(machine.zone),
        "InstanceState": _state(machine.state),
        "InstanceStatus": {"Status": word},
        "SystemStatus": {"Status": word},
    }


def _get_console_output(world: World, given: Given) -> Given:
    """What the instance wrote, whether the latest is asked for or not; build instances write nothing."""
    machine = find_machine(world, given["InstanceId"])
    found = (each for group in world.groups for each in group.instances if each.id == machine.id)
    text = next((autoscaling.console(instance) for instance in found), "")
    return {
        "InstanceId": machine.id,
        "Timestamp": moment(world.now),
        "Output": b64encode(text.encode()).decode(),
    }


def _describe_subnets(world: World, given: Given) -> Given:
    """One in each zone."""
    subnets = {
        names.subnet(zone): {
            "SubnetId": names.subnet(zone),
            "VpcId": names.NETWORK,
            "AvailabilityZone": names.zone(zone),
            "CidrBlock": f"10.{zone}.0.0/16",
            "State": "available",
            "OwnerId": names.ACCOUNT,
        }
        for zone in range(world.settings.zones)
    }
    wanted = given.get("SubnetIds", subnets)
    if missing := set(wanted) - set(subnets):
        raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{min(missing)}' does not exist")
    under = {"subnet-id": "SubnetId", "vpc-id": "VpcId", "availability-zone": "AvailabilityZone"}

    def values(shown: dict[str, str], name: str) -> Iterable[str] | None:
        return [shown[under[name]]] if name in under else None

    return {"Subnets": passing([subnets[name] for name in wanted], given.get("Filters", ()), values)}


# -------------------------------------------------------------------------------------------- what is asked


def _run_instances(world: World, given: Given) -> tuple[World, Given]:
    """One build instance from the launch template, once for each client token."""
    if "LaunchTemplate" not in given or (given["MinCount"], given["MaxCount"]) != (1, 1):
        raise NotSimulated("RunInstances starts one instance, from the launch template")
    handled = {"LaunchTemplate", "MinCount", "MaxCount", "ClientToken", "TagSpecifications"} | CANNOT_CHANGE
    if unknown := sorted(given.keys() - handled):
        raise NotSimulated(f"of RunInstances, {', '.join(unknown)} is not simulated")
    version = pinned(world, given["LaunchTemplate"])
    token = given.get("ClientToken", "")
    request = {key: value for key, value in given.items() if key != "ClientToken"}
    name, same = once(world, "RunInstances", token, request)
    if name is not None and not same:
        raise AwsError(
            "IdempotentParameterMismatch", f"The client token {token} was used with other parameters."
        )
    if name is None:
        wanted = {each["ResourceType"]: tag_dict(each["Tags"]) for each in given.get("TagSpecifications", ())}
        kept = wanted.get("instance", {})
        _launchable(world, version)
        world = builds.start_instance(world, world.template, version, owner(kept) or token, token)
        name = world.builds[-1].id
        about = {"version": version, "launched": world.now, "token": token}
        world = tagged(noted(world, f"machine {name}", about), name, kept)
        world = done(world, "RunInstances", token, request, name)
    return world, _reservation(world, find_machine(world, name))


def _launchable(world: World, number: int) -> None:
    version = world.version(number)
    image = version and world.image(version.image)
    if not image:
        raise AwsError(
            "InvalidAMIID.NotFound", f"The image id '[{version and version.image}]' does not exist"
        )
    if image.available_at > world.now:
        raise AwsError("InvalidAMIID.Unavailable", f"The image ID '{image.id}' is not available")


def _stop_instances(world: World, given: Given) -> tuple[World, Given]:
    found = [find_machine(world, each) for each in given["InstanceIds"]]
    for machine in found:
        group = world.group(machine.group) if machine.group else None
        if group:
            # Its group finds it not running, and replaces it.
            world = engine.kill(world, group, machine.id)
            continue
        if machine.state not in ("pending", "running", "stopping", "stopped"):
            said = f"The instance '{machine.id}' is not in a state from which it can be stopped."
            raise AwsError("IncorrectInstanceState", said)
        world = builds.stop_instance(world, machine.id)
    return world, {"StoppingInstances": _changed(world, found)}


def _terminate_instances(world: World, given: Given) -> tuple[World, Given]:
    """No error when repeated. One of a group ends without draining, and is replaced (user guide)."""
    found = [find_machine(world, each) for each in given["InstanceIds"]]
    for machine in found:
        group = world.group(machine.group) if machine.group else None
        if group:
            world = engine.kill(world, group, machine.id)
        elif any(each.id == machine.id for each in world.loose):
            world = world.replaced(loose=tuple(each for each in world.loose if each.id != machine.id))
        else:
            world = builds.terminate_instance(world, machine.id)
    return world, {"TerminatingInstances": _changed(world, found)}


def _changed(world: World, before: list[Machine]) -> list[Given]:
    return [
        {
            "InstanceId": old.id,
            "PreviousState": _state(old.state),
            "CurrentState": _state(find_machine(world, old.id).state),
        }
        for old in before
    ]


def _create_tags(world: World, given: Given) -> tuple[World, Given]:
    for about in given["Resources"]:
        _taggable(world, about)
        world = tagged(world, about, tag_dict(given["Tags"]))
    return world, {}


def _delete_tags(world: World, given: Given) -> tuple[World, Given]:
    for about in given["Resources"]:
        gone = tuple(tag["Key"] for tag in given.get("Tags", ())) or tuple(tags(world, about))
        world = tagged(world, about, {}, without=gone)
    return world, {}


def _taggable(world: World, about: str) -> None:
    if about.startswith("i-"):
        find_machine(world, about)
    elif about.startswith("ami-") and world.image(about) is None:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{about}]' does not exist")
    elif about.startswith("lt-") and about != names.template_id(world.template):
        raise AwsError("InvalidLaunchTemplateId.NotFound", f"The launch template {about} does not exist")


READS: dict[str, Read] = {
    "DescribeInstances": _describe_instances,
    "DescribeInstanceStatus": _describe_instance_status,
    "DescribeSubnets": _describe_subnets,
    "GetConsoleOutput": _get_console_output,
}
CHANGES: dict[str, Change] = {
    "CreateTags": _create_tags,
    "DeleteTags": _delete_tags,
    "RunInstances": _run_instances,
    "StopInstances": _stop_instances,
    "TerminateInstances": _terminate_instances,
}
