"""What makes the search fast changes nothing: against the simulator and the core themselves."""

from __future__ import annotations

import attrs
import pytest

from bluegreen.core.machine import initial, step
from bluegreen_sim import Budget, Choices, SimCloud, World, enumerate_runs
from bluegreen_sim.search.explorer import search
from bluegreen_sim.search.nodes import Edge, Node
from bluegreen_sim.search.passing import completed
from bluegreen_sim.search.recall import TOKEN, Recall, heeded
from bluegreen_sim.search.recalled import successors
from bluegreen_sim.search.retelling import Plainly, Then
from tests.explore.small import QUICK, ROUTINGS, small_plan, small_world

EACH = attrs.evolve(QUICK, termination="each")


def by_hand(recall: Recall, world: World) -> tuple[int, int]:
    """States and ends of a search whose every pass is one of the simulator itself."""
    plan, start, ends = recall.plan, Then(world, initial(TOKEN, 0)), set()

    def key(then: Then) -> bytes:
        return recall.node(then.world, then.state, then.outcomes, hand=then.hand).key()

    def following(then: Then) -> list[tuple[None, Then]]:
        def run(choices: Choices) -> tuple[None, Then]:
            passing = Plainly(plan, then, choices)
            passing.run()
            return None, then.after(passing)

        if then.state.phase.ended:
            ends.add(key(then))
            return []
        return list(enumerate_runs(run))

    return search([start], following, key=key).states, len(ends)


@pytest.mark.exhaustive
@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
@pytest.mark.parametrize(
    ("budget", "capacity"),
    [
        (Budget(sick=1, stale=1), 1),
        (Budget(lost=1, crashes=1), 1),
        (Budget(rescales=1, refused=1), 1),
        (Budget(acts=1, blind=1), 1),
        (Budget(dies=1, stale=1), 2),
        (Budget(late=1, acts=1), 1),
    ],
    ids=["sick+stale", "lost+crash", "rescale+refused", "act+blind", "dies+stale, 2", "late+act"],
)
def test_remembered_answers_lead_where_the_simulator_leads(
    routing: object, budget: Budget, capacity: int
) -> None:
    """A search over SimCloud and step themselves finds the very same number of states and ends."""
    plan = small_plan(routing)
    world = small_world(plan, budget, settings=EACH, capacity=capacity)
    recall, ends = Recall(plan, lambda *_: (), literal=True), set()

    def following(node: Node) -> list[tuple[Edge, Node]]:
        if node.mind.state.phase.ended:
            ends.add(node.key())
        return list(successors(recall, node))

    found = search([recall.node(world, initial(TOKEN, 0))], following, key=Node.key)
    assert (found.states, len(ends)) == by_hand(recall, world)


@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_what_the_search_forgets_of_outcomes_changes_no_decision(routing: object) -> None:
    """Lost and throttled calls, told in full: at each decision the core decides the same without them."""
    plan = small_plan(routing)
    recall = Recall(plan, lambda *_: (), literal=True)
    told = 0

    def look_again(node: Node, edge: Edge) -> None:
        nonlocal told
        mild = [o for o in node.told.outcomes if not heeded(o)]
        if edge.decision is None or not mild:
            return
        told += 1
        state, kept = node.mind.state, tuple(o for o in node.told.outcomes if heeded(o))
        seen = recall.seen(node.place).look
        both = [
            step(plan, state, completed(seen, plan, state, failing=None, request=None, outcomes=outcomes))
            for outcomes in (node.told.outcomes, kept)
        ]
        assert both[0] == both[1]

    def following(node: Node) -> list[tuple[Edge, Node]]:
        found = list(successors(recall, node))
        for edge, _ in found:
            look_again(node, edge)
        return found

    world = small_world(plan, Budget.any(2, rescales=0, dies=0, acts=0), settings=EACH)
    search([recall.node(world, initial(TOKEN, 0))], following, key=Node.key)
    assert told > 100


@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_a_world_and_its_representative_have_the_same_key(routing: object) -> None:
    """At every moment of a run, whatever the clock and the names: canonical twice is canonical once."""
    plan = small_plan(routing)
    recall = Recall(plan, lambda *_: ())
    cloud = SimCloud(plan, capacity=2, traffic=0, seed=3, settings=EACH, budget=Budget(sick=2, dies=1))
    then = Then(cloud.world, initial(TOKEN, 0))
    for _ in range(30):
        node = recall.node(then.world, then.state, then.outcomes)
        again = recall.node(
            node.place.world.replaced(budget=node.purse.budget), node.mind.state, node.told.outcomes
        )
        assert again.place is node.place
        assert again.key() == node.key()
        passing = Plainly(plan, then, cloud.choices)
        passing.run()
        then = then.after(passing)
