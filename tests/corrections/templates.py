"""Launch templates: a version inherits from its source, is made once for a token, and can be deleted."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidLaunchTemplateVersionNotFound
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses.launch_templates import LaunchTemplates

from tests.corrections.table import Script, correct, once


@correct(LaunchTemplates, "create_launch_template_version")
def create(original: Callable[..., Any], _script: Script, response: Any) -> Any:
    """G1, C3: what the source has and the request does not name is inherited; C4: once for a token."""
    template = wanted(response)
    slot = once(response.ec2_backend, "CreateLaunchTemplateVersion", dict(response.params))
    if "answer" not in slot:
        if source := response._get_param("SourceVersion"):
            inherited = without_snapshots(template.get_version(source).data)
            response.params["LaunchTemplateData"] = inherited | response._get_param("LaunchTemplateData", {})
        slot["answer"] = original(response)
    return slot["answer"]


def wanted(response: Any) -> Any:
    """The template that a request names."""
    if name := response._get_param("LaunchTemplateName"):
        return response.ec2_backend.get_launch_template_by_name(name)
    return response.ec2_backend.get_launch_template(response._get_param("LaunchTemplateId"))


def without_snapshots(data: dict[str, Any]) -> dict[str, Any]:
    """A version's data as it is inherited (C3: snapshots in its block devices are not)."""
    data = copy.deepcopy(data)
    for device in data.get("BlockDeviceMappings", []):
        device.get("Ebs", {}).pop("SnapshotId", None)
    return data


@correct(LaunchTemplates, "delete_launch_template_versions")
def delete(_original: None, _script: Script, response: Any) -> ActionResult:
    """G1: moto has no DeleteLaunchTemplateVersions; what cannot be deleted is told, not raised."""
    template, gone, kept = wanted(response), [], []
    for number in response._get_param("Versions", []):
        found = next((each for each in template.versions if str(each.number) == str(number)), None)
        told = {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "VersionNumber": int(number),
        }
        if found is None:
            code, text = "launchTemplateVersionDoesNotExist", f"Version {number} does not exist"
            kept.append(told | {"ResponseError": {"Code": code, "Message": text}})
        elif template.is_default(found):
            code, text = "unexpectedError", "The default version of a launch template cannot be deleted"
            kept.append(told | {"ResponseError": {"Code": code, "Message": text}})
        else:
            template.versions.remove(found)
            gone.append(told)
    return ActionResult(
        {
            "SuccessfullyDeletedLaunchTemplateVersions": gone,
            "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
        }
    )


@correct(LaunchTemplate, "create_version")
def number(
    original: Callable[..., Any], _script: Script, template: Any, data: dict[str, Any], text: str
) -> Any:
    """C3: numbers are the service's, and a deleted version's is not given again."""
    version: LaunchTemplateVersion = original(template, data, text)
    version.number = template.highest = getattr(template, "highest", 0) + 1
    return version


@correct(LaunchTemplate, "get_version")
def find(original: Callable[..., Any], _script: Script, template: Any, num: Any) -> Any:
    """C3: a version is found by its number, wherever it stands in the list."""
    if str(num).startswith("$"):
        return original(template, num)
    for version in template.versions:
        if str(version.number) == str(num):
            return version
    raise InvalidLaunchTemplateVersionNotFound(template_id=template.id, version=num)


@correct(LaunchTemplate, "default_version")
def default(_original: Callable[..., Any], _script: Script, template: Any) -> Any:
    """C3: so is the default version."""
    return template.get_version(template.default_version_number)


@correct(EC2Backend, "describe_launch_template_versions")
def describe(original: Callable[..., Any], _script: Script, backend: Any, **asked: Any) -> Any:
    """C3: so is a range of versions."""
    low, high = asked.pop("min_version"), asked.pop("max_version")
    found = original(backend, min_version=None, max_version=None, **asked)
    return [
        (template, version)
        for template, version in found
        if (low or version.number) <= version.number <= (high or version.number)
    ]


@correct(LaunchTemplates, "describe_launch_template_versions")
def list_versions(original: Callable[..., Any], _script: Script, response: Any) -> Any:
    """E3: versions come by pages, and are filtered by their image."""
    images = response._filters_from_querystring().get("image-id")

    def wanted(version: dict[str, Any]) -> bool:
        return images is None or version["LaunchTemplateData"].get("ImageId") in images

    return page(original, response, "LaunchTemplateVersions", wanted)


@correct(LaunchTemplates, "describe_launch_templates")
def list_templates(original: Callable[..., Any], _script: Script, response: Any) -> Any:
    """E3: templates come by pages."""
    return page(original, response, "LaunchTemplates", lambda _: True)


def page(original: Callable[..., Any], response: Any, member: str, wanted: Callable[[Any], bool]) -> Any:
    """The page that was asked for, of all that moto has."""
    start, size = int(response._get_param("NextToken") or 0), response._get_int_param("MaxResults", 200)
    response.params["MaxResults"] = sys.maxsize
    answer = original(response)
    found = [each for each in answer.result[member] if wanted(each)]
    answer.result[member] = found[start : start + size]
    answer.result["NextToken"] = str(start + size) if found[start + size :] else None
    return answer
