"""Cookies: whom the requests of a session are bound to, by cohorts and one session after the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import Deployment
from bluegreen_sim import Settings, Sick, SimCloud, Timeline, Traffic
from bluegreen_sim.users.cookies import lags
from bluegreen_sim.users.fine import Rules
from bluegreen_sim.users.traffic import Pool, Sessions, Target
from tests.sim.plans import SHARED, WEIGHTED

RATE, SECONDS, REQUESTS = 120, 120, 12
USERS = Traffic(RATE).with_sessions(seconds=SECONDS, requests=REQUESTS)
GAP = SECONDS // REQUESTS
Rule = tuple[int, dict[str, int]]
"""(second, weights from then on)."""


def targets(group: str, *numbers: int) -> tuple[Target, ...]:
    """Targets that answer rightly."""
    return tuple((f"{group}{i}", group, True, 0) for i in numbers)


def shown(rules: Rules, scenes: list[tuple[int, tuple[Pool, ...]]], end: int) -> Timeline:
    """What sessions meet from each second on."""
    made = Timeline(USERS, "blue", rules=rules)
    for second, pools in scenes:
        made.record(1000 * second, (pools,), ())
    made.extend(1000 * end)
    return made


def session_by_session(
    story: list[Rule], end: int, cookie: int, *, refreshed: bool, group: Callable[[int, dict[str, int]], str]
) -> list[Counter[str]]:
    """Every session, from its first request to its last: how many requests each group got in each second.

    Args:
        story: The weights.
        end: How many seconds are told; sessions begin before the first one too.
        cookie: Seconds that a cookie lasts.
        refreshed: Whether each answer renews it.
        group: Whom the n-th choice leads to, by weights.
    """
    found = [Counter[str]() for _ in range(end)]
    choices: Counter[str] = Counter()
    named: dict[tuple[int, int], tuple[str, int]] = {}  # by session: its group, and until when
    for at in range(-SECONDS, end):
        rule = next(weights for since, weights in reversed(story) if since <= max(at, 0))
        for born in range(at, max(at - SECONDS, -SECONDS - 1), -GAP):
            for session in range(RATE // REQUESTS):
                bound, until = named.get((born, session), ("", -SECONDS))
                if bound not in rule or at > until:
                    key = str(sorted(rule.items()))
                    bound, until = group(choices[key], rule), at + cookie
                    choices[key] += 1
                named[born, session] = bound, at + cookie if refreshed else until
                if at >= 0:
                    found[at][bound] += 1
    return found


def in_turn(number: int, weights: dict[str, int]) -> str:
    """The first group whenever its part of all choices passes a whole number, else the other."""
    (first, weight), (second, other) = weights.items()
    total = weight + other
    return first if (number + 1) * weight // total > number * weight // total else second


STORY: list[Rule] = [(0, {"a": 100, "b": 0}), (30, {"a": 90, "b": 10}), (100, {"a": 0, "b": 100})]


@pytest.mark.parametrize("refreshed", [True, False])
@pytest.mark.parametrize("cookie", [5, 35, 60, 3600])
def test_cohorts_are_divided_as_single_sessions_are(cookie: int, *, refreshed: bool) -> None:
    """Each second the groups get what a loop over all sessions gives them, within two requests of 120."""
    pools = {"a": targets("blue", 1, 2), "b": targets("green", 1, 2)}
    scenes = [(at, tuple(Pool(name, w, pools[name]) for name, w in rule.items())) for at, rule in STORY]
    rules = Rules(group_cookie_ms=1000 * cookie, refreshed=refreshed)
    rows = shown(rules, scenes, 300).counts()
    truth = session_by_session(STORY, 300, cookie, refreshed=refreshed, group=in_turn)
    for row, second in zip(rows, truth, strict=True):
        assert row["blue"] == pytest.approx(second["a"], abs=2), row
        assert row["blue"] + row["green"] == RATE == second.total()


def test_a_deployment_shows_how_long_users_stay_on_blue() -> None:
    """Weights move at once, sticky users do not: blue has requests long after its last weight."""
    stay = {}
    for cookie in (0, 3600):
        settings = Settings(group_stickiness_seconds=cookie, deregistration_seconds=30)
        cloud = SimCloud(WEIGHTED, traffic=USERS, settings=settings)
        Deployment(WEIGHTED, cloud).run()
        rows = cloud.timeline.counts()
        green = [row for row in cloud.timeline.to_dicts() if row["version"] == "green"]
        shifted = next(row["second"] for row in green if row["share_wanted"] == 100)
        stay[cookie] = sum(row["blue"] + row["failed"] > 0 for row in rows if row["second"] >= shifted)
    assert stay[0] <= 1
    assert stay[3600] >= 60


def test_a_cookie_of_an_empty_group_gets_503_until_it_expires() -> None:
    """Who is bound to a group without targets gets 503 for as long as the cookie lasts."""
    full, empty = Pool("a", 100, targets("blue", 1)), Pool("a", 0, ())
    green = (Pool("b", 0, targets("green", 1)), Pool("b", 100, targets("green", 1)))
    scenes = [(0, (full, green[0])), (10, (empty, green[1]))]
    for refreshed, over, bound in ((True, 10 + SECONDS, 11), (False, 10 + 3 * GAP, 9)):
        rules = Rules(group_cookie_ms=35_000, refreshed=refreshed)
        rows = [row for row in shown(rules, scenes, 160).to_dicts() if row["version"] == "none"]
        assert rows[0]["second"] == 10
        assert rows[0]["http_503"] == pytest.approx(bound * RATE // REQUESTS, abs=1)
        assert over - GAP <= rows[-1]["second"] + 1 <= over


def test_a_group_that_the_rule_names_no_more_binds_nobody() -> None:
    """Once it is out of the rule its clients follow the weights again."""
    scenes = [(0, (Pool("a", 100, targets("blue", 1)),)), (10, (Pool("b", 100, targets("green", 1)),))]
    rows = shown(Rules(group_cookie_ms=3_600_000), scenes, 30).counts()
    assert [row["green"] for row in rows] == [0] * 10 + [RATE] * 20


def test_without_sessions_a_cookie_binds_nobody() -> None:
    """Each request is a session of its own then, and follows the weights at once."""
    plain = Timeline(Traffic(RATE), "blue", rules=Rules(group_cookie_ms=3_600_000))
    plain.record(0, ((Pool("a", 1, targets("blue", 1)), Pool("b", 0, targets("green", 1))),), ())
    plain.record(5000, ((Pool("a", 0, targets("blue", 1)), Pool("b", 1, targets("green", 1))),), ())
    plain.extend(10_000)
    assert [row["green"] for row in plain.counts()] == [0] * 5 + [RATE] * 5


@pytest.mark.parametrize(
    ("cookie_ms", "refreshed", "expected"),
    [
        (0, True, {0: 1}),
        (9_000, True, {0: 12}),
        (10_000, True, {10_000 * i: 1 for i in range(12)}),
        (25_000, False, {0: 4, 10_000: 4, 20_000: 4}),
    ],
)
def test_how_long_ago_cookies_were_given(
    cookie_ms: int, *, refreshed: bool, expected: dict[int, int]
) -> None:
    """A cookie that outlasts the pauses binds for the whole session, or is given anew whenever it is over."""
    assert lags(Sessions(SECONDS, REQUESTS), cookie_ms, refreshed=refreshed) == expected


# ------------------------------------------------------------------------------------------- single targets


def per_session(scenes: list[tuple[int, tuple[str, ...]]], end: int) -> list[Counter[str]]:
    """Every session bound to a target until that is gone, new ones and those in turn."""
    found = [Counter[str]() for _ in range(end)]
    homes: dict[tuple[int, int], str] = {}
    turn = 0
    before: tuple[str, ...] = ()
    for at in range(-SECONDS, end):
        names = next(names for since, names in reversed(scenes) if since <= max(at, 0))
        if names != before:
            lost = sorted(key for key, home in homes.items() if home not in names)
            for number, key in enumerate(lost):
                homes[key] = names[number % len(names)]
            before = names
        for born in range(at, max(at - SECONDS, -SECONDS - 1), -GAP):
            for session in range(RATE // REQUESTS):
                if (born, session) not in homes:
                    homes[born, session] = names[turn % len(names)]
                    turn += 1
                if at >= 0:
                    found[at][homes[born, session]] += 1
    return found


def test_cohorts_stay_with_their_targets_as_single_sessions_do() -> None:
    """A newcomer gets new sessions only; those of a target that leaves are spread, and do not come back."""
    scenes = [
        (0, ("blue1", "blue2")),
        (30, ("blue1", "blue2", "green1")),
        (90, ("blue1", "green1")),
        (150, ("blue1", "blue2", "green1")),
    ]
    pools = [(at, (Pool("tg", 1, tuple((n, n[:-1], True, 0) for n in names)),)) for at, names in scenes]
    made = shown(Rules(target_cookie_ms=3_600_000), pools, 300)
    truth = per_session(scenes, 300)
    for row, second in zip(made.counts(), truth, strict=True):
        assert row["green"] == pytest.approx(second["green1"], abs=8)
    total = sum(truth, Counter())
    assert made.per_target() == {name: pytest.approx(total[name], rel=0.02) for name in sorted(total)}


def test_green_gets_new_sessions_only_while_targets_are_sticky() -> None:
    """Joining a target group changes nobody's home: green's share rises over a session's length."""
    scenes = [
        (0, (Pool("tg", 1, targets("blue", 1, 2)),)),
        (10, (Pool("tg", 1, (*targets("blue", 1, 2), *targets("green", 1, 2))),)),
    ]
    rows = shown(Rules(target_cookie_ms=3_600_000), scenes, 200).counts()
    assert [rows[10]["green"], rows[70]["green"], rows[131]["green"]] == [
        pytest.approx(5, abs=1),
        pytest.approx(RATE // 4 + 5, abs=3),
        pytest.approx(RATE // 2, abs=1),
    ]


def test_a_sticky_client_leaves_a_target_that_falls_ill() -> None:
    """Once its target is unhealthy it is given another, and stays with that after the recovery."""
    plan, ill = SHARED, Sick("blue", 5, for_seconds=40)
    settings = Settings(stickiness_seconds=3600, healthy_threshold=2)
    cloud = SimCloud(plan, traffic=USERS, settings=settings, faults=[ill])
    cloud.clock.sleep(75)
    failed = [row["failed"] for row in cloud.timeline.counts()]
    assert failed[15] == pytest.approx(RATE // 2, abs=1)
    assert failed[40] == 0
    before = cloud.timeline.per_target()
    cloud.clock.sleep(10)
    ill_again, other = (cloud.timeline.per_target()[name] - before[name] for name in ("i-0001", "i-0002"))
    assert 0 < ill_again < 0.2 * other


def test_sticky_targets_of_weighted_groups_need_sticky_groups() -> None:
    """AWS refuses target stickiness behind a weighted rule without group stickiness; so does the world."""
    with pytest.raises(ValueError, match="give group_stickiness_seconds too"):
        SimCloud(WEIGHTED, settings=Settings(stickiness_seconds=60))
    SimCloud(WEIGHTED, settings=Settings(stickiness_seconds=60, group_stickiness_seconds=60))


@given(
    seconds=st.integers(1, 20),
    requests=st.integers(1, 30_000),
    cookie=st.integers(1, 20),
    refreshed=st.booleans(),
)
def test_each_request_of_a_session_follows_its_cookie(
    seconds: int, requests: int, cookie: int, *, refreshed: bool
) -> None:
    """A cookie lasts from the request that gave it on, also where several come within a millisecond."""
    expected: Counter[int] = Counter()
    given_at = last = 0
    for i in range(requests):
        at = 1000 * seconds * i
        if at - (last if refreshed else given_at) > 1000 * cookie * requests:
            given_at = at
        last = at
        expected[(at - given_at) // requests] += 1
    assert lags(Sessions(seconds, requests), 1000 * cookie, refreshed=refreshed) == expected


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: USERS.with_sessions(seconds=0, requests=1), ValueError, "seconds = 0: give 1 or more"),
        (
            lambda: USERS.with_sessions(seconds=9, requests=1.5),
            TypeError,
            "requests = 1.5: give a whole number",
        ),
        (lambda: Settings(group_stickiness_seconds=604_801), ValueError, "give 0, or 1 to 604800"),
    ],
)
def test_a_wrong_session_is_named(call: Any, error: type[Exception], message: str) -> None:
    """The error names the argument, its value and what to give."""
    with pytest.raises(error, match=re.escape(message)):
        call()
