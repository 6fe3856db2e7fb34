"""A simulated cloud in which a deployment can be tried, searched and proved before it is real."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .balancing.target_faults import Flaps, HealthAnswer, InternalError, LuckyProbe, StuckDrain
    from .choices import Choices, enumerate_runs
    from .cloud import SimCloud, tutorial
    from .cloudwatch.alarms import CompositeAlarm, MetricAlarm
    from .faults import (
        AlarmOk,
        AlarmRed,
        AtPhase,
        BlindLook,
        Budget,
        Busy,
        Denied,
        Dies,
        During,
        EditBounds,
        EditVersion,
        EditWeights,
        Errors,
        Fault,
        Gone,
        LateCall,
        LaunchFails,
        LostAnswer,
        MadeAnew,
        NeverHealthy,
        Over,
        Refreshes,
        RefusedCall,
        Rescale,
        Scarce,
        ScheduledAction,
        Sick,
        SlowBoot,
        SlowToShow,
        StaleLook,
        ZoneDown,
    )
    from .groups.scaling import Hook, Scaling, StepScaling, TargetTracking
    from .saved import world_from_dict, world_to_dict
    from .search.bounds import Bounds
    from .search.proof import Exploration, Violation, explore, replay
    from .search.stories import Moment, Story
    from .settings import Propagation, Settings
    from .spelling import parse
    from .timeline import Timeline
    from .times import typical
    from .users.application import Application
    from .users.dataplane import Split
    from .users.latency import Latency
    from .users.outstanding import LeastOutstanding
    from .users.traffic import Traffic
    from .world import World

__all__ = [
    "AlarmOk",
    "AlarmRed",
    "Application",
    "AtPhase",
    "BlindLook",
    "Bounds",
    "Budget",
    "Busy",
    "Choices",
    "CompositeAlarm",
    "Denied",
    "Dies",
    "During",
    "EditBounds",
    "EditVersion",
    "EditWeights",
    "Errors",
    "Exploration",
    "Fault",
    "Flaps",
    "Gone",
    "HealthAnswer",
    "Hook",
    "InternalError",
    "LateCall",
    "Latency",
    "LaunchFails",
    "LeastOutstanding",
    "LostAnswer",
    "LuckyProbe",
    "MadeAnew",
    "MetricAlarm",
    "Moment",
    "NeverHealthy",
    "Over",
    "Propagation",
    "Refreshes",
    "RefusedCall",
    "Rescale",
    "Scaling",
    "Scarce",
    "ScheduledAction",
    "Settings",
    "Sick",
    "SimCloud",
    "SlowBoot",
    "SlowToShow",
    "Split",
    "StaleLook",
    "StepScaling",
    "Story",
    "StuckDrain",
    "TargetTracking",
    "Timeline",
    "Traffic",
    "Violation",
    "World",
    "ZoneDown",
    "enumerate_runs",
    "explore",
    "parse",
    "replay",
    "tutorial",
    "typical",
    "world_from_dict",
    "world_to_dict",
]

# Where each public name lives; it is loaded when it is first used, like those of bluegreen.
_HOMES = {
    "cloudwatch.alarms": "CompositeAlarm MetricAlarm",
    "users.application": "Application",
    "choices": "Choices enumerate_runs",
    "cloud": "SimCloud tutorial",
    "users.dataplane": "Split",
    "faults": (
        "AlarmOk AlarmRed AtPhase BlindLook Budget Busy Denied Dies During EditBounds EditVersion "
        "EditWeights Errors Fault Gone LateCall LaunchFails LostAnswer MadeAnew NeverHealthy Over "
        "Refreshes RefusedCall Rescale Scarce ScheduledAction Sick SlowBoot SlowToShow StaleLook "
        "ZoneDown"
    ),
    "users.latency": "Latency",
    "users.outstanding": "LeastOutstanding",
    "search.bounds": "Bounds",
    "search.proof": "Exploration Violation explore replay",
    "search.stories": "Moment Story",
    "groups.scaling": "Hook Scaling StepScaling TargetTracking",
    "spelling": "parse",
    "saved": "world_from_dict world_to_dict",
    "settings": "Propagation",
    "balancing.target_faults": "Flaps HealthAnswer InternalError LuckyProbe StuckDrain",
    "timeline": "Timeline",
    "times": "typical",
    "users.traffic": "Traffic",
    "world": "Settings World",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
