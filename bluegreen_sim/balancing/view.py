"""What one node of the balancer knows of a target."""

from __future__ import annotations

from typing import Literal

from attrs import evolve, frozen

TargetState = Literal["", "unused", "initial", "healthy", "unhealthy", "draining"]


@frozen
class View:
    """What one node of the balancer knows of a target.

    Args:
        state: What it says of it; ``""`` until it has learned of it.
        seen: Result of its last check: 1 passed, 0 failed, -1 for none yet.
        run_from: The first of its checks in a row that had this result; before any, its first check.
        at: When it learns of the target; afterwards its next check that can change anything, or None.
    """

    state: TargetState
    seen: int
    run_from: int
    at: int | None

    @property
    def settled(self) -> bool:
        """Whether the last check said what the verdict says: then it does not matter how often it did."""
        return self.state == {0: "unhealthy", 1: "healthy"}.get(self.seen)

    def rebased(self, now: int, interval: int) -> View:
        """The same with times relative to a moment, and of the past only what can still be read."""
        run_from = self.run_from - now
        if self.settled:
            run_from = run_from % interval - interval
        return evolve(self, run_from=run_from, at=None if self.at is None else self.at - now)

    def key(self, now: int, interval: int) -> tuple[str, int, int, int]:
        """What the future depends on, with times relative to ``now``."""
        view = self.rebased(now, interval)
        return view.state, view.seen, view.run_from, -1 if view.at is None else view.at
