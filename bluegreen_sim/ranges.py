"""What a value's fields may be, read off their types: numbers in their range, words that are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

Range = tuple[float, float]

MANY: Range = (0, 10**9)
"""Of a number of which nothing else is said."""
PERCENT: Range = (0, 100)


def out_of_range(value: object, ranges: Mapping[str, Range]) -> Iterator[str]:
    """What is wrong with the fields of an attrs value, each by itself: name, value and what to give.

    Args:
        value: The value.
        ranges: (least, most) of numbers, by field; of what ends in ``percent`` 0 to 100, of others 0 to 10⁹.
    """
    cls: Any = type(value)
    for name, kind in _kinds(cls).items():
        given = getattr(value, name)
        span = ranges.get(name, PERCENT if name.endswith("percent") else MANY)
        if not _is(given, kind, span):
            yield f"{name} = {given!r}: give {_words(kind, span)}"
        elif given == () and name.endswith("_seconds"):
            yield f"{name} = (): give one number or more"


@cache
def _kinds(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in attrs.fields(cls) if field.init}


def _is(given: object, kind: Any, span: Range) -> bool:
    parts, origin = get_args(kind), get_origin(kind)
    if origin in (Union, UnionType):
        return any(_is(given, part, span) for part in parts)
    if origin is Literal:
        return given in parts
    if origin is tuple:
        if not isinstance(given, tuple):
            return False
        kinds = parts[:1] * len(given) if parts[1:] == (...,) else parts
        return len(kinds) == len(given) and all(map(_is, given, kinds, [span] * len(given)))
    if kind in (int, float):
        numbers = (int,) if kind is int else (int, float)
        return isinstance(given, numbers) and not isinstance(given, bool) and span[0] <= given <= span[1]
    return isinstance(given, kind)


def _words(kind: Any, span: Range) -> str:
    parts, origin = get_args(kind), get_origin(kind)
    if origin in (Union, UnionType):
        return " or ".join(_words(part, span) for part in parts)
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin is tuple:
        each = dict.fromkeys(_words(part, span) for part in parts if part is not ...)
        return f"a tuple, of each {', '.join(each)}"
    if kind in (int, float):
        return f"{'a whole number, ' if kind is int else ''}{span[0]} to {span[1]}"
    return {bool: "True or False", type(None): "None", str: "a text"}.get(kind, f"a {kind.__name__}")
