"""The way back to what was live before, as the journal tells it."""

from __future__ import annotations

import pytest
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import (
    Alarm,
    Deadlines,
    Deployment,
    JournalError,
    MemoryJournal,
    NothingToUndo,
    Operator,
    Plan,
    Result,
    Unfinished,
    WeightedTargetGroups,
    previous,
    strategies,
)
from bluegreen.core.state import Phase
from bluegreen_sim import AlarmRed, NeverHealthy, SimCloud
from bluegreen_sim.faults import Fault

PLAN = Plan(
    service="exercise",
    image="ami-0beta",
    launch_template="exercise-launch-template",
    groups=("exercise-group-blue", "exercise-group-green"),
    routing=WeightedTargetGroups("exercise-blue", "exercise-green"),
    strategy=strategies.all_at_once(0),
    gates=(Alarm(name="errors"),),
    deadlines=Deadlines(scale_up_seconds=120),
)


@define
class Service:
    """A service through its releases: one world, one journal."""

    live: int | None = 0
    journal: MemoryJournal = field(factory=MemoryJournal)
    cloud: SimCloud = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.cloud = SimCloud(PLAN, traffic=0, live=self.live)

    def release(self, plan: Plan | str, *faults: Fault) -> Result:
        """A release of an image or of a plan, to its end."""
        plan = PLAN.with_image(plan) if isinstance(plan, str) else plan
        self.cloud = SimCloud(plan, traffic=0, world=self.cloud.world, faults=faults, add_image=True)
        result = Deployment(plan, self.cloud, journal=self.journal).run()
        self.cloud.world = self.cloud.world.replaced(faults=())
        return result

    @property
    def serving(self) -> str:
        """The image that users are served from."""
        (group,) = [group for group in self.cloud.world.groups if group.desired]
        version = self.cloud.world.version(group.version or 0)
        assert version is not None
        return version.image

    def undo(self, to: str | None = None) -> Result:
        """A deployment of what was live before."""
        return self.release(previous(self.journal, "exercise", to=to))


def test_undone_and_undone_again() -> None:
    """The version before comes back as it was, no version is made; said again it leads forward again."""
    service = Service()
    service.release("ami-0beta")
    service.release("ami-0gamma")
    versions = service.cloud.world.versions
    assert (service.undo().ok, service.serving) == (True, "ami-0beta")
    assert (service.undo().ok, service.serving) == (True, "ami-0gamma")
    assert service.cloud.world.versions == versions


def test_what_was_live_before_the_first_record_comes_back() -> None:
    """The first deployment that is recorded can be undone: what it found on blue is in the journal."""
    service = Service()
    service.release("ami-0beta")
    assert (service.undo().ok, service.serving) == (True, "ami-0alpha")


def test_a_version_by_the_deployment_that_brought_it() -> None:
    """With an id, what that deployment brought comes back, however long ago."""
    service = Service()
    first = service.release("ami-0beta").deployment_id
    service.release("ami-0gamma")
    service.release("ami-0delta")
    assert (service.undo(first).ok, service.serving) == (True, "ami-0beta")


def test_what_never_went_live_is_no_way_back() -> None:
    """Deployments that were rolled back or refused are passed over, and their ids are refused."""
    service = Service()
    good = service.release("ami-0beta").deployment_id
    bad = service.release("ami-0bad", NeverHealthy(image="ami-0bad"))
    assert bad.phase is Phase.ROLLED_BACK
    with pytest.raises(NothingToUndo) as caught:
        service.undo(bad.deployment_id)
    assert str(caught.value) == (
        f"{bad.deployment_id} ended rolled_back: it was never live; promoted were {good}"
    )
    assert (service.undo().ok, service.serving) == (True, "ami-0alpha")


def test_the_same_version_again_is_passed_over() -> None:
    """A release of the version that is live already changes nothing that could be undone."""
    service = Service()
    service.release("ami-0beta")
    service.release(PLAN.with_version(2))
    assert (service.undo().ok, service.serving) == (True, "ami-0alpha")


def test_an_undo_goes_through_every_gate() -> None:
    """The way back is a deployment like any other: an alarm that turns red on the way stops it."""
    service = Service()
    service.release("ami-0beta")
    result = service.release(previous(service.journal, "exercise"), AlarmRed("errors", 20))
    assert result.phase is Phase.ROLLED_BACK
    assert service.serving == "ami-0beta"


def refused(service: Service, name: str = "exercise", to: str | None = None) -> str:
    """The one error with which there is no way back."""
    with pytest.raises(NothingToUndo) as caught:
        previous(service.journal, name, to=to)
    return str(caught.value)


def test_without_anything_before_the_one_error_says_so() -> None:
    """Nothing recorded, nothing promoted, nothing before a first release, an unknown id, what is live."""
    assert refused(Service()) == "no deployment of exercise was promoted yet"
    failed = Service()
    failed.release("ami-0bad", NeverHealthy(image="ami-0bad"))
    assert refused(failed) == "no deployment of exercise was promoted yet"
    first = Service(live=None)
    made = first.release(evolve(PLAN, capacity=2)).deployment_id
    assert "tells of no version of exercise-launch-template that was live before version 2" in refused(first)
    assert refused(first, to="exercise-9-00000000").startswith("the journal tells of no exercise-9-00000000;")
    assert refused(first, to=made) == (
        f"version 2 of exercise-launch-template, which {made} brought, is live already"
    )


def test_of_another_template_or_service_there_is_no_way_back() -> None:
    """A version's number means something in its own template only; a journal is of one service."""
    service = Service()
    service.release("ami-0beta")
    with pytest.raises(JournalError, match="the journal of exercise, not of web"):
        previous(service.journal, "web")


def test_what_has_not_ended_is_aborted_instead() -> None:
    """While a deployment is on its way there is nothing to undo yet: the error says what to do."""
    service = Service()
    service.release("ami-0beta")
    plan = PLAN.with_image("ami-0gamma")
    cloud = SimCloud(plan, traffic=0, world=service.cloud.world, add_image=True)
    deployment = Deployment(plan, cloud, journal=service.journal)
    deployment.advance()
    deployment.release()
    with pytest.raises(Unfinished, match="abort it, and blue stays live"):
        previous(service.journal, "exercise")
    Operator(service.journal, "exercise", by="alice").abort("undo")
    assert Deployment.load("exercise", cloud, service.journal).run().phase is not Phase.PROMOTED
    assert previous(service.journal, "exercise").number == 1


@pytest.mark.property
@given(
    releases=st.lists(
        st.tuples(st.sampled_from(("ami-1", "ami-2", "ami-3")), st.booleans()), min_size=1, max_size=3
    )
)
def test_undo_brings_back_what_users_had(releases: list[tuple[str, bool]]) -> None:
    """Whatever was released, well or badly: undo brings the image of before the last promotion."""
    service = Service()
    before = None
    for image, good in releases:
        had = service.serving
        result = service.release(image, *(() if good else [NeverHealthy("green")]))
        assert result.ok is good
        before = had if good else before
    if before is None:
        assert refused(service)
    else:
        assert (service.undo().ok, service.serving) == (True, before)
