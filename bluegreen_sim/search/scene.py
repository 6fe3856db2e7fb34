"""What is checked: the plan as it is searched, the world at the start, the promises, and the bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from inspect import signature

from attrs import evolve, frozen

from bluegreen.core import checks as core
from bluegreen.core.checks import optional, whole
from bluegreen.core.commands import Command
from bluegreen.core.errors import Fault
from bluegreen.core.machine import initial
from bluegreen.core.observation import Observation
from bluegreen.core.plan import Plan
from bluegreen.core.state import State, Step

from ..faults import Budget
from ..founding import found
from ..settings import Settings
from ..world import World
from .bounds import Bounds
from .recall import TOKEN
from .retelling import Then
from .shrinking import small_plan, small_settings

INSTANCES, FAULTS = 2, 2
"""What is checked unless something else is asked for."""

MANY = 1_000_000_000

Invariant = Callable[[Plan, State, Observation, tuple[Command, ...]], object]
"""A promise of the user's own: true of a plan, the state that was decided, the look that it was decided on,
and the commands. Times are relative: the look is at 0."""

Check = Callable[[Plan, State, Observation, Step], object]
"""A promise over whole steps: true of a plan, the state before, the look and the step."""


@frozen
class Scene:
    """What a check is about.

    Args:
        plan: The plan as it is searched.
        world: The world at the start.
        bounds: What the result says of both.
        invariants: Promises of the user's own.
        checks: Promises over steps.
    """

    plan: Plan
    world: World
    bounds: Bounds
    invariants: tuple[Invariant, ...]
    checks: tuple[Check, ...]

    @property
    def first(self) -> State:
        """The deployment's state before its first look."""
        return initial(TOKEN, self.world.now / 1000)

    @property
    def start(self) -> Then:
        """The first moment."""
        return Then(self.world, self.first)

    @classmethod
    def of(
        cls,
        plan: Plan,
        *,
        instances: int | None,
        faults: int | Budget | None,
        shrink: bool | None,
        settings: Settings | None,
        world: World | None,
        live: int | None,
        invariants: Iterable[Invariant],
        checks: Iterable[Check],
        most: int | None = None,
    ) -> Scene:
        """What was asked for; the arguments are those of ``explore``.

        Raises:
            ValueError: All that is wrong with them.
        """
        invariants, checks = tuple(invariants), tuple(checks)
        wrong = [
            *_checked("instances", instances, optional(whole(1, MANY))),
            *_checked("faults", faults, _faults),
            *_checked("live", live, optional(whole(0, len(plan.groups) - 1))),
            *_checked("most", most, optional(whole(1, MANY))),
            *_left_out(world, instances=instances, settings=settings),
            *_callable("invariants", invariants, "plan, state, look and commands"),
            *_callable("checks", checks, "plan, state before, look and step"),
        ]
        if wrong:
            raise ValueError("\n".join(map(str, wrong)))
        shrunk: tuple[str, ...] = ()
        if shrink or (shrink is None and settings is None and world is None):
            plan, shrunk = small_plan(plan)
        if faults is None:
            faults = world.budget if world else FAULTS
        budget = faults if isinstance(faults, Budget) else Budget.any(faults)
        if world is None:
            instances = INSTANCES if instances is None else instances
            live_image = "ami-0live" if plan.image != "ami-0live" else "ami-0before"
            settings = settings or small_settings(plan)
            world = found(
                plan,
                capacity=instances,
                live=live,
                live_image=live_image,
                settings=settings,
                budget=budget,
            )
        else:
            live, instances = _served(plan, world)
        # Whichever instance the cloud picks: "each" covers the others, and needs no order of launches.
        settings = evolve(world.settings, termination="each")
        bounds = Bounds(instances=instances, budget=budget, settings=settings, shrunk=shrunk, live=live)
        return cls(plan, world.replaced(budget=budget, settings=settings), bounds, invariants, checks)


def _checked(name: str, value: object, check: core.Check) -> Iterator[Fault]:
    if remedy := check(value):
        yield Fault(name, value, remedy)


def _faults(value: object) -> str | None:
    right = isinstance(value, Budget) or optional(whole(0, MANY))(value) is None
    return None if right else "must be a whole number from 0, or a Budget"


def _left_out(world: World | None, **others: object) -> Iterator[Fault]:
    for name, value in others.items():
        if world is not None and value is not None:
            yield Fault(name, value, "must be left out beside a world, which has its own")


def _callable(name: str, functions: Iterable[object], given: str) -> Iterator[Fault]:
    for place, function in enumerate(functions):
        if not _takes_four(function):
            yield Fault(f"{name}[{place}]", function, f"must be a function of {given}")


def _takes_four(function: object) -> bool:
    if not callable(function):
        return False
    try:
        signature(function).bind(*range(4))
    except TypeError:
        return False
    except ValueError:  # some functions that are written in C do not tell
        return True
    return True


def _served(plan: Plan, world: World) -> tuple[int | None, int]:
    """Which group of a world is live, and how many instances it has."""
    for index, name in enumerate(plan.groups):
        group = world.group(name)
        if group and group.desired:
            return index, group.desired
    return None, 0
