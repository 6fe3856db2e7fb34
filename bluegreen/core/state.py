"""Where a deployment stands: phases, the ledger of what was borrowed, sightings, the state itself."""

from __future__ import annotations

from enum import Enum
from typing import Any

from attrs import field, frozen

from .commands import Command
from .observation import Delays, instant


class Phase(Enum):
    """Where the deployment stands. The order is that of a promotion, then the ways back and the ends."""

    PREFLIGHT = "preflight"
    """Nothing is changed yet; what is wrong is found here."""
    SCALE_UP = "scale_up"
    """The version exists, green is at size and healthy where its health can be seen."""
    TEST_TRAFFIC = "test_traffic"
    """Green is asked directly, and by the plan's test rules; no users."""
    SHIFT = "shift"
    """A rung's share moves to green."""
    BAKE = "bake"
    """The rung's gates are watched."""
    KEEP_BLUE = "keep_blue"
    """The last watch: blue whole, an instant way back."""
    DRAIN = "drain"
    """Committed. Blue goes to zero."""
    CLEAN_UP = "clean_up"
    """What was borrowed is given back."""
    ROLL_BACK = "roll_back"
    """Traffic returns to blue."""
    DISCARD = "discard"
    """Green goes away, what was borrowed is given back."""
    HALTED = "halted"
    """Neither colour is safe to move to: a person decides, nothing is deleted."""
    PROMOTED = "promoted"
    """End: green is live."""
    ROLLED_BACK = "rolled_back"
    """End: blue is live, as before."""
    REFUSED = "refused"
    """End: preflight found something; nothing was changed."""

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self in ENDS

    @property
    def forward(self) -> bool:
        """Whether the way leads to a promotion that can still be called off."""
        return self in FORWARD

    @property
    def backward(self) -> bool:
        """Whether traffic or capacity is on its way back to blue."""
        return self in (Phase.ROLL_BACK, Phase.DISCARD)


ENDS = (Phase.PROMOTED, Phase.ROLLED_BACK, Phase.REFUSED)
FORWARD = (Phase.SCALE_UP, Phase.TEST_TRAFFIC, Phase.SHIFT, Phase.BAKE, Phase.KEEP_BLUE)


@frozen
class Loan:
    """One setting that we changed and must give back.

    Args:
        fleet: The group.
        setting: ``min``, ``max``, ``size``, ``version``, ``attached``, ``frozen``, ``weight`` or
            ``test_weight``.
        before: Its value before our first change.
        written: Every value that we asked for since. A value that is neither of these is somebody
            else's and is left alone.
        rewrites: How often we wrote over somebody else's value.
    """

    fleet: str
    setting: str
    before: int | None
    written: tuple[int, ...] = ()
    rewrites: int = 0

    def foreign(self, value: int | None) -> bool:
        """Whether somebody else wrote this value."""
        return value != self.before and value not in self.written


@frozen
class Ledger:
    """What a deployment borrowed, and who it is.

    Args:
        deployment_id: Names and tokens of everything we make are functions of it.
        loans: What must be given back.
    """

    deployment_id: str
    loans: tuple[Loan, ...] = ()

    def loan(self, fleet: str | None, setting: str) -> Loan | None:
        """The loan of a setting; None when we never touched it."""
        for loan in self.loans:
            if loan.setting == setting and loan.fleet == fleet:
                return loan
        return None


@frozen
class Sighting:
    """Instances that were seen healthy together.

    Args:
        ids: The instances, all of the pinned version.
        looks: Looks in a row in which they were healthy, counted up to what proof asks for.
        span: Seconds between the first and the last of these looks, likewise.
    """

    ids: frozenset[str]
    looks: int
    span: float


@frozen(kw_only=True, slots=False)
class State:
    """Where one deployment stands; what ``step`` folds over.

    Times are in seconds. ``clock`` is the deployment's own: it stands still while paused, while only a
    person or an open window is awaited, and while nobody looks.

    Args:
        ledger: Who we are and what we borrowed.
        at: When the world was last looked at.
        wake_at: When the next look was due.
        phase: Where the deployment stands.
        rung: Index of the current rung.
        clock: Own seconds since the start.
        since: ``clock`` when the phase was entered.
        blue: Name of the group that was live at the start; the other name when none was.
        green: Name of the other group.
        first_release: Whether no group was live at the start.
        source: Template version that the new one is made from.
        version: The pinned template version of green, once it exists.
        baseline: Blue's wanted size at the start.
        floor: Instances that must stay healthy and serving.
        need: The largest size that blue has wanted since preflight: what green must reach.
        committed: Whether the way back is closed.
        came_from: With ``halted``: the phase that a resume returns to.
        paused: Whether an operator holds forward transitions.
        awaiting: Whether only a person's approval is awaited.
        abort: The reason an operator gave for calling it off.
        let_go: Whether an operator has seen enough of a green that is kept.
        approved: Highest rung that an operator approved; -1 for none.
        seen: Sequence number of the last request that was taken in.
        attached: Whether green was behind the balancer at the last look: the verdicts that
            ``sightings`` count are then the balancer's, else those of asking directly.
        sightings: Healthy instances of the pinned version, by how well they are proven.
        short: Whole looks in a row in which a green behind the shared target group could not carry its
            share, counted up to ``verdict.SICK_LOOKS``.
        withheld: The invariant that the guard withheld a command for in the last pass, although it
            saw what the decision saw.
        withheld_twice: Whether it was the same one in the pass before: then the decision is wrong.
        closed: Whether only a window is awaited: own time stands still.
        delays: What the balancer makes everybody wait for, as it was when preflight was left.
        reds: Of each alarm when preflight was left, and again after a resume: (name, when it was last red).
        leftovers: What could not be given back or removed, for the result.
    """

    ledger: Ledger
    at: float = field(converter=instant)
    wake_at: float = field(converter=instant)
    phase: Phase = Phase.PREFLIGHT
    rung: int = 0
    clock: float = 0.0
    since: float = 0.0
    blue: str | None = None
    green: str | None = None
    first_release: bool = False
    source: int | None = None
    version: int | None = None
    baseline: int = 0
    floor: int = 0
    need: int = 0
    committed: bool = False
    came_from: Phase | None = None
    paused: bool = False
    awaiting: bool = False
    abort: str | None = None
    let_go: bool = False
    approved: int = -1
    seen: int = 0
    attached: bool = False
    sightings: tuple[Sighting, ...] = ()
    short: int = 0
    withheld: str | None = None
    withheld_twice: bool = False
    closed: bool = False
    delays: Delays = Delays()
    reds: tuple[tuple[str, float], ...] = ()
    leftovers: tuple[str, ...] = ()

    def replaced(self, **changes: Any) -> State:
        """The state with some fields replaced, by valid values: ``attrs.evolve`` at a fifth of its cost."""
        state = object.__new__(State)
        state.__dict__.update(self.__dict__, **changes)
        return state

    @property
    def elapsed(self) -> float:
        """Own seconds in this phase."""
        return self.clock - self.since


@frozen
class Step:
    """What one pass decided.

    Args:
        state: Where the deployment stands now.
        commands: What to ask of the cloud, in this order; stop at the first that is not applied.
        reason: One sentence for people, with the numbers that decided.
        wake_at: When to look again, in seconds.
        signal: The one word in which the observation answered the phase: the reason's kind.
    """

    state: State
    commands: tuple[Command, ...]
    reason: str
    wake_at: float
    signal: str
