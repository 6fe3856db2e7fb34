"""What the answers of all services share: pages, filters, refusals, and what is not simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from bluegreen_sim.world import World

from .wire import AwsError

T = TypeVar("T")
Given = dict[str, Any]
Read = Callable[[World, Given], Given]
"""Answers a question: (world, parameters) -> result."""
Change = Callable[[World, Given], tuple[World, Given]]
"""Carries out a call: (world, parameters) -> (world, result). It raises ``AwsError`` or ``Refused``."""


class NotSimulated(Exception):
    """AWS can do it, this world cannot: better no answer than a wrong one."""


def page(items: Sequence[T], given: Given, size: str, token: str, default: int) -> tuple[list[T], str | None]:
    """One page of a list, and the token of the next; tokens are positions.

    Args:
        items: The whole list.
        given: Parameters of the request.
        size: Name of the parameter that holds the size of a page.
        token: Name of the parameter that holds the token.
        default: Size of a page when none is asked for.
    """
    start, count = _position(given.get(token), len(items)), given.get(size, default)
    following = start + count
    return list(items[start:following]), str(following) if following < len(items) else None


def _position(token: str | None, length: int) -> int:
    if token is None:
        return 0
    if not token.isdecimal() or int(token) > length:
        raise AwsError("ValidationError", f"{token!r} is no token of an earlier page")
    return int(token)


def paged(name: str, items: list[Any], token: str, following: str | None) -> Given:
    """The result that holds a page."""
    return {name: items} | ({token: following} if following else {})


def passing(
    things: Iterable[T], filters: Iterable[Given], values: Callable[[T, str], Iterable[str] | None]
) -> list[T]:
    """The things that pass EC2's filters: each by any of its values, ``*`` and ``?`` as in a shell.

    Args:
        things: What is filtered.
        filters: ``Name`` and ``Values`` of each.
        values: A thing's values under a filter's name; None when the name is not simulated.
    """
    left = list(things)
    for wanted in filters:
        name, patterns = wanted["Name"], wanted.get("Values", ())
        left = [thing for thing in left if _fits(values(thing, name), name, patterns)]
    return left


def _fits(found: Iterable[str] | None, name: str, patterns: Iterable[str]) -> bool:
    if found is None:
        raise NotSimulated(f"the filter {name!r} is not simulated")
    return any(fnmatchcase(value, pattern) for value in found for pattern in patterns)


def tag_values(tags: dict[str, str], name: str) -> Iterable[str] | None:
    """The values of tags under the name of an EC2 filter; None when it is not about tags."""
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return [tags[key]] if key in tags else []
    return tags if name == "tag-key" else None


def tag_list(tags: dict[str, str]) -> list[Given]:
    """Tags as most services list them."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def tag_dict(listed: Iterable[Given]) -> dict[str, str]:
    """Tags as a dict."""
    return {tag["Key"]: tag.get("Value", "") for tag in listed}


def owner(tags: dict[str, str]) -> str:
    """Who made a thing, in the world's words: the value of a tag ``...:deployment`` or ``...:build``."""
    return next((tags[key] for key in sorted(tags) if key.endswith((":deployment", ":build"))), "")
