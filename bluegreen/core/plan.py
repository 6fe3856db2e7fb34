"""What the user wants: a frozen value, validated when built, that reports every fault at once."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import ClassVar, Literal

import attrs
from attrs import frozen

from .checks import (
    Validated,
    checked,
    flag,
    group_name,
    instance_of,
    matching,
    names_of_rules,
    one_of,
    optional,
    percentage,
    rule_name,
    seconds,
    service_name,
    target_group_name,
    target_group_pairs,
    template_name,
    tuple_of,
    two_target_groups,
    whole,
)
from .errors import Fault
from .gates import Gate, MetricGate, Probe
from .limits import Deadlines, Limits

# -------------------------------------------------------------------------------------------- strategy


@frozen(kw_only=True)
class Rung(Validated):
    """One stage of a strategy.

    Args:
        percent: Share of requests that green gets, 1 to 100.
        bake_seconds: How long the gates are watched before going on.
        approval: Whether a person must approve going on from this rung.

    Raises:
        PlanError: With every fault.
    """

    percent: int = checked(whole(1, 100, "percent"))
    bake_seconds: int = checked(seconds, default=0)
    approval: bool = checked(flag, default=False)


def _rungs(value: tuple[object, ...]) -> str | None:
    if value and all(isinstance(rung, Rung) for rung in value):
        return None if len(value) <= 100 else "at most 100 rungs"
    return "must be a tuple of at least one Rung"


@frozen
class Strategy(Validated):
    """How traffic moves to green: a ladder of rungs, then the last watch.

    Args:
        rungs: In rising order of percent; the last is 100.
        keep_blue_seconds: How long blue stays whole after the last rung, an instant way back.
        name: What people call it; has no effect.

    Raises:
        PlanError: With every fault.
    """

    rungs: tuple[Rung, ...] = checked(tuple_of("at least one Rung", _rungs))
    keep_blue_seconds: int = checked(seconds, default=0, kw_only=True)
    name: str = checked(
        matching(r"[A-Za-z0-9 ._-]{1,64}", "1 to 64 plain characters"), default="rungs", kw_only=True
    )

    def cross_faults(self) -> Iterator[Fault]:
        """Percents must rise and end at 100: a ladder that never reaches the end never promotes."""
        percents = [rung.percent for rung in self.rungs]
        for i, (before, after) in enumerate(pairwise(percents), start=1):
            if after <= before:
                yield Fault(f"rungs[{i}].percent", after, f"must be above the rung before it ({before})")
        if percents[-1] != 100:
            yield Fault(f"rungs[{len(percents) - 1}].percent", percents[-1], "the last rung must be 100")


# --------------------------------------------------------------------------------------------- routing


@frozen
class SharedTargetGroup(Validated):
    """Both groups behind one target group; the share follows the instance counts.

    Args:
        target_group: Name of the target group.

    Raises:
        PlanError: With every fault.
    """

    kind: ClassVar[str] = "shared"
    target_group: str = checked(target_group_name)


@frozen(init=False, repr=False)
class WeightedTargetGroups(Validated):
    """Each group behind its own target group, both in one rule; a shift is one write of weights.

    A service behind several balancers, or on several ports, has a pair of target groups for each. A rung is
    reached when all rules show it, and an instance is healthy when all its target groups say so.

    Args:
        target_groups: Two names, paired with ``Plan.groups`` by position.
        listener: The listener (or rule) that divides traffic, as the cloud names it; None lets the
            cloud find the rules that name both target groups.
        also: Further pairs, likewise.

    Raises:
        PlanError: With every fault.
    """

    kind: ClassVar[str] = "weighted"
    target_groups: tuple[str, str] = checked(two_target_groups)
    listener: str | None = checked(optional(rule_name), default=None)
    also: tuple[tuple[str, str], ...] = checked(target_group_pairs, default=())

    def __init__(
        self, *target_groups: str, listener: str | None = None, also: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Take the two names as positional arguments."""
        self.__attrs_init__(target_groups, listener, also)  # type: ignore[arg-type]  # checked right there

    def __repr__(self) -> str:
        """The call that makes it."""
        also = f", also={self.also!r}" if self.also else ""
        named = ", ".join(map(repr, self.target_groups))
        return f"WeightedTargetGroups({named}, listener={self.listener!r}{also})"

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """All pairs of target groups."""
        return (self.target_groups, *self.also)

    def cross_faults(self) -> Iterator[Fault]:
        """A target group belongs to one pair, and a listener to one balancer."""
        names = [name for pair in self.pairs for name in pair]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            yield Fault("also", self.also, f"names {twice[0]!r} twice; each target group is in one pair")
        if self.also and self.listener is not None:
            yield Fault(
                "listener", self.listener, "must be left out with also: rules are found by their groups"
            )


Routing = SharedTargetGroup | WeightedTargetGroups


# ------------------------------------------------------------------------------------------------ plan


@frozen
class TemplateVersion(Validated):
    """A launch template version that somebody else has made, with all that it names.

    Args:
        number: Its number; ``$Latest`` and ``$Default`` would change under a running deployment.

    Raises:
        PlanError: With every fault.
    """

    number: int = checked(whole(1, 2**31))


def _two_groups(value: tuple[object, ...]) -> str | None:
    if len(value) != 2:
        return "must be two groups; which of them is live is seen, not said"
    for name in value:
        if remedy := group_name(name):
            return f"{name!r} {remedy}"
    return "must be two different groups" if value[0] == value[1] else None


_KINDS = "Alarm, MetricGate, Probe, Hook or Window"


def _gates(value: tuple[Gate, ...]) -> str | None:
    if not all(isinstance(gate, Gate) for gate in value):
        return f"must be a tuple of {_KINDS}"
    names = [gate.name for gate in value]
    twice = sorted({name for name in names if names.count(name) > 1})
    return f"two gates are called {twice[0]!r}; names must differ" if twice else None


def _all_at_once() -> Strategy:
    return Strategy((Rung(percent=100, bake_seconds=60),), name="all-at-once")


@frozen(kw_only=True)
class Plan(Validated):
    """A deployment that is wanted.

    Args:
        service: What is deployed; one journal and one lock per service.
        image: What the new instances are started from (an AMI id).
        version: A ``TemplateVersion`` that they are started from instead; then no version is made.
        launch_template: Name of the template whose other settings the new instances keep.
        groups: Two Auto Scaling groups; which of them is live is seen, not said.
        routing: How traffic is divided: ``SharedTargetGroup`` or ``WeightedTargetGroups``.
        strategy: The rungs; see ``bluegreen.strategies``.
        fleets: ``"standing"``: both groups stay, one at zero; ``"replace"``: green is created with
            blue's settings and blue is deleted.
        capacity: Instances of the very first release, when no group is live. Later releases take the
            live group's size.
        min_healthy_percent: The floor, as a percentage of blue's size at the start: no command of ours
            takes the healthy serving instances below it.
        source_version: Template version that the new one is made from; None takes the version that
            the live group runs.
        on_blue_sick: What to do when blue falls below the floor on the way: ``"continue"`` at the
            normal pace, ``"expedite"`` without the bakes, or ``"hold"``.
        retain_seconds: With ``"replace"``: how long the emptied blue group is kept before deletion.
        keep_failed_green_seconds: How long a green that was given up is kept, without users, for somebody to
            look at, before it is removed.
        console_lines: How many of the last lines that its instances wrote on their consoles go into the
            journal before that; 0 for none, for they may hold secrets.
        freeze_scaling: Whether both groups' own scaling is suspended until the end.
        test_rules: Names or ARNs of rules (or of listeners: their default rules) by which test requests come,
            on a port or with a header of their own. Each divides between both target groups of a pair, as
            the rule for users does. From a proven green to the end of the last watch they lead to green;
            then they are as they were. Only with ``WeightedTargetGroups``.
        gates: What must hold besides health.
        limits: See ``Limits``.
        deadlines: See ``Deadlines``.

    Raises:
        PlanError: With every fault.
    """

    service: str = checked(service_name)
    image: str | None = checked(
        optional(matching(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}", "an image id such as 'ami-0abc'")),
        default=None,
    )
    version: TemplateVersion | None = checked(optional(instance_of(TemplateVersion)), default=None)
    launch_template: str = checked(template_name)
    groups: tuple[str, str] = checked(tuple_of("two groups", _two_groups))
    routing: Routing = checked(instance_of(SharedTargetGroup, WeightedTargetGroups))
    strategy: Strategy = checked(instance_of(Strategy), factory=_all_at_once)
    fleets: Literal["standing", "replace"] = checked(one_of("standing", "replace"), default="standing")
    capacity: int | None = checked(optional(whole(1, 10_000, "instances")), default=None)
    min_healthy_percent: int = checked(percentage, default=100)
    source_version: int | None = checked(optional(whole(1, 2**31)), default=None)
    on_blue_sick: Literal["continue", "expedite", "hold"] = checked(
        one_of("continue", "expedite", "hold"), default="continue"
    )
    retain_seconds: int = checked(seconds, default=0)
    keep_failed_green_seconds: int = checked(seconds, default=0)
    console_lines: int = checked(whole(0, 200, "lines"), default=0)
    freeze_scaling: bool = checked(flag, default=False)
    test_rules: tuple[str, ...] = checked(names_of_rules, default=())
    gates: tuple[Gate, ...] = checked(tuple_of(_KINDS, _gates), default=())
    limits: Limits = checked(instance_of(Limits), factory=Limits)
    deadlines: Deadlines = checked(instance_of(Deadlines), factory=Deadlines)

    def cross_faults(self) -> Iterator[Fault]:
        """What is deployed, said once; what a shared target group cannot show."""
        if self.image is None and self.version is None:
            yield Fault(
                "image", None, "name an image such as 'ami-0abc', or the version of the launch template"
            )
        if self.version is not None:
            if self.image is not None:
                yield Fault(
                    "image", self.image, "name an image or a version of the launch template, not both"
                )
            if self.source_version is not None:
                yield Fault(
                    "source_version", self.source_version, "goes with an image: no version is made here"
                )
        yield from self._test_faults()
        yield from self._proof_faults()
        if self.shared:
            for i, gate in enumerate(self.gates):
                if isinstance(gate, MetricGate) and gate.by == "target-group":
                    yield Fault(
                        f"gates[{i}].by",
                        gate.by,
                        "a shared target group has one metric for both colours: use by = 'group', or routing "
                        "kind 'weighted'",
                    )
            for i, rung in enumerate(self.strategy.rungs):
                if 50 < rung.percent < 100:
                    yield Fault(
                        f"strategy.rungs[{i}].percent",
                        rung.percent,
                        "with a shared target group a full-size green beside the whole blue gets 50 %: "
                        "use at most 50, then 100, or routing kind 'weighted'",
                    )

    def _test_faults(self) -> Iterator[Fault]:
        if self.test_rules and isinstance(self.routing, SharedTargetGroup):
            remedy = "behind a shared target group nothing tells green apart: use routing kind 'weighted'"
            yield Fault("test_rules", self.test_rules, remedy)
        elif isinstance(self.routing, WeightedTargetGroups) and self.routing.listener in self.test_rules:
            yield Fault("test_rules", self.test_rules, "users come by routing.listener: name another rule")
        for i, gate in enumerate(self.gates):
            if isinstance(gate, Probe) and gate.test and not self.test_rules:
                yield Fault(f"gates[{i}].test", gate.test, "needs test_rules that lead to green")

    def _proof_faults(self) -> Iterator[Fault]:
        """Health is proven in ``scale_up``, and by a shared target group once more in ``shift``."""
        limits, looks = self.limits, (self.limits.proof_looks - 1) * self.limits.poll_seconds
        for name in ("scale_up_seconds", *(["shift_seconds"] if self.shared else [])):
            most = getattr(self.deadlines, name)
            below = f"must be below deadlines.{name} ({most}), or no instance is ever proven"
            if limits.proof_seconds >= most:
                yield Fault("limits.proof_seconds", limits.proof_seconds, below)
            if looks >= most:
                took = f"take {looks} s, one every limits.poll_seconds ({limits.poll_seconds})"
                yield Fault("limits.proof_looks", limits.proof_looks, f"{took}: {below}")

    @property
    def shared(self) -> bool:
        """Whether both groups stand behind one target group."""
        return isinstance(self.routing, SharedTargetGroup)

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The strategy's rungs."""
        return self.strategy.rungs

    @property
    def what(self) -> str:
        """What is deployed, for people: ``image ami-0abc`` or ``version 7``."""
        return f"image {self.image}" if self.number is None else f"version {self.number}"

    @property
    def number(self) -> int | None:
        """The number of the template version that is deployed; None when it is an image."""
        return None if self.version is None else self.version.number

    def with_image(self, image: str) -> Plan:
        """The same plan for another image; an earlier ``source_version`` no longer applies."""
        return attrs.evolve(self, image=image, version=None, source_version=None)

    def with_version(self, number: int) -> Plan:
        """The same plan for a launch template version that is there already."""
        return attrs.evolve(self, image=None, version=TemplateVersion(number), source_version=None)

    def floor(self, baseline: int) -> int:
        """Instances that must stay healthy and serving, of ``baseline`` at the start (rounded up)."""
        return -(-self.min_healthy_percent * baseline // 100)

    def green_size(self, percent: int, need: int) -> int:
        """Instances that green has at a rung of ``percent``, beside a blue of ``need``.

        Behind a shared target group the share is the count: the largest green whose share does not
        exceed ``percent``, at least 1. With weights green is always full-size.
        """
        if not self.shared or percent == 100:
            return need
        return max(1, min(need, percent * need // (100 - percent)))

    def real_share(self, percent: int, need: int) -> Fraction:
        """The share that green really gets at a rung of ``percent``, of 1."""
        if not self.shared:
            return Fraction(percent, 100)
        green = self.green_size(percent, need)
        return Fraction(green, green + need)
