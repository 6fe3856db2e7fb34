"""A world as JSON-able data, and back."""

from __future__ import annotations

from typing import Any

import attrs

from . import faults, settings, world
from .balancing import target_faults, view
from .cloudwatch import alarms
from .groups import built, scaling
from .users import application, latency
from .world import World

_CLASSES = {
    name: value
    for module in (alarms, application, built, faults, latency, scaling, settings, target_faults, view, world)
    for name, value in vars(module).items()
    if isinstance(value, type) and attrs.has(value) and value.__module__ == module.__name__
}
_CLASS = "class"


def world_to_dict(world: World) -> dict[str, Any]:
    """A world as dicts, lists, texts and numbers; nothing is lost."""
    found = _plain(world)
    assert isinstance(found, dict)
    return found


def world_from_dict(data: dict[str, Any]) -> World:
    """The world that ``world_to_dict`` was given.

    Raises:
        ValueError: If the data is no world.
    """
    try:
        found = _value(data)
    except (TypeError, ValueError) as error:
        raise _no_world(str(error)) from error
    if isinstance(found, World):
        return found
    raise _no_world(f"a {type(found).__name__}")


def _no_world(why: str) -> ValueError:
    return ValueError(f"no saved world: {why}, expected what world_to_dict gave")


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if attrs.has(type(value)):
        fields = [field.name for field in attrs.fields(type(value)) if field.init]  # type: ignore[arg-type]
        return {_CLASS: type(value).__name__} | {name: _plain(getattr(value, name)) for name in fields}
    return value


def _value(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(_value(item) for item in data)
    if isinstance(data, dict):
        name = data.get(_CLASS)
        if name not in _CLASSES:
            raise ValueError(f"{_CLASS} = {name!r}" if name else f"{data!r:.40} has no {_CLASS!r}")
        cls = _CLASSES[name]
        return cls(**{name: _value(item) for name, item in data.items() if name != _CLASS})
    return data
