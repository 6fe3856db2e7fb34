"""A simulated cloud that knows the truth: what each command could do to those who serve."""

from __future__ import annotations

from typing import Any

from bluegreen.core.commands import Attach, Command
from bluegreen.core.observation import Observation, Outcome
from bluegreen.core.plan import Plan
from bluegreen.core.state import Ledger
from bluegreen_sim import SimCloud
from bluegreen_sim.oracle import crossing


class Watched(SimCloud):
    """Notes every command of ours that could take the serving from the floor to below it.

    A command whose own look was stale may do so without a fault of ours: no logic removes that race. All
    others are in ``crossings``.
    """

    def __init__(self, plan: Plan, *args: Any, floor: int = 0, **options: Any) -> None:
        super().__init__(plan, *args, **options)
        self.start, self.floor, self.crossings, self.calls = self.world, floor, [], 0
        self._fresh = True

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        seen = super().observe(plan, ledger)
        truth = self._looker.look(self.world, plan, ledger.deployment_id, self.clock.now())
        self._fresh = (seen.fleets, seen.shares) == (truth.fleets, truth.shares)
        return seen

    def apply(self, command: Command) -> Outcome:
        self.calls += 1
        if self._fresh and (words := crossing(self.world, command, self.floor)):
            self.crossings.append(f"at {self.clock.now():g}: {words}")
        if isinstance(command, Attach) and not self._fresh:
            self.crossings.append(f"{command} on a look that was not fresh")
        return super().apply(command)
