"""The clouds that must keep the ``Cloud`` port's promises, each with a plan and a world that can carry it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, field, frozen

from bluegreen import Deployment, Limits, Plan, SharedTargetGroup, WeightedTargetGroups, strategies
from bluegreen.aws import AwsCloud
from bluegreen.core.observation import Observation
from bluegreen.core.state import Ledger
from bluegreen.ports import Cloud
from bluegreen_sim import Settings, SimCloud
from bluegreen_sim.endpoint import session
from bluegreen_sim.faults import NeverHealthy
from tests.contract.processes import Group, Machine
from tests.moto_account import GROUPS, IMAGES, TARGET_GROUPS, TEMPLATE, lay_out
from tests.moto_server import MotoServer

ROUTINGS = ("weighted", "shared")
PROVIDERS = ("simulator", "endpoint", "moto", "processes")
LIVE, NEXT, AFTER = IMAGES


def plan_for(kind: str, **changes: Any) -> Plan:
    """A plan of two rungs for the account of tests/moto_account.py."""
    names = TARGET_GROUPS[kind]
    wanted: dict[str, Any] = {
        "service": "exercise",
        "image": NEXT,
        "launch_template": TEMPLATE,
        "groups": GROUPS,
        "routing": WeightedTargetGroups(*names) if len(names) == 2 else SharedTargetGroup(*names),
        "strategy": strategies.canary(10 if kind == "weighted" else 34, 30, last_bake_seconds=30),
        "limits": Limits(poll_seconds=10),
        "capacity": 2,
    }
    return Plan(**(wanted | changes))


class Hands:
    """A clock that is moved by hand; what AWS does by the second, moto does by the look."""

    virtual = True

    def __init__(self) -> None:
        self.second = 1_000.0

    def now(self) -> float:
        return self.second

    def sleep(self, seconds: float) -> None:
        self.second += max(0.0, seconds)


@frozen
class Place:
    """A cloud, and a world in it.

    Args:
        name: Which of ``PROVIDERS``.
        plan: What can be deployed.
        cloud: Where to.
        spoil: Lets nothing that is started from an image ever be healthy.
    """

    name: str
    plan: Plan
    cloud: Cloud
    spoil: Callable[[str], object]

    def look(self, token: str = "exercise-1-00000000") -> Observation:
        """What is seen."""
        return self.cloud.observe(self.plan, Ledger(token))

    def rest(self) -> Observation:
        """What is seen when all that is under way has come to its end."""
        for _ in range(10):
            self.look()
            self.cloud.clock.sleep(60)
        return self.look()

    def deployment(self, image: str = NEXT) -> Deployment:
        """A deployment of an image, not begun."""
        return Deployment(self.plan.with_image(image), self.cloud)


@define
class Course:
    """What a deployment went through: each phase it entered, and the kind of reason that led there."""

    deployment: Deployment
    entered: list[tuple[str, str]] = field(factory=list)

    @classmethod
    def of(cls, deployment: Deployment) -> Course:
        """Run it to its end."""
        course, phase = cls(deployment), None
        for step in deployment.steps():
            if step.state.phase is not phase:
                course.entered.append((step.state.phase.value, step.signal))
            phase = step.state.phase
        return course


@contextmanager
def simulator(
    plan: Plan, live: int | None, *, groups_exist: bool, moto: MotoServer | None
) -> Iterator[Place]:
    """The simulator, directly."""
    del moto
    cloud, spoil = _simulated(plan, live, groups_exist=groups_exist)
    yield Place("simulator", plan, cloud, spoil)


@contextmanager
def endpoint(plan: Plan, live: int | None, *, groups_exist: bool, moto: MotoServer | None) -> Iterator[Place]:
    """The AWS adapter, on the simulator."""
    del moto
    simulated, spoil = _simulated(plan, live, groups_exist=groups_exist)
    cloud = AwsCloud(session(simulated), clock=simulated.clock)
    try:
        yield Place("endpoint", plan, cloud, spoil)
    finally:
        cloud.close()


def _simulated(
    plan: Plan, live: int | None, *, groups_exist: bool
) -> tuple[SimCloud, Callable[[str], object]]:
    settings = Settings(boot_seconds=(5,), deregistration_seconds=20)
    cloud = SimCloud(plan, capacity=2, traffic=0, live=live, settings=settings)
    if not groups_exist:
        cloud.world = cloud.world.replaced(groups=())

    def spoil(image: str) -> None:
        cloud.world = cloud.world.replaced(faults=(*cloud.world.faults, NeverHealthy(image=image)))

    for image in (NEXT, AFTER):
        cloud = SimCloud(plan.with_image(image), traffic=0, world=cloud.world, add_image=True)
    return cloud, spoil


@contextmanager
def on_moto(plan: Plan, live: int | None, *, groups_exist: bool, moto: MotoServer | None) -> Iterator[Place]:
    """The AWS adapter, on moto's server as it is corrected."""
    assert moto is not None, "given by the test"
    lay_out(moto, "shared" if plan.shared else "weighted", live=live, groups_exist=groups_exist)
    cloud = AwsCloud(moto.session(), endpoint_url=moto.url, clock=Hands())

    def spoil(image: str) -> None:
        moto.script.broken_images.add(image)
        moto.script.impaired_images.add(image)

    try:
        yield Place("moto", plan, cloud, spoil)
    finally:
        cloud.close()


@contextmanager
def processes(
    plan: Plan, live: int | None, *, groups_exist: bool, moto: MotoServer | None
) -> Iterator[Place]:
    """A machine with a dict of processes."""
    del moto
    weights = {name: 100 if index == (live or 0) else 0 for index, name in enumerate(plan.groups)}
    groups = {
        name: Group(
            1,
            low=2 if index == live else 0,
            high=4,
            size=2 if index == live else 0,
            attached=not plan.shared or index == live,
        )
        for index, name in enumerate(plan.groups)
        if groups_exist
    }
    machine = Machine(groups, [(LIVE, "")], {*IMAGES}, None if plan.shared else weights)
    machine.observe(plan, Ledger(""))
    machine.sleep(60)
    yield Place("processes", plan, machine, machine.broken.add)


_MAKERS = {"simulator": simulator, "endpoint": endpoint, "moto": on_moto, "processes": processes}


@contextmanager
def placed(
    name: str,
    routing: str,
    moto: MotoServer | None,
    *,
    live: int | None = 0,
    groups_exist: bool = True,
    **changes: Any,
) -> Iterator[Place]:
    """A world with two instances live in one of the groups (``live`` is its index), or with none.

    Args:
        name: One of ``PROVIDERS``.
        routing: One of ``ROUTINGS``.
        moto: A server, for the provider that needs one.
        live: Which group is live; None: none is.
        groups_exist: Whether there are groups at all.
        changes: Of the plan.
    """
    plan = plan_for(routing, **changes)
    with _MAKERS[name](plan, live, groups_exist=groups_exist, moto=moto) as place:
        yield place
