"""One look at an account: what is ours, and what uses it. Nothing is changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ...core.observation import ErrorClass
from .. import fleets, routing
from ..errors import AwsError, classify
from ..names import BUILD_TAG, DEPLOYMENT_TAG, SERVICE_TAG, service_of, tags
from ..routing import Raw
from ..templates import VERSIONS_A_CALL
from .items import DEFAULT_VERSION, KINDS, Owned

if TYPE_CHECKING:
    from ..clients import Services

GROUPS_A_CALL = 100
VALUES_A_FILTER = 100
"""Of the 200 that EC2 allows."""

GROUP_TAG = "aws:autoscaling:groupName"
TEMPLATE_TAG = "aws:ec2launchtemplate:id"
VERSION_TAG = "aws:ec2launchtemplate:version"
"""By these AWS says where an instance comes from."""


@frozen
class Sight:
    """What a look has seen.

    Args:
        groups: Every Auto Scaling group of the Region, ours or not, by name, as AWS shows it.
        owned: All that is ours, in the order of its kinds.
    """

    groups: Mapping[str, Raw]
    owned: tuple[Owned, ...]


def look(
    read: Services, service: str | None, template: str | None, *, templates: Iterable[str] = ()
) -> Sight:
    """Look once.

    Args:
        read: Clients that only read.
        service: Of which service; None is all of them.
        template: Name of a launch template; None is all of the Region.
        templates: Names of more templates.

    Raises:
        Exception: What boto3 raises; see ``AwsError``.
    """
    wanted = None if template is None else {template, *templates}
    looker = _Looker(read, service, wanted)
    found = sorted(looker.owned(), key=lambda item: (KINDS.index(item.kind), item.service, _natural(item.id)))
    return Sight(looker.groups, tuple(found))


def _natural(name: str) -> tuple[str, int]:
    """So that version 10 comes after version 9."""
    head, _, tail = name.rpartition(":")
    return (head, int(tail)) if tail.isdigit() else (name, 0)


class _Looker:
    """One look, in parts that need each other; what is needed twice is asked once."""

    def __init__(self, read: Services, service: str | None, templates: set[str] | None) -> None:
        self._read, self._ec2 = read, read.ec2
        self._service = service
        self._wanted = templates
        pages = read.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
            PaginationConfig={"PageSize": GROUPS_A_CALL}
        )
        found: Iterator[Raw] = (group for page in pages for group in page["AutoScalingGroups"])
        self.groups = {group["AutoScalingGroupName"]: group for group in found}
        self._group_of = {
            instance["InstanceId"]: name
            for name, group in self.groups.items()
            for instance in fleets.instances(group)
        }

    def owned(self) -> Iterator[Owned]:
        """All that is ours."""
        return chain(
            self._owned_groups(),
            self._owned_instances(),
            self._owned_volumes(),
            self._owned_versions(),
            self._owned_images(),
            self._owned_snapshots(),
        )

    def _mine(self, marks: Mapping[str, str]) -> bool:
        found = marks.get(SERVICE_TAG)
        return bool(found) and self._service in (None, found)

    @property
    def _by_tag(self) -> list[Any]:
        """A filter for what bears our tag; the answer is judged again, for a filter knows wildcards."""
        if self._service is None:
            return [{"Name": "tag-key", "Values": [SERVICE_TAG]}]
        return [{"Name": f"tag:{SERVICE_TAG}", "Values": [self._service]}]

    # ------------------------------------------------------------------------------- groups and instances

    def _owned_groups(self) -> Iterator[Owned]:
        for name, group in self.groups.items():
            marks = tags(group.get("Tags", ()))
            if not self._mine(marks):
                continue
            members = fleets.instances(group)
            behind = [arn.split("/")[1] for arn in group.get("TargetGroupARNs", ())]
            led = [rule for arn in fleets.behind(group) for rule in self._leading.get(arn, ())]
            yield Owned(
                kind="group",
                id=name,
                service=marks[SERVICE_TAG],
                made_by=_made_by(marks),
                detail=", ".join(
                    [f"{len(members)} instance{'s' * (len(members) != 1)}", *map("behind {}".format, behind)]
                ),
                state=str(group.get("Status") or "in service"),
                led_to_by=tuple(dict.fromkeys(led)),
                since=_seconds(group.get("CreatedTime")),
            )
            for instance in members:
                version = (instance.get("LaunchTemplate") or {}).get("Version", "?")
                yield Owned(
                    kind="instance",
                    id=instance["InstanceId"],
                    service=marks[SERVICE_TAG],
                    made_by=_made_by(marks),
                    detail=f"template version {version}",
                    state=str(instance.get("LifecycleState")),
                    used_by=(f"group {name}",),
                )

    @cached_property
    def _leading(self) -> Mapping[str, list[str]]:
        """The rules that lead to what groups of ours are behind."""
        ours = [group for group in self.groups.values() if self._mine(tags(group.get("Tags", ())))]
        return routing.leading(self._read, {arn for group in ours for arn in fleets.behind(group)})

    def _owned_instances(self) -> Iterator[Owned]:
        """Instances that bear our tag and were not seen in a group of ours."""
        for instance in self._instances(self._by_tag):
            marks = tags(instance.get("Tags", ()))
            if instance["State"]["Name"] == "terminated" or not self._mine(marks):
                continue
            group = self._group(instance)
            listed = instance["InstanceId"] in self._group_of
            if group and listed and self._mine(tags(self.groups[group].get("Tags", ()))):
                continue
            yield Owned(
                kind="instance",
                id=instance["InstanceId"],
                service=marks[SERVICE_TAG],
                made_by=_made_by(marks),
                detail=f"image {instance.get('ImageId', '?')}",
                state=instance["State"]["Name"],
                used_by=(f"group {group}",) if group else (),
                since=_seconds(instance.get("LaunchTime")),
            )

    def _instances(self, filters: list[Any]) -> Iterator[Raw]:
        pages = self._ec2.get_paginator("describe_instances").paginate(Filters=filters)
        found: Iterator[Any] = (i for page in pages for r in page["Reservations"] for i in r["Instances"])
        return found

    def _group(self, instance: Raw) -> str | None:
        """The group that an instance is in; for a moment only one of the two lists may say it."""
        marked = tags(instance.get("Tags", ())).get(GROUP_TAG, "")
        group = self._group_of.get(instance["InstanceId"], marked)
        return group if group in self.groups else None

    def _user(self, instance: Raw) -> str:
        """An instance as a user of something: its group stands for it."""
        group = self._group(instance)
        return f"group {group}" if group else f"instance {instance['InstanceId']}"

    def _owned_volumes(self) -> Iterator[Owned]:
        pages = self._ec2.get_paginator("describe_volumes").paginate(Filters=self._by_tag)
        for volume in (each for page in pages for each in page["Volumes"]):
            marks = tags(volume.get("Tags", ()))
            if not self._mine(marks):
                continue
            yield Owned(
                kind="volume",
                id=volume["VolumeId"],
                service=marks[SERVICE_TAG],
                made_by=_made_by(marks),
                detail=f"{volume['Size']} GiB",
                state=volume["State"],
                used_by=tuple([f"instance {each['InstanceId']}" for each in volume.get("Attachments", ())]),
                since=_seconds(volume.get("CreateTime")),
            )

    # ------------------------------------------------------------------------------------------- templates

    @cached_property
    def _templates(self) -> dict[str, Raw]:
        """The launch templates that are looked into, by id."""
        pages = self._ec2.get_paginator("describe_launch_templates").paginate(
            PaginationConfig={"PageSize": VERSIONS_A_CALL}
        )
        named = {key for group in self.groups.values() for key, _ in _named(group)}
        found: Iterator[Any] = (each for page in pages for each in page["LaunchTemplates"])
        return {
            each["LaunchTemplateId"]: each
            for each in found
            if self._wanted is None
            or each["LaunchTemplateName"] in self._wanted
            or {each["LaunchTemplateId"], each["LaunchTemplateName"]} & named
        }

    @cached_property
    def _versions(self) -> list[Raw]:
        """All versions of these templates, ours or not."""
        return [version for template in self._templates for version in self._versions_of(template)]

    def _versions_of(self, template: str) -> list[Raw]:
        pages = self._ec2.get_paginator("describe_launch_template_versions").paginate(
            LaunchTemplateId=template, PaginationConfig={"PageSize": VERSIONS_A_CALL}
        )
        try:
            return [version for page in pages for version in page["LaunchTemplateVersions"]]
        except AwsError as error:
            if classify(error) is ErrorClass.ABSENT:  # deleted since it was listed
                return []
            raise

    @cached_property
    def _group_users(self) -> dict[tuple[str, int], list[str]]:
        """The groups that name a template version or run instances of it, by template id and number."""
        ids = {template["LaunchTemplateName"]: key for key, template in self._templates.items()}
        used = defaultdict(list)
        for name, group in self.groups.items():
            for key, number in _named(group):
                template = ids.get(key, key)
                if template in self._templates:
                    used[template, self._resolved(template, number)].append(f"group {name}")
        return used

    def _resolved(self, template: str, version: str) -> int:
        if version == "$Latest":
            return int(self._templates[template]["LatestVersionNumber"])
        return int(version) if version.isdigit() else int(self._templates[template]["DefaultVersionNumber"])

    def _ours(self, version: Raw) -> str | None:
        found = service_of(version.get("VersionDescription", ""))
        return found if self._service in (None, found) else None

    def _owned_versions(self) -> Iterator[Owned]:
        for version in self._versions:
            service = self._ours(version)
            if service is None:
                continue
            template, number = version["LaunchTemplateId"], version["VersionNumber"]
            users = [*self._group_users[template, number], *self._instance_users[template, number]]
            users += [DEFAULT_VERSION] if version["DefaultVersion"] else []
            yield Owned(
                kind="template-version",
                id=f"{version['LaunchTemplateName']}:{number}",
                service=service,
                made_by=f"deployment {version['VersionDescription'].removeprefix('bluegreen ')}",
                detail=f"image {version['LaunchTemplateData'].get('ImageId', '?')}",
                state="default" if version["DefaultVersion"] else "available",
                used_by=tuple(dict.fromkeys(users)),
                since=_seconds(version.get("CreateTime")),
            )

    # ---------------------------------------------------------------------------------------------- images

    @cached_property
    def _images(self) -> list[Raw]:
        """The account's own images: all of them, for any of them may have been made of a snapshot of ours."""
        pages = self._ec2.get_paginator("describe_images").paginate(Owners=["self"], IncludeDisabled=True)
        return [image for page in pages for image in page["Images"]]

    @cached_property
    def _runs(self) -> list[Raw]:
        """Instances of images of ours, or of those in template versions of ours; they may be anybody's."""
        wanted = {image["ImageId"] for image in self._images if self._mine(tags(image.get("Tags", ())))}
        wanted |= {
            version["LaunchTemplateData"].get("ImageId", "")
            for version in self._versions
            if self._ours(version)
        }
        ids = sorted(wanted - {""})
        chunks = [ids[at : at + VALUES_A_FILTER] for at in range(0, len(ids), VALUES_A_FILTER)]
        return [
            instance
            for chunk in chunks
            for instance in self._instances([{"Name": "image-id", "Values": chunk}])
            if instance["State"]["Name"] != "terminated"
        ]

    @cached_property
    def _instance_users(self) -> dict[tuple[str, int], list[str]]:
        """What was started from a template version, by template id and number."""
        used = defaultdict(list)
        for instance in self._runs:
            marks = tags(instance.get("Tags", ()))
            if marks.get(VERSION_TAG, "").isdigit():
                used[marks.get(TEMPLATE_TAG, ""), int(marks[VERSION_TAG])].append(self._user(instance))
        return used

    def _owned_images(self) -> Iterator[Owned]:
        users = defaultdict(list)
        for version in self._versions:
            name = f"template-version {version['LaunchTemplateName']}:{version['VersionNumber']}"
            users[version["LaunchTemplateData"].get("ImageId")].append(name)
        for instance in self._runs:
            users[instance.get("ImageId")].append(self._user(instance))
        for image in self._images:
            marks = tags(image.get("Tags", ()))
            if not self._mine(marks):
                continue
            yield Owned(
                kind="image",
                id=image["ImageId"],
                service=marks[SERVICE_TAG],
                made_by=_made_by(marks),
                detail=str(image.get("Name", "")),
                state=image["State"],
                used_by=tuple(dict.fromkeys(users[image["ImageId"]])),
                since=_seconds(image.get("CreationDate")),
            )

    def _owned_snapshots(self) -> Iterator[Owned]:
        users = defaultdict(list)
        for image in self._images:
            for device in image.get("BlockDeviceMappings", ()):
                users[device.get("Ebs", {}).get("SnapshotId")].append(f"image {image['ImageId']}")
        pages = self._ec2.get_paginator("describe_snapshots").paginate(
            OwnerIds=["self"], Filters=self._by_tag
        )
        for snapshot in (each for page in pages for each in page["Snapshots"]):
            marks = tags(snapshot.get("Tags", ()))
            if not self._mine(marks):
                continue
            yield Owned(
                kind="snapshot",
                id=snapshot["SnapshotId"],
                service=marks[SERVICE_TAG],
                made_by=_made_by(marks),
                detail=f"{snapshot['VolumeSize']} GiB",
                state=snapshot["State"],
                used_by=tuple(users[snapshot["SnapshotId"]]),
                since=_seconds(snapshot.get("StartTime")),
            )


def _named(group: Raw) -> Iterator[tuple[str, str]]:
    """(template id or name, version) of all that a group launches from or has launched from."""
    policy = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    specifications = [
        group.get("LaunchTemplate"),
        policy.get("LaunchTemplateSpecification"),
        *(override.get("LaunchTemplateSpecification") for override in policy.get("Overrides", ())),
        *(instance.get("LaunchTemplate") for instance in fleets.instances(group)),
    ]
    for each in filter(None, specifications):
        key = each.get("LaunchTemplateId") or each.get("LaunchTemplateName", "")
        yield key, str(each.get("Version", "$Default"))


def _made_by(marks: Mapping[str, str]) -> str:
    if BUILD_TAG in marks:
        return f"build {marks[BUILD_TAG]}"
    return f"deployment {marks[DEPLOYMENT_TAG]}" if DEPLOYMENT_TAG in marks else ""


def _seconds(moment: datetime | str | None) -> float | None:
    """A time of AWS in seconds since 1970; of an image it is a text."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.timestamp() if moment else None
