"""The search itself, on models of a few lines that know nothing of deployments."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from itertools import product

import pytest

from bluegreen_sim.search.explorer import digest, search
from bluegreen_sim.search.properties import Always, AlwaysStep, Eventually, Sometimes

Counts = tuple[int, int, int, int, int]
"""A fleet replaced, by counts: phase, blue, green starting, green serving, faults left."""


def replaced(state: Counts, size: int = 8) -> Iterator[tuple[str, Counts]]:
    """Green grows, then blue shrinks; a serving instance may fail and starts again."""
    phase, blue, starting, serving, faults = state
    if starting:
        yield "starts", (phase, blue, starting - 1, serving + 1, faults)
    if serving and faults:
        yield "fails", (phase, blue, starting + 1, serving - 1, faults - 1)
    if phase == 0 and starting + serving < size:
        yield "launch", (phase, blue, starting + 1, serving, faults)
    if phase == 0 and serving == size:
        yield "go on", (1, blue, starting, serving, faults)
    if phase == 1 and blue:
        yield "shrink", (phase, blue - 1, starting, serving, faults)


START = (0, 8, 0, 0, 3)


def named(state: tuple[object, ...], size: int) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Instances with names: each starts, and may fail as long as there are faults."""
    faults, *instances = state
    assert isinstance(faults, int)
    for n, instance in enumerate(instances):
        other = {"starting": "serving", "serving": "failed", "failed": "starting"}[str(instance)]
        cost = int(other == "failed")
        if faults >= cost:
            yield other, (faults - cost, *instances[:n], other, *instances[n + 1 : size])


def test_every_state_is_visited_once_in_any_order() -> None:
    """Breadth-first and depth-first find the same states and steps; their number is pinned."""
    broad = search([START], replaced)
    deep = search([START], replaced, take=deque.pop)
    assert (broad.states, broad.edges, broad.complete) == (deep.states, deep.edges, deep.complete)
    assert (broad.states, broad.edges, broad.depth) == (267, 585, 31)


def test_the_quotient_of_names_is_the_space_of_counts() -> None:
    """With instances sorted in the key there are as many states as with instances counted."""
    for size in range(1, 5):
        start = (2, *["starting"] * size)
        by_name = search([start], lambda state, size=size: named(state, size))
        quotient = search(
            [start],
            lambda state, size=size: named(state, size),
            key=lambda state: digest((state[0], *sorted(map(str, state[1:])))),
        )
        counted = {
            (faults, tuple(sorted(names)))
            for faults in range(3)
            for names in product(("starting", "serving", "failed"), repeat=size)
            if sum(name == "failed" for name in names) <= 2 - faults
        }
        assert quotient.states == len(counted)
        assert by_name.states >= quotient.states


def test_a_broken_promise_is_a_shortest_path() -> None:
    """The first state with two failures is found by the least number of steps, and the path leads there."""
    found = search([START], replaced, properties=[Always("few starting", lambda s: s[2] < 3)])
    (discovery,) = found.discoveries
    assert (discovery.name, discovery.kind) == ("few starting", "always")
    assert [label for label, _ in discovery.path.steps] == ["launch"] * 3
    assert discovery.path.last[2] == 3
    assert len(discovery.path) == 3


def test_promises_over_steps_are_judged_on_every_step() -> None:
    """A step between two innocent states is found, though both are reached otherwise before."""

    def broken(before: Counts, label: str, _: Counts) -> tuple[str, ...]:
        return ("no failure while blue is gone",) if label == "fails" and not before[1] else ()

    found = search([START], replaced, properties=[AlwaysStep(broken)])
    (discovery,) = found.discoveries
    assert discovery.path.steps[-1][0] == "fails"
    assert all(label != "fails" for label, _ in discovery.path.steps[:-1])


def test_sometimes_is_missed_only_by_a_complete_search() -> None:
    """What no state ever meets is a discovery without a path; a search that stopped early does not know."""
    never = Sometimes[Counts]("nine serve", lambda s: s[3] == 9)
    met = Sometimes[Counts]("blue is gone", lambda s: s[1] == 0)
    found = search([START], replaced, properties=[never, met])
    assert [(d.name, d.kind, len(d.path)) for d in found.discoveries] == [("nine serve", "never", 0)]
    assert not search([START], replaced, properties=[never], most=100).discoveries


def gone(state: Counts) -> bool:
    """Whether blue has been replaced."""
    return state[1] == 0


def test_what_always_ends_ends() -> None:
    """With faults that run out, every way leads to the end: neither dead end nor cycle."""
    found = search([START], replaced, properties=[Eventually("blue goes", gone)])
    assert found.complete
    assert not found.discoveries


def test_a_dead_end_is_found() -> None:
    """A state without successors that is no goal is found by a shortest path."""

    def stops(state: Counts) -> Iterator[tuple[str, Counts]]:
        return (step for step in replaced(state) if not (step[0] == "shrink" and state[1] == 3))

    (found,) = search([START], stops, properties=[Eventually("blue goes", gone)]).discoveries
    assert found.kind == "dead end"
    assert found.path.last[:2] == (1, 3)


def test_a_cycle_without_progress_is_found_where_it_closes() -> None:
    """A waiting that may last for ever is a cycle; along the steps that make progress there is none."""

    def waits(state: Counts) -> Iterator[tuple[str, Counts]]:
        yield from replaced(state)
        if state[0] == 1 and state[1] == 5:
            yield "wait", (2, *state[1:])
        if state[0] == 2:
            yield "wait", (1, *state[1:])

    (found,) = search([START], waits, properties=[Eventually("blue goes", gone)]).discoveries
    assert found.kind == "cycle"
    assert found.back_to is not None
    assert found.path.last == ([found.path.start] + [s for _, s in found.path.steps])[found.back_to]
    moving = Eventually[Counts, str]("blue goes", gone, along=lambda label: label != "wait")
    stuck = search([START], waits, properties=[moving]).discoveries
    assert [d.kind for d in stuck] == ["dead end"], "phase 2 has no way on but to wait"


def test_what_a_stopped_search_did_not_expand_is_not_held_against_it() -> None:
    """Stopped at N it says so, counts what waits, and calls nothing a dead end that it did not expand."""
    found = search([START], replaced, properties=[Eventually("blue goes", gone)], most=100)
    assert not found.complete
    assert found.states > 100
    assert found.waiting > 0
    assert not found.discoveries


def test_a_state_costs_some_bytes() -> None:
    """What is remembered of a state is a digest, a number and the way to it: less than 250 bytes."""
    found = search([START], lambda state: replaced(state, 8), key=digest)
    assert 80 < found.bytes_per_state < 250


@pytest.mark.process
def test_digests_are_the_same_in_every_process() -> None:
    """Equal values have equal digests under every hash seed; different ones differ."""
    code = (
        "from bluegreen_sim.search.explorer import digest;"
        "print(digest(('a', (1, None, True), b'x', 2.5)).hex())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert seen == {digest(("a", (1, None, True), b"x", 2.5)).hex() + "\n"}
    assert len({digest(value) for value in (0, False, 0.0, "", b"", None, (), ((),))}) == 8
