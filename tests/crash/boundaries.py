"""A deployment that dies at a chosen boundary, and the one that takes over from it.

The boundaries of a pass are those of reliability F41: before the decision is recorded, after it, before
each command, after each command is applied but before that is recorded, before and after the outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import attrs
from attrs import define, field, frozen

from bluegreen import Deployment, Limits, MemoryJournal, NothingToLoad, Operator, Plan, strategies
from bluegreen.core.commands import Command
from bluegreen.core.observation import Observation, Outcome
from bluegreen.core.state import Ledger, Phase, State
from bluegreen.journal import codec
from bluegreen.journal.history import last
from bluegreen.ports import Clock, Holder, Journal, Record
from bluegreen_sim import Settings, SimCloud
from bluegreen_sim.engine import advance, with_faults
from bluegreen_sim.faults import AlarmOk, Fault, for_groups
from tests.scenarios.story import ALARM, FIELDS, plan

QUICK = Settings(deregistration_seconds=30)


class Killed(BaseException):
    """The process is gone: nothing that catches errors may catch this."""


def die() -> None:
    """What happens at a boundary, usually."""
    raise Killed


@define
class Fuse:
    """Counts boundaries; at one of them something happens.

    Args:
        at: Number of the boundary, from 1; 0 for never.
        happens: What happens there.
    """

    at: int = 0
    happens: Callable[[], None] = die
    passed: list[str] = field(factory=list)

    @property
    def burnt(self) -> bool:
        """Whether the process is dead."""
        return self.happens is die and 0 < self.at <= len(self.passed)

    def tick(self, boundary: str) -> None:
        """One boundary is reached."""
        self.passed.append(boundary)
        if len(self.passed) == self.at:
            self.happens()


@define
class MortalJournal:
    """A journal whose writer may die before or after a record is put."""

    inner: Journal
    fuse: Fuse

    def put(self, seq: int, record: Record) -> None:
        self.fuse.tick(f"before {record.kind}")
        self.inner.put(seq, record)
        self.fuse.tick(f"after {record.kind}")

    def records(self, after: int = 0) -> Iterable[Record]:
        return self.inner.records(after)

    def renew(self, holder: Holder) -> None:
        if not self.fuse.burnt:  # the dead give no sign of life, and do not let go of a lock either
            self.inner.renew(holder)

    def holder(self) -> Holder | None:
        return self.inner.holder()


@define
class MortalCloud:
    """A cloud whose caller may die before or after a command is applied."""

    inner: SimCloud
    fuse: Fuse

    @property
    def clock(self) -> Clock:
        return self.inner.clock

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        seen = self.inner.observe(plan, ledger)
        self.fuse.tick("after look")
        return seen

    def apply(self, command: Command) -> Outcome:
        self.fuse.tick(f"before {type(command).__name__}")
        outcome = self.inner.apply(command)
        self.fuse.tick(f"after {type(command).__name__}")
        return outcome


Act = Literal["abort", "pause"]


@frozen(kw_only=True)
class Case:
    """A deployment to be killed.

    Args:
        routing: How traffic is divided.
        fleets: Which kind of fleet.
        faults: What goes wrong in its world.
        at: The phase in which, once it is on record, something strikes.
        strikes: What does: faults, whose times and numbers count from then, and requests of an operator.
        changes: Of the plan.
    """

    routing: str
    fleets: str
    faults: tuple[Fault, ...] = ()
    at: Phase | None = None
    strikes: tuple[Fault | Act, ...] = ()
    changes: dict[str, Any] = attrs.Factory(dict)

    @property
    def plan(self) -> Plan:
        """A canary with few passes, so that all their boundaries can be tried."""
        ladder = strategies.canary(10 if self.routing == "weighted" else 50, 20, last_bake_seconds=20)
        quick = {"strategy": ladder, "limits": Limits(poll_seconds=20)}
        return plan(self.routing, fleets=self.fleets, **(quick | self.changes))

    def __str__(self) -> str:
        return "-".join((self.routing, self.fleets, *self.changes))


@frozen
class End:
    """What a deployment came to, without ids and times.

    Args:
        phase: Its end.
        groups: Settings, and the versions of all instances, of each group of the plan that exists.
        rule: The weights.
        versions: How many template versions of ours there are.
        leftovers: What the result lists.
    """

    phase: Phase
    groups: tuple[tuple[Any, ...], ...]
    rule: tuple[tuple[str, int], ...]
    versions: int
    leftovers: tuple[str, ...]


class Lives:
    """One world and one journal, and the processes that work on them one after the other.

    Attributes:
        boundaries: All that were passed, by whichever process.
        struck_at: How many had been passed when something struck; 0 if nothing did.
        died_in: The phase on record at each death.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.cloud = SimCloud(case.plan, capacity=2, settings=QUICK, faults=case.faults, traffic=0)
        if case.at is Phase.PREFLIGHT:
            # Else it is over with the first look, before anything can strike.
            mute = self.cloud.world.replaced(alarms=((ALARM.name, "no-data"),))
            self.cloud.world = with_faults(mute, (AlarmOk(ALARM.name, 30),))
        self.journal = MemoryJournal()
        self.operator = Operator(self.journal, case.plan.service)
        self.boundaries: list[str] = []
        self.struck_at = 0
        self.died_in: list[Phase] = []

    def live(self, dies_at: int = 0, *, downtime: float = 0) -> bool:
        """One process, from the start or from the journal, to the end or to its death; says which."""
        fuse = Fuse(dies_at)
        cloud, journal = MortalCloud(self.cloud, fuse), MortalJournal(self.journal, fuse)
        expire(self.journal)
        try:
            deployment = Deployment.load(self.case.plan.service, cloud, journal)
            self._strike(deployment.state, fuse)
        except NothingToLoad:
            deployment = Deployment(self.case.plan, cloud, journal=journal)
        try:
            self._go_on(deployment, fuse)
        except Killed:
            self.died_in.append(self._on_record())
            self.cloud.clock.sleep(downtime)
            return False
        finally:
            self.boundaries += fuse.passed
        self.deployment = deployment
        return True

    def _go_on(self, deployment: Deployment, fuse: Fuse) -> None:
        """To where it rests; what was paused is resumed then."""
        for step in deployment.steps():
            self._strike(step.state, fuse)
        if deployment.state.paused and not deployment.state.phase.ended:
            self.operator.resume()
            self._go_on(deployment, fuse)

    def _strike(self, state: State, fuse: Fuse) -> None:
        """Once the phase in which something strikes is on record, whoever recorded it, it does."""
        if state.phase is not self.case.at or self.struck_at:
            return
        self.struck_at = len(self.boundaries) + len(fuse.passed) or 1
        acts = {"abort": self.operator.abort, "pause": self.operator.pause}
        for strike in self.case.strikes:
            if isinstance(strike, str):
                acts[strike]("as planned")
            else:
                named = for_groups(strike, self.cloud.blue, self.cloud.green)
                world = with_faults(self.cloud.world, (named,))
                self.cloud.world = advance(world, world.now, self.cloud.choices)

    def _on_record(self) -> Phase:
        story = last(self.journal, self.case.plan.service)
        return story.state.phase if story else Phase.PREFLIGHT

    def end(self) -> End:
        """What it came to, once the world has come to rest too."""
        self.cloud.clock.sleep(600)
        world, wanted = self.cloud.world, self.case.plan
        result = self.deployment.result()
        groups = tuple(
            (
                *(group.name, *(getattr(group, name) for name in FIELDS)),
                tuple(sorted((i.version, i.life, i.target) for i in group.instances)),
            )
            for group in sorted(world.groups, key=lambda group: group.name)
        )
        assert {group.name for group in world.groups} <= set(wanted.groups)
        ours = sum(version.token == result.deployment_id for version in world.versions)
        return End(result.phase, groups, (*world.rule, *world.test_rule), ours, result.leftovers)


def expire(journal: Journal) -> None:
    """Time passes until the lock of a dead holder is over."""
    leases = [record for record in journal.records() if record.kind == "lease"]
    if leases:
        journal.renew(attrs.evolve(codec.read_lease(leases[-1].body), until=0.0))


def whole(case: Case) -> Lives:
    """The run without a crash."""
    lives = Lives(case)
    assert lives.live()
    return lives


def telling(boundaries: list[str]) -> list[int]:
    """The boundaries, counted from 1, of all passes that send something or lie next to one that does.

    What is left out is the middle of waiting: passes that only look, between passes that only look.
    """
    quiet = {"after look", "before decision", "after decision"}
    return [n for n in range(1, len(boundaries) + 1) if not set(boundaries[max(0, n - 5) : n + 4]) <= quiet]
