"""A way that the search found, lived through again in a ``SimCloud``, and told.

The search works on remembered answers and on worlds without names. Here the same way is gone step by step
with the simulator and the core themselves, every sequence of choices tried until one leads where the search
went. So a story is never an artefact of what makes the search fast; should they disagree, it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from bluegreen.core.commands import Command, describe
from bluegreen.core.observation import Observation, Outcome, Result
from bluegreen.core.plan import Plan
from bluegreen.core.state import Ledger, State, Step
from bluegreen.ports import Clock

from ..asking import called
from ..choices import Choices, enumerate_runs
from ..cloud import SimCloud
from ..engine import healed
from ..faults import Budget
from ..world import World
from .nodes import Node
from .passing import Failing, Passing, completed, decided
from .recall import Recall


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

    @property
    def healed(self) -> Then:
        """The same once everything that went wrong is over."""
        return Then(healed(self.world), self.state, self.outcomes, healing=True)

    def after(self, passing: Passing) -> Then:
        """The moment at the end of a pass."""
        state = self.state if passing.step is None else passing.step.state
        return Then(passing.world, state, passing.outcomes, self.healing, passing.hand)


@frozen(kw_only=True)
class Moment:
    """One pass of a story.

    Args:
        second: When, in seconds from the start.
        went_wrong: What went wrong, or was asked for by people.
        look: What was seen; None if nothing was.
        before: The state before.
        step: What was decided; None if the process ended before it could be recorded.
        outcomes: What became of the commands.
        happened: What the world did until the next look.
        broken: What was broken here.
    """

    second: float
    went_wrong: tuple[str, ...]
    look: Observation | None
    before: State
    step: Step | None
    outcomes: tuple[Outcome, ...]
    happened: tuple[str, ...]
    broken: tuple[str, ...] = ()

    @property
    def quiet(self) -> bool:
        """Whether it was just another look."""
        still = self.step is None or (not self.step.commands and self.step.state.phase is self.before.phase)
        return still and not self.went_wrong and not self.happened and not self.broken

    def lines(self) -> Iterator[str]:
        """The pass for people: time, what was seen, what was decided and why, what happened then."""
        at = f"{self.second:6g} s"
        if self.step is None:
            yield f"{at}  {'; '.join(self.went_wrong)}: nothing was decided"
        else:
            phase, before = self.step.state.phase.value, self.before.phase.value
            way = phase if phase == before else f"{before} → {phase}"
            yield f"{at}  {way}  ({self.step.signal}): {self.step.reason}"
            if self.look is not None:
                yield f"{'':10}saw: {_seen(self.look)}"
            for outcome in self.outcomes:
                if outcome.result is Result.WITHHELD:
                    why = f"the guard: {outcome.invariant}"
                    yield f"{'':10}{describe(outcome.command)}: {outcome.result.value} ({why})"
            yield from (f"{'':10}! {words}" for words in self.went_wrong)
        if self.happened:
            yield f"{'':10}then: {'; '.join(self.happened)}"
        yield from (f"{'':10}✗ {words}" for words in self.broken)


@frozen
class Story:
    """A way from the start to what is wrong, pass by pass.

    Args:
        moments: The passes.
        script: All choices of it, as text: what to give to ``--replay``.
        healing: After how many passes everything that went wrong is over; None for never.
    """

    moments: tuple[Moment, ...]
    script: str
    healing: int | None = None

    def __str__(self) -> str:
        """The story, without the looks at which nothing happened."""
        lines: list[str] = []
        quiet = 0
        for number, moment in enumerate(self.moments):
            if number == self.healing:
                lines.append(f"{'':10}From here on everything is well again, and stays so.")
            if moment.quiet and moment is not self.moments[-1]:
                quiet += 1
                continue
            if quiet:
                lines.append(f"{'':10}… {quiet} more look{'s' if quiet > 1 else ''}")
                quiet = 0
            lines += moment.lines()
        return "\n".join(lines)


def _seen(look: Observation) -> str:
    """What a look showed, in a few words."""
    if look.unread:
        return f"could not read {', '.join(look.unread)}"
    parts = []
    for fleet in look.fleets:
        if not fleet.exists:
            parts.append(f"no {fleet.name}")
            continue
        words = f"{fleet.name} {fleet.healthy} healthy of {fleet.desired} wanted"
        others = fleet.running - fleet.healthy
        words += f" (and {others} not)" if others else ""
        parts.append(words + ("" if fleet.attached else ", detached"))
    if look.shares:
        parts.append("/".join(str(weight) for _, weight in look.shares.weights))
    return "; ".join(parts)


# ------------------------------------------------------------------------------------------------- retelling


def retold(plan: Plan, start: Then, way: Sequence[Node], recall: Recall) -> Story:
    """The story of a way that a search found.

    Args:
        plan: What was deployed.
        start: The beginning.
        way: The nodes after it.
        recall: That of the search.
    """
    then = start
    moments: list[Moment] = []
    indices: list[int] = []
    healing: int | None = None
    for node in way:
        wanted = node.key()
        if node.healing and not then.healing:
            then, healing = then.healed, len(moments)
            continue
        passing, picked = _leading_to(wanted, plan, then, recall)
        moments.append(_moment(then, passing, recall))
        indices += picked
        then = then.after(passing)
    return Story(tuple(moments), _written(indices, len(moments), healing), healing)


def replayed(plan: Plan, start: Then, script: str, recall: Recall) -> Story:
    """The story that a script tells.

    Raises:
        ValueError: If it is no script, or one of another plan or other bounds.
    """
    indices, passes, healing = _read(script)
    then, used = start, 0
    moments: list[Moment] = []
    while len(moments) < passes and not then.state.phase.ended:
        if len(moments) == healing:
            then = then.healed
        choices = Choices.scripted(indices[used:])
        passing = Plainly(plan, then, choices)
        try:
            passing.run()
        except IndexError:
            raise ValueError(f"{script!r} is no script for this plan and these bounds") from None
        used += len(choices.widths)
        moments.append(_moment(then, passing, recall))
        then = then.after(passing)
    return Story(tuple(moments), script, healing)


def _leading_to(wanted: bytes, plan: Plan, then: Then, recall: Recall) -> tuple[Plainly, list[int]]:
    """The pass that leads to the node of this key, with its choices."""
    for passing, picked in _passes(plan, then):
        after = then.after(passing)
        node = recall.node(after.world, after.state, after.outcomes, healing=after.healing, hand=after.hand)
        if node.key() == wanted:
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
    broken = tuple(passing.broken)
    if passing.step is not None and passing.look is not None:
        broken += recall.judge(passing.state, passing.look, passing.step)
    return Moment(
        second=then.world.now / 1000,
        went_wrong=tuple(passing.notes),
        look=passing.look,
        before=passing.state,
        step=passing.step,
        outcomes=passing.outcomes if passing.step is not None else (),
        happened=tuple(_changes(then.world, passing.world)),
        broken=broken,
    )


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


# --------------------------------------------------------------------------------------------------- scripts


def _written(indices: Iterable[int], passes: int, healing: int | None) -> str:
    """Choices as text: those that are not the first option, as place:option, and the number of passes."""
    words = [f"{place}:{option}" for place, option in enumerate(indices) if option]
    words += [] if healing is None else [f"h{healing}"]
    return ",".join([*words, str(passes)])


def _read(script: str) -> tuple[list[int], int, int | None]:
    """The choices, the number of passes, and after how many of these everything is well again."""
    try:
        *words, passes = script.split(",")
        healing = next((int(word[1:]) for word in words if word[:1] == "h"), None)
        picks = [word.split(":") for word in words if word[:1] != "h"]
        pairs = [(int(place), int(option)) for place, option in picks]
        indices = [0] * (max([place for place, _ in pairs], default=-1) + 1)
        for place, option in pairs:
            indices[place] = option
        return indices, int(passes), healing
    except (ValueError, IndexError):
        raise ValueError(f"{script!r} is no script: it should be like 12:1,40:2,61") from None
