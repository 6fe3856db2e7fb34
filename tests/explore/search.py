"""Every order of events: a breadth-first search over the product's own ``step`` and the simulator's world.

A node is (world, state, outcomes of the last pass); an edge is one pass and the sleep after it, once for
each sequence of choices that the world can meet. Nothing is sampled and nothing is modelled twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable

import attrs

from bluegreen.core.machine import initial
from bluegreen.core.observation import Outcome, Request
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase, State
from bluegreen_sim import Choices, World, enumerate_runs
from tests.explore.harness import one_pass
from tests.explore.properties import Pass, limit, violations
from tests.explore.watched import Watched, wrong_end

Node = tuple[World, State, tuple[Outcome, ...]]


def key(node: Node, left: float) -> Hashable:
    """Equal for nodes with the same future: times relative, instances interchangeable."""
    world, state, outcomes = node
    marks = {i: (n + 1, s.looks, s.span) for n, s in enumerate(state.sightings) for i in s.ids}
    now = world.now / 1000
    elapsed = 0.0 if state.phase.ended or state.phase is Phase.HALTED else min(state.elapsed, left)
    timeless = attrs.evolve(state, at=0, wake_at=state.wake_at - now, clock=elapsed, since=0, sightings=())
    return world.key(lambda i: marks.get(i, (0, 0, 0.0))), timeless, state.at - now, outcomes


def search(
    plan: Plan,
    start: World,
    *,
    operator: tuple[str, ...] = (),
    seen: Callable[[Pass], None] = lambda _: None,
    visit: Callable[[Node], None] = lambda _: None,
) -> tuple[int, Counter[str], list[str]]:
    """(nodes, how often each end was reached, what is wrong) after everything was tried.

    ``operator``: requests, each of which may come once at any pass, in this order.
    """
    first: Node = (start, initial("web-1", start.now / 1000), ())
    frontier, known, ends, wrong = [first], {key(first, 1e9)}, Counter[str](), []
    while frontier:
        following: list[Node] = []
        for node in frontier:
            visit(node)
            for p, cloud, after in enumerate_runs(
                lambda choices, node=node: edge(plan, node, operator, choices)
            ):
                wrong += [*violations([p]), *cloud.crossings]
                seen(p)
                if (mark := key(after, limit(attrs.evolve(p, before=after[1])))) in known:
                    continue
                known.add(mark)
                if after[1].phase.ended:
                    ends[after[1].phase.value] += 1
                    calls = 0 if after[1].phase is Phase.REFUSED else 1
                    wrong += wrong_end(plan, start, after[0], after[1], cloud.calls * (1 - calls))
                elif after[1].phase is Phase.HALTED and after[1].seen == len(operator):
                    ends["halted"] += 1
                else:
                    following.append(after)
        frontier = following
    return len(known), ends, wrong


def edge(plan: Plan, node: Node, operator: tuple[str, ...], choices: Choices) -> tuple[Pass, Watched, Node]:
    """One pass and the sleep after it, with these choices."""
    world, state, outcomes = node
    cloud = Watched(plan, traffic=0, world=world, choices=choices, floor=state.floor)
    asks = choices.pick((False, True)) if state.seen < len(operator) else False
    requests = (Request(seq=state.seen + 1, kind=operator[state.seen]),) if asks else ()  # type: ignore[arg-type]
    p = one_pass(plan, cloud, state, outcomes, requests=requests)
    cloud.clock.sleep(p.step.wake_at - cloud.clock.now())
    return p, cloud, (cloud.world, p.step.state, p.outcomes)
