"""Stories that end before they begin: preflight finds something, and nothing is changed."""

from collections.abc import Callable

import attrs
import pytest

from bluegreen import Deadlines, Plan
from bluegreen.core.state import Phase
from bluegreen_sim import AlarmRed, BlindLook, RefusedCall, Sick, World
from bluegreen_sim.groups import membership
from tests.scenarios.story import ALARM, ROUTINGS, Story, plan, set_group


def alarm(state: str) -> Callable[[World], World]:
    """The plan's alarm in this state."""
    return lambda world: world.replaced(alarms=((ALARM.name, state),))


def without_image(world: World) -> World:
    """Nobody has built the plan's image."""
    return world.replaced(images=tuple(image for image in world.images if image.id != "ami-2"))


def without_template(world: World) -> World:
    """The launch template has another name."""
    return world.replaced(template="another-template")


def one_sick(world: World) -> World:
    """One of blue's instances is not healthy."""
    group = world.groups[0]
    first, *others = group.instances
    sick = attrs.evolve(first, answers=False, target="unhealthy", seen=0)
    return world.with_group(attrs.evolve(group, instances=(sick, *others)))


def refreshed(world: World) -> World:
    """Somebody has started an instance refresh of blue."""
    return membership.start_refresh(world, "web-a")


def both_live(world: World) -> World:
    """Both groups want instances and get users."""
    blue, green = world.groups
    instances = tuple(attrs.evolve(i, id=f"i-9{n}") for n, i in enumerate(blue.instances))
    twin = attrs.evolve(green, min=2, desired=2, attached=True, instances=instances)
    rule = tuple((name, 50) for name, _ in world.rule)
    return world.with_group(twin).replaced(rule=rule)


def refused(wanted: Plan, *changes: Callable[[World], World]) -> Story:
    """A story that was refused without touching the world."""

    def change(world: World) -> World:
        for each in changes:
            world = each(world)
        return world

    story = Story(wanted, before=change).to_the_end()
    assert story.result.ended == story.result.started
    return story.ends(Phase.REFUSED).nothing_was_changed()


def test_an_instance_refresh_refuses_and_the_next_start_after_it_does_not() -> None:
    """F40: the sentence names the group and what to do; once it is cancelled the same plan is promoted."""
    story = refused(plan(), refreshed)
    said = "an instance refresh replaces the instances of web-a: wait until it has ended, or cancel it"
    assert said in story.result.reason
    story.cloud.world = membership.cancel_refresh(story.cloud.world, "web-a")
    story.cloud.clock.sleep(120)
    story.next_release("ami-2").to_the_end().ends(Phase.PROMOTED).green_serves_alone()


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (alarm("alarm"), "alarm errors is red before anything was changed"),
        (both_live, "web-a and web-b are both live"),
        (one_sick, "web-a has 1 healthy of 2, and the floor is 2"),
        (without_template, "launch template web-template does not exist"),
        (without_image, "image ami-2 cannot be found"),
    ],
    ids=["alarm", "ambiguous", "floor", "template", "image"],
)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_world_that_cannot_carry_the_plan_is_refused(
    routing: str, change: Callable[[World], World], because: str
) -> None:
    """Each single reason refuses the plan, by name and with its remedy, and changes nothing."""
    story = refused(plan(routing), change)
    assert because in story.result.reason


@pytest.mark.parametrize("routing", ROUTINGS)
def test_all_reasons_are_given_at_once(routing: str) -> None:
    """Whoever mends the world need not come back four times."""
    story = refused(plan(routing), alarm("alarm"), one_sick, without_template, without_image)
    for because in ("alarm errors is red", "has 1 healthy of 2", "web-template does not", "ami-2 cannot be"):
        assert because in story.result.reason


@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_ambiguous_world_is_refused_with_all_other_reasons(routing: str) -> None:
    """That both groups are live does not hide what else is wrong."""
    story = refused(plan(routing), both_live, alarm("alarm"), without_template, without_image)
    for because in ("are both live", "alarm errors is red", "web-template does not", "ami-2 cannot be"):
        assert because in story.result.reason


def test_an_idle_group_that_is_not_empty_is_refused() -> None:
    """What is already in green was not started by this deployment."""
    story = refused(plan(), set_group(1, min=1, desired=1))
    assert "web-b is not live and not at 0" in story.result.reason


def test_a_first_release_without_a_size_is_refused() -> None:
    """When no group is live the plan must say how large the service is."""
    story = Story(plan(), live=None).to_the_end()
    story.ends(Phase.REFUSED, "set capacity").nothing_was_changed()


def test_a_standing_group_that_is_missing_is_refused() -> None:
    """Standing groups are the plan's; a missing one is not made up."""
    story = refused(plan(), lambda world: world.replaced(groups=world.groups[:1]))
    assert "group web-b does not exist" in story.result.reason


def test_a_replaced_group_that_is_there_is_refused() -> None:
    """A group of green's name that somebody else made is not taken over."""
    twin = plan(fleets="standing")
    world = Story(twin).cloud.world
    story = refused(plan(fleets="replace"), lambda _: world)
    assert "group web-b exists already" in story.result.reason


def test_an_alarm_without_data_is_waited_for_and_then_refused() -> None:
    """No data is never a pass: preflight waits for it until its deadline."""
    wanted = plan(deadlines=Deadlines(preflight_seconds=60))
    story = Story(wanted, before=alarm("no-data")).to_the_end()
    story.ends(Phase.REFUSED, "alarm errors has no data").nothing_was_changed()
    assert story.result.ended - story.result.started == 60


def test_an_alarm_whose_data_come_in_time_is_no_obstacle() -> None:
    """A new alarm needs a moment before it says anything."""
    from bluegreen_sim.faults import AlarmOk

    story = Story(plan(), before=alarm("no-data"), faults=[AlarmOk("errors", 45)]).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()


def test_an_abort_in_preflight_is_a_refusal() -> None:
    """Called off before anything was changed."""
    story = Story(plan(), before=alarm("no-data")).pass_by(5)
    story.operator.abort("not today")
    story.to_the_end().ends(Phase.REFUSED, "not today").nothing_was_changed()


def test_a_pause_in_preflight_holds_it() -> None:
    """Paused before the first change, the world stays untouched until the resume."""
    story = Story(plan(), before=alarm("no-data")).pass_by(5)
    story.operator.pause()
    story.cloud.world = alarm("ok")(story.cloud.world)
    story.pass_by(600).ends(Phase.PREFLIGHT).nothing_was_changed()
    story.operator.resume()
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_a_blind_preflight_only_waits() -> None:
    """Looks that could not be read decide nothing; the first whole one does."""
    story = Story(plan(), faults=[BlindLook(1), BlindLook(2), BlindLook(3)]).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()


def test_a_preflight_that_never_sees_anything_is_refused() -> None:
    """A world that cannot be read is not changed."""
    story = Story(plan(), faults=[BlindLook(n) for n in range(1, 60)]).to_the_end()
    assert story.phase in (Phase.REFUSED, Phase.HALTED)
    story.ends(Phase.REFUSED, "cannot read").nothing_was_changed()


def test_the_refused_world_can_be_deployed_once_it_is_mended() -> None:
    """A refusal is an end: the next deployment of the same service begins anew."""
    story = Story(plan(), faults=[AlarmRed("errors", 0, for_seconds=60), Sick("blue", 0, for_seconds=60)])
    story.cloud.clock.sleep(30)
    story.start = story.cloud.world
    story.to_the_end().ends(Phase.REFUSED).nothing_was_changed()
    story.cloud.clock.sleep(300)
    story.next_release("ami-3").to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_a_refused_call_is_no_refusal() -> None:
    """Throttling in the first command is not the end of it."""
    Story(plan(), faults=[RefusedCall(1)]).to_the_end().ends(Phase.PROMOTED).green_serves_alone()
