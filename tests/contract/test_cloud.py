"""What every cloud promises: a command does what it says, again does nothing more, and nothing is raised."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

from bluegreen import Deployment
from bluegreen.core import commands as c
from bluegreen.core.observation import ErrorClass, Health, Observation, Outcome, Result
from bluegreen.core.state import Phase
from tests.contract.providers import AFTER, LIVE, NEXT, PROVIDERS, ROUTINGS, Course, Place, placed

pytestmark = pytest.mark.contract

TOKEN = "exercise-1-00000000"


EVERYWHERE = [
    pytest.param((name, routing), id=f"{name}-{routing}", marks=[pytest.mark.slow] * (name == "moto"))
    for name in PROVIDERS
    for routing in ROUTINGS
]


@pytest.fixture(params=EVERYWHERE)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Each provider, with each routing; the first group is live with two instances."""
    name, routing = request.param
    moto = request.getfixturevalue("moto") if name == "moto" else None
    with placed(name, routing, moto) as found:
        yield found


def settings(look: Observation) -> Observation:
    """A look without its time, and without verdicts on the way somewhere."""
    return attrs.evolve(look, at=0)


def done(place: Place, *commands: c.Command) -> Observation:
    """What is seen at rest after commands that are applied, each of them twice."""
    for command in commands:
        for _ in range(2):
            place.look()
            outcome = place.cloud.apply(command)
            assert outcome == Outcome(command=command, result=Result.APPLIED), outcome
    return place.rest()


def prepare(place: Place, token: str = TOKEN) -> c.PrepareVersion:
    """The command that makes the version of the plan's image."""
    return c.PrepareVersion(template=place.plan.launch_template, source=1, image=NEXT, token=token)


def test_a_look_shows_the_world_and_changes_nothing(place: Place) -> None:
    """A look shows sizes, version, who is behind the balancer, shares and the image; so does the next one."""
    blue, green = place.plan.groups
    look = place.look()
    assert (look.unread, look.problems, look.version, look.default_version, look.image) == (
        (),
        (),
        None,
        1,
        True,
    )
    live, idle = look.fleet(blue), look.fleet(green)
    assert live is not None
    assert idle is not None
    assert (live.exists, live.min, live.max, live.desired, live.version, live.attached) == (
        True,
        2,
        4,
        2,
        1,
        True,
    )
    assert (live.healthy, live.running, len(live.healthy_of(1))) == (2, 2, 2)
    assert (idle.exists, idle.min, idle.desired, idle.running, idle.frozen) == (True, 0, 0, 0, False)
    assert idle.attached is not place.plan.shared
    assert (look.shares is None) is place.plan.shared
    if look.shares:
        assert look.shares.weights == ((blue, 100), (green, 0))
    assert settings(place.look()) == settings(look)


def test_sizes_and_bounds_are_set(place: Place) -> None:
    """A size comes with its bounds in one call, bounds alone leave the size, unless they move it."""
    green = place.plan.groups[1]
    fleet = done(place, c.SetSize(fleet=green, size=2, min=1, max=3)).fleet(green)
    assert fleet is not None
    assert (fleet.min, fleet.max, fleet.desired, fleet.running) == (1, 3, 2, 2)
    fleet = done(place, c.SetBounds(fleet=green, min=0, max=5)).fleet(green)
    assert fleet is not None
    assert (fleet.min, fleet.max, fleet.desired, fleet.running) == (0, 5, 2, 2)
    fleet = done(place, c.SetBounds(fleet=green, min=3, max=5)).fleet(green)
    assert fleet is not None
    assert (fleet.min, fleet.desired, fleet.running) == (3, 3, 3)


def test_a_version_is_made_once_and_launched_when_pointed_at(place: Place) -> None:
    """The same token gives the same version; a group launches the one it points at, and keeps what it has."""
    blue, green = place.plan.groups
    look = done(place, prepare(place))
    version = look.version
    assert version == 2
    assert place.look("exercise-2-00000000").version is None
    done(place, c.SetVersion(fleet=green, version=version), c.SetSize(fleet=green, size=1, min=0, max=4))
    look = done(place, c.SetVersion(fleet=blue, version=version))
    shown = {name: look.fleet(name) for name in place.plan.groups}
    assert {name: fleet.version for name, fleet in shown.items() if fleet} == {blue: 2, green: 2}
    assert {name: [t.version for t in fleet.targets] for name, fleet in shown.items() if fleet} == {
        blue: [1, 1],
        green: [2],
    }


def test_new_instances_become_healthy_and_leaving_ones_drain(place: Place) -> None:
    """An instance is first initial, then healthy; told to go it drains, is healthy no more, and is gone."""
    green = place.plan.groups[1]
    seen = []
    for size in (1, 0):
        place.look()
        command = c.SetSize(fleet=green, size=size, min=0, max=4)
        assert place.cloud.apply(command).result is Result.APPLIED
        for _ in range(60):
            fleet = place.look().fleet(green)
            assert fleet is not None
            seen += [target.health for target in fleet.targets]
            place.cloud.clock.sleep(1)
        assert fleet.running == size
    ways = [health for i, health in enumerate(seen) if i == 0 or seen[i - 1] is not health]
    assert ways == [Health.INITIAL, Health.HEALTHY, Health.DRAINING]


def test_requests_are_divided_as_told(place: Place) -> None:
    """Weights are read back as they were written; behind a shared target group a group is in it or not."""
    blue, green = place.plan.groups
    if not place.plan.shared:
        look = done(place, c.SetShares(weights=((blue, 70), (green, 30))))
        assert look.shares is not None
        assert dict(look.shares.weights) == {blue: 70, green: 30}
        return
    look = done(place, c.SetSize(fleet=green, size=1, min=0, max=4), c.Attach(fleet=green))
    fleet = look.fleet(green)
    assert fleet is not None
    assert (fleet.attached, fleet.healthy) == (True, 1)
    fleet = done(place, c.Detach(fleet=green)).fleet(green)
    assert fleet is not None
    assert (fleet.attached, fleet.running) == (False, 1)


def test_own_scaling_is_suspended_and_resumed(place: Place) -> None:
    """A group that is frozen is shown so, until it is told to go on."""
    blue = place.plan.groups[0]
    for frozen in (True, False):
        fleet = done(place, c.Freeze(fleet=blue, frozen=frozen)).fleet(blue)
        assert fleet is not None
        assert fleet.frozen is frozen


def test_a_group_is_made_and_deleted(place: Place) -> None:
    """A group can be deleted when it is empty, and made anew: by one token once, for another it is taken."""
    green = place.plan.groups[1]
    gone = done(place, c.DeleteFleet(fleet=green)).fleet(green)
    assert gone is not None
    assert not gone.exists
    create = c.CreateFleet(fleet=green, like=None, version=1, min=1, max=2, size=1, token=TOKEN)
    fleet = done(place, create).fleet(green)
    assert fleet is not None
    assert (fleet.min, fleet.max, fleet.desired, fleet.running, fleet.version) == (1, 2, 1, 1, 1)
    assert fleet.attached is not place.plan.shared
    taken = place.cloud.apply(attrs.evolve(create, token="exercise-2-00000000"))
    assert (taken.result, taken.error) == (Result.REFUSED, ErrorClass.CONFLICT)
    kept = place.cloud.apply(c.DeleteFleet(fleet=green))
    assert (kept.result, kept.error) == (Result.REFUSED, ErrorClass.IN_USE)
    assert settings(place.rest()).fleet(green) == fleet


def test_what_is_not_there_is_an_outcome(place: Place) -> None:
    """A command for a group that does not exist is refused as absent, and changes nothing."""
    before = place.look()
    for command in (
        c.SetSize(fleet="nobody", size=1, min=0, max=1),
        c.SetVersion(fleet="nobody", version=1),
    ):
        outcome = place.cloud.apply(command)
        assert (outcome.result, outcome.error) == (Result.REFUSED, ErrorClass.ABSENT), outcome
    assert settings(place.look()) == settings(before)


# ---------------------------------------------------------------------------------------- whole deployments


def course(name: str, routing: str, request: pytest.FixtureRequest, spoiled: str | None = None) -> Course:
    """How a deployment goes on one provider."""
    moto = request.getfixturevalue("moto") if name == "moto" else None
    with placed(name, routing, moto) as found:
        if spoiled:
            found.spoil(spoiled)
        return Course.of(found.deployment())


@pytest.mark.parametrize(
    "spoiled", [pytest.param(None, id="sound"), pytest.param(NEXT, id="broken", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_every_cloud_is_deployed_to_alike(
    routing: str, spoiled: str | None, request: pytest.FixtureRequest
) -> None:
    """The same plan enters the same phases for the same kinds of reasons everywhere."""
    courses = {name: course(name, routing, request, spoiled).entered for name in PROVIDERS}
    assert courses["simulator"][-1][0] == ("rolled_back" if spoiled else "promoted")
    assert courses["moto"] == courses["simulator"]
    assert courses["processes"] == courses["simulator"]


def test_a_broken_green_leaves_everything_as_it_was(place: Place) -> None:
    """What is never healthy is given up, and all that was borrowed is back, field by field."""
    before = place.rest()
    place.spoil(NEXT)
    deployment = place.deployment()
    assert deployment.run().phase is Phase.ROLLED_BACK
    assert deployment.result().leftovers == ()
    assert settings(place.rest()) == settings(before)


def test_three_releases_alternate(place: Place) -> None:
    """Release after release the other group is live, with the size and the bounds of the first."""
    live = []
    for image in (NEXT, AFTER, LIVE):
        result = place.deployment(image).run()
        assert result.ok, result.reason
        look = place.rest()
        serving = [f for f in look.fleets if f.desired]
        assert [(f.min, f.max, f.desired, f.healthy) for f in serving] == [(2, 4, 2, 2)]
        live.append(serving[0].name)
    blue, green = place.plan.groups
    assert live == [green, blue, green]


def test_a_version_that_is_there_is_deployed_as_it_is(place: Place) -> None:
    """A plan that names a version launches that one and makes none; one that is not there is refused."""
    assert place.deployment(NEXT).run().ok
    result = Deployment(place.plan.with_version(1), place.cloud).run()
    assert result.ok, result.reason
    look = place.rest()
    (live,) = [fleet for fleet in look.fleets if fleet.desired]
    assert (live.version, len(live.healthy_of(1))) == (1, 2)
    sent = {type(command) for step in result.history for command in step.commands}
    assert c.PrepareVersion not in sent
    refused = Deployment(place.plan.with_version(3), place.cloud).run()
    assert (refused.phase, len(refused.history)) == (Phase.REFUSED, 1)
    template = place.plan.launch_template
    assert refused.reason == f"version 3 of {template} does not exist: make it first, or correct version"
    assert settings(place.rest()) == settings(look)


@pytest.mark.parametrize("where", EVERYWHERE)
def test_replaced_groups_alternate(where: tuple[str, str], request: pytest.FixtureRequest) -> None:
    """With fleets that are replaced each release makes its group like the live one, which is deleted."""
    name, routing = where
    moto = request.getfixturevalue("moto") if name == "moto" else None
    with placed(name, routing, moto, fleets="replace") as found:
        _, idle = found.plan.groups
        done(found, c.DeleteFleet(fleet=idle))
        live = []
        for image in (NEXT, AFTER, LIVE):
            result = found.deployment(image).run()
            assert result.ok, result.reason
            assert result.leftovers == ()
            serving = [fleet for fleet in found.rest().fleets if fleet.exists]
            assert [(f.min, f.max, f.desired, f.healthy) for f in serving] == [(2, 4, 2, 2)]
            live.append(serving[0].name)
        assert live == [idle, found.plan.groups[0], idle]


@pytest.mark.parametrize("where", EVERYWHERE)
def test_a_first_release_makes_its_group(where: tuple[str, str], request: pytest.FixtureRequest) -> None:
    """Where there is no group yet, one is created, proven, and gets the traffic."""
    name, routing = where
    moto = request.getfixturevalue("moto") if name == "moto" else None
    with placed(name, routing, moto, live=None, groups_exist=False) as found:
        assert found.deployment().run().ok
        serving = [fleet for fleet in found.rest().fleets if fleet.exists]
        assert [(fleet.healthy, fleet.attached, fleet.version) for fleet in serving] == [(2, True, 2)]
