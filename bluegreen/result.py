"""What a deployment has come to."""

from __future__ import annotations

from attrs import frozen

from .core.errors import NotPromoted
from .core.evidence import Evidence
from .core.state import Phase, Step


@frozen(kw_only=True)
class Result:
    """How a deployment stands when ``run`` returns.

    Args:
        phase: The last phase.
        ok: Whether green is live.
        reason: The last sentence.
        deployment_id: Names and tags of everything that was made are functions of it.
        started: When it began, in seconds of the cloud's clock.
        ended: When it was last looked at.
        leftovers: What could not be given back or removed, one clause each.
        history: Every step, in order.
        evidence: What green left behind, once it was given up.
    """

    phase: Phase
    ok: bool
    reason: str
    deployment_id: str
    started: float
    ended: float
    leftovers: tuple[str, ...]
    history: tuple[Step, ...]
    evidence: Evidence | None = None

    def raise_unless_promoted(self) -> None:
        """Raise NotPromoted with the phase and the reason unless ``ok``."""
        if not self.ok:
            raise NotPromoted(f"{self.deployment_id} ended {self.phase.value}: {self.reason}")
