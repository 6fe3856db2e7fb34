"""All that a pass knows: what was seen and when, and what became of what was asked for.

Missing is not zero and unknown is not healthy: a part that could not be read is absent here and
named in ``Observation.unread``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from fractions import Fraction
from typing import Literal

from attrs import field, frozen

from .commands import Command


def instant(seconds: float) -> float:
    """A time in seconds, cut to an eighth.

    Multiples of 1/8 add and subtract exactly in binary floating point, so a bake of 60 s is over at
    60 s and never at 59.999 s, on every machine and in every replay.
    """
    return math.floor(seconds * 8) / 8


class Health(Enum):
    """What the observer says of one instance; the words are those of Elastic Load Balancing.

    An instance that no balancer knows yet is judged by asking it directly.
    """

    HEALTHY = "healthy"
    INITIAL = "initial"
    """Launching, registering, or without a first verdict: neither healthy nor sick."""
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"
    """On its way out: gets no new requests."""
    UNKNOWN = "unknown"
    """Anything else that the cloud said. Counts as nothing good."""


@frozen
class TargetHealth:
    """One instance of a fleet, as it was seen.

    Args:
        id: The instance's id.
        version: The template version it was launched from, if that is known.
        health: The verdict.
        reason: The cloud's reason code for it (``Target.FailedHealthChecks``).
    """

    id: str
    version: int | None
    health: Health
    reason: str | None = None


def _healthy_by_version(fleet: Fleet) -> Mapping[int | None, frozenset[str]]:
    found: dict[int | None, list[str]] = {}
    for target in fleet.targets:
        if target.health is Health.HEALTHY:
            found.setdefault(target.version, []).append(target.id)
    return {version: frozenset(ids) for version, ids in found.items()}


def _counts(fleet: Fleet) -> Mapping[Health, int]:
    found = [target.health for target in fleet.targets]
    return {health: sum([each is health for each in found]) for health in Health}  # an Enum hashes slowly


@frozen(kw_only=True)
class Fleet:
    """One group of equal instances, as it was seen.

    Args:
        name: The group's name.
        exists: Whether there is such a group.
        min: Its smallest size.
        max: Its largest size.
        desired: The size it wants now.
        version: The template version its next instance would be launched from; None when that is
            not a pinned number.
        attached: Whether its instances are behind the balancer (always so with weights).
        frozen: Whether its own scaling is suspended.
        targets: Every instance that still exists, also those on their way out.
        launch_error: The cloud's words for why the last launch failed, if it did.
        launch_hopeless: Whether the launches fail for a reason that no waiting mends.
        refreshing: Whether an instance refresh replaces its instances; asked before anything is changed.
        lacks: What the group it was made like has, and it has not yet: one word or two each, see
            ``CopySetting``.
    """

    name: str
    exists: bool = True
    min: int = 0
    max: int = 0
    desired: int = 0
    version: int | None = None
    attached: bool = False
    frozen: bool = False
    targets: tuple[TargetHealth, ...] = ()
    launch_error: str | None = None
    launch_hopeless: bool = False
    refreshing: bool = False
    lacks: tuple[str, ...] = ()

    # Counted once when the fleet is seen; deciding then costs the same for 2 and for 2,000 instances.
    _healthy: Mapping[int | None, frozenset[str]] = field(init=False, eq=False, repr=False)
    _counts: Mapping[Health, int] = field(init=False, eq=False, repr=False)

    @_healthy.default
    def _(self) -> Mapping[int | None, frozenset[str]]:
        return _healthy_by_version(self)

    @_counts.default
    def _(self) -> Mapping[Health, int]:
        return _counts(self)

    @property
    def running(self) -> int:
        """Instances that exist, also those on their way out."""
        return len(self.targets)

    @property
    def healthy(self) -> int:
        """Healthy instances, whatever their version."""
        return self._counts[Health.HEALTHY]

    @property
    def unhealthy(self) -> int:
        """Instances with a bad verdict."""
        return self._counts[Health.UNHEALTHY]

    @property
    def draining(self) -> int:
        """Instances on their way out."""
        return self._counts[Health.DRAINING]

    def healthy_of(self, version: int | None) -> frozenset[str]:
        """Ids of the healthy instances of one template version."""
        return self._healthy.get(version, frozenset())

    @classmethod
    def absent(cls, name: str) -> Fleet:
        """A group that was looked for and is not there."""
        return cls(name=name, exists=False)


@frozen
class Shares:
    """The weights with which the balancer divides requests, read back.

    Several rules may lead to the same groups (HTTP and HTTPS). They are written one after the other, and
    until the last shows what is wanted, users come by different weights.

    Args:
        weights: (group, weight), one for each of the plan's groups, of the first rule.
        others: The same of each further rule that shows something else.
    """

    weights: tuple[tuple[str, int], ...]
    others: tuple[tuple[tuple[str, int], ...], ...] = ()

    def seen(self, fleet: str | None) -> tuple[int, ...]:
        """The group's weights that are to be seen; 0 where it is not named."""
        return tuple([dict(weights).get(fleet or "", 0) for weights in (self.weights, *self.others)])

    def weight(self, fleet: str | None) -> int:
        """The group's highest weight; 0 when it is not named."""
        return max(self.seen(fleet))

    def _shares(self, fleet: str | None) -> tuple[Fraction, ...]:
        totals = [sum(weight for _, weight in weights) for weights in (self.weights, *self.others)]
        pairs = zip(self.seen(fleet), totals, strict=True)
        return tuple([Fraction(weight, total) if total else Fraction(0) for weight, total in pairs])

    def share(self, fleet: str | None) -> Fraction:
        """The group's part of all requests, of 1: the most that any rule gives it."""
        return max(self._shares(fleet))

    def least(self, fleet: str | None) -> Fraction:
        """The least that any rule gives it."""
        return min(self._shares(fleet))

    def show(self, wanted: tuple[tuple[str, int], ...]) -> bool:
        """Whether every rule shows these weights."""
        return not self.others and all(self.weight(name) == weight for name, weight in wanted)


@frozen(kw_only=True)
class Delays:
    """What the balancer makes everybody wait for, in seconds.

    Args:
        drain_seconds: How long an instance that leaves may take to finish its requests.
        sticky_seconds: How long the balancer keeps a client on the group it first came to, whatever the
            weights say since; counted from the client's last request.
        warm_seconds: How long a new instance may take to its full share: health checks and slow start.
    """

    drain_seconds: int = 0
    sticky_seconds: int = 0
    warm_seconds: int = 0


class Reading(Enum):
    """What a gate says now."""

    PASS = "pass"
    FAIL = "fail"
    PENDING = "pending"
    """Asked, and not yet able to say."""
    NO_DATA = "no-data"
    """Could not be read, or has nothing to judge by. Never a pass."""


@frozen(kw_only=True)
class GateReading:
    """One gate, read once.

    Args:
        name: The gate's name in the plan.
        reading: What it says.
        detail: Its reason, for people.
        last_red: Of an alarm: no later than this it was last red, in the cloud's own time, which is compared
            with itself only. It rises if, and only if, the alarm has been red again; None when unknown.
    """

    name: str
    reading: Reading
    detail: str = ""
    last_red: float | None = None


RequestKind = Literal["approve", "pause", "resume", "abort"]


@frozen(kw_only=True)
class Request:
    """What an operator asked for.

    Args:
        seq: The journal record that holds it.
        kind: What is asked.
        by: Who asks.
        reason: Why.
        rung: With ``approve``: the rung that may be left.
    """

    seq: int
    kind: RequestKind
    by: str = ""
    reason: str = ""
    rung: int | None = None


class Result(Enum):
    """What became of one command."""

    APPLIED = "applied"
    NOT_APPLIED = "not-applied"
    """Surely not done; may be asked again: throttled, busy, never sent."""
    UNKNOWN = "unknown"
    """Sent, answer lost: look before asking again."""
    WITHHELD = "withheld"
    """The guard's own look forbade it."""
    REFUSED = "refused"
    """The cloud said no; ``Outcome.error`` says of which class."""


class ErrorClass(Enum):
    """Why a command was not applied, in the closed set that the core can tell apart."""

    THROTTLED = "throttled"
    BUSY = "busy"
    NOT_SENT = "not-sent"
    LOST = "lost"
    CONFLICT = "conflict"
    """A resource of that name exists and is not ours."""
    ABSENT = "absent"
    IN_USE = "in-use"
    NO_CAPACITY = "no-capacity"
    IDENTITY = "identity"
    """Not allowed, or credentials that no longer hold."""
    BUG = "bug"
    UNCLASSIFIED = "unclassified"

    @property
    def hopeless(self) -> bool:
        """Whether asking again cannot help; a person must look."""
        return self in _HOPELESS

    @property
    def result(self) -> Result:
        """What has become of a command that met an error of this class."""
        if self is ErrorClass.LOST:
            return Result.UNKNOWN
        return Result.NOT_APPLIED if self in _NOT_APPLIED else Result.REFUSED


_NOT_APPLIED = frozenset({ErrorClass.THROTTLED, ErrorClass.BUSY, ErrorClass.NOT_SENT})
_HOPELESS = frozenset({ErrorClass.CONFLICT, ErrorClass.IDENTITY, ErrorClass.BUG, ErrorClass.UNCLASSIFIED})


@frozen(kw_only=True)
class Outcome:
    """What became of one command of the last pass.

    Args:
        command: The command.
        result: What became of it.
        error: Its class, when it was not applied.
        detail: The cloud's own words, for people.
        invariant: With ``WITHHELD``: the id of the promise that forbade it.
        agreed: With ``WITHHELD``: whether the guard's look agreed with the look that the decision
            was made on. If it did, the decision itself was wrong: a bug of ours.
    """

    command: Command
    result: Result
    error: ErrorClass | None = None
    detail: str = ""
    invariant: str | None = None
    agreed: bool = False


@frozen(kw_only=True)
class Observation:
    """The whole input of one pass.

    Args:
        at: When it was seen, in seconds; cut to an eighth.
        fleets: Both of the plan's groups, as far as they could be read.
        shares: The weights read back; None behind a shared target group, or when unread.
        test_shares: The same of the plan's test rules; None without any, or when they are not there any more.
        delays: As long as nothing was changed: what the balancer makes everybody wait for.
        version: The template version found under the deployment's token, or the one that the plan names;
            None when there is none.
        default_version: The template's default version, a number; None when the template is missing.
        image: Whether the plan's image, or that of its version, exists and can be launched; None when unread.
        gates: The gates' readings.
        requests: Operators' requests not yet seen.
        outcomes: What became of the last pass's commands.
        unread: Names of the parts that could not be read.
        problems: What the cloud says against the plan before anything is changed, one sentence each.
    """

    at: float = field(converter=instant)
    fleets: tuple[Fleet, ...] = ()
    shares: Shares | None = None
    test_shares: Shares | None = None
    delays: Delays = Delays()
    version: int | None = None
    default_version: int | None = None
    image: bool | None = None
    gates: tuple[GateReading, ...] = ()
    requests: tuple[Request, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    unread: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def fleet(self, name: str | None) -> Fleet | None:
        """The group of that name; None when it was not read."""
        for fleet in self.fleets:
            if fleet.name == name:
                return fleet
        return None

    def reading(self, gate: str) -> GateReading | None:
        """The reading of a gate; None when there is none."""
        return next((reading for reading in self.gates if reading.name == gate), None)
