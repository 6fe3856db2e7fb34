"""Whether what is asked of a world can be: of a name that nobody bears, nothing would ever come, silently."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import get_args

from attrs import frozen

from bluegreen.core.commands import Command
from bluegreen.core.gates import Alarm
from bluegreen.core.observation import ErrorClass
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase

from .balancing.balancer import HIGHEST_WEIGHT
from .cloudwatch.alarms import CompositeAlarm, MetricAlarm, named_in
from .faults import (
    AlarmOk,
    AlarmRed,
    AtPhase,
    Denied,
    During,
    EditBounds,
    EditWeights,
    Fault,
    Gone,
    Over,
    RefusedCall,
    ScheduledAction,
)
from .groups.scaling import Scaling
from .ranges import Range, out_of_range
from .users.application import Application
from .world import World

COLOURS = ("blue", "green")
_FROM_1: Range = (1, 10**9)
_RANGES: dict[str, Range] = {
    **dict.fromkeys(("age", "call", "count", "look", "times", "version", "what"), _FROM_1),
    "code": (100, 599),
    "delta": (-(10**9), 10**9),
    "weights": (0, HIGHEST_WEIGHT),
}
_COMMANDS = tuple(sorted(command.__name__ for command in get_args(Command)))


def unfit(capacity: object, live: object) -> Iterator[str]:
    """Why no world can begin like this."""
    if not isinstance(capacity, int) or isinstance(capacity, bool) or capacity < 0:
        yield f"capacity = {capacity!r}: give a whole number, 0 or more"
    if live not in (None, 0, 1) or isinstance(live, bool):
        yield f"live = {live!r}: give 0 or 1, the place of a group in the plan, or None"


@frozen(kw_only=True)
class Known:
    """What can be named: of the plan, and of the world as it begins.

    What comes later is named later. An image that a build makes, or that the next plan brings, is known to
    the ``SimCloud`` that goes on with it (``world=``); settings may tell of its application before. A
    template version may be any number, for deployments make them on their way.

    Args:
        groups: Groups.
        images: Images.
        alarms: Alarms.
        target_groups: Target groups.
        zones: How many zones there are.
        weighted: Whether each group has a target group of its own.
    """

    groups: tuple[str, ...]
    images: tuple[str, ...]
    alarms: tuple[str, ...]
    target_groups: tuple[str, ...]
    zones: int
    weighted: bool

    @classmethod
    def of(cls, plan: Plan, world: World, alarms: Iterable[MetricAlarm | CompositeAlarm] = ()) -> Known:
        """What a plan and a world have, with these alarms."""
        named = [gate.name for gate in plan.gates if isinstance(gate, Alarm)]
        named += dict(world.alarms)
        for alarm in alarms:
            named += [alarm.name, *(named_in(alarm.rule) if isinstance(alarm, CompositeAlarm) else ())]
        images = [image.id for image in world.images] + ([plan.image] if plan.image else [])
        return cls(
            groups=_once([*plan.groups, *(group.name for group in world.groups)]),
            images=_once(images),
            alarms=_once(named),
            target_groups=_once([*dict(world.rule), *(home for _, home in world.homes)]),
            zones=world.settings.zones,
            weighted=world.weighted,
        )

    def refuse(
        self,
        wrong: list[str],
        *,
        groups: Mapping[str, Scaling],
        applications: Mapping[str, Application],
        alarms: Iterable[MetricAlarm | CompositeAlarm],
        faults: Iterable[Fault],
    ) -> None:
        """See that all can be that a ``SimCloud`` was given.

        Args:
            wrong: What is known to be wrong with it already.
            groups: What groups are told.
            applications: What images run.
            alarms: What is evaluated.
            faults: What goes wrong, groups by their names.

        Raises:
            ValueError: If something cannot, a line for each.
        """
        found = [
            *wrong,
            *self._of_groups(groups),
            *self._of_applications(applications),
            *self._of_alarms(alarms),
            *self._of_faults(faults),
        ]
        if found:
            raise ValueError("\n".join(found))

    # ------------------------------------------------------------------------------- besides what goes wrong

    def _of_groups(self, groups: Mapping[str, Scaling]) -> Iterator[str]:
        """Why groups cannot be told this."""
        if unknown := sorted(groups.keys() - {*self.groups, *COLOURS}):
            yield f"groups names {', '.join(unknown)}: {self._give(self.groups)}"
        for name, scaling in groups.items():
            if scaling.zones and max(scaling.zones) >= self.zones:
                yield f"groups: {name}: zones = {scaling.zones!r}: give 0 to {self.zones - 1}"

    def _of_applications(self, applications: Mapping[str, Application]) -> Iterator[str]:
        """Why images cannot run these."""
        if unknown := sorted(applications.keys() - {*self.images}):
            yield f"applications names {', '.join(unknown)}: {_give(self.images)}"

    def _of_alarms(self, alarms: Iterable[MetricAlarm | CompositeAlarm]) -> Iterator[str]:
        """Why these alarms would never have data."""
        for alarm in alarms:
            if isinstance(alarm, MetricAlarm) and alarm.target_group is not None:
                yield from (
                    f"alarms: {alarm.name}: {why}" for why in self.of_target_group(alarm.target_group)
                )

    def of_target_group(self, name: str) -> Iterator[str]:
        """Why a target group has no metrics."""
        if name not in {*self.target_groups, *COLOURS}:
            yield f"target_group = {name!r}: {self._give(self.target_groups)}"

    # --------------------------------------------------------------------------------------- what goes wrong

    def _of_faults(self, faults: Iterable[Fault]) -> Iterator[str]:
        """Why faults would never happen, a line for each of them."""
        for fault in faults:
            if found := list(self._of_fault(fault)):
                yield f"{fault}: {'; '.join(found)}"

    def _of_fault(self, fault: Fault) -> Iterator[str]:
        if wrong := list(out_of_range(fault, _RANGES)):
            yield from wrong
            return
        for field, known in (("group", self.groups), ("image", self.images)):
            value = getattr(fault, field, None)
            if value is not None and value not in known:
                yield f"{field} = {value!r}: {self._give(known) if field == 'group' else _give(known)}"
        zone = getattr(fault, "zone", None)
        if zone is not None and zone >= self.zones:
            yield f"zone = {zone!r}: give 0 to {self.zones - 1}"
        yield from self._of_kind(fault)

    def _of_kind(self, fault: Fault) -> Iterator[str]:
        match fault:
            case During() | Over() | AtPhase():
                yield from self._of_fault(fault.fault)
                if isinstance(fault, AtPhase):
                    yield from _among("phase", fault.phase, [phase.value for phase in Phase])
                    if isinstance(fault.fault, AtPhase):
                        yield "fault: give one that waits for no phase of its own"
            case AlarmRed() | AlarmOk():
                yield from _among("name", fault.name, self.alarms)
            case RefusedCall():
                yield from _among("error", fault.error, [error.value for error in ErrorClass])
            case Gone(what=str(image)):
                yield from _among("what", image, self.images)
            case EditBounds(min=low, max=high) | ScheduledAction(min=int(low), max=int(high)) if low > high:
                yield f"min = {low}: give max = {high} or less"
            case EditWeights():
                yield from self._of_weights(dict(fault.weights))
            case Denied(action=action) if action not in _COMMANDS and action not in _operations():
                yield (
                    f"action = {action!r}: give {', '.join(_COMMANDS)}, or an operation of AWS that changes "
                    "something, such as SetDesiredCapacity"
                )

    def _of_weights(self, weights: dict[str, int]) -> Iterator[str]:
        if unknown := sorted(weights.keys() - {*self.groups}):
            yield f"weights names {', '.join(unknown)}: {self._give(self.groups)}"
        if not any(weights.values()):
            yield "weights: give one above 0"
        if not self.weighted and len(set(weights.values())) > 1:
            yield "weights: groups behind one target group have no weights of their own, give equal ones"

    def _give(self, known: Collection[str]) -> str:
        return f"give {', '.join([*known, COLOURS[0]])} or {COLOURS[1]}"


def _operations() -> set[str]:
    # Loads boto3, which only those who name its operations need.
    from .endpoint.answers import CHANGES

    return {operation for service in CHANGES.values() for operation in service}


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _among(field: str, value: str, known: Collection[str]) -> Iterator[str]:
    if value not in known:
        yield f"{field} = {value!r}: {_give(known)}"


def _give(known: Collection[str]) -> str:
    return f"give {' or '.join(known)}" if known else "there is none"
