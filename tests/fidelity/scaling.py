"""Auto Scaling: B, and how long things take: F."""

from __future__ import annotations

from .fact import Fact

SCALING: tuple[Fact, ...] = ()
