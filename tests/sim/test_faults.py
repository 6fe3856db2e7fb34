"""Each fault strikes, as scheduled or as chosen."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.core.commands import Freeze, SetBounds, SetShares, SetSize
from bluegreen.core.gates import Alarm
from bluegreen.core.observation import ErrorClass, Fleet, Observation, Reading, Result
from bluegreen.core.plan import Plan, SharedTargetGroup, WeightedTargetGroups
from bluegreen.core.state import Ledger
from bluegreen_sim import (
    AlarmRed,
    Application,
    AtPhase,
    BlindLook,
    Budget,
    Busy,
    Choices,
    Denied,
    Dies,
    During,
    EditBounds,
    EditVersion,
    EditWeights,
    Errors,
    Gone,
    LateCall,
    LaunchFails,
    LostAnswer,
    LuckyProbe,
    MetricAlarm,
    NeverHealthy,
    Over,
    RefusedCall,
    Rescale,
    Scaling,
    Scarce,
    ScheduledAction,
    Settings,
    Sick,
    SimCloud,
    SlowBoot,
    StaleLook,
    ZoneDown,
    enumerate_runs,
    parse,
    testing,
)
from bluegreen_sim.engine import with_faults
from bluegreen_sim.faults import Fault, Lasting, for_groups

PLAN = Plan(
    service="s",
    image="ami-new",
    launch_template="tpl",
    groups=("a", "b"),
    routing=WeightedTargetGroups("tg-a", "tg-b"),
    gates=(Alarm(name="errors"),),
)


def look(cloud: SimCloud) -> Observation:
    """One look."""
    return cloud.observe(PLAN, Ledger("d"))


def fleet(cloud: SimCloud, name: str) -> Fleet:
    """A group, as a look shows it."""
    found = look(cloud).fleet(name)
    assert found is not None
    return found


def grown(cloud: SimCloud, seconds: float) -> Fleet:
    """Group b some seconds after one instance was asked for."""
    cloud.apply(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.clock.sleep(seconds)
    return fleet(cloud, "b")


def later(cloud: SimCloud, name: str, seconds: float = 60) -> Fleet:
    """A group some seconds later."""
    cloud.clock.sleep(seconds)
    return fleet(cloud, name)


@pytest.mark.parametrize(
    ("fault", "strikes"),
    [
        (NeverHealthy("green"), lambda cloud: grown(cloud, 300).unhealthy == 1),
        (NeverHealthy(image="ami-0alpha"), lambda cloud: grown(cloud, 300).unhealthy == 1),
        (SlowBoot(500), lambda cloud: grown(cloud, 300).unhealthy == 1),
        (LaunchFails(1), lambda cloud: grown(cloud, 10).launch_error is not None),
        (Dies("blue", 30), lambda cloud: later(cloud, "a").unhealthy == 1),
        (Sick("blue", 30, count=2), lambda cloud: later(cloud, "a").unhealthy == 2),
        (Rescale("blue", 1, 30), lambda cloud: later(cloud, "a").desired == 3),
        (EditBounds("blue", 1, 7, 30), lambda cloud: later(cloud, "a").max == 7),
        (
            Errors("ami-0alpha", 10),
            lambda cloud: cloud.clock.sleep(10) or cloud.timeline.failed_requests == 100,
        ),
        (BlindLook(1), lambda cloud: look(cloud).unread == ("fleets", "shares")),
        (
            RefusedCall(1),
            lambda cloud: cloud.apply(Freeze(fleet="a", frozen=True)).error is ErrorClass.THROTTLED,
        ),
        (LostAnswer(1), lambda cloud: cloud.apply(Freeze(fleet="a", frozen=True)).result is Result.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_fault_strikes(fault: Fault, strikes: Callable[[SimCloud], bool]) -> None:
    """What a fault says is what happens, and does not happen without it."""
    assert strikes(SimCloud(PLAN, faults=[fault]))
    assert not strikes(SimCloud(PLAN))


def test_a_fault_waits_for_somebody_to_strike() -> None:
    """A group that is still empty at the time loses its instance as soon as there is one."""
    cloud = SimCloud(PLAN, faults=[Dies("green", 1)])
    assert grown(cloud, 200).targets[0].id == "i-0004"


def test_a_sick_application_may_come_back() -> None:
    """After its time it answers again and is healthy at the healthy threshold."""
    cloud = SimCloud(PLAN, faults=[Sick("blue", 10, for_seconds=30)])
    cloud.clock.sleep(35)
    assert fleet(cloud, "a").unhealthy == 1
    cloud.clock.sleep(65)
    assert fleet(cloud, "a").healthy == 2


def test_an_alarm_goes_red_and_back() -> None:
    """For as long as was said; an alarm that nobody knows has no data."""
    cloud = SimCloud(PLAN, faults=[AlarmRed("errors", 10, for_seconds=20)])
    seen = []
    for _ in range(4):
        seen += [reading.reading for reading in look(cloud).gates]
        cloud.clock.sleep(10)
    assert seen == [Reading.PASS, Reading.FAIL, Reading.FAIL, Reading.PASS]
    unknown = evolve(PLAN, gates=(Alarm(name="other"),))
    assert [r.reading for r in cloud.observe(unknown, Ledger("d")).gates] == [Reading.NO_DATA]


def test_somebody_else_may_set_weights() -> None:
    """A look shows their weights, and requests follow them."""
    cloud = SimCloud(PLAN, faults=[EditWeights((("blue", 60), ("green", 40)), at_seconds=5)])
    cloud.clock.sleep(6)
    shares = look(cloud).shares
    assert shares is not None
    assert shares.weights == (("a", 60), ("b", 40))
    assert cloud.timeline.shares()[5]["errors"] == 40


@pytest.mark.parametrize(
    ("weights", "errors"), [((("green", 100), ("blue", 0)), 0), ((("blue", 0), ("green", 0)), 100)]
)
def test_weights_of_groups_behind_one_target_group_add_up(
    weights: tuple[tuple[str, int], ...], errors: int
) -> None:
    """In either order, nobody is left out as long as one of them has a weight."""
    shared = evolve(PLAN, routing=SharedTargetGroup("tg"))
    cloud = SimCloud(shared)
    cloud.world = with_faults(cloud.world, (for_groups(EditWeights(weights, at_seconds=5), "a", "b"),))
    cloud.clock.sleep(6)
    assert cloud.world.rule == (("tg", 100 - errors),)
    assert cloud.timeline.shares()[5]["errors"] == errors


COUNTED: tuple[Lasting, ...] = (
    *(LostAnswer(2), LostAnswer(3, applied=False), RefusedCall(3), LateCall(4, 5)),
    *(StaleLook(3), BlindLook(2), LaunchFails(2, "green"), Scarce(3, "green")),
    *(ZoneDown(0), Denied("Freeze"), Busy("green")),
)


@given(
    fault=st.sampled_from(COUNTED),
    lasting=st.lists(st.sampled_from(COUNTED), max_size=2),
    calls=st.integers(0, 5),
    looks=st.integers(0, 4),
)
def test_what_lasts_for_a_time_is_over_however_much_of_it_is_used_up(
    fault: Lasting, lasting: list[Lasting], calls: int, looks: int
) -> None:
    """What is left afterwards is what there would be if it had never been, and that alone."""
    left = []
    for faults in ([*lasting, During(fault, 0, for_seconds=100)], lasting):
        cloud = SimCloud(PLAN, faults=faults, traffic=0)
        cloud.clock.sleep(1)
        for _ in range(calls):
            cloud.apply(Freeze(fleet="a", frozen=True))
        for _ in range(looks):
            look(cloud)
        cloud.clock.sleep(120)
        left.append(Counter(cloud.world.faults))
    assert left[0] == left[1]


def test_a_lost_answer_hides_whether_it_was_applied() -> None:
    """The outcome is the same; the world is not."""
    command = SetBounds(fleet="a", min=0, max=9)
    for applied in (True, False):
        cloud = SimCloud(PLAN, faults=[LostAnswer(2, applied=applied)])
        cloud.apply(Freeze(fleet="a", frozen=False))
        outcome = cloud.apply(command)
        assert (outcome.result, outcome.error) == (Result.UNKNOWN, ErrorClass.LOST)
        assert (fleet(cloud, "a").max == 9) == applied
        assert cloud.apply(command).result is Result.APPLIED


def test_a_refused_call_changes_nothing_and_names_its_class() -> None:
    """A throttled one may be asked again, another class is a refusal."""
    cloud = SimCloud(PLAN, faults=[RefusedCall(1), RefusedCall(2, error="identity")])
    command = SetBounds(fleet="a", min=0, max=9)
    first, second, third = (cloud.apply(command) for _ in range(3))
    assert (first.result, first.error) == (Result.NOT_APPLIED, ErrorClass.THROTTLED)
    assert (second.result, second.error) == (Result.REFUSED, ErrorClass.IDENTITY)
    assert third.result is Result.APPLIED


def test_a_stale_look_shows_what_an_earlier_look_saw() -> None:
    """The content is old, the time is the present."""
    cloud = SimCloud(PLAN, faults=[StaleLook(3, age=2), StaleLook(4)])
    looks = []
    for size in (3, 4, 2, 3):
        looks.append(look(cloud))
        cloud.apply(SetSize(fleet="a", size=size, min=2, max=4))
        cloud.clock.sleep(1)
    assert [found.at for found in looks] == [0, 1, 2, 3]
    assert [found.fleets[0].desired for found in looks] == [2, 3, 2, 4]


def test_a_blind_look_reads_nothing_of_groups_and_weights() -> None:
    """What could not be read is absent and named; the next look sees it."""
    cloud = SimCloud(PLAN, faults=[BlindLook(1)])
    blind, seen = look(cloud), look(cloud)
    assert (blind.fleets, blind.shares) == ((), None)
    assert blind.image is True
    assert seen.fleets
    assert not seen.unread


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("sick", {"healthy", "unhealthy a"}),
        ("dies", {"healthy", "unhealthy a"}),
        ("lost", {"healthy", "lost, applied", "lost, not applied"}),
        ("refused", {"healthy", "refused"}),
        ("stale", {"healthy", "stale"}),
        ("blind", {"healthy", "blind"}),
    ],
)
def test_a_budget_lets_each_fault_happen_at_every_opportunity(kind: str, found: set[str]) -> None:
    """Enumerated, one fault gives the run without it and one for each way in which it can happen."""

    def run(choices: Choices) -> str:
        cloud = SimCloud(PLAN, choices=choices, budget=Budget(**{kind: 1}))
        look(cloud)
        cloud.clock.sleep(5)
        outcome = cloud.apply(SetShares(weights=(("a", 99), ("b", 1))))
        seen = look(cloud)
        applied = cloud.world.rule[1][1] == 1
        if outcome.result is Result.UNKNOWN:
            return "lost, applied" if applied else "lost, not applied"
        if not applied:
            return "refused"
        if seen.unread:
            return "blind"
        if seen.shares and seen.shares.weight("b") == 0:
            return "stale"
        cloud.clock.sleep(30)
        a = cloud.world.group("a")
        assert a is not None
        return "healthy" if all(i.target == "healthy" for i in a.instances) else "unhealthy a"

    assert set(enumerate_runs(run)) == found


def test_equal_instances_are_one_option() -> None:
    """With a hundred equal instances a fault has one victim to choose from."""
    widths = []

    def run(choices: Choices) -> None:
        cloud = SimCloud(PLAN, capacity=100, traffic=0, choices=choices, budget=Budget(sick=2))
        cloud.clock.sleep(5)
        cloud.clock.sleep(5)
        widths.extend(choices.widths)

    assert len(list(enumerate_runs(run))) == 4
    assert set(widths) == {2}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("never-healthy:green", NeverHealthy("green")),
        ("dies:green:120", Dies("green", 120)),
        ("dies:green:at=120", Dies("green", 120)),
        ("sick:blue:90", Sick("blue", 90)),
        ("slow-boot:300", SlowBoot(300)),
        ("launch-fails:3", LaunchFails(3)),
        ("lost-answer:4", LostAnswer(4)),
        ("refused-call:4", RefusedCall(4)),
        ("stale-look:9", StaleLook(9)),
        ("blind-look:9", BlindLook(9)),
        ("alarm:my:alarm:150", AlarmRed("my:alarm", 150)),
        ("rescale:blue:+2:90", Rescale("blue", 2, 90)),
        ("errors:ami-1:5", Errors("ami-1", 5)),
        ("gone:ami-1:5", Gone("ami-1", 5)),
        ("gone:3:5", Gone(3, 5)),
    ],
)
def test_faults_are_read_from_short_texts(text: str, fault: Fault) -> None:
    """Each kind has a form that fits on a command line."""
    assert parse(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        *("", "dies", "dies:green", "dies:green:soon", "dies:green:-1", "dies:green:nan", "dies::5"),
        *("dies:green:1:2", "explodes:green:1", "lost-answer:0", "rescale:blue:two:9", "alarm:5"),
    ],
)
def test_a_wrong_text_is_told_what_is_allowed(text: str) -> None:
    """The message names the forms, or the form of the kind that was meant."""
    with pytest.raises(ValueError, match=r"SECONDS|CALL"):
        parse(text)


IMPOSSIBLE = [
    (Dies("gren", 30), "group = 'gren': give a, b, blue or green"),
    (During(Busy("zzz"), 5, 10), "group = 'zzz'"),
    (AtPhase("shift", Over(Sick("gren", 0), 5)), "fault = "),
    (AtPhase("shfit", Dies("green", 0)), "phase = 'shfit': give preflight or scale_up"),
    (AtPhase("shift", AtPhase("bake", Dies("green", 0))), "phase of its own"),
    (Errors("ami-beta", 50), "image = 'ami-beta': give ami-0alpha or ami-new"),
    (Errors("ami-new", 500), "percent = 500: give a whole number, 0 to 100"),
    (LuckyProbe("ami-beta"), "image = 'ami-beta'"),
    (Gone("ami-beta", 5), "what = 'ami-beta': give ami-0alpha"),
    (Denied("SetSise"), "action = 'SetSise': give Attach, "),
    (AlarmRed("y", 20), "name = 'y': give errors"),
    (EditBounds("blue", 5, 2, 10), "min = 5: give max = 2 or less"),
    (ScheduledAction("blue", 10, min=3, max=1), "min = 3: give max = 1 or less"),
    (EditWeights((("gren", 100), ("blue", 0)), 5), "weights names gren: give a, b, blue or green"),
    (EditWeights((("blue", 0), ("green", 0)), 5), "weights: give one above 0"),
    (EditWeights((("blue", 0), ("green", 5000)), 5), "weights = "),
    (LaunchFails(1, why="capcity"), "why = 'capcity': give 'capacity' or 'quota'"),  # type: ignore[arg-type]
    (LaunchFails(1, zone=3), "zone = 3: give 0 to 0"),
    (RefusedCall(1, "trottled"), "error = 'trottled': give throttled or "),
    (Sick("blue", -1), "at_seconds = -1: give 0 to"),
]


@pytest.mark.parametrize(("fault", "why"), IMPOSSIBLE, ids=lambda value: type(value).__name__)
def test_a_fault_that_could_never_happen_is_refused(fault: Fault, why: str) -> None:
    """A misspelt name is an error that says what there is, not a rehearsal that passes."""
    with pytest.raises(ValueError, match=re.escape(why)) as no:
        SimCloud(PLAN, faults=[fault])
    assert "\n" not in str(no.value)


def test_all_that_cannot_be_is_told_at_once() -> None:
    """Size, groups, applications, alarms and each fault have a line of their own."""
    with pytest.raises(ValueError, match="capacity") as no:
        SimCloud(
            PLAN,
            capacity=-1,
            live=2,
            groups={"c": Scaling(), "green": Scaling(zones=(3,))},
            applications={"ami-beta": Application()},
            alarms=[MetricAlarm(name="x", metric="RequestCount", target_group="gren", threshold=1)],
            faults=[fault for fault, _ in IMPOSSIBLE],
        )
    lines = str(no.value).splitlines()
    assert [line.split(":")[0].split("=")[0].strip() for line in lines[:6]] == [
        *("capacity", "live", "groups names c", "groups", "applications names ami-beta", "alarms")
    ]
    assert len(lines) == 6 + len(IMPOSSIBLE)


@given(faults=testing.faults(PLAN), text=st.text(min_size=1))
def test_what_is_drawn_is_possible_and_a_wrong_name_is_not(faults: tuple[Fault, ...], text: str) -> None:
    """Every fault of the strategies is taken; given the name of nothing, none of them is."""
    SimCloud(PLAN, traffic=0, faults=faults)
    for fault in faults:
        for name in ("group", "image", "name"):
            if isinstance(getattr(fault, name, None), str) and not isinstance(fault, ScheduledAction):
                with pytest.raises(ValueError, match=name):
                    SimCloud(PLAN, traffic=0, faults=[evolve(fault, **{name: f"no {text}"})])


def test_what_comes_later_is_named_later() -> None:
    """The next plan's image is known to the cloud that goes on with it; settings may know it before."""
    with pytest.raises(ValueError, match="image = 'ami-next'"):
        SimCloud(PLAN, faults=[Errors("ami-next", 5)])
    settings = Settings(applications={"ami-next": Application(wrong_percent=5)})
    first = SimCloud(PLAN, settings=settings, faults=[Gone(3, 10), EditVersion("green", 2, 90)])
    SimCloud(PLAN.with_image("ami-next"), world=first.world, faults=[Errors("ami-next", 5)], add_image=True)


def test_operations_of_aws_can_be_denied_by_name() -> None:
    """Those that change something in the simulated account, as well as bluegreen's commands."""
    SimCloud(PLAN, faults=[Denied("SetDesiredCapacity"), Denied("SetSize")])
    with pytest.raises(ValueError, match="action = 'DescribeAutoScalingGroups'"):
        SimCloud(PLAN, faults=[Denied("DescribeAutoScalingGroups")])


def test_groups_behind_one_target_group_have_no_weights_to_edit() -> None:
    """Different ones are refused; equal ones change nothing."""
    shared = evolve(PLAN, routing=SharedTargetGroup("tg"))
    SimCloud(shared, faults=[EditWeights((("blue", 50), ("green", 50)), 5)])
    with pytest.raises(ValueError, match="give equal ones"):
        SimCloud(shared, faults=[EditWeights((("blue", 0), ("green", 100)), 5)])


def test_metrics_of_no_target_group_are_refused() -> None:
    """An empty answer would look like a target group without requests."""
    cloud = SimCloud(PLAN)
    cloud.clock.sleep(120)
    assert cloud.metrics("RequestCount", "green") == {}
    with pytest.raises(ValueError, match="target_group = 'gren': give tg-a, tg-b, blue or green"):
        cloud.metrics("RequestCount", "gren")


def test_faults_of_a_world_that_goes_on_count_from_then() -> None:
    """Times, calls and looks are those of the cloud that the faults were given to."""
    first = SimCloud(PLAN)
    first.clock.sleep(100)
    look(first)
    cloud = SimCloud(PLAN, world=first.world, faults=[Sick("blue", 10), BlindLook(1)], settings=Settings())
    assert look(cloud).unread
    cloud.clock.sleep(9)
    assert cloud.timeline.failed_requests == 0
    cloud.clock.sleep(5)
    assert cloud.timeline.failed_requests > 0
