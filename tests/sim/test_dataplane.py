"""Counts by arithmetic against a loop over single requests, and the laws of a fair split."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen_sim import Split
from bluegreen_sim.users.dataplane import CursorRule, divided
from bluegreen_sim.users.fenwick import Fenwick
from tests.sim.one_by_one import OneByOne

RULES: tuple[CursorRule, ...] = get_args(CursorRule)
SCHEDULES = 2_000
FEW = int(os.environ.get("BLUEGREEN_EXAMPLES", "100"))
WEIGHTS = (0, 1, 3, 10, 90, 100)

Op = tuple[Any, ...]


def schedule(dice: random.Random) -> tuple[dict[str, int], list[Op]]:
    """Weights, and up to 40 joins, leaves, changed weights and times of requests, empty groups included."""
    groups = ["a", "b", "c"][: 1 + int(dice.random() * 3)]
    weights = {group: WEIGHTS[int(dice.random() * len(WEIGHTS))] for group in groups}
    serving: set[tuple[str, str]] = set()
    ops: list[Op] = []
    for _ in range(int(dice.random() * 40) + 1):
        group = groups[int(dice.random() * len(groups))]
        target = f"{group}{int(dice.random() * 7)}"
        if (kind := dice.random()) < 0.3:
            ops.append(("join", target, "blue green red".split()[int(dice.random() * 3)], group))
            serving.add((target, group))
        elif kind < 0.5 and (target, group) in serving:
            ops.append(("leave", target, group))
            serving.remove((target, group))
        elif kind < 0.55:
            ops.append(("weigh", {each: WEIGHTS[int(dice.random() * len(WEIGHTS))] for each in groups}))
        else:
            ops.append(("serve", [int(dice.random() * 25) for _ in range(int(dice.random() * 4) + 1)]))
    return weights, ops


def play(split: Any, ops: list[Op]) -> list[dict[str | None, list[int]]]:
    """What each serving told; rows without any request are left out."""
    told = []
    for name, *given_ in ops:
        match name:
            case "join":
                split.join(given_[0], given_[1], group=given_[2])
            case "leave":
                split.leave(given_[0], group=given_[1])
            case "weigh":
                split.weigh(given_[0])
            case _:
                rows = split.serve(given_[0])
                told.append({version: row for version, row in rows.items() if any(row)})
    return told


def agree(seed: int, rule: CursorRule, nodes: int) -> None:
    """Both ways of counting tell the same of one schedule."""
    weights, ops = schedule(random.Random(seed))
    split: Split[str] = Split(weights, nodes=nodes, cursor=rule)
    truth = OneByOne(weights, nodes, rule)
    assert play(split, ops) == play(truth, ops)
    assert Counter(split.per_target()) + Counter({"": split.unserved}) == truth.counts


@pytest.mark.parametrize("nodes", [1, 2, 3, 4])
@pytest.mark.parametrize("rule", RULES)
def test_arithmetic_equals_the_loop(rule: CursorRule, nodes: int) -> None:
    """Random schedules give each target and version the very counts of a loop over single requests."""
    for seed in range(FEW):
        agree(seed, rule, nodes)


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [1, 2, 3, 4])
@pytest.mark.parametrize("rule", RULES)
def test_arithmetic_equals_the_loop_in_thousands_of_schedules(rule: CursorRule, nodes: int) -> None:
    """So do 2,000 schedules for each cursor rule and number of nodes."""
    for seed in range(SCHEDULES):
        agree(seed, rule, nodes)


def test_the_schedules_meet_what_is_hard() -> None:
    """Empty groups, targets that come back, changed versions, three groups and weights of 0 all occur."""
    met: Counter[str] = Counter()
    for seed in range(200):
        weights, ops = schedule(random.Random(seed))
        split: Split[str] = Split(weights)
        rows = play(split, ops)
        joined = [op[1] for op in ops if op[0] == "join"]
        met["nobody"] += any(None in row for row in rows)
        met["again"] += len(joined) > len(set(joined))
        met["three"] += len(weights) == 3
        met["two versions"] += any(len(row) > 2 for row in rows)
        met["nothing"] += not any(weights.values())
    assert min(met[name] for name in ("nobody", "again", "three", "two versions", "nothing")) > 5


@given(
    counts=st.lists(st.integers(0, 10**12), max_size=5),
    size=st.integers(1, 9),
    nodes=st.integers(1, 4),
    rule=st.sampled_from(RULES),
)
def test_a_steady_time_is_fair(counts: list[int], size: int, nodes: int, rule: CursorRule) -> None:
    """Nothing is lost, and no two targets differ by more than one request for each node."""
    split: Split[str] = Split(nodes=nodes, cursor=rule)
    for i in range(size):
        split.join(f"i-{i}", "blue")
    assert split.serve(counts) == {"blue": counts}
    sent = split.per_target().values()
    assert sum(sent) == sum(counts)
    assert max(sent) - min(sent) <= nodes


@given(st.integers(0, 10**9), st.lists(st.integers(0, 999), min_size=1, max_size=5))
def test_a_division_by_weights_is_exact(requests: int, weights: list[int]) -> None:
    """Each group gets its part to within one request for each group before it, and nothing is lost."""
    parts = list(divided(requests, weights))
    total = sum(weights)
    assert sum(parts) == (requests if total else 0)
    for i, (part, weight) in enumerate(zip(parts, weights, strict=True)):
        assert abs(part * total - requests * weight) <= total * (i + 1)


def test_sending_counts_as_serving_does() -> None:
    """Requests that are only sent move the same cursors as those whose versions are told."""
    one, other = (Split[str]({"a": 30, "b": 70}, nodes=2) for _ in range(2))
    for split in (one, other):
        for i, group in enumerate("aabbb"):
            split.join(f"i-{i}", group, group=group)
    one.serve([7, 0, 101])
    for requests in (7, 0, 101):
        other.send(requests)
    assert one.per_target() == other.per_target()
    assert one.serve([3, 4]) == other.serve([3, 4])


def test_each_rule_has_its_own_next_target() -> None:
    """After five requests to three targets and a fourth that joined, each rule goes on elsewhere."""
    went = {}
    for rule in RULES:
        split: Split[str] = Split(cursor=rule)
        for name in "xyz":
            split.join(name, name)
        split.send(5)
        split.join("w", "w")
        (went[rule],) = (name for name, row in split.serve([1]).items() if any(row))
    assert went == {"kept": "y", "next": "z", "reset": "x"}


def test_without_a_target_requests_are_counted_and_move_no_cursor() -> None:
    """They are told under None, and whoever comes first gets the first request after them."""
    split: Split[str] = Split()
    assert split.serve([3, 0, 2]) == {None: [3, 0, 2]}
    split.join("x", "blue")
    split.join("y", "green")
    assert split.serve([1]) == {"blue": [1], "green": [0]}
    assert split.unserved == 5


def test_the_cost_of_requests_does_not_depend_on_their_number() -> None:
    """Numbers of any size are exact."""
    split: Split[str] = Split()
    for name in "xyz":
        split.join(name, "blue")
    split.send(3 * 10**30 + 1)
    assert split.per_target() == {"x": 10**30 + 1, "y": 10**30, "z": 10**30}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Split(cursor="best"), "cursor = 'best': give one of kept, next, reset"),  # type: ignore[arg-type]
        (lambda: Split(nodes=0), "nodes = 0: give 1 or more"),
        (lambda: Split({}), "weights = {}: name one target group or more"),
        (lambda: Split({"a": -1}), "weights['a'] = -1: give 0 or more"),
        (lambda: Split({"a": 1, "b": 1}).join("x", "v"), "group = None: give one of a, b"),
        (lambda: Split({"a": 1}).join("x", "v", group="c"), "group = 'c': give one of a"),
        (
            lambda: Split().leave("x"),
            "target = 'x': it does not serve, so it cannot leave; let it join before",
        ),
    ],
)
def test_a_wrong_argument_is_named(call: Any, message: str) -> None:
    """The error names the argument, its value, and what to give instead."""
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@given(st.lists(st.integers(0, 1), max_size=40), st.data())
def test_a_tree_sums_as_a_list_does(row: list[int], data: st.DataObject) -> None:
    """Growing, changing, summing and finding a place by rank agree with plain lists."""
    tree = Fenwick()
    for number in row:
        tree.append(number)
    for _ in range(data.draw(st.integers(0, 9)) if row else 0):
        place = data.draw(st.integers(0, len(row) - 1))
        tree.add(place, 1 - 2 * row[place])
        row[place] = 1 - row[place]
    assert [tree.before(i) for i in range(len(row) + 1)] == [sum(row[:i]) for i in range(len(row) + 1)]
    ones = [place for place, number in enumerate(row) if number]
    assert [tree.place(rank) for rank in range(len(ones))] == ones
