"""What arrives, and whom it may meet."""

from __future__ import annotations

from attrs import field, frozen, validators

Target = tuple[str, str, bool, int]
"""A target as requests meet it: id, group, whether it answers, percent of its answers that are wrong."""

Outcome = tuple[str, bool, int]
"""What becomes of a request: the group, whether it answers, percent of its answers that are wrong."""


@frozen
class Traffic:
    """Requests that arrive at a constant rate, request k at the first moment with rate × time ≥ k.

    Args:
        per_second: Requests a second.
    """

    per_second: int = field(validator=[validators.instance_of(int), validators.ge(0)])

    def arrived(self, elapsed_ms: int) -> int:
        """Requests that have arrived after so many milliseconds."""
        return self.per_second * elapsed_ms // 1000


@frozen
class Pool:
    """One target group as the data plane sees it: its weight and the targets that get its requests."""

    name: str
    weight: int
    targets: tuple[Target, ...]
