"""Two deployers, every order of their steps (S12): one winner, rising fences, nothing lost, one end."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.core.state import Phase
from bluegreen.journal.log import Log
from bluegreen.ports import Journal
from bluegreen_sim import NeverHealthy
from tests.crash.boundaries import Case, End, whole
from tests.crash.deployers import Stage, Turn
from tests.explore.planted import Make, substituted
from tests.scenarios.story import FLEETS, ROUTINGS, assert_replays

pytestmark = pytest.mark.crash

PROOF = int(os.environ.get("BLUEGREEN_PROOF", "1"))
CASES = [
    Case(routing=routing, fleets=fleets, faults=faults)
    for routing in ROUTINGS
    for fleets in FLEETS
    for faults in ((), (NeverHealthy("green"),))
]
TURNS = st.lists(st.tuples(st.integers(0, 80), st.booleans()), max_size=6)


def _no_terms(real: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(log: Log) -> None:
        log._look()
        log._highest_fence = 0
        real(log)

    return wrong


BUGS: dict[str, tuple[str, str, Make]] = {
    "M20": (
        "two controllers after an election: every lease has the same fence",
        "journal.log:Log.take",
        _no_terms,
    ),
    "M31": (
        "checked once, then applied whatever has happened since",
        "journal.log:Log.check",
        lambda _: lambda log: log._look(),
    ),
}


@cache
def alone(number: int) -> End:
    """The end of a case with one deployer."""
    return whole(CASES[number]).end()


def objections(number: int, turns: list[Turn]) -> tuple[list[str], Stage]:
    """What is wrong with such a run of a case."""
    stage = Stage(CASES[number], turns)
    try:
        stage.play()
        wrong = [*stage.wrong, *two_writers(stage.lives.journal)]
        assert_replays(stage.lives.journal)
    except Exception as error:  # noqa: BLE001  (a bug may show as anything)
        return [f"{type(error).__name__}: {error}"], stage
    if stage.came_to != alone(number):
        wrong.append(f"it ended otherwise: {stage.came_to}")
    return wrong, stage


def two_writers(journal: Journal) -> list[str]:
    """Records of somebody who did not hold the lease at that place, and fences that do not rise."""
    holder, fence, wrong = "", 0, []
    for record in journal.records():
        if record.kind == "lease":
            wrong += [f"fence {record.fence} after {fence}"] * (record.fence <= fence)
            holder, fence = record.writer, record.fence
        elif record.kind != "request" and (record.writer, record.fence) != (holder, fence):
            wrong.append(f"{record.kind} {record.seq} by {record.writer}, the lease is {holder}'s")
    return wrong


def drawn(seed: int) -> tuple[int, list[Turn]]:
    """A case and an order of steps."""
    draw = random.Random(seed)
    turns = [
        (draw.randint(0, draw.choice((3, 20, 80))), draw.random() < 0.7) for _ in range(draw.randint(1, 6))
    ]
    return draw.randrange(len(CASES)), turns


@pytest.mark.property
@given(st.integers(0, len(CASES) - 1), TURNS)
def test_of_two_deployers_one_wins(number: int, turns: list[Turn]) -> None:
    """Whoever has the turn when: one writer at a time, rising fences, a log that replays, the same end."""
    wrong, stage = objections(number, turns)
    assert not wrong, wrong
    assert {process.said for process in stage.processes} == {alone(number).phase.value}


@pytest.mark.property
@given(st.integers(0, 40), st.integers(0, 30))
def test_who_is_superseded_is_told_so(first: int, second: int) -> None:
    """A live process whose lease was taken over hears LockTaken, with the fence of the other one."""
    stage = Stage(CASES[0], [(8 + first, True), (8 + second, False)]).play()
    assert any("taken over by a holder with fence 2" in words for words in stage.lost), stage.lost


@pytest.mark.proof
def test_thousands_of_orders_of_two_deployers(show: Callable[[str], None]) -> None:
    """The same for many drawn orders; how many were superseded with a request in hand is counted."""
    ends: Counter[Phase] = Counter()
    late = 0
    for seed in range(5_000 * PROOF):
        wrong, stage = objections(*drawn(seed))
        assert not wrong, (seed, wrong)
        ends[stage.lives.deployment.state.phase] += 1
        late += stage.late
    counts = {phase.value: count for phase, count in ends.items()}
    show(f"two deployers: {sum(ends.values()):,} orders, {late:,} late requests, 0 violations: {counts}")
    assert late


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_of_the_lease_is_caught(bug: str, show: Callable[[str], None]) -> None:
    """With the lease made useless, the same checks object within a few drawn orders."""
    what, where, make = BUGS[bug]
    for number in range(len(CASES)):
        alone(number)  # known before the bug is in
    with substituted(where, make):
        found = next((n, wrong) for n in range(500) if (wrong := objections(*drawn(n))[0]))
    runs, wrong = found
    show(f"| {bug} | {what} | {wrong[0][:90]} | {runs + 1} runs |")
