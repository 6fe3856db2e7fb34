"""A simulated cloud in which a deployment can be tried, searched and proved before it is real."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .alarms import CompositeAlarm, MetricAlarm
    from .application import Application
    from .choices import Choices, enumerate_runs
    from .cloud import SimCloud, tutorial
    from .dataplane import Split
    from .faults import (
        AlarmOk,
        AlarmRed,
        BlindLook,
        Budget,
        Dies,
        EditBounds,
        EditWeights,
        Errors,
        Fault,
        LaunchFails,
        LostAnswer,
        NeverHealthy,
        RefusedCall,
        Rescale,
        Sick,
        SlowBoot,
        StaleLook,
        parse,
    )
    from .latency import Latency
    from .outstanding import LeastOutstanding
    from .proof import Bounds, Exploration, Violation, explore, replay
    from .retelling import Moment, Story
    from .saved import world_from_dict, world_to_dict
    from .settings import Settings
    from .timeline import Timeline
    from .traffic import Traffic
    from .world import World

__all__ = [
    "AlarmOk",
    "AlarmRed",
    "Application",
    "BlindLook",
    "Bounds",
    "Budget",
    "Choices",
    "CompositeAlarm",
    "Dies",
    "EditBounds",
    "EditWeights",
    "Errors",
    "Exploration",
    "Fault",
    "Latency",
    "LaunchFails",
    "LeastOutstanding",
    "LostAnswer",
    "MetricAlarm",
    "Moment",
    "NeverHealthy",
    "RefusedCall",
    "Rescale",
    "Settings",
    "Sick",
    "SimCloud",
    "SlowBoot",
    "Split",
    "StaleLook",
    "Story",
    "Timeline",
    "Traffic",
    "Violation",
    "World",
    "enumerate_runs",
    "explore",
    "parse",
    "replay",
    "tutorial",
    "world_from_dict",
    "world_to_dict",
]

# Where each public name lives; it is loaded when it is first used, like those of bluegreen.
_HOMES = {
    "alarms": "CompositeAlarm MetricAlarm",
    "application": "Application",
    "choices": "Choices enumerate_runs",
    "cloud": "SimCloud tutorial",
    "dataplane": "Split",
    "faults": (
        "AlarmOk AlarmRed BlindLook Budget Dies EditBounds EditWeights Errors Fault LaunchFails LostAnswer "
        "NeverHealthy RefusedCall Rescale Sick SlowBoot StaleLook parse"
    ),
    "latency": "Latency",
    "outstanding": "LeastOutstanding",
    "proof": "Bounds Exploration Violation explore replay",
    "retelling": "Moment Story",
    "saved": "world_from_dict world_to_dict",
    "timeline": "Timeline",
    "traffic": "Traffic",
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
