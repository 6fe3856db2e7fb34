"""CloudWatch's alarms: D."""

from __future__ import annotations

from .fact import Fact

ALARMS: tuple[Fact, ...] = ()
