"""EC2's launch templates, answered by the world, which has one.

Sources: API reference of EC2, version 2016-11-15, and its user guide, "Launch templates".
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from bluegreen_sim.groups import autoscaling
from bluegreen_sim.world import Resolved, Version, World

from .. import names
from ..asking import Change, Given, NotSimulated, Read, page, paged, passing, tag_list, tag_values
from ..notes import done, note, noted, once, tags
from ..times import moment
from ..wire import AwsError

LATEST, DEFAULT = "$Latest", "$Default"


def find_template(world: World, given: Given) -> None:
    """Raise unless a launch template is named that exists, by id or by name.

    Raises:
        AwsError: If it does not.
    """
    if "LaunchTemplateId" in given and given["LaunchTemplateId"] != names.template_id(world.template):
        said = f"The specified launch template, with template ID {given['LaunchTemplateId']}, does not exist."
        raise AwsError("InvalidLaunchTemplateId.NotFound", said)
    if "LaunchTemplateName" in given and given["LaunchTemplateName"] != world.template:
        named = given["LaunchTemplateName"]
        said = f"The specified launch template, with template name {named}, does not exist."
        raise AwsError("InvalidLaunchTemplateName.NotFoundException", said)
    if not given.keys() & {"LaunchTemplateId", "LaunchTemplateName"}:
        raise AwsError("MissingParameter", "Either the launch template ID or its name must be given.")


def numbered(world: World, text: str) -> Version:
    """The version that a number, ``$Latest`` or ``$Default`` means.

    Raises:
        AwsError: If there is none.
    """
    if text in (LATEST, DEFAULT):
        return world.versions[-1 if text == LATEST else 0]
    found = world.version(int(text)) if text.isdecimal() else None
    if found is None:
        said = f"Could not find launch template version {text} of {world.template}."
        raise AwsError("InvalidLaunchTemplateId.VersionNotFound", said)
    return found


def pinned(world: World, template: Given) -> int:
    """The number of the version that an instance is started from now."""
    find_template(world, template)
    return numbered(world, template.get("Version", DEFAULT)).number


def pointed(world: World, template: Given) -> int | Resolved:
    """What a group is to be started from: ``$Latest`` and ``$Default`` are resolved at each launch."""
    number = pinned(world, template)
    match template.get("Version", DEFAULT):
        case "$Latest":
            return "$Latest"
        case "$Default":
            return "$Default"
    return number


def version_data(world: World, version: Version) -> Given:
    """A version's data; of one that was made by other means, all but the image is the template's."""
    data: Given = note(world, f"version {version.number}", {}).get(
        "data", {"InstanceType": names.INSTANCE_TYPE}
    )
    return data | ({"ImageId": version.image} if version.image else {})


def _describe_launch_templates(world: World, given: Given) -> Given:
    ids = [{"LaunchTemplateId": each} for each in given.get("LaunchTemplateIds", ())]
    for wanted in [*ids, *({"LaunchTemplateName": each} for each in given.get("LaunchTemplateNames", ()))]:
        find_template(world, wanted)
    kept = tags(world, names.template_id(world.template))
    shown = {
        "LaunchTemplateId": names.template_id(world.template),
        "LaunchTemplateName": world.template,
        "CreateTime": moment(0),
        "CreatedBy": f"arn:aws:iam::{names.ACCOUNT}:root",
        "DefaultVersionNumber": world.versions[0].number,
        "LatestVersionNumber": world.versions[-1].number,
        "Tags": tag_list(kept),
    }

    def values(_: Given, name: str) -> Iterable[str] | None:
        return [world.template] if name == "launch-template-name" else tag_values(kept, name)

    return {"LaunchTemplates": passing([shown], given.get("Filters", ()), values)}


def _describe_launch_template_versions(world: World, given: Given) -> Given:
    """The newest first, as the service lists them."""
    find_template(world, given)
    if "Versions" in given:
        found = [numbered(world, text) for text in given["Versions"]]
    else:
        low, high = int(given.get("MinVersion", 0)), int(given.get("MaxVersion", 1 << 31))
        found = [version for version in reversed(world.versions) if low <= version.number <= high]
    found = passing(found, given.get("Filters", ()), partial(_filtered, world))
    some, following = page(found, given, "MaxResults", "NextToken", 200)
    return paged("LaunchTemplateVersions", [_version(world, each) for each in some], "NextToken", following)


def _filtered(world: World, version: Version, name: str) -> list[str] | None:
    data = version_data(world, version)
    return {
        "image-id": [version.image],
        "instance-type": [data.get("InstanceType", "")],
        "is-default-version": [str(version is world.versions[0]).lower()],
    }.get(name)


def _version(world: World, version: Version) -> Given:
    """A version; one that was made by other means is described by its token, as ours are."""
    kept = note(world, f"version {version.number}", {})
    described = kept.get("description", version.token)
    return {
        "LaunchTemplateId": names.template_id(world.template),
        "LaunchTemplateName": world.template,
        "VersionNumber": version.number,
        **({"VersionDescription": described} if described else {}),
        "CreateTime": moment(kept.get("created", 0)),
        "CreatedBy": f"arn:aws:iam::{names.ACCOUNT}:root",
        "DefaultVersion": version is world.versions[0],
        "LaunchTemplateData": version_data(world, version),
    }


def _create_launch_template_version(world: World, given: Given) -> tuple[World, Given]:
    """Once for each client token; what is not given is the source's, or nothing without a source.

    The world's token of a version is the client token.
    """
    find_template(world, given)
    token = given.get("ClientToken", "")
    request = {key: value for key, value in given.items() if key != "ClientToken"}
    number, same = once(world, "CreateLaunchTemplateVersion", token, request) if token else (None, True)
    if number is not None and not same:
        raise AwsError(
            "IdempotentParameterMismatch", f"The client token {token} was used with other parameters."
        )
    if number is None:
        number = max(autoscaling.next_version(world), note(world, "next version", 0))
        world = _with_version(world, given, number)
        if token:
            world = done(world, "CreateLaunchTemplateVersion", token, request, number)
    return world, {"LaunchTemplateVersion": _version(world, numbered(world, str(number)))}


def _with_version(world: World, given: Given, number: int) -> World:
    source = numbered(world, given["SourceVersion"]) if "SourceVersion" in given else None
    data = (version_data(world, source) if source else {}) | given["LaunchTemplateData"]
    if not data.get("ImageId") or not data.get("InstanceType"):
        raise NotSimulated(
            "a version without image or instance type cannot be launched: name a SourceVersion"
        )
    version = Version(number, source.number if source else 0, data["ImageId"], given.get("ClientToken", ""))
    kept = {"data": data, "created": world.now, "description": given.get("VersionDescription", "")}
    return autoscaling.add_version(noted(world, f"version {number}", kept), version)


def _delete_launch_template_versions(world: World, given: Given) -> tuple[World, Given]:
    """Each for itself: some may be deleted while others are not. Numbers are never used again."""
    find_template(world, given)
    gone: list[Given] = []
    kept: list[Given] = []
    following = max(autoscaling.next_version(world), note(world, "next version", 0))
    for text in given["Versions"]:
        about: Given = {"LaunchTemplateId": names.template_id(world.template)}
        about |= {"LaunchTemplateName": world.template, "VersionNumber": int(text)}
        version = world.version(int(text))
        if version is None or version is world.versions[0]:
            code = "launchTemplateVersionDoesNotExist" if version is None else "unexpectedError"
            said = "does not exist" if version is None else "is the default version"
            error = {"Code": code, "Message": f"Version {text} {said}."}
            kept.append(about | {"ResponseError": error})
            continue
        others = tuple(each for each in world.versions if each is not version)
        world = noted(world.replaced(versions=others), f"version {text}", None)
        gone.append(about)
    world = noted(world, "next version", following)
    return world, {
        "SuccessfullyDeletedLaunchTemplateVersions": gone,
        "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
    }


READS: dict[str, Read] = {
    "DescribeLaunchTemplates": _describe_launch_templates,
    "DescribeLaunchTemplateVersions": _describe_launch_template_versions,
}
CHANGES: dict[str, Change] = {
    "CreateLaunchTemplateVersion": _create_launch_template_version,
    "DeleteLaunchTemplateVersions": _delete_launch_template_versions,
}
