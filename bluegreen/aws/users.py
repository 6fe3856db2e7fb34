"""Whom to log in as: an image's family tells, and its name or description tells the family."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .errors import if_there
from .routing import Raw

if TYPE_CHECKING:
    from .clients import Services

USERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"bitnami", ("bitnami",)),
    (r"ubuntu", ("ubuntu",)),
    (r"debian", ("admin",)),
    (r"rocky", ("rocky",)),
    (r"centos", ("centos", "ec2-user")),
    (r"fedora", ("fedora", "ec2-user")),
    (r"rhel|red ?hat", ("ec2-user", "root")),
    (r"suse|\bsles\b", ("ec2-user", "root")),
    (r"oracle ?linux|\bol\d", ("ec2-user",)),
    (r"amazon ?linux|\bamzn2?-ami|\bal20\d\d-", ("ec2-user",)),
)
"""(pattern of a name or description, user names, the likeliest first). The first that matches tells: what is
built upon a distribution stands before it. EC2 user guide, "Manage system users on your Amazon EC2 Linux
instance"; FreeBSD is left out, it has no ``/run``."""

ANCESTORS = 8
"""How many images back the family is looked for: an image that was made of an instance has its own name."""


def users_of(image: Raw) -> tuple[str, ...]:
    """The user names that an image of this name or description may have; none when it does not tell."""
    for words in (image.get("Name", ""), image.get("Description", "")):
        for pattern, names in USERS:
            if re.search(pattern, words, re.IGNORECASE):
                return names
    return ()


def users(read: Services, image: str) -> tuple[str, ...]:
    """The same for an image's id, or for the one that it was made from, and so on."""
    for _ in range(ANCESTORS):
        asked = [image]
        found = if_there(lambda asked=asked: read.ec2.describe_images(ImageIds=asked)["Images"])  # type: ignore[misc]
        if not found:
            break
        if names := users_of(found[0]):
            return names
        image = found[0].get("SourceImageId", "")
        if not image:
            break
    return ()
