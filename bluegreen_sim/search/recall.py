"""The simulated cloud and the pure core, each of whose answers is worked out once and then remembered.

A search meets the same world with many deployments, and the same look in many worlds. All of it is functions
of values: each is worked out by the code that a ``SimCloud`` runs on, once for every sequence of choices, and
looked up from then on. Values that are the same are the same object, so that looking up is cheap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from operator import attrgetter, is_
from typing import Any, TypeVar

from attrs import evolve, frozen

from bluegreen.core.commands import Command
from bluegreen.core.observation import Fleet, Observation, Outcome, Request, Result
from bluegreen.core.plan import Plan
from bluegreen.core.signals import deadline
from bluegreen.core.state import Ledger, Phase, Sighting, State, Step

from .. import engine
from ..asking import called
from ..choices import Choices, enumerate_runs
from ..faults import NO_FAULTS, Budget
from ..looking import Looker
from ..world import World
from .canonical import Names, canonical, ties
from .nodes import Decision, Mind, Naming, Node, Place, Purse, Sight, Told, digest_of
from .passing import Failing, completed, decided

T = TypeVar("T")
Judge = Callable[[State, Observation, Step], "tuple[str, ...]"]
"""Names of the promises that a decision breaks: the state before, the look, the decision."""


@frozen
class Looked:
    """What became of a look: the world after it, the kind of fault that it cost, and its fate."""

    place: Place
    spent: str | None
    fate: object


@frozen
class Called:
    """What became of a command: the world after it, the kind of fault that it cost, and its outcome."""

    place: Place
    spent: str | None
    outcome: Outcome


@frozen
class Slept:
    """Where time led: the world then, the kind of fault that struck before, and everybody's name there."""

    place: Place
    spent: str | None
    naming: Naming


class Recall:
    """All that is remembered of one search.

    Args:
        plan: What is deployed.
        judge: Names the promises that a decision breaks.
        literal: Leave nothing out that cannot change anything: tell the core every outcome that is not
            ``applied``, also those that it does not heed; let a stale look show what is so now.

    Attributes:
        cells: How often each pair of phase and signal decided, counting each situation once.
    """

    def __init__(self, plan: Plan, judge: Judge, *, literal: bool = False) -> None:
        """Begin with nothing remembered."""
        self.plan, self.judge, self.literal = plan, judge, literal
        self.cells: Counter[tuple[Phase, str]] = Counter()
        self._looker = Looker()
        self._pools: dict[str, dict[Any, Any]] = {}
        self._ledgers: dict[int, tuple[Ledger, bytes]] = {}
        self._arrivals: dict[Hashable, tuple[Mind, tuple[Sight, ...]]] = {}

    # ------------------------------------------------------------------------------------- the search's side

    def node(
        self,
        world: World,
        state: State,
        outcomes: tuple[Outcome, ...] = (),
        *,
        healing: bool = False,
        hand: Command | None = None,
    ) -> Node:
        """The node of a world, a deployment's state and its last outcomes."""
        place, naming = self._canonical(world)
        history = tuple([self.sight(self._looker.look(past, self.plan, TOKEN, 0)) for past in world.history])
        mind, told = self.mind(state, world.now / 1000), self.told(outcomes)
        purse = self.purse(world.budget)
        return self.arrive(Node(place, mind, told, purse, history, healing, hand), naming)

    def healed(self, node: Node) -> Node:
        """The same deployment in a world in which nothing is wrong any more."""
        found = node.place.memo.get("healed")
        if found is None:
            found = node.place.memo["healed"] = self._canonical(engine.healed(node.place.world))
        place, naming = found
        return self.arrive(Node(place, node.mind, node.told, self.purse(NO_FAULTS), (), healing=True), naming)

    # ------------------------------------------------------------------------------------- equal is the same

    def _same(self, pool: str, key: Any, make: Callable[[], T]) -> T:
        known: dict[Any, T] = self._pools.setdefault(pool, {})
        found = known.get(key)
        if found is None:
            found = known[key] = make()
        return found

    def told(self, outcomes: tuple[Outcome, ...]) -> Told:
        """The one object for all outcomes of which the core heeds the same.

        Commands come again from what is seen; only what no retry can mend, and what the guard withheld,
        has to be told (``tests/explore/test_recall.py`` holds the core to that).
        """
        if all(outcome.result is Result.APPLIED for outcome in outcomes):
            outcomes = ()
        elif not self.literal:
            outcomes = tuple([outcome for outcome in outcomes if heeded(outcome)])
        return self._same("told", outcomes, lambda: Told(outcomes, digest_of(outcomes)))

    def purse(self, budget: Budget) -> Purse:
        """The one object for this budget."""
        return self._same(
            "purse",
            budget,
            lambda: Purse(
                budget,
                digest_of(budget),
                look=(min(1, budget.stale), min(1, budget.blind)),
                call=(min(1, budget.lost), min(1, budget.refused)),
                strike=(
                    *(min(1, budget.sick), min(1, budget.dies)),
                    *(min(1, budget.rescales), min(1, budget.reds)),
                ),
            ),
        )

    def sight(self, look: Observation) -> Sight:
        """The one object for what this look shows."""
        names = (target.id for fleet in look.fleets for target in fleet.targets)
        return self._same("sight", look, lambda: Sight(look, digest_of(look), tuple(names)))

    def mind(self, state: State, now: float) -> Mind:
        """The one object for all states that decide alike from now on: times relative, the past forgotten."""
        at, wake_at, clock = state.at - now, state.wake_at - now, 0.0
        if state.phase.ended:
            at = wake_at = 0.0
        elif state.phase is not Phase.HALTED:
            # Later than the deadline and the grace, nothing asks how late it is.
            late = deadline(self.plan, state) + self.plan.limits.blind_grace_seconds
            clock = min(state.elapsed, float(late))
        kept = state.replaced(at=at, wake_at=wake_at, clock=clock, since=0.0, seen=0)
        parts = {**kept.__dict__, "ledger": self._ledger(state.ledger)}
        return self._same("mind", tuple(parts.values()), lambda: Mind(kept, _digest_of_mind(parts)))

    def _ledger(self, ledger: Ledger) -> bytes:
        """A digest of a ledger. Most states share theirs with the state before."""
        known = self._ledgers.get(id(ledger))
        if known is None:
            known = self._ledgers[id(ledger)] = (ledger, digest_of(ledger))  # kept, so its id is its own
        return known[1]

    def _canonical(self, world: World) -> tuple[Place, Naming]:
        found, names = canonical(world.replaced(budget=NO_FAULTS, history=()))
        key = found.key()
        place = self._same("place", key, lambda: Place(found, digest_of(key), ties(found)))
        return place, self._same("naming", tuple(names.items()), lambda: Naming(names))

    # ------------------------------------------------------------------------------- what is worked out once

    def seen(self, place: Place) -> Sight:
        """What a look at a world shows."""
        found: Sight | None = place.memo.get("seen")
        if found is None:
            found = place.memo["seen"] = self.sight(self._looker.look(place.world, self.plan, TOKEN, 0))
        return found

    def seen_blind(self, place: Place) -> Sight:
        """What a look shows that can read neither groups nor weights."""
        found: Sight | None = place.memo.get("blind")
        if found is None:
            found = place.memo["blind"] = self.sight(self._looker.blind(place.world, self.plan, TOKEN, 0))
        return found

    def looks(self, place: Place, purse: Purse, *, history: bool) -> tuple[Looked, ...]:
        """What can become of a look."""
        key = ("look", purse.look, history)
        found: tuple[Looked, ...] | None = place.memo.get(key)
        if found is None:
            budget = Budget(stale=purse.look[0], blind=purse.look[1])
            world = place.world.replaced(budget=budget, history=(place.world,) if history else ())

            def run(choices: Choices) -> Looked:
                after, fate = engine.before_look(world, choices)
                return Looked(_beside(place, after), _spent(budget, after), fate)

            found = place.memo[key] = tuple(enumerate_runs(run))
        return found

    def calls(self, place: Place, purse: Purse, command: Command) -> tuple[Called, ...]:
        """What can become of a command."""
        key = ("call", purse.call, command)
        found: tuple[Called, ...] | None = place.memo.get(key)
        if found is None:
            budget = Budget(lost=purse.call[0], refused=purse.call[1])
            world = place.world.replaced(budget=budget)

            def run(choices: Choices) -> Called:
                after, fate = engine.before_call(world, choices)
                spent = _spent(budget, after)
                after, outcome = called(after, command, fate)
                return Called(_beside(place, after), spent, outcome)

            found = place.memo[key] = tuple(enumerate_runs(run))
        return found

    def arrived(self, place: Place, command: Command) -> Place:
        """The world once a late request has arrived."""
        key = ("arrived", command)
        found: Place | None = place.memo.get(key)
        if found is None:
            found = place.memo[key] = _beside(place, called(place.world, command, None)[0])
        return found

    def sleeps(self, place: Place, purse: Purse, milliseconds: int) -> tuple[Slept, ...]:
        """Where time can lead."""
        key = ("sleep", purse.strike, milliseconds)
        found: tuple[Slept, ...] | None = place.memo.get(key)
        if found is None:
            sick, dies, rescales, reds = purse.strike
            budget = Budget(sick=sick, dies=dies, rescales=rescales, reds=reds)
            world = place.world.replaced(budget=budget)
            until = world.now + milliseconds

            def run(choices: Choices) -> tuple[Place, str | None, Naming]:
                after = world
                if milliseconds:  # a sleep of no time is none
                    after = engine.advance(engine.before_elapse(world, choices), until, choices)
                arrived, naming = self._canonical(after)
                return arrived, _spent(budget, after), naming

            found = place.memo[key] = tuple([Slept(*slept) for slept in dict.fromkeys(enumerate_runs(run))])
        return found

    def decide(self, node: Node, sight: Sight, request: Request | None, failing: Failing | None) -> Decision:
        """What the core decides on a look."""
        key = (sight, node.told, request and request.kind, failing)
        found = node.mind.decisions.get(key)
        if found is None:
            state = node.mind.state
            look = completed(
                sight.look,
                self.plan,
                state,
                failing=failing,
                request=request,
                outcomes=node.told.outcomes,
            )
            step = decided(self.plan, state, look)
            self.cells[state.phase, step.signal] += 1
            found = node.mind.decisions[key] = Decision(step, self.judge(state, look, step))
        return found

    # ------------------------------------------------------------------------------------------ new names

    def arrive(self, node: Node, naming: Naming) -> Node:
        """The node in which a pass ends, with everybody's name as it is there."""
        place, mind, told, purse, history, healing, hand = node
        if not history and not mind.state.sightings:
            return node
        key = (place if place.ties else None, naming, mind, history)
        found = self._arrivals.get(key)
        if found is None:
            names = {**naming.names, **_gone(mind, history, naming.names)}
            mind = self._renamed_mind(mind, names)
            history = tuple([self._renamed_sight(sight, names) for sight in history])
            found = self._arrivals[key] = self._untied(place, mind, history)
        mind, history = found
        return Node(place, mind, told, purse, history, healing, hand)

    def _renamed_mind(self, mind: Mind, names: Names) -> Mind:
        state = mind.state
        if not state.sightings:
            return mind
        renamed = []
        for sighting in state.sightings:
            # Who is gone is never seen again, unless in an earlier look.
            ids = frozenset([names[name] for name in sighting.ids if name in names])
            if ids:
                renamed.append(Sighting(ids, sighting.looks, sighting.span))
        found = tuple(renamed)
        return mind if found == state.sightings else self.mind(state.replaced(sightings=found), 0)

    def _renamed_sight(self, sight: Sight, names: Names) -> Sight:
        new = tuple([names.get(name, name) for name in sight.names])
        if new == sight.names:
            return sight
        found = sight.renamed.get(new)
        if found is None:
            fleets = tuple([_renamed_fleet(fleet, names) for fleet in sight.look.fleets])
            found = sight.renamed[new] = self.sight(evolve(sight.look, fleets=fleets))
        return found

    def _untied(self, place: Place, mind: Mind, history: tuple[Sight, ...]) -> tuple[Mind, tuple[Sight, ...]]:
        """The same, with those whom only the deployment can tell apart in the order of what it knows."""
        names: dict[str, str] = {}
        for tied in place.ties:
            labels = [_label(mind, history, name) for name in tied]
            order = sorted(range(len(tied)), key=labels.__getitem__)
            names |= {tied[old]: tied[new] for new, old in enumerate(order) if old != new}
        if not names:
            return mind, history
        everybody = {name for sighting in mind.state.sightings for name in sighting.ids}
        full = {name: names.get(name, name) for name in everybody} | names
        mind = self._renamed_mind(mind, full)
        return mind, tuple([self._renamed_sight(sight, full) for sight in history])


def _renamed_fleet(fleet: Fleet, names: Names) -> Fleet:
    renamed = [evolve(target, id=names.get(target.id, target.id)) for target in fleet.targets]
    return evolve(fleet, targets=tuple(sorted(renamed, key=lambda target: target.id)))


def _digest_of_mind(parts: Mapping[str, Any]) -> bytes:
    """Of a state's fields; the order in which a set shows its ids is no part of it."""
    sightings = [(sorted(s.ids), s.looks, s.span) for s in parts["sightings"]]
    return digest_of(tuple({**parts, "sightings": sightings}.values()))


def heeded(outcome: Outcome) -> bool:
    """Whether the core decides otherwise for having heard of it."""
    hopeless = outcome.error is not None and outcome.error.hopeless
    return outcome.result is Result.WITHHELD or (outcome.result is Result.REFUSED and hopeless)


TOKEN = "check"
"""The deployment id of everything that is searched."""


_touched = attrgetter("groups", "rule", "test_rule", "faults", "versions")
"""What a look or a command may change of a world."""


def _beside(place: Place, world: World) -> Place:
    """A world in the middle of a pass: everybody is still called as at its beginning."""
    bare = world.replaced(budget=NO_FAULTS, history=())
    return place if all(map(is_, _touched(bare), _touched(place.world))) else Place(bare)


def _spent(before: Budget, world: World) -> str | None:
    left = world.budget
    if left is before:
        return None
    return next(
        kind
        for kind in ("sick", "dies", "rescales", "reds", "stale", "blind", "lost", "refused")
        if getattr(left, kind) < getattr(before, kind)
    )


def _gone(mind: Mind, history: tuple[Sight, ...], names: Names) -> dict[str, str]:
    """Names for those who are gone and were there at an earlier look that may still be shown."""
    seen = {name for sight in history for name in sight.names}
    ranked = sorted(seen - set(names), key=lambda name: (_label(mind, history, name), name))
    return {name: f"gone-{n}" for n, name in enumerate(ranked, start=1)}


def _label(mind: Mind, history: tuple[Sight, ...], name: str) -> tuple[Any, ...]:
    """What the deployment knows of an instance; of those that the world cannot tell apart."""
    marks = [(s.looks, s.span) for s in mind.state.sightings if name in s.ids]
    seen = [
        (target.version or 0, target.health.value, target.reason or "")
        for sight in history
        for fleet in sight.look.fleets
        for target in fleet.targets
        if target.id == name
    ]
    return (marks, seen)
