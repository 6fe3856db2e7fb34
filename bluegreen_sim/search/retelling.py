"""A way that the search found, lived through again in a ``SimCloud``, and told.

The search works on remembered answers and on worlds without names. Here the same way is gone step by step
with the simulator and the core themselves, every sequence of choices tried until one leads where the search
went. So a story is never an artefact of what makes the search fast; should they disagree, it says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve, frozen

from bluegreen.core.commands import Command, describe
from bluegreen.core.observation import Observation, Outcome
from bluegreen.core.plan import Plan
from bluegreen.core.state import Ledger, State, Step
from bluegreen.ports import Clock

from ..asking import called
from ..choices import Choices, enumerate_runs
from ..cloud import SimCloud
from ..engine import healed
from ..faults import Budget
from ..world import World
from .nodes import HEALED, Edge, Node
from .passing import Failing, Passing, completed, decided
from .recall import Recall
from .stories import Moment, Script, Story


class Plainly(Passing):
    """One pass with the simulator and the core themselves.

    Args:
        plan: What is deployed.
        then: The moment to go on from.
        choices: Decide what is uncertain.
        cloud: That of the pass before, should it be the one that led here with the same choices.
    """

    def __init__(self, plan: Plan, then: Then, choices: Choices, cloud: SimCloud | None = None) -> None:
        """Go on from a moment."""
        super().__init__(plan, then.state, then.outcomes, choices, healing=then.healing)
        self.cloud = cloud or SimCloud(plan, traffic=0, world=then.world, choices=choices)
        self.hand = then.hand
        self.look: Observation | None = None

    @property
    def budget(self) -> Budget:
        return self.cloud.world.budget

    @property
    def world(self) -> World:
        return self.cloud.world

    @property
    def clock(self) -> Clock:
        return self.cloud.clock

    def spend(self, kind: str) -> None:
        if kind == "crashes":
            self.notes.append("the process ends")
        if kind == "late":
            self.notes.append("the process is superseded with a request in hand; another one goes on")
        self.cloud.world = self.world.replaced(budget=self.budget.spent(kind))

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        self.about_to_look()
        before = self.budget
        seen = self.cloud.observe(plan, ledger)
        if self.budget != before:
            self.kind = False
            self.notes.append(
                "a look sees nothing" if seen.unread else "a look shows what the one before showed"
            )
        truth = self.cloud.look(plan, ledger)
        shown, true = ((look.fleets, look.shares, look.test_shares) for look in (seen, truth))
        self.fresh = shown == true
        return seen

    def decide(self, look: Observation, failing: Failing | None) -> Step:
        self.look = completed(
            look,
            self.plan,
            self.state,
            failing=failing,
            request=self.request,
            outcomes=self.outcomes,
        )
        if self.request:
            self.notes.append(f"an operator says {self.request.kind}")
        return decided(self.plan, self.state, self.look)

    def carried_out(self, command: Command) -> Outcome:
        before, budget = self.world, self.budget
        outcome = self.cloud.apply(command)
        if self.budget != budget:
            self.kind = False
            done = "" if self.world.replaced(budget=budget) == before else ", though it was carried out"
            self.notes.append(f"{describe(command)}: {outcome.detail}{done}")
        return outcome

    def arrives(self, command: Command) -> None:
        self.notes.append(f"late, of the superseded process: {describe(command)}")
        self.cloud.world, _ = called(self.world, command, None)

    def sleep(self, seconds: float) -> None:
        budget = self.budget
        self.clock.sleep(seconds)
        if self.budget != budget:
            self.kind = False
            self.notes.append("bad luck before the next look")


@frozen
class Then:
    """A moment: the world, what the journal says, whether all goes well from here on, and what may arrive."""

    world: World
    state: State
    outcomes: tuple[Outcome, ...] = ()
    healing: bool = False
    hand: Command | None = None

    def limited(self, most: int | None) -> Then:
        """The same with no more faults to come than so many; None leaves them."""
        if most is None:
            return self
        return evolve(self, world=self.world.replaced(budget=self.world.budget.at_most(most)))

    @property
    def healed(self) -> Then:
        """The same once everything that went wrong is over."""
        return Then(healed(self.world), self.state, self.outcomes, healing=True)

    def after(self, passing: Passing) -> Then:
        """The moment at the end of a pass."""
        state = self.state if passing.step is None else passing.step.state
        return Then(passing.world, state, passing.outcomes, self.healing, passing.hand)


# ------------------------------------------------------------------------------------------------- retelling


def retold(
    plan: Plan,
    start: Then,
    way: Sequence[tuple[Edge, Node]],
    recall: Recall,
    *,
    most: int | None = None,
    back_to: int | None = None,
) -> Story:
    """The story of a way that a search found.

    Args:
        plan: What was deployed.
        start: The beginning.
        way: What happened, and the node after it.
        recall: That of the search.
        most: How many faults the search allowed, should that be fewer than at the beginning.
        back_to: After how many steps of the way a circle begins, should it be one.
    """
    then = start.limited(most)
    moments: list[Moment] = []
    indices: list[int] = []
    healing: int | None = None
    for edge, node in way:
        if edge is HEALED:
            then, healing = then.healed, len(moments)
            continue
        passing, picked = _leading_to(edge, node, plan, then, recall)
        moments.append(_moment(then, passing, recall))
        indices += picked
        then = then.after(passing)
    if back_to is not None and healing is not None and back_to > healing:
        back_to -= 1  # to heal is a step of the way, and no pass
    script = Script(tuple(indices), len(moments), healing, back_to, most)
    return Story(tuple(moments), str(script), healing, back_to)


def replayed(plan: Plan, start: Then, text: str, recall: Recall) -> Story:
    """The story that a script tells.

    Raises:
        ValueError: If it is no script, or one of another plan or other bounds.
    """
    script = Script.read(text)
    then, left = start.limited(script.most), list(script.indices)
    moments: list[Moment] = []
    other = ValueError(f"{text!r} is no script for this plan and these bounds")
    while len(moments) < script.passes and not then.state.phase.ended:
        if len(moments) == script.healing:
            then = then.healed
        choices = Choices.scripted(left)
        passing = Plainly(plan, then, choices)
        try:
            passing.run()
        except IndexError:
            raise other from None
        left = left[len(choices.widths) :]
        moments.append(_moment(then, passing, recall))
        then = then.after(passing)
    if any(left) or len(moments) < script.passes:
        raise other
    return Story(tuple(moments), text, script.healing, script.circle)


def _leading_to(
    edge: Edge, wanted: Node, plan: Plan, then: Then, recall: Recall
) -> tuple[Plainly, list[int]]:
    """The pass that leads to this node and breaks what was broken on the way, with its choices."""
    for passing, picked in _passes(plan, then):
        after = then.after(passing)
        node = recall.node(after.world, after.state, after.outcomes, healing=after.healing, hand=after.hand)
        if node.key() == wanted.key() and {*passing.broken, *_broken(passing, recall)} == {*edge.broken}:
            return passing, picked
    raise AssertionError(f"the search and the simulator disagree at {then.world.now / 1000:g} s")


def _passes(plan: Plan, then: Then) -> Iterator[tuple[Plainly, list[int]]]:
    """One pass, once for every sequence of choices, with the choices."""

    def run(choices: Choices) -> tuple[Plainly, list[int]]:
        drawn: list[int] = []

        def draw(width: int) -> int:
            drawn.append(choices.pick(range(width)))
            return drawn[-1]

        passing = Plainly(plan, then, Choices(draw))
        passing.run()
        return passing, drawn

    return enumerate_runs(run)


def _moment(then: Then, passing: Plainly, recall: Recall) -> Moment:
    return Moment(
        second=then.world.now / 1000,
        went_wrong=tuple(passing.notes),
        look=passing.look,
        before=passing.state,
        step=passing.step,
        outcomes=passing.outcomes if passing.step is not None else (),
        happened=tuple(_changes(then.world, passing.world)),
        broken=(*passing.broken, *_broken(passing, recall)),
    )


def _broken(passing: Plainly, recall: Recall) -> tuple[str, ...]:
    """The promises that a decision breaks, judged as in the search: the look is at 0."""
    if passing.step is None or passing.look is None:
        return ()
    state = recall.mind(passing.state, passing.look.at).state
    look = evolve(passing.look, at=0.0)
    return recall.judge(state, look, decided(passing.plan, state, look))


def _changes(before: World, after: World) -> Iterator[str]:
    """What became of instances, sizes, weights and alarms."""
    for group in after.groups:
        old = before.group(group.name)
        was = {instance.id: instance for instance in old.instances} if old else {}
        for instance in group.instances:
            then = was.pop(instance.id, None)
            if then is None:
                yield f"{instance.id} of {group.name} is launched"
                continue
            if then.answers and not instance.answers:
                yield f"{instance.id} of {group.name} {'fails' if instance.dead else 'stops answering'}"
            if (then.life, then.target) != (instance.life, instance.target):
                yield f"{instance.id} of {group.name} is {instance.target or instance.life}"
        yield from (f"{name} of {group.name} is gone" for name in was)
        if old and old.desired != group.desired:
            yield f"{group.name} wants {group.desired}, not {old.desired}"
    for (name, old_state), (_, state) in zip(before.alarms, after.alarms, strict=True):
        if old_state != state:
            yield f"alarm {name} is {state}"
