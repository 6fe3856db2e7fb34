"""Launch templates: what a version is made from, and finding ours again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from .errors import if_there
from .names import description
from .routing import Raw

if TYPE_CHECKING:
    from .clients import Services

VERSIONS_A_CALL = 200
"""API reference: at most 200 versions are described, or deleted, at a time."""


def default_version(read: Services, template: str) -> int | None:
    """The number of the template's default version; None when there is no such template."""
    found = if_there(
        lambda: read.ec2.describe_launch_templates(LaunchTemplateNames=[template])["LaunchTemplates"]
    )
    return found[0]["DefaultVersionNumber"] if found else None


def version_of(read: Services, template: str, image: str, token: str) -> tuple[int, datetime | None] | None:
    """The version that was made for a deployment, and when it was made; None when there is none.

    Versions have no tags, so it is known by its description; the image keeps the list short.
    """
    pages = read.ec2.get_paginator("describe_launch_template_versions").paginate(
        LaunchTemplateName=template,
        Filters=[{"Name": "image-id", "Values": [image]}],
        PaginationConfig={"PageSize": VERSIONS_A_CALL},
    )
    found = if_there(lambda: [version for page in pages for version in page["LaunchTemplateVersions"]])
    made = [
        (version["VersionNumber"], version.get("CreateTime"))
        for version in found
        if version.get("VersionDescription") == description(token)
        and version.get("LaunchTemplateData", {}).get("ImageId") == image
    ]
    return min(made, default=None, key=lambda each: each[0])


def named(read: Services, template: str, number: int) -> Raw | None:
    """What a version says, as the instances are started from it; None when there is no such version."""
    found = if_there(
        lambda: read.ec2.describe_launch_template_versions(
            LaunchTemplateName=template, Versions=[str(number)]
        )["LaunchTemplateVersions"]
    )
    return found[0].get("LaunchTemplateData", {}) if found else None


def source_problems(read: Services, template: str, numbers: Iterable[int]) -> Iterator[str]:
    """What makes it impossible to change only the image of these versions, one sentence each.

    A new version has all of its source's settings but snapshots in its block devices (EC2 API reference,
    CreateLaunchTemplateVersion), and what it would lose was perhaps meant.
    """
    versions = [str(number) for number in sorted(set(numbers))]
    if not versions:
        return
    answer = read.ec2.describe_launch_template_versions(LaunchTemplateName=template, Versions=versions)
    for version in answer["LaunchTemplateVersions"]:
        for device in version.get("LaunchTemplateData", {}).get("BlockDeviceMappings", ()):
            if snapshot := device.get("Ebs", {}).get("SnapshotId"):
                yield (
                    f"version {version['VersionNumber']} of {template} starts {device.get('DeviceName')} "
                    f"from {snapshot}, which a new version would not: take it out, or put it into the image"
                )
