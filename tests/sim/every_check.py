"""The slow truth that the arithmetic of health checks must equal: every check of every target is an event.

Time goes second by second, every check counts one more pass or failure of its target, and every look is made
anew. Nothing of the arithmetic is used: what the world foresees of a verdict is thrown away. A check passes
when the application answers; faults that say otherwise are not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define

from bluegreen.core.commands import Command
from bluegreen.core.observation import Observation, Outcome
from bluegreen.core.plan import Plan
from bluegreen.core.state import Ledger
from bluegreen_sim import Settings, SimCloud, engine
from bluegreen_sim.looking import Looker
from bluegreen_sim.world import NEVER, Instance, World, ms


@define
class Checks:
    """The health checks of one registered target.

    Args:
        next_at: When the next one is due, in milliseconds of world time.
        passed: What the last one said.
        in_a_row: How many said so, up to the last one.
    """

    next_at: int
    passed: bool = True
    in_a_row: int = 0

    def one_more(self, *, answers: bool, settings: Settings) -> None:
        """Ask once."""
        self.next_at += ms(settings.check_interval_seconds)
        self.in_a_row = self.in_a_row + 1 if answers is self.passed else 1
        self.passed = answers

    def verdict(self, state: str, settings: Settings) -> str:
        """The target's state after the last check (ALB user guide, "Target health status")."""
        if self.passed:
            needed = {"initial": 1, "unhealthy": settings.healthy_threshold}.get(state, 1)
            return "healthy" if self.in_a_row >= needed else state
        return "unhealthy" if self.in_a_row >= settings.unhealthy_threshold else state


class EveryCheck(SimCloud):
    """``SimCloud``, in which nothing about health checks is worked out beforehand.

    Attributes:
        asked: How many checks there were.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.asked = 0
        self._checks: dict[str, Checks] = {}
        super().__init__(*arguments, **options)
        self._forget_what_is_foreseen()

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        """A look that shares nothing with the one before."""
        self._looker = Looker()
        return super().observe(plan, ledger)

    def apply(self, command: Command) -> Outcome:
        """The same, and then as after every change."""
        outcome = super().apply(command)
        self._forget_what_is_foreseen()
        return outcome

    def _elapse(self, milliseconds: int) -> None:
        until = self.world.now + milliseconds
        self.world = engine.before_elapse(self.world, self.choices)
        self._record(self.world)
        self._forget_what_is_foreseen()
        while self.world.now < until:
            self._go_on(min(self.world.now + 1000, until))
        self.timeline.extend(until)

    def _go_on(self, until: int) -> None:
        """Up to a second passes."""
        while (moment := min([self.world.due, *self._due()])) <= until:
            world = self.world.replaced(now=max(moment, self.world.now))
            # A check sees what was before this moment, so it comes first.
            self.world = engine.advance(self._all_checked(world), world.now, self.choices)
            self._record(self.world)
            self._forget_what_is_foreseen()
        self.world = self.world.replaced(now=until)

    def _due(self) -> Iterator[int]:
        return (checks.next_at for checks in self._checks.values())

    def _all_checked(self, world: World) -> World:
        """The world after the checks that are due now."""
        for group in world.groups:
            instances = tuple(self._checked(instance, world) for instance in group.instances)
            if instances != group.instances:
                world = world.with_group(group.replaced(instances=instances, tend_at=world.now))
        return world

    def _checked(self, instance: Instance, world: World) -> Instance:
        checks, settings = self._checks.get(instance.id), world.settings
        if checks is None or checks.next_at > world.now:
            return instance
        self.asked += 1
        checks.one_more(answers=instance.answers, settings=settings)
        target = checks.verdict(instance.target, settings)
        return instance.replaced(target=target, seen=int(checks.passed))

    def _forget_what_is_foreseen(self) -> None:
        """After a change: who came gets checks, who left loses them, and no verdict is known."""
        checked = {i.id: i for group in self.world.groups for i in group.instances if i.checked}
        self._checks = {name: self._checks.get(name) or self._first(i) for name, i in checked.items()}
        for group in self.world.groups:
            instances = tuple(i.replaced(target_at=NEVER) if i.checked else i for i in group.instances)
            self.world = self.world.with_group(group.replaced(instances=instances))

    def _first(self, instance: Instance) -> Checks:
        """The checks of a new target, or of one that was there when the world was made."""
        first = instance.run_from
        while first <= self.world.now:
            first += ms(self.world.settings.check_interval_seconds)
        return Checks(first)
