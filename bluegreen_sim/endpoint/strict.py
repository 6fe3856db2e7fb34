"""What a model forbids, all of it, in requests and in answers.

botocore looks at types, required and unknown names and minima. AWS looks at more, and a script that passes
here must not fail there: enumerations, maxima and patterns are checked too, of what comes in and of what goes
out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from math import inf
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from .memory import by_value

LOOSE = {"InstanceId", "InstanceIds"}
"""Shapes whose pattern is not asked for: the world's ids, ``i-0001``, are shorter than AWS's."""

_KINDS: dict[str, type | tuple[type, ...]] = {
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


@by_value
def faults(value: Any, shape: Shape | None) -> list[str]:
    """What the model forbids in a value, one sentence each.

    Args:
        value: Parameters of a request, or the result of one.
        shape: The model's; None allows nothing at all.
    """
    if shape is None:
        return ["nothing may be given"] if value else []
    return [f"{'.'.join(map(str, place)) or 'it'} {said}" for place, said in _check(shape)(value)]


Fault = tuple[tuple[Any, ...], str]
"""Where in a value it stands, as names and numbers from the outside in, and the rest of the sentence."""

Check = Callable[[Any], Sequence[Fault]]
"""What is wrong with a value."""


@cache
def _check(shape: Shape) -> Check:
    """The check of a shape; made once, for a shape is looked at thousands of times."""
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    if isinstance(shape, MapShape):
        return _map(shape)
    if isinstance(shape, StringShape):
        return _string(shape)
    return _scalar(shape)


class _Members(dict[str, Check]):
    """The checks of a structure's members, each made when it is first needed: shapes may hold themselves."""

    def __init__(self, shape: StructureShape) -> None:
        super().__init__()
        self.shapes = shape.members

    def __missing__(self, name: str) -> Check:
        if name not in self.shapes:
            return lambda _: [((), f"is not known; allowed are {', '.join(self.shapes)}")]
        self[name] = made = _check(self.shapes[name])
        return made


def _structure(shape: StructureShape) -> Check:
    if shape.is_document_type:
        return lambda _: ()
    required, checks = shape.required_members, _Members(shape)

    def check(value: Any) -> Sequence[Fault]:
        if not isinstance(value, dict):
            return [((), "must be a structure")]
        found: list[Fault] = [((name,), "is missing") for name in required if name not in value]
        for name, item in value.items():
            if wrong := checks[name](item):
                found += _inside(name, wrong)
        return found

    return check


def _list(shape: ListShape) -> Check:
    member, sized = shape.member, _bounded(shape, "items")

    def check(value: Any) -> Sequence[Fault]:
        if not isinstance(value, list):
            return [((), "must be a list")]
        found, one = [*sized(len(value))], _check(member)
        for number, item in enumerate(value):
            if wrong := one(item):
                found += _inside(number, wrong)
        return found

    return check


def _map(shape: MapShape) -> Check:
    sized = _bounded(shape, "entries")

    def check(value: Any) -> Sequence[Fault]:
        if not isinstance(value, dict):
            return [((), "must be a map")]
        found = [*sized(len(value))]
        for key, item in value.items():
            found += _inside(key, [*_check(shape.key)(key), *_check(shape.value)(item)])
        return found

    return check


def _string(shape: StringShape) -> Check:
    sized, enum = _bounded(shape, "characters"), frozenset(shape.enum)
    pattern = None if shape.name in LOOSE else shape.metadata.get("pattern")
    matched = _compiled(pattern).fullmatch if pattern else None

    @lru_cache(maxsize=4096)  # ids, names and states come again in answers that are new
    def judged(value: str) -> Sequence[Fault]:
        found = [*sized(len(value))]
        if enum and value not in enum:
            found.append(((), f"is {value!r}; allowed are {', '.join(sorted(enum))}"))
        if matched and not matched(value):
            found.append(((), f"is {value!r}; it must match {pattern}"))
        return found

    return lambda value: judged(value) if isinstance(value, str) else _of_type("string", value)


def _scalar(shape: Shape) -> Check:
    kind = shape.type_name
    python: Any = _KINDS[kind]
    sized = _bounded(shape, "bytes" if kind == "blob" else "")

    def check(value: Any) -> Sequence[Fault]:
        if not isinstance(value, python) or (isinstance(value, bool) and python is not bool):
            return _of_type(kind, value)
        return sized(len(value) if kind == "blob" else value)

    return check


def _of_type(kind: str, value: Any) -> Sequence[Fault]:
    return [((), f"must be of type {kind}, not {value!r}")]


def _bounded(shape: Shape, unit: str) -> Check:
    """The check of how large, long or many a shape's values may be, counted in a unit."""
    low, high = shape.metadata.get("min", -inf), shape.metadata.get("max", inf)

    def check(size: Any) -> Sequence[Fault]:
        if low <= size <= high:
            return ()
        return [((), f"{f'is {size} {unit}'.rstrip()}; allowed are {low} to {high}")]

    return check


def _inside(name: Any, wrong: Sequence[Fault]) -> list[Fault]:
    """The faults of what stands under a name, as those of what it stands in."""
    return [((name, *place), said) for place, said in wrong]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in _JAVA:
        pattern = pattern.replace(java, python)
    return re.compile(pattern)
