"""Fixtures for pytest: a simulated cloud, a deployment on it, and their story when a test fails.

Loaded by every pytest that has bluegreen installed, so nothing is imported before a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bluegreen import Deployment, Plan
    from bluegreen.ports import Gate

    from .cloud import SimCloud

MakeWorld = Callable[..., "SimCloud"]
MakeDeployment = Callable[..., "Deployment"]

_WORLDS = pytest.StashKey["list[SimCloud]"]()
_DEPLOYMENTS = pytest.StashKey["list[Deployment]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--bluegreen-seed``."""
    parser.getgroup("bluegreen").addoption(
        "--bluegreen-seed",
        metavar="S",
        type=int,
        default=1,
        help="Seed of the worlds that bluegreen_world makes.  [default: 1]",
    )


@pytest.fixture
def bluegreen_world(request: pytest.FixtureRequest) -> MakeWorld:
    """Makes a ``SimCloud``: ``bluegreen_world(plan, faults=[...])``; without a plan, the tutorial's.

    Its seed is that of ``--bluegreen-seed``; all other arguments are those of ``SimCloud``.
    """
    from .cloud import SimCloud, tutorial

    made = request.node.stash.setdefault(_WORLDS, [])
    seed = request.config.getoption("--bluegreen-seed")

    def make(plan: Plan | None = None, **options: Any) -> SimCloud:
        cloud = SimCloud(tutorial()[0] if plan is None else plan, **{"seed": seed, **options})
        made.append(cloud)
        return cloud

    return make


@pytest.fixture
def bluegreen_deployment(request: pytest.FixtureRequest, bluegreen_world: MakeWorld) -> MakeDeployment:
    """Makes a ``Deployment``: ``bluegreen_deployment(plan).run()``, on a world of its own unless given one.

    Args are ``plan``, ``cloud`` and, as for ``Deployment``, ``gates``; all others are those of ``SimCloud``,
    which a given cloud has had.
    """
    from bluegreen import Deployment

    made = request.node.stash.setdefault(_DEPLOYMENTS, [])

    def make(
        plan: Plan | None = None,
        cloud: SimCloud | None = None,
        *,
        gates: Mapping[str, Gate] | None = None,
        **options: Any,
    ) -> Deployment:
        if cloud is not None and options:
            raise TypeError(
                f"{', '.join(sorted(options))}: give it to bluegreen_world, which makes the cloud"
            )
        cloud = bluegreen_world(plan, **options) if cloud is None else cloud
        deployment = Deployment(cloud.plan if plan is None else plan, cloud, gates=gates)
        made.append(deployment)
        return deployment

    return make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failed test what its deployments did, and how to run it again."""
    report = yield
    worlds, deployments = item.stash.get(_WORLDS, []), item.stash.get(_DEPLOYMENTS, [])
    if (worlds or deployments) and report.failed and report.when == "call":
        seed = item.config.getoption("--bluegreen-seed")
        lines = [line for deployment in deployments for line in _story(deployment)]
        lines += [
            f"requests: {world.timeline.requests}, {world.timeline.failed_requests} failed"
            for world in worlds
        ]
        lines.append(f"run it again: pytest '{item.nodeid}' --bluegreen-seed={seed}")
        report.sections.append(("bluegreen", "\n".join(lines)))
    return report


def _story(deployment: Deployment) -> list[str]:
    """A line for each decision that did something: time, phase, reason."""
    lines, phase = [], None
    for step in deployment.history:
        if step.commands or step.state.phase is not phase:
            lines.append(f"{step.state.at:6g} s  {step.state.phase.value:<12}  {step.reason}")
        phase = step.state.phase
    return lines or ["the deployment has not begun"]
