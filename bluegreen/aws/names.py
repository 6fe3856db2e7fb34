"""How what we made is recognised again: by tags, and where AWS has none, by a description."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

SERVICE_TAG = "bluegreen:service"
"""Whose service it is. What bears it may be deleted by us; a group of yours bears it only if you say so."""

DEPLOYMENT_TAG = "bluegreen:deployment"
"""The token of the deployment that made it."""

BUILD_TAG = "bluegreen:build"
"""The token of the image build that made it."""

DONE_TAG = "bluegreen:done"
"""How many commands of its build have ended well on a build instance that is about to be stopped."""

_DESCRIPTION = re.compile(r"bluegreen ((.+)-\d+-[0-9a-f]{8})")


def description(token: str) -> str:
    """What a template version's description says: versions have no tags."""
    return f"bluegreen {token}"


def service_of(described: str) -> str | None:
    """The service whose deployment made the template version with this description; None: not ours."""
    match = _DESCRIPTION.fullmatch(described)
    return match[2] if match else None


def tags(found: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """AWS's list of tags as a dict."""
    return {tag["Key"]: tag.get("Value", "") for tag in found}


def tag_list(**named: str) -> list[Any]:
    """Tags as AWS wants them, the keys in our name space: ``service=…`` becomes ``bluegreen:service``."""
    return [{"Key": f"bluegreen:{key}", "Value": value} for key, value in named.items()]
