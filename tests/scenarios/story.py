"""A little language for scenarios: a plan, a world, what happens in it, and how it ends.

A story runs the real ``Deployment`` on a ``SimCloud`` with a journal in memory, and real ``Operator``
requests. Whatever it tells, ``ends`` also holds every pass to the general properties, and decides all of
it a second time from the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from bluegreen import (
    Alarm,
    Deployment,
    Limits,
    MemoryJournal,
    Operator,
    Plan,
    Result,
    SharedTargetGroup,
    WeightedTargetGroups,
    strategies,
)
from bluegreen.core.observation import Observation
from bluegreen.core.state import Phase, State, Step
from bluegreen.journal import codec
from bluegreen.journal.history import last, replay, stories
from bluegreen.ports import Gate, Journal
from bluegreen_sim import Settings, SimCloud, World
from bluegreen_sim.engine import with_faults
from bluegreen_sim.faults import Fault, for_groups
from bluegreen_sim.world import Group
from tests.explore.properties import Pass, violations

ROUTINGS = ("weighted", "shared")
FLEETS = ("standing", "replace")
ALARM = Alarm(name="errors")
FIELDS = ("min", "max", "desired", "version", "attached", "frozen")
QUICK = Settings(deregistration_seconds=30)

_ROUTING = {
    "weighted": WeightedTargetGroups("web-a-targets", "web-b-targets"),
    "shared": SharedTargetGroup("web-targets"),
}


def plan(routing: str = "weighted", **changes: Any) -> Plan:
    """A canary for ``web-a`` and ``web-b``, watched by one alarm, unless changed."""
    wanted = {
        "service": "web",
        "image": "ami-2",
        "launch_template": "web-template",
        "groups": ("web-a", "web-b"),
        "routing": _ROUTING[routing],
        "strategy": strategies.canary(10 if routing == "weighted" else 50, 60),
        "gates": (ALARM,),
        "limits": Limits(poll_seconds=10),
    }
    return Plan(**(wanted | changes))


class Story:
    """One deployment in one world.

    Args:
        wanted: The plan.
        faults: What goes wrong, from the start of the world on.
        capacity: Blue's size at the start.
        live: Index of the live group; None when none is.
        settings: How the world behaves.
        world: Goes on from this world instead.
        journal: Goes on in this journal.
        checks: The user's own checks, by name.
        before: Changes the world before anybody looks.
    """

    def __init__(
        self,
        wanted: Plan,
        *,
        faults: Iterable[Fault] = (),
        capacity: int = 2,
        live: int | None = 0,
        settings: Settings = QUICK,
        world: World | None = None,
        journal: Journal | None = None,
        checks: Mapping[str, Gate] | None = None,
        before: Callable[[World], World] | None = None,
    ) -> None:
        self.plan = wanted
        self.cloud = SimCloud(
            wanted,
            capacity=capacity,
            live=live,
            faults=faults,
            settings=settings,
            world=world,
            add_image=world is not None,
        )
        if before:
            self.cloud.world = before(self.cloud.world)
        self.blue, self.green = self.cloud.blue, self.cloud.green
        self.start = self.cloud.world
        self.journal = MemoryJournal() if journal is None else journal
        self.deployment = Deployment(wanted, self.cloud, journal=self.journal, gates=checks, listeners=[self])
        self.operator = Operator(self.journal, wanted.service, by="alice")
        self.passes: list[Pass] = []

    # ---------------------------------------------------------------------------------------- it goes on

    def stepped(self, step: Step, observation: Observation) -> None:
        """Remember a pass; this is the deployment's ``Listener``."""
        before = self.passes[-1].step.state if self.passes else self._first()
        sent = self.deployment._outcomes
        self.passes.append(Pass(self.plan, before, observation, step, sent))

    def until(self, phase: Phase, *, rung: int | None = None) -> Story:
        """Go on to the moment at which ``phase`` is entered (of that rung, counted from 1)."""
        for step in self.deployment.steps():
            if step.state.phase is phase and rung in (None, step.state.rung + 1):
                return self
        raise AssertionError(f"never came to {phase.value}: {self._words()}")

    def pass_by(self, seconds: float) -> Story:
        """Look on for a time, even where the deployment only waits for somebody."""
        clock = self.cloud.clock
        end = clock.now() + seconds
        while clock.now() < end:
            due = self.deployment.advance().wake_at
            clock.sleep((end if self.phase.ended else min(due, end)) - clock.now())
        return self

    def look(self) -> Story:
        """One pass."""
        self.deployment.advance()
        return self

    def happens(self, *faults: Fault) -> Story:
        """Something goes wrong; times count from now."""
        named = tuple(for_groups(fault, self.blue, self.green) for fault in faults)
        self.cloud.world = with_faults(self.cloud.world, named)
        return self

    def to_the_end(self) -> Story:
        """Go on until the deployment rests: at an end, halted, or waiting for a person."""
        self.deployment.run()
        return self

    def next_release(self, image: str) -> Story:
        """The next release of the same plan, in the same world and journal."""
        return Story(
            self.plan.with_image(image), world=self.cloud.world, journal=self.journal, settings=QUICK
        )

    # ------------------------------------------------------------------------------------- how it stands

    @property
    def state(self) -> State:
        """Where the deployment stands."""
        assert self.deployment.state is not None
        return self.deployment.state

    @property
    def phase(self) -> Phase:
        """The phase it is in."""
        return self.state.phase

    @property
    def result(self) -> Result:
        """How the deployment stands now."""
        return self.deployment.result()

    @property
    def phases(self) -> list[Phase]:
        """The phases in the order in which they were entered."""
        found = [p.step.state.phase for p in self.passes if p.moved]
        return [self.passes[0].before.phase, *found]

    @property
    def failed_requests(self) -> int:
        """Requests that users lost."""
        return self.cloud.timeline.failed_requests

    @property
    def commands(self) -> list[str]:
        """The kinds of all commands that were sent, in order."""
        return [type(outcome.command).__name__ for p in self.passes for outcome in p.outcomes]

    def group(self, colour: str) -> Group | None:
        """``"blue"`` or ``"green"`` as the world has it now."""
        return self.cloud.world.group({"blue": self.blue, "green": self.green}[colour])

    def size(self, colour: str) -> int:
        """Instances of a colour that exist."""
        found = self.group(colour)
        return len(found.instances) if found else 0

    def weights(self) -> tuple[int, int]:
        """Weights of blue and green."""
        rule, world = dict(self.cloud.world.rule), self.cloud.world
        blue, green = (rule[str(world.home(name))] for name in (self.blue, self.green))
        return blue, green

    def said(self, words: str) -> bool:
        """Whether any reason holds these words."""
        return any(words in p.step.reason for p in self.passes)

    # ----------------------------------------------------------------------------------------- how it ends

    def ends(self, phase: Phase, because: str = "") -> Story:
        """It stands in ``phase``, for this reason; every pass kept every property, and replays."""
        assert self.phase is phase, self._words()
        assert because in self.result.reason, self._words()
        assert self.result.ok == (phase is Phase.PROMOTED)
        broken = list(violations(self.passes))
        assert not broken, "\n".join(broken[:5])
        assert_replays(self.journal)
        return self

    def green_serves_alone(self) -> Story:
        """Green has blue's place with blue's settings, blue is at zero or gone, nothing is left over."""
        old, blue, green = self.start.group(self.blue), self.group("blue"), self.group("green")
        assert green is not None
        assert self.size("blue") == 0
        assert {i.version for i in green.instances} == {green.version} == {self.state.version}
        assert all(i.target == "healthy" for i in green.instances)
        assert len(green.instances) == green.desired
        assert green.attached
        assert self.result.leftovers == ()
        if old and old.desired:
            assert (green.min, green.max, green.frozen) == (old.min, old.max, old.frozen)
            assert (blue is None) == (self.plan.fleets == "replace")
        if self.cloud.world.weighted:
            assert self.weights() == (0, 100)
        return self

    def everything_borrowed_is_back(self) -> Story:
        """Both groups and the weights are field by field what they were, and green has nothing left."""
        for name in self.plan.groups:
            assert settings(self.cloud.world, name) == settings(self.start, name), name
        assert self.cloud.world.rule == self.start.rule
        assert self.size("green") == 0
        assert self.result.leftovers == ()
        return self

    def nothing_was_changed(self) -> Story:
        """The world is the one that was found, and nobody was asked to change it."""
        now, then = self.cloud.world, self.start
        assert self.commands == []
        assert (now.groups, now.rule, now.versions) == (then.groups, then.rule, then.versions)
        return self

    def _first(self) -> State:
        found = last(self.journal, self.plan.service)
        assert found is not None
        return found.first

    def _words(self) -> str:
        return "\n".join(
            f"{p.look.at:7g} {p.before.phase.value} -{p.step.signal}-> "
            f"{p.step.state.phase.value}: {p.step.reason}"
            for p in self.passes
            if p.moved or p is self.passes[-1]
        )


def settings(world: World, name: str) -> dict[str, Any] | None:
    """A group's settings, by field; None when there is no such group."""
    group = world.group(name)
    return None if group is None else {field: getattr(group, field) for field in FIELDS}


def set_group(index: int, **changes: Any) -> Callable[[World], World]:
    """A change of a plan's group before anybody looks."""

    def change(world: World) -> World:
        return world.with_group(attrs.evolve(world.groups[index], **changes))

    return change


def assert_replays(journal: Journal) -> int:
    """Every decision of a journal is decided again, byte for byte; returns how many there are."""
    count = 0
    for story in stories(journal):
        for look, (recorded, again) in zip(story.looks, replay(story), strict=True):
            then, now = (codec.canonical(codec.decision(look, step)) for step in (recorded, again))
            assert then == now, f"at {look.at}: {recorded.reason!r} was decided, now {again.reason!r}"
            count += 1
    return count
