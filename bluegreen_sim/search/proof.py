"""A plan, checked: every order of passes, events and faults in a small world, by the production code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from bluegreen.core.commands import Command
from bluegreen.core.invariants import INVARIANTS
from bluegreen.core.machine import NEVER, TRANSITIONS, initial
from bluegreen.core.observation import Observation
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase, State, Step

from ..faults import Budget
from ..founding import found
from ..oracle import wrong_end
from ..settings import Settings
from ..world import World
from .bounds import Bounds
from .explorer import search
from .nodes import Edge, Node
from .passing import BUG, at_rest
from .properties import Always, AlwaysStep, Discovery, Eventually, Property, Search, Sometimes
from .recall import TOKEN, Recall
from .recalled import successors
from .retelling import Story, Then, replayed, retold
from .shrinking import small_plan, small_settings

Invariant = Callable[[Plan, State, Observation, tuple[Command, ...]], object]
"""A promise of the user's own: true of a plan, the state that was decided, the look that it was decided on,
and the commands. Times are relative: the look is at 0."""

Check = Callable[[Plan, State, Observation, Step], object]
"""A promise over whole steps: true of a plan, the state before, the look and the step."""

ENDS, HEALS, PROMOTES = (
    "without further faults it ends, or waits for a person",
    "once everything is well again it ends",
    "it can be promoted",
)
AS_SAID = "the end is as it says"


_KINDS = {
    "always": "broken",
    "never": "never so",
    "dead end": "not so: nothing follows",
    "cycle": "not so: it goes in circles",
}


@frozen
class Violation:
    """A promise that does not hold, with a shortest way to where it breaks.

    Args:
        name: The promise.
        kind: ``always``, ``never`` (no state met it), ``dead end`` or ``cycle``.
        story: The way, pass by pass; None for ``never``.
    """

    name: str
    kind: str
    story: Story | None

    @property
    def script(self) -> str:
        """The choices that lead there, for ``replay``."""
        return self.story.script if self.story else ""

    def __str__(self) -> str:
        """The promise, and the way."""
        head = f"{self.name}: {_KINDS[self.kind]}"
        return head if self.story is None else f"{head}\n{self.story}"


@frozen(kw_only=True)
class Exploration:
    """What an exhaustive check found.

    Args:
        states: Distinct states.
        edges: Passes, those that lead to known states included.
        depth: Passes of the longest of all shortest ways to a state.
        complete: Whether everything within the bounds was visited.
        waiting: States that a search which was stopped had seen and not gone on from.
        bounds: The bounds.
        violations: What does not hold, each promise once, the shortest way first.
        ends: How many states there are of each phase in which a deployment ends.
        cells: How many situations each pair of phase and signal decided.
        bytes_per_state: What the search remembers of each state.
    """

    states: int
    edges: int
    depth: int
    complete: bool
    waiting: int
    bounds: Bounds
    violations: tuple[Violation, ...]
    ends: Mapping[str, int]
    cells: Mapping[tuple[str, str], int] = field(repr=False)
    bytes_per_state: int

    @property
    def ok(self) -> bool:
        """Whether everything within the bounds was visited and every promise holds."""
        return self.complete and not self.violations

    @property
    def unused_cells(self) -> tuple[tuple[str, str], ...]:
        """(phase, signal) of the cells of the transition table that never decided."""
        return tuple(
            (phase.value, signal.value)
            for phase, row in TRANSITIONS.items()
            for signal, cell in row.items()
            if cell is not NEVER and not phase.ended and (phase.value, signal.value) not in self.cells
        )

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.violations:
            names = "; ".join(violation.name for violation in self.violations)
            return f"not so: {names}"
        if not self.complete:
            return f"nothing is wrong in {self.states:,} states, but the search stopped there: not a proof"
        return f"nothing is wrong in all {self.states:,} states"


def explore(
    plan: Plan,
    instances: int = 2,
    faults: int | Budget = 2,
    *,
    invariants: Iterable[Invariant] = (),
    checks: Iterable[Check] = (),
    healing: bool = True,
    shrink: bool = True,
    settings: Settings | None = None,
    world: World | None = None,
    live: int | None = 0,
    most: int | None = None,
    first_only: bool = False,
    visit: Callable[[Node, Edge, Node], None] | None = None,
) -> Exploration:
    """Check a plan in every order of events: all passes, world events and faults, by the production code.

    Args:
        plan: What is to be deployed.
        instances: Instances of the live group.
        faults: How many in all, of any kind, at any moment; or a ``Budget`` by kind.
        invariants: Promises of your own; each is called with plan, state, look and commands of every
            decision, and is broken where it returns something false.
        checks: Promises over steps; each is called with plan, state before, look and step.
        healing: Check as well that, should everything be well again from any state on, the deployment ends.
        shrink: Shorten bakes and deadlines to a few looks; the bounds say which. As the plan says otherwise.
        settings: How the world behaves; by default quick, in units of the plan's time between looks.
        world: Begin in this world; ``instances``, ``settings`` and ``live`` are then not used.
        live: Index of the live group in ``plan.groups``; None for a first release.
        most: Stop after so many states; the result is then not ``complete``.
        first_only: Stop at the first broken promise.
        visit: Called with each node, edge and node after it.
    """
    scene = _Scene.of(plan, instances, faults, shrink=shrink, settings=settings, world=world, live=live)
    recall = Recall(scene.plan, _judge(scene.plan, tuple(invariants), tuple(checks)))
    start = recall.node(scene.world, scene.first)

    def following(node: Node) -> Iterable[tuple[Edge, Node]]:
        return successors(recall, node, healing=healing)

    ends: Counter[str] = Counter()
    found = search(
        [start],
        following,
        properties=_properties(scene, ends, visit, healing=healing),
        key=Node.key,
        most=most,
        first_only=first_only,
    )
    return _exploration(found, scene, recall, ends)


def replay(
    plan: Plan,
    script: str,
    instances: int = 2,
    faults: int | Budget = 2,
    *,
    invariants: Iterable[Invariant] = (),
    shrink: bool = True,
    settings: Settings | None = None,
    world: World | None = None,
    live: int | None = 0,
) -> Story:
    """The story of a violation's script, lived through in the simulator.

    Args:
        plan: As for ``explore``, which must have been called with the same arguments.
        script: ``Violation.script``.
        instances: As for ``explore``.
        faults: As for ``explore``.
        invariants: As for ``explore``.
        shrink: As for ``explore``.
        settings: As for ``explore``.
        world: As for ``explore``.
        live: As for ``explore``.

    Raises:
        ValueError: If it is no script, or one of another plan or other bounds.
    """
    scene = _Scene.of(plan, instances, faults, shrink=shrink, settings=settings, world=world, live=live)
    recall = Recall(scene.plan, _judge(scene.plan, tuple(invariants), ()))
    return replayed(scene.plan, scene.start, script, recall)


# -------------------------------------------------------------------------------------------- where it begins


@frozen
class _Scene:
    """The beginning of a check.

    Args:
        plan: The plan as it is checked.
        world: The world at the start.
        bounds: What the result says of both.
    """

    plan: Plan
    world: World
    bounds: Bounds

    @property
    def first(self) -> State:
        """The deployment's state before its first look."""
        return initial(TOKEN, self.world.now / 1000)

    @property
    def start(self) -> Then:
        """The first moment."""
        return Then(self.world, self.first)

    @classmethod
    def of(
        cls,
        plan: Plan,
        instances: int,
        faults: int | Budget,
        *,
        shrink: bool,
        settings: Settings | None,
        world: World | None,
        live: int | None,
    ) -> _Scene:
        """The beginning that was asked for."""
        shrunk: tuple[str, ...] = ()
        if shrink:
            plan, shrunk = small_plan(plan)
        budget = Budget.any(faults) if isinstance(faults, int) else faults
        if world is None:
            settings = settings or small_settings(plan)
            world = found(
                plan,
                capacity=instances,
                live=live,
                live_image="ami-0live" if plan.image != "ami-0live" else "ami-0before",
                settings=evolve(settings, termination="each"),
                budget=budget,
            )
        bounds = Bounds(
            instances=instances,
            budget=world.budget,
            settings=world.settings,
            shrunk=shrunk,
            live=live,
        )
        return cls(plan, world, bounds)


# ------------------------------------------------------------------------------------------------ promises


def _judge(
    plan: Plan, invariants: tuple[Invariant, ...], checks: tuple[Check, ...]
) -> Callable[[State, Observation, Step], tuple[str, ...]]:
    """Names all promises that a decision breaks."""

    def judge(before: State, look: Observation, step: Step) -> tuple[str, ...]:
        if step.signal == BUG:
            return ("the core answers every look",)
        broken = [f"{i.id} {i.name}" for i in INVARIANTS if not i.step(plan, before, look, step)]
        if before.phase is Phase.PREFLIGHT and step.commands:
            broken.append("preflight sends nothing")
        broken += [_name(f) for f in checks if not f(plan, before, look, step)]
        broken += [_name(f) for f in invariants if not f(plan, step.state, look, step.commands)]
        return tuple(broken)

    return judge


def _name(function: object) -> str:
    return str(getattr(function, "__name__", function))


def _properties(
    scene: _Scene, ends: Counter[str], visit: Callable[[Node, Edge, Node], None] | None, *, healing: bool
) -> list[Property[Node, Edge]]:
    plan, start, resized = scene.plan, scene.world, bool(scene.bounds.budget.rescales)

    def as_said(node: Node) -> bool:
        state = node.mind.state
        if not state.phase.ended:
            return True
        ends[state.phase.value] += not node.healing
        return not any(wrong_end(plan, start, node.place.world, state, resized=resized))

    def broken(before: Node, edge: Edge, after: Node) -> tuple[str, ...]:
        if visit is not None:
            visit(before, edge, after)
        return edge.broken

    def rests(node: Node) -> bool:
        return node.healing or at_rest(node.mind.state)

    def heals(node: Node) -> bool:
        return not node.healing or node.mind.state.phase.ended

    found: list[Property[Node, Edge]] = [
        AlwaysStep(broken),
        Always(AS_SAID, as_said),
        Sometimes(PROMOTES, lambda node: node.mind.state.phase is Phase.PROMOTED and not node.healing),
        Eventually(ENDS, rests, lambda edge: edge.kind),
    ]
    return [*found, Eventually(HEALS, heals)] if healing else found


def _exploration(found: Search[Node, Edge], scene: _Scene, recall: Recall, ends: Counter[str]) -> Exploration:
    return Exploration(
        states=found.states,
        edges=found.edges,
        depth=found.depth,
        complete=found.complete,
        waiting=found.waiting,
        bounds=scene.bounds,
        violations=tuple([_violation(discovery, scene, recall) for discovery in found.discoveries]),
        ends=dict(sorted(ends.items())),
        cells={(phase.value, signal): n for (phase, signal), n in recall.cells.items()},
        bytes_per_state=found.bytes_per_state,
    )


def _violation(discovery: Discovery[Node, Edge], scene: _Scene, recall: Recall) -> Violation:
    if discovery.kind == "never":
        return Violation(discovery.name, "never", None)
    way: list[Any] = [node for _, node in discovery.path.steps]
    return Violation(discovery.name, discovery.kind, retold(scene.plan, scene.start, way, recall))
