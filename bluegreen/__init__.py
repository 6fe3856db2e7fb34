"""bluegreen: replace a live fleet of EC2 instances without dropping a request, and know beforehand.

Names are loaded when they are first used, so that importing the package costs nothing to tools that only
sometimes deploy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import strategies
    from .clock import SystemClock
    from .core.errors import (
        BlueGreenError,
        BuildFailed,
        Fault,
        JournalDamaged,
        JournalError,
        JournalTooNew,
        LockTaken,
        MissingExtra,
        NothingToLoad,
        NothingToUndo,
        NotPromoted,
        PlanError,
        SlotTaken,
        Unfinished,
    )
    from .core.gates import Alarm, Hook, MetricGate, Probe, Window
    from .core.invariants import INVARIANTS, Invariant
    from .core.limits import Deadlines, Limits
    from .core.observation import (
        Fleet,
        GateReading,
        Health,
        Observation,
        Outcome,
        Reading,
        Shares,
        TargetHealth,
    )
    from .core.plan import (
        Plan,
        Rung,
        SharedTargetGroup,
        Strategy,
        TemplateVersion,
        WeightedTargetGroups,
    )
    from .core.state import Phase, State, Step
    from .deployment import Deployment
    from .gates import HookGate, HttpProbe
    from .image import ImageBuild
    from .journal import MemoryJournal, SqliteJournal
    from .journal.undo import previous
    from .operator import Operator
    from .planfile import read_plan
    from .redaction import Redacting, redact_logs
    from .result import Result
    from .telemetry import OpenTelemetryListener

__all__ = [
    "INVARIANTS",
    "Alarm",
    "BlueGreenError",
    "BuildFailed",
    "Deadlines",
    "Deployment",
    "Fault",
    "Fleet",
    "GateReading",
    "Health",
    "Hook",
    "HookGate",
    "HttpProbe",
    "ImageBuild",
    "Invariant",
    "JournalDamaged",
    "JournalError",
    "JournalTooNew",
    "Limits",
    "LockTaken",
    "MemoryJournal",
    "MetricGate",
    "MissingExtra",
    "NotPromoted",
    "NothingToLoad",
    "NothingToUndo",
    "Observation",
    "OpenTelemetryListener",
    "Operator",
    "Outcome",
    "Phase",
    "Plan",
    "PlanError",
    "Probe",
    "Reading",
    "Redacting",
    "Result",
    "Rung",
    "SharedTargetGroup",
    "Shares",
    "SlotTaken",
    "SqliteJournal",
    "State",
    "Step",
    "Strategy",
    "SystemClock",
    "TargetHealth",
    "TemplateVersion",
    "Unfinished",
    "WeightedTargetGroups",
    "Window",
    "previous",
    "read_plan",
    "redact_logs",
    "strategies",
]

_HOMES = {
    "clock": "SystemClock",
    "core.errors": (
        "BlueGreenError BuildFailed Fault JournalDamaged JournalError JournalTooNew LockTaken "
        "MissingExtra NotPromoted NothingToLoad NothingToUndo PlanError SlotTaken Unfinished"
    ),
    "core.gates": "Alarm Hook MetricGate Probe Window",
    "core.invariants": "INVARIANTS Invariant",
    "core.observation": "Fleet GateReading Health Observation Outcome Reading Shares TargetHealth",
    "core.limits": "Deadlines Limits",
    "core.plan": "Plan Rung SharedTargetGroup Strategy TemplateVersion WeightedTargetGroups",
    "core.state": "Phase State Step",
    "deployment": "Deployment",
    "gates": "HookGate HttpProbe",
    "image": "ImageBuild",
    "journal": "MemoryJournal SqliteJournal",
    "journal.undo": "previous",
    "operator": "Operator",
    "planfile": "read_plan",
    "redaction": "Redacting redact_logs",
    "result": "Result",
    "telemetry": "OpenTelemetryListener",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "strategies":
        return import_module(".strategies", __name__)
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
