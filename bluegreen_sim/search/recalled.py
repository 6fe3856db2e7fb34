"""One pass over remembered answers, and all that can follow a node of the search."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bluegreen.core.commands import Command
from bluegreen.core.observation import Observation, Outcome
from bluegreen.core.plan import Plan
from bluegreen.core.state import Ledger, Step

from ..choices import Choices, enumerate_runs
from ..faults import Budget, StaleLook
from ..world import World, history_wanted
from .nodes import HEALED, Decision, Edge, Naming, Node, Sight
from .passing import Failing, Passing
from .recall import Recall


def successors(recall: Recall, node: Node, *, healing: bool = False) -> Iterator[tuple[Edge, Node]]:
    """All that can follow a node: one pass, once for each sequence of choices.

    Args:
        recall: That of the search.
        node: Any node.
        healing: Whether, besides, everything that went wrong may be over from here on.
    """
    if node.mind.state.phase.ended:
        return
    yield from enumerate_runs(lambda choices: Recalled(recall, node, choices).passed())
    if healing and not node.healing:
        yield HEALED, recall.healed(node)


class Recalled(Passing):
    """One pass over remembered answers."""

    def __init__(self, recall: Recall, node: Node, choices: Choices) -> None:
        super().__init__(recall.plan, node.mind.state, node.told.outcomes, choices, healing=node.healing)
        self.recall, self.node = recall, node
        self.place, self.purse, self.history = node.place, node.purse, node.history
        self.hand = node.hand
        self.sight: Sight | None = None
        self.decision: Decision | None = None
        self.naming: Naming | None = None
        self.milliseconds = 0

    def passed(self) -> tuple[Edge, Node]:
        """What happened, and where it led."""
        self.run()
        decision, broken = self.decision, tuple(self.broken)
        recall, mind, told = self.recall, self.node.mind, self.node.told
        now = self.milliseconds
        if decision is None:
            mind = recall.mind(mind.state, now / 1000)
        else:
            told = recall.told(self.outcomes)
            broken += decision.broken
            found = decision.minds.get(now)
            if found is None:
                found = decision.minds[now] = recall.mind(decision.step.state, now / 1000)
            mind = found
        assert self.naming is not None, "every pass ends with a sleep"
        node = recall.arrive(
            Node(self.place, mind, told, self.purse, self.history, self.healing, self.hand), self.naming
        )
        return Edge(decision, self.kind, broken), node

    @property
    def budget(self) -> Budget:
        return self.purse.budget

    @property
    def world(self) -> World:
        return self.place.world

    def spend(self, kind: str) -> None:
        after = self.purse.after.get(kind)
        if after is None:
            after = self.purse.after[kind] = self.recall.purse(self.purse.budget.spent(kind))
        self.purse = after

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        del plan, ledger  # those of the search
        self.about_to_look()
        recall, history = self.recall, self.history
        # A stale look that shows what is so now is none.
        worth = bool(history) and (recall.literal or history[-1] is not recall.seen(self.place))
        looks = recall.looks(self.place, self.purse, history=worth)
        looked = self.choices.pick(looks)
        self.place = looked.place
        if looked.spent:
            self.struck(looked.spent)
        now = recall.seen(self.place)
        if looked.fate is None:
            sight = now
        elif isinstance(looked.fate, StaleLook):
            earlier = history[-looked.fate.age :][:1]
            sight = earlier[0] if earlier else now
        else:
            sight = recall.seen_blind(self.place)
        wanted = max(history_wanted(self.place.world), int(self.purse.budget.stale > 0))
        self.history = (*history, now)[-wanted:] if wanted else ()
        self.sight, self.fresh = sight, sight is now
        return sight.look

    def decide(self, look: Observation, failing: Failing | None) -> Step:
        del look
        assert self.sight is not None, "a look came before"
        self.decision = self.recall.decide(self.node, self.sight, self.request, failing)
        return self.decision.step

    def carried_out(self, command: Command) -> Outcome:
        became = self.choices.pick(self.recall.calls(self.place, self.purse, command))
        self.place = became.place
        if became.spent:
            self.struck(became.spent)
        return became.outcome

    def arrives(self, command: Command) -> None:
        self.place = self.recall.arrived(self.place, command)

    def sleep(self, seconds: float) -> None:
        self.milliseconds = math.ceil(round(seconds * 1000, 6))
        slept = self.choices.pick(self.recall.sleeps(self.place, self.purse, self.milliseconds))
        self.place, self.naming = slept.place, slept.naming
        if slept.spent:
            self.struck(slept.spent)
