"""What a model forbids, all of it, in requests and in answers.

botocore looks at types, required and unknown names and minima. AWS looks at more, and a script that passes
here must not fail there: enumerations, maxima and patterns are checked too, of what comes in and of what goes
out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from math import inf
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

LOOSE = {"InstanceId", "InstanceIds"}
"""Shapes whose pattern is not asked for: the world's ids, ``i-0001``, are shorter than AWS's."""

_KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "character": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
    "boolean": bool,
    "blob": bytes,
}
# Java's classes of characters as Python's module knows them, the wide planes as one range.
_JAVA = (
    (r"\uD800\uDC00-\uDBFF\uDFFF", "\U00010000-\U0010ffff"),
    (r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}", r"\S "),
    (r"\p{L}\p{Z}\p{N}\p{P}\p{M}", r"\w\W"),
    (r"\p{L}\p{Z}\p{N}", r"\w "),
    (r"[\w-\/", r"[\w\-\/"),
)


def faults(value: Any, shape: Shape | None) -> list[str]:
    """What the model forbids in a value, one sentence each.

    Args:
        value: Parameters of a request, or the result of one.
        shape: The model's; None allows nothing at all.
    """
    if shape is None:
        return ["nothing may be given"] if value else []
    found: list[str] = []
    _check(shape)(value, (), found)
    return found


Place = tuple[Any, ...]
"""Where a value stands: empty, or the place of what it stands in, and its name there."""

Check = Callable[[Any, Place, list[str]], None]
"""Looks at a value at a place, and adds what is wrong with it to a list."""


@cache
def _check(shape: Shape) -> Check:
    """The check of a shape; made once, for a shape is looked at thousands of times."""
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    if isinstance(shape, MapShape):
        return _map(shape)
    return _scalar(shape)


class _Members(dict[str, Check]):
    """The checks of a structure's members, each made when it is first needed: shapes may hold themselves."""

    def __init__(self, shape: StructureShape) -> None:
        super().__init__()
        self.shapes = shape.members

    def __missing__(self, name: str) -> Check:
        self[name] = made = _check(self.shapes[name])
        return made


def _structure(shape: StructureShape) -> Check:
    members, required, free = shape.members, shape.required_members, shape.is_document_type
    checks = _Members(shape)

    def check(value: Any, at: Place, found: list[str]) -> None:
        if free:
            return
        if not isinstance(value, dict):
            found.append(f"{_where(at)} must be a structure")
            return
        found += [f"{_where((at, name))} is missing" for name in required if name not in value]
        for name, item in value.items():
            if name in members:
                checks[name](item, (at, name), found)
            else:
                found.append(f"{_where((at, name))} is not known; allowed are {', '.join(members)}")

    return check


def _list(shape: ListShape) -> Check:
    member, bounds = shape.member, _Bounds(shape, "items")

    def check(value: Any, at: Place, found: list[str]) -> None:
        if not isinstance(value, list):
            found.append(f"{_where(at)} must be a list")
            return
        if not bounds.low <= len(value) <= bounds.high:
            found.append(bounds.fault(len(value), at))
        one = _check(member)
        for number, item in enumerate(value):
            one(item, (at, number), found)

    return check


def _map(shape: MapShape) -> Check:
    bounds = _Bounds(shape, "entries")

    def check(value: Any, at: Place, found: list[str]) -> None:
        if not isinstance(value, dict):
            found.append(f"{_where(at)} must be a map")
            return
        if not bounds.low <= len(value) <= bounds.high:
            found.append(bounds.fault(len(value), at))
        for key, item in value.items():
            _check(shape.key)(key, (at, key), found)
            _check(shape.value)(item, (at, key), found)

    return check


def _scalar(shape: Shape) -> Check:
    kind = shape.type_name
    python: Any = _KINDS[kind]
    bounds = _Bounds(shape, {"string": "characters", "blob": "bytes"}.get(kind, ""))
    low, high = bounds.low, bounds.high
    sized = kind in ("string", "blob")
    enum = frozenset(shape.enum) if isinstance(shape, StringShape) else frozenset()
    pattern = None if shape.name in LOOSE else shape.metadata.get("pattern")
    matched = (
        lru_cache(_compiled(pattern).fullmatch) if pattern else None
    )  # the same few texts, again and again

    def check(value: Any, at: Place, found: list[str]) -> None:
        if not isinstance(value, python) or (isinstance(value, bool) and python is not bool):
            found.append(f"{_where(at)} must be of type {kind}, not {value!r}")
            return
        size = len(value) if sized else value
        if not low <= size <= high:
            found.append(bounds.fault(size, at))
        if enum and value not in enum:
            found.append(f"{_where(at)} is {value!r}; allowed are {', '.join(sorted(enum))}")
        if matched and not matched(value):
            found.append(f"{_where(at)} is {value!r}; it must match {pattern}")

    return check


class _Bounds:
    """How large a shape's values may be, in a unit."""

    def __init__(self, shape: Shape, unit: str) -> None:
        self.low, self.high = shape.metadata.get("min", -inf), shape.metadata.get("max", inf)
        self.unit = unit

    def fault(self, size: Any, at: Place) -> str:
        """The sentence on a size that is not allowed."""
        found = f"{_where(at)} is {size} {self.unit}".rstrip()
        return f"{found}; allowed are {self.low} to {self.high}"


def _where(at: Place) -> str:
    names: list[str] = []
    while at:
        at, name = at
        names.insert(0, str(name))
    return ".".join(names) or "it"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in _JAVA:
        pattern = pattern.replace(java, python)
    return re.compile(pattern)
