"""What is found before anything is changed: which group is live, and every reason not to begin."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
from attrs import frozen

from .gates import Alarm, Window
from .observation import Fleet, GateReading, Observation, Reading
from .plan import Plan
from .state import Phase
from .text import counted
from .view import gates_for


@frozen(kw_only=True)
class Survey:
    """The answer of preflight.

    Args:
        blue: The live group; when none is live, the one that requests are led to already, else the second.
        green: The other one. Of a first release users meet it when it is proven, not before.
        first_release: Whether no group is live.
        source: Template version to make the new one from.
        baseline: Blue's wanted size.
        need: Size that green must reach.
        problems: Every reason to refuse, one sentence each; empty when the plan can begin.
        pending: What is not yet known, and would become a refusal at the deadline.
    """

    blue: str | None
    green: str | None
    first_release: bool
    source: int | None
    baseline: int
    need: int
    problems: tuple[str, ...]
    pending: tuple[str, ...]


def serves(plan: Plan, observation: Observation, fleet: Fleet) -> bool:
    """Whether the group is one that users are sent to: it wants instances, and requests lead there."""
    if not fleet.exists or not fleet.desired:
        return False
    return fleet.attached if plan.shared else _led_to(observation, fleet)


def _led_to(observation: Observation, fleet: Fleet) -> bool:
    """Whether a rule leads requests to the group, be there instances or not."""
    return observation.shares is not None and observation.shares.weight(fleet.name) > 0


def survey(plan: Plan, observation: Observation) -> Survey:
    """Look at the whole world once; nothing here may be unread."""
    first, second = (observation.fleet(name) for name in plan.groups)
    assert first is not None, "preflight decides on a complete look only"
    assert second is not None, "preflight decides on a complete look only"
    live = [fleet for fleet in (first, second) if serves(plan, observation, fleet)]
    # With nobody live either may be built first; users shall meet it when it is proven, not before.
    keeps_first = live[0] is first if live else _led_to(observation, first)
    blue, green = (first, second) if keeps_first else (second, first)
    source = plan.source_version or (blue.version if live else observation.default_version)
    need = blue.desired if live else (plan.capacity or 0)
    found = Survey(
        blue=blue.name,
        green=green.name,
        first_release=not live,
        source=source,
        baseline=blue.desired if live else 0,
        need=need,
        problems=(),
        pending=tuple(_pending(plan, observation)),
    )
    return attrs.evolve(found, problems=tuple(_problems(plan, observation, found, live)))


def _pending(plan: Plan, observation: Observation) -> Iterator[str]:
    for gate in gates_for(plan, Phase.PREFLIGHT):
        reading = observation.reading(gate.name)
        if isinstance(gate, Alarm) and (
            reading is None or reading.reading in (Reading.NO_DATA, Reading.PENDING)
        ):
            yield f"alarm {gate.name} has no data"
        elif reading is None or reading.reading is Reading.NO_DATA:
            yield f"{gate.kind} {gate.name} has no data{_because(reading)}"
        elif reading.reading is Reading.PENDING and not isinstance(gate, Window):
            yield f"{gate.kind} {gate.name} has no answer yet{_because(reading)}"


def _because(reading: GateReading | None) -> str:
    return f" ({reading.detail})" if reading and reading.detail else ""


def _problems(plan: Plan, observation: Observation, found: Survey, live: list[Fleet]) -> Iterator[str]:
    yield from observation.problems
    yield from _sources(plan, observation)
    for name in [fleet.name for fleet in observation.fleets if fleet.refreshing]:
        yield f"an instance refresh replaces the instances of {name}: wait until it has ended, or cancel it"
    if plan.test_rules and observation.test_shares is None and not observation.problems:
        yield f"no test rule {' or '.join(plan.test_rules)} was found: correct test_rules"
    if len(live) == 2:
        yield (
            f"{plan.groups[0]} and {plan.groups[1]} are both live: scale the one that should not be "
            "to 0 (and give it no share), or run cleanup"
        )
        return
    blue, green = observation.fleet(found.blue), observation.fleet(found.green)
    assert blue is not None
    assert green is not None
    yield from _idle(plan, observation, found, green)
    if found.first_release:
        if plan.capacity is None:
            yield "no group is live and the plan names no size for a first release: set capacity"
    elif blue.healthy < plan.floor(found.baseline):
        yield (
            f"{blue.name} has {blue.healthy} healthy of {found.baseline}, and the floor is "
            f"{plan.floor(found.baseline)}: wait until it is whole, or lower min_healthy_percent"
        )
    if found.source is None and plan.version is None and observation.default_version is not None:
        yield f"{blue.name} names no pinned template version: pin it, or set source_version"


def _sources(plan: Plan, observation: Observation) -> Iterator[str]:
    if observation.default_version is None:
        yield f"launch template {plan.launch_template} does not exist: create it, or correct launch_template"
    elif plan.version is not None and observation.version is None:
        yield f"{plan.what} of {plan.launch_template} does not exist: make it first, or correct version"
    elif plan.version is not None and observation.image is False:
        yield f"the image of {plan.what} cannot be found: build it, or name another version"
    if plan.version is None and observation.image is not True:
        yield f"image {plan.image} cannot be found: build it first, or correct image"
    for gate in gates_for(plan, Phase.PREFLIGHT):
        reading = observation.reading(gate.name)
        if reading is not None and reading.reading is Reading.FAIL:
            why = "" if isinstance(gate, Alarm) else _because(reading)
            yield f"{gate.kind} {gate.name} is red before anything was changed{why}: wait until it is not"
        if reading is not None and reading.reading is Reading.PENDING and isinstance(gate, Window):
            yield f"window {gate.name} is closed{_because(reading)}: deploy when it is open"


def _idle(plan: Plan, observation: Observation, found: Survey, green: Fleet) -> Iterator[str]:
    """Green must start from nothing: what is already there was not started by this deployment."""
    if green.exists and (green.desired or green.running):
        size = f"{counted(green.running, 'instance')}, {green.desired} wanted"
        yield f"{green.name} is not live and not at 0 ({size}): scale it to 0, or run cleanup"
    if _led_to(observation, green):
        yield f"{green.name} gets a share but has no instances: set its weight to 0"
    if found.first_release:
        return
    if plan.fleets == "standing" and not green.exists:
        yield f"group {green.name} does not exist: create it at size 0, or use fleets = 'replace'"
    if plan.fleets == "replace" and green.exists:
        yield f"group {green.name} exists already: delete it, or use fleets = 'standing'"
