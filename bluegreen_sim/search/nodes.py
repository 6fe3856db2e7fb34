"""The values that a search over deployments handles: worlds, states, looks, each with what follows from it.

Equal values are the same object, made by ``Recall``. So they are compared and looked up by identity, and a
node is a handful of references.
"""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import blake2b
from typing import Any, NamedTuple

from attrs import define, field

from bluegreen.core.commands import Command
from bluegreen.core.observation import Observation, Outcome
from bluegreen.core.state import State, Step

from ..faults import Budget
from ..world import World
from .canonical import Names


def joined(*parts: bytes) -> bytes:
    """128 bits that stand for some digests in this order."""
    return blake2b(b"".join(parts), digest_size=16).digest()


def digest_of(value: object) -> bytes:
    """128 bits that stand for a value whose ``repr`` says all of it."""
    return joined(repr(value).encode())


@define(eq=False)
class Sight:
    """What a look shows, with its clock at 0; and the same by other names."""

    look: Observation
    digest: bytes
    names: tuple[str, ...] = ()
    renamed: dict[tuple[str, ...], Sight] = field(factory=dict)


@define(eq=False)
class Naming:
    """How those who are there are called from now on."""

    names: Names


@define(eq=False)
class Place:
    """A world without budget and history, and all that was worked out of it."""

    world: World
    digest: bytes = b""
    ties: tuple[tuple[str, ...], ...] = ()
    memo: dict[Hashable, Any] = field(factory=dict)


@define(eq=False)
class Told:
    """What became of the last pass's commands."""

    outcomes: tuple[Outcome, ...]
    digest: bytes


@define(eq=False)
class Purse:
    """A budget, and what is left of it after each kind of fault."""

    budget: Budget
    digest: bytes
    after: dict[str, Purse] = field(factory=dict)
    look: tuple[int, int] = (0, 0)
    call: tuple[int, int] = (0, 0)
    strike: tuple[int, int, int, int] = (0, 0, 0, 0)


@define(eq=False)
class Mind:
    """A deployment's state with its clock at 0, and all that was ever decided from it."""

    state: State
    digest: bytes
    decisions: dict[Hashable, Decision] = field(factory=dict)


@define(eq=False)
class Decision:
    """What was decided, what it breaks, and the minds that it becomes."""

    step: Step
    broken: tuple[str, ...]
    minds: dict[Hashable, Mind] = field(factory=dict)


class Node(NamedTuple):
    """A state of the search; equal parts are the same object.

    Args:
        place: The world.
        mind: What the journal says of the deployment.
        told: What it says of the last pass's commands.
        purse: What may still go wrong.
        history: What earlier looks saw, as far as a stale look may show it again.
        healing: Whether nothing goes wrong any more, and people do what they are asked for.
        hand: A request of a superseded process that has not arrived yet.
    """

    place: Place
    mind: Mind
    told: Told
    purse: Purse
    history: tuple[Sight, ...]
    healing: bool = False
    hand: Command | None = None

    def key(self) -> bytes:
        """128 bits that stand for it."""
        place, mind, told, purse, history, healing, hand = self
        parts = [place.digest, mind.digest, told.digest, purse.digest]
        if history:
            parts += [sight.digest for sight in history]
        if healing:
            parts.append(b"healing")
        if hand is not None:
            parts.append(digest_of(hand))
        return joined(*parts)


class Edge(NamedTuple):
    """What happened from one node to the next.

    Args:
        decision: What was decided; None if the process ended before that.
        kind: Whether nothing went wrong.
        broken: The promises that were broken.
    """

    decision: Decision | None
    kind: bool
    broken: tuple[str, ...]


HEALED = Edge(None, kind=False, broken=())
"""Everything that went wrong is over."""
