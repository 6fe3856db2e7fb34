"""What AWS keeps of an account's things and the world does not need: tags, descriptions, tokens, rules.

It stands in ``World.notes``, as JSON texts under a name, and so it is saved, copied and set back with the
world, and a stale look sees stale notes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bluegreen_sim.world import World


def note(world: World, about: str, default: Any = None) -> Any:
    """What is noted about something."""
    for name, text in world.notes:
        if name == about:
            return json.loads(text)
    return default


def noted(world: World, about: str, value: Any) -> World:
    """The world with a note added or replaced; None takes it away."""
    others = tuple((name, text) for name, text in world.notes if name != about)
    if value is None:
        return world.replaced(notes=others)
    return world.replaced(notes=(*others, (about, json.dumps(value, sort_keys=True))))


def all_about(world: World, kind: str) -> Iterator[tuple[str, Any]]:
    """(name, note) of everything of a kind that there is a note about, the oldest first."""
    for name, text in world.notes:
        if name.startswith(f"{kind} "):
            yield name.removeprefix(f"{kind} "), json.loads(text)


def tags(world: World, of: str) -> dict[str, str]:
    """The tags of a thing."""
    found: dict[str, str] = note(world, f"tags {of}", {})
    return found


def tagged(world: World, of: str, more: dict[str, str], *, without: tuple[str, ...] = ()) -> World:
    """The world with tags added to a thing and others taken away."""
    kept = {key: value for key, value in (tags(world, of) | more).items() if key not in without}
    return noted(world, f"tags {of}", kept or None)


def once(world: World, action: str, token: str, request: Any) -> tuple[Any, bool]:
    """What came of an action that bears this client token; and whether it was the same request.

    EC2 developer guide, "Ensuring idempotency": the same token with other parameters is an error.
    """
    kept = note(world, f"token {action} {token}")
    return (None, True) if kept is None else (kept["result"], kept["request"] == request)


def done(world: World, action: str, token: str, request: Any, result: Any) -> World:
    """The world in which a client token is used up."""
    return noted(world, f"token {action} {token}", {"request": request, "result": result})
