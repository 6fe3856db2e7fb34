"""The simulated world that is kept between releases: what is asked of it, opened, saved, and its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import click
from attrs import frozen

from bluegreen import HookGate, HttpProbe
from bluegreen.core.errors import BlueGreenError
from bluegreen.core.gates import Gate as PlanGate
from bluegreen.core.gates import Hook, MetricGate, Probe
from bluegreen.core.plan import Plan
from bluegreen.journal.history import Story
from bluegreen.ports import Gate

from .folder import Folder
from .output import Output
from .wish import Wish

if TYPE_CHECKING:
    from bluegreen_sim import Application, SimCloud
    from bluegreen_sim.faults import Fault


@frozen(kw_only=True)
class Rehearsal(Wish):
    """A deployment that is asked for in a simulated world.

    Args:
        capacity: Instances of the live group in a new world; None when not said.
        traffic: Requests a second.
        seed: Of the random choices.
        faults: What goes wrong.
        applications: What the applications of images are like.
    """

    verb: ClassVar[str] = "simulate"
    waits: ClassVar[bool] = False

    folder: Folder
    capacity: int | None
    traffic: int
    seed: int
    faults: tuple[Fault, ...]
    applications: Mapping[str, Application]

    @property
    def given(self) -> dict[str, Any]:
        """What of it any world is given, a new one and one that goes on."""
        return {
            "traffic": self.traffic,
            "seed": self.seed,
            "faults": self.faults,
            "applications": self.applications,
        }


def cloud_of(plan: Plan, **given: Any) -> SimCloud:
    """The simulated cloud that was asked for.

    Raises:
        UsageError: If it cannot be, or a fault in it would silently never happen.
    """
    from bluegreen_sim import SimCloud

    try:
        return SimCloud(plan, **given)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def new_world(wish: Rehearsal) -> SimCloud:
    """A world in which the plan's live group serves in peace, or in which nothing is live yet."""
    capacity = 2 if wish.capacity is None else wish.capacity
    live = 0 if capacity else None
    return cloud_of(wish.plan, capacity=max(capacity, 1), live=live, **wish.given)


def open_world(wish: Rehearsal, output: Output, unfinished: Story | None) -> SimCloud:
    """The saved world, or a new one, which is saved at once: it must be there before the journal begins.

    Args:
        wish: What was asked for.
        output: Where notes go.
        unfinished: The deployment that goes on in it.
    """
    world = saved_world(wish.folder, wish.plan)
    if world is None:
        cloud = new_world(wish)
        save(wish.folder, cloud)
        return cloud
    if wish.capacity is not None:
        output.note("--capacity is for a new world (--fresh); this one keeps its size")
    if not unfinished:
        # Faults belong to the release that they were asked for.
        world = attrs.evolve(world, faults=(), schedule=())
    cloud = cloud_of(wish.plan, world=world, add_image=True, **wish.given)
    if unfinished:
        # The journal may be one pass ahead of the world: let the world live through that time again.
        cloud.clock.sleep(unfinished.state.at - cloud.clock.now())
        # Who was live when the deployment began is blue to the end, also when green has taken over.
        cloud.timeline.blue = unfinished.state.blue or cloud.timeline.blue
    return cloud


def saved_world(folder: Folder, plan: Plan) -> Any:
    """The saved world as the simulator's value; None when there is none.

    Raises:
        BlueGreenError: If it is damaged, missing beside a journal, or of other target groups than the plan's.
            Nothing is changed then.
    """
    from bluegreen_sim import world_from_dict
    from bluegreen_sim.founding import moved

    data = folder.load_world()
    if data is None:
        return None
    try:
        world = world_from_dict(data)
    except ValueError as error:
        raise BlueGreenError(
            f"{folder.world_path}: {error}: put it back, or begin anew with --fresh"
        ) from error
    if changed := list(moved(world, plan)):
        raise BlueGreenError(f"{'; '.join(changed)}: change the plan back, or begin anew with --fresh")
    return world


def save(folder: Folder, cloud: SimCloud) -> None:
    """Save the world as it is now."""
    from bluegreen_sim import world_to_dict

    folder.save_world(world_to_dict(cloud.world))


# -------------------------------------------------------------------------------------- what it answers


def gates(plan: Plan, cloud: SimCloud) -> dict[str, Gate]:
    """The plan's checks, answered by the simulator; what it has not (``not_simulated``) passes."""
    found: dict[str, Gate] = {}
    for gate in plan.gates:
        if isinstance(gate, Probe):
            found[gate.name] = HttpProbe(gate, fetch=cloud.fetch)
        elif gate in not_simulated(plan):
            found[gate.name] = HookGate(gate.name, lambda _plan, _look: True)
    return found


def not_simulated(plan: Plan) -> list[PlanGate]:
    """The checks that the simulator cannot make: the user's own, and metrics that its world does not have."""
    from bluegreen_sim.measuring import measured

    return [
        gate
        for gate in plan.gates
        if isinstance(gate, Hook) or (isinstance(gate, MetricGate) and not measured(gate))
    ]


def seen(cloud: SimCloud) -> Mapping[str, Any]:
    """What users saw, for programs."""
    timeline = cloud.timeline
    return {
        "requests": timeline.requests,
        "failed_requests": timeline.failed_requests,
        "failures": {str(status): count for status, count in timeline.failures().items()},
        "p99_ms": timeline.percentile_ms(99),
        "shares": timeline.shares(),
    }
