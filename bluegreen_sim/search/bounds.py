"""Within which bounds a plan was checked, and the words for it: what a verdict holds for."""

from __future__ import annotations

from attrs import frozen

from ..faults import KINDS, Budget
from ..settings import Settings


@frozen(kw_only=True)
class Bounds:
    """Within which bounds a plan was checked.

    Args:
        instances: Instances of the live group.
        budget: What may go wrong.
        settings: How the world behaves.
        shrunk: What is smaller than in the plan that was given, one clause each.
        live: Index of the live group; None when nothing was live.
    """

    instances: int
    budget: Budget
    settings: Settings
    shrunk: tuple[str, ...] = ()
    live: int | None = 0

    def __str__(self) -> str:
        """What was covered, and what was not, in one paragraph."""
        shrunk = f" Smaller than in the plan: {'; '.join(self.shrunk)}." if self.shrunk else ""
        return f"Covered: {self.covered}.{shrunk} Not covered: {self.uncovered}."

    @property
    def covered(self) -> str:
        """What was tried, as a clause."""
        live = f"{self.instances} live instance{'s' if self.instances > 1 else ''}"
        live = "a first release" if self.live is None else live
        return f"every order of passes and events, {live}, {_words(self.budget)}, at any moment"

    @property
    def uncovered(self) -> str:
        """What was not, as a clause."""
        halted = "what becomes of a first release that halts, " if self.live is None else ""
        return (
            f"more faults or instances than that, {halted}other people's hands on weights and bounds, "
            "and whatever AWS does that the simulator does not"
        )


def _words(budget: Budget) -> str:
    """A budget as a clause."""
    counts = {name: count for name in KINDS if (count := getattr(budget, name))}
    total = budget.total
    if not total:
        return "no faults"
    if min(counts.values()) >= total:
        return f"any {total} fault{'s' if total > 1 else ''} of these kinds: {', '.join(counts)}"
    kinds = ", ".join(f"{name} {count}" for name, count in counts.items())
    return f"at most {kinds}" + ("" if total == sum(counts.values()) else f", and {total} in all")
