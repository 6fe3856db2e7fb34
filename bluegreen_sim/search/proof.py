"""A plan, checked: every order of passes, events and faults in a small world, by the production code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from bluegreen.core.invariants import INVARIANTS
from bluegreen.core.machine import NEVER, TRANSITIONS
from bluegreen.core.observation import Observation
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase, State, Step

from ..faults import Budget
from ..oracle import wrong_end
from ..settings import Settings
from ..world import World
from .bounds import Bounds
from .explorer import search
from .nodes import Edge, Node
from .passing import BUG, at_rest
from .properties import Always, AlwaysStep, Discovery, Eventually, Property, Search, Sometimes
from .recall import Judge, Recall
from .recalled import successors
from .retelling import replayed, retold
from .scene import Check, Invariant, Scene
from .stories import Story

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
        story: The way, pass by pass, with as few faults as will do; of ``never``, a way to some end.
    """

    name: str
    kind: str
    story: Story

    @property
    def script(self) -> str:
        """The choices that lead there, for ``replay``."""
        return self.story.script

    def __str__(self) -> str:
        """The promise, and the way."""
        head = f"{self.name}: {_KINDS[self.kind]}"
        if not self.story.moments:
            return head
        return f"{head}{'; instead, for example' if self.kind == 'never' else ''}\n{self.story}"


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
    instances: int | None = None,
    faults: int | Budget | None = None,
    *,
    invariants: Iterable[Invariant] = (),
    checks: Iterable[Check] = (),
    healing: bool = True,
    shrink: bool | None = None,
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
        instances: Instances of the live group; by default 2.
        faults: How many in all, of any kind, at any moment; or a ``Budget`` by kind. By default 2, or what a
            ``world`` of your own says.
        invariants: Promises of your own; each is called with plan, state, look and commands of every
            decision, and is broken where it returns something false, or raises.
        checks: Promises over steps; each is called with plan, state before, look and step.
        healing: Check as well that, should everything be well again from any state on, the deployment ends.
        shrink: Shorten bakes and deadlines to a few looks; the bounds say which. As the plan says otherwise.
            By default so unless you give ``settings`` or ``world``, to which the plan's own times belong.
        settings: How the world behaves; by default quick, in units of the plan's time between looks. Of
            instances that the cloud ends each is tried, whatever ``termination`` says.
        world: Begin in this world; leave ``instances`` and ``settings`` out, and which group is live is seen.
        live: Index of the live group in ``plan.groups``; None for a first release.
        most: Stop after so many states; the result is then not ``complete``.
        first_only: Stop at the first broken promise.
        visit: Called with each node, edge and node after it.

    Raises:
        ValueError: All that is wrong with the arguments.
    """
    scene = Scene.of(
        plan,
        instances=instances,
        faults=faults,
        shrink=shrink,
        settings=settings,
        world=world,
        live=live,
        invariants=invariants,
        checks=checks,
        most=most,
    )
    return _explored(scene, visit, healing=healing, most=most, first_only=first_only)


def _explored(
    scene: Scene,
    visit: Callable[[Node, Edge, Node], None] | None,
    *,
    healing: bool,
    most: int | None,
    first_only: bool,
) -> Exploration:
    recall = Recall(scene.plan, _judge(scene))
    ends: Counter[str] = Counter()

    def searched(world: World, properties: list[Property[Node, Edge]], **options: Any) -> Search[Node, Edge]:
        return search(
            [recall.node(world, scene.first)],
            lambda node: successors(recall, node, healing=healing),
            properties=properties,
            key=Node.key,
            **options,
        )

    properties = _properties(scene, ends, visit, healing=healing)
    found = searched(scene.world, properties, most=most, first_only=first_only)
    cells = {(phase.value, signal): n for (phase, signal), n in recall.cells.items()}

    def fewer(faults: int) -> Search[Node, Edge]:
        world = scene.world.replaced(budget=scene.bounds.budget.at_most(faults))
        return searched(world, _properties(scene, Counter(), None, healing=healing), most=found.states)

    return Exploration(
        states=found.states,
        edges=found.edges,
        depth=found.depth,
        complete=found.complete,
        waiting=found.waiting,
        bounds=scene.bounds,
        violations=tuple(_violations(found, scene, recall, fewer)),
        ends=dict(sorted(ends.items())),
        cells=cells,
        bytes_per_state=found.bytes_per_state,
    )


def replay(
    plan: Plan,
    script: str,
    instances: int | None = None,
    faults: int | Budget | None = None,
    *,
    invariants: Iterable[Invariant] = (),
    checks: Iterable[Check] = (),
    shrink: bool | None = None,
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
        checks: As for ``explore``.
        shrink: As for ``explore``.
        settings: As for ``explore``.
        world: As for ``explore``.
        live: As for ``explore``.

    Raises:
        ValueError: If it is no script, or one of another plan or other bounds; or as of ``explore``.
    """
    scene = Scene.of(
        plan,
        instances=instances,
        faults=faults,
        shrink=shrink,
        settings=settings,
        world=world,
        live=live,
        invariants=invariants,
        checks=checks,
    )
    return replayed(scene.plan, scene.start, script, Recall(scene.plan, _judge(scene)))


# ------------------------------------------------------------------------------------------------ promises


def _judge(scene: Scene) -> Judge:
    """Names all promises that a decision breaks."""
    plan = scene.plan

    def judge(before: State, look: Observation, step: Step) -> tuple[str, ...]:
        if step.signal == BUG:
            return ("the core answers every look",)
        broken = [f"{i.id} {i.name}" for i in INVARIANTS if not i.step(plan, before, look, step)]
        if before.phase is Phase.PREFLIGHT and step.commands:
            broken.append("preflight sends nothing")
        for check in scene.checks:
            broken += _objection(check, plan, before, look, step)
        for invariant in scene.invariants:
            broken += _objection(invariant, plan, step.state, look, step.commands)
        return tuple(broken)

    return judge


def _objection(promise: Callable[..., object], *given: object) -> tuple[str, ...]:
    """The name of a promise of the user's own, if it does not hold."""
    name = getattr(promise, "__name__", None) or str(promise)
    try:
        return () if promise(*given) else (name,)
    except Exception as error:  # noqa: BLE001  (whatever it is, the story shows where it comes from)
        return (f"{name} raised {type(error).__name__}: {error}",)


def _properties(
    scene: Scene, ends: Counter[str], visit: Callable[[Node, Edge, Node], None] | None, *, healing: bool
) -> list[Property[Node, Edge]]:
    plan, start, resized = scene.plan, scene.world, bool(scene.bounds.budget.rescales)
    nowhere = scene.bounds.live is None  # to go back to: a person decides

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

    def promoted(node: Node) -> bool:
        return node.mind.state.phase is Phase.PROMOTED and not node.healing

    def rests(node: Node) -> bool:
        return node.healing or at_rest(node.mind.state)

    def heals(node: Node) -> bool:
        phase = node.mind.state.phase
        return not node.healing or phase.ended or (nowhere and phase is Phase.HALTED)

    found: list[Property[Node, Edge]] = [
        AlwaysStep(broken),
        Always(AS_SAID, as_said),
        Sometimes(PROMOTES, promoted, lambda node: node.mind.state.phase.ended),
        Eventually(ENDS, rests, lambda edge: edge.kind),
    ]
    return [*found, Eventually(HEALS, heals)] if healing else found


# ------------------------------------------------------------------------------------------------- stories


def _violations(
    found: Search[Node, Edge], scene: Scene, recall: Recall, fewer: Callable[[int], Search[Node, Edge]]
) -> Iterator[Violation]:
    """What was found, each by a way with as few faults as will do, the shortest of these first.

    A fault that ends a wait sooner would shorten a way to which it has nothing to say.
    """
    best: dict[str, tuple[int | None, Discovery[Node, Edge]]] = {}
    names = {discovery.name for discovery in found.discoveries}
    for faults in range(scene.bounds.budget.total):
        if names == best.keys():
            break
        for discovery in fewer(faults).discoveries:
            if discovery.name in names and discovery.path.steps:
                best.setdefault(discovery.name, (faults, discovery))
    for discovery in found.discoveries:
        best.setdefault(discovery.name, (None, discovery))
    for most, discovery in sorted(best.values(), key=lambda pair: len(pair[1].path)):
        way = discovery.path.steps
        story = retold(scene.plan, scene.start, way, recall, most=most, back_to=discovery.back_to)
        yield Violation(discovery.name, discovery.kind, story)
