"""Single values in place of those of a plan file, each as text: ``strategy.bake_seconds=30``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bluegreen.core.text import escaped

from .places import MAX_DEPTH, Place, Places, Unreadable, below, check_text, from_toml

_KEY = re.compile(r"[\w-]+(\[\d{1,6}\])*(\.[\w-]+(\[\d{1,6}\])*)*")
_PART = re.compile(r"[\w-]+|\[\d+\]")
_OPENED = ("'", '"', "[", "{")
"""What a value begins with that is no bare word."""


def override(data: Any, found: Places, texts: Iterable[str]) -> Iterator[tuple[str, str, str, Place]]:
    """Put each ``key=value`` into the data, and its place into the places.

    A key is a path such as ``limits.poll_seconds`` or ``gates[0].name``. A value is written as in TOML;
    a bare word that is none of TOML's values is taken as text.

    Args:
        data: What the file holds; changed.
        found: Where it stands; changed.
        texts: The overrides, in order; the last of the same key counts.

    Yields:
        (path, value, remedy, place) of each that cannot be put there.
    """
    for text in texts:
        key, mark, value = text.partition("=")
        key, place = key.strip(), Place(0, 0, f"--set {escaped(text, 100)}")
        if not mark:
            yield "", text, "must be KEY=VALUE, such as strategy.bake_seconds=30", place
            continue
        try:
            _put(data, found, _parts(key), _value(value.strip()), place)
        except Unreadable as wrong:
            yield key, value, wrong.remedy, place


def _parts(key: str) -> list[str]:
    parts = _PART.findall(key)
    if not _KEY.fullmatch(key) or len(parts) > MAX_DEPTH:
        raise Unreadable(Place(0, 0), f"{key!r} is no path such as strategy.bake_seconds or gates[0].name")
    return parts


def _value(text: str) -> Any:
    check_text(text)
    try:
        data, _ = from_toml(f"value = {text}")
    except Unreadable:
        if text.startswith(_OPENED):
            raise
        return text
    if set(data) != {"value"}:  # a line break, and more behind it
        raise Unreadable(Place(0, 0), "must be one value")
    return data["value"]


def _put(data: Any, found: Places, parts: list[str], value: Any, place: Place) -> None:
    """Store a value; tables on the way are made when missing, elements of arrays are not.

    Raises:
        Unreadable: If the way leads through something else.
    """
    node, path = data, ""
    for depth, part in enumerate(parts, start=1):
        last = depth == len(parts)
        if part.startswith("["):
            index = int(part[1:-1])
            if not isinstance(node, list) or index >= len(node):
                raise Unreadable(place, f"{path} has no element {index}")
            node[index] = value if last else node[index]
            node, path = node[index], f"{path}{part}"
        else:
            if not isinstance(node, dict):
                raise Unreadable(place, f"{path or 'the file'} is no table")
            node[part] = value if last else node.get(part, {})
            node, path = node[part], below(path, part)
        if not last:
            found.values.setdefault(path, place)
    for known in (found.keys, found.values):
        for old in [old for old in known if old.startswith((f"{path}.", f"{path}["))]:
            del known[old]
        known[path] = place
