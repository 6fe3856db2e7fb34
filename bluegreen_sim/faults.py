"""What can go wrong, as data.

Groups are given by name; ``blue`` stands for the group that is live at the start and ``green`` for the
other one. Times are in seconds from the start of the ``SimCloud``. Calls (commands that change something)
and looks are counted from 1, likewise from its start.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import attrs
from attrs import frozen

from .balancing.target_faults import Flaps, OfTargets
from .ranges import out_of_range

# ------------------------------------------------------------------------------------- what lasts throughout


@frozen
class NeverHealthy:
    """The application never answers on instances of a group, or of an image; None stands for any."""

    group: str | None = None
    image: str | None = None


@frozen
class SlowBoot:
    """The application takes this long on every new instance of a group (None: of any)."""

    seconds: float
    group: str | None = None


@frozen
class Errors:
    """Of the requests that instances of an image answer, so many percent are answered wrongly."""

    image: str
    percent: int


# ------------------------------------------------------------------------------------- what happens at a time


@frozen
class Dies:
    """Instances of a group fail altogether; if there are too few, as soon as there are enough."""

    group: str
    at_seconds: float
    count: int = 1


@frozen
class Sick:
    """The application stops answering while its instance goes on; ``for_seconds`` None: for good."""

    group: str
    at_seconds: float
    count: int = 1
    for_seconds: float | None = None


@frozen
class AlarmRed:
    """An alarm goes red; ``for_seconds`` None: for good."""

    name: str
    at_seconds: float
    for_seconds: float | None = None


@frozen
class AlarmOk:
    """An alarm is no longer red."""

    name: str
    at_seconds: float


@frozen
class Rescale:
    """A scaling policy moves a group's wanted size, within its bounds and unless its scaling is suspended."""

    group: str
    delta: int
    at_seconds: float


@frozen
class EditBounds:
    """Somebody else sets a group's bounds."""

    group: str
    min: int
    max: int
    at_seconds: float


@frozen
class EditWeights:
    """Somebody else divides the traffic anew: (group, weight)."""

    weights: tuple[tuple[str, int], ...]
    at_seconds: float


@frozen
class EditVersion:
    """Somebody else points a group at another template version."""

    group: str
    version: int | Literal["$Latest", "$Default"]
    at_seconds: float


@frozen
class ScheduledAction:
    """A scheduled action of a group; what is None stays. Missed while ScheduledActions is suspended."""

    group: str
    at_seconds: float
    min: int | None = None
    max: int | None = None
    desired: int | None = None
    name: str = "scheduled"


@frozen
class Refreshes:
    """Somebody starts an instance refresh of a group: every instance is replaced, a few at a time."""

    group: str
    at_seconds: float


@frozen
class Gone:
    """Somebody deletes an image, by its id, or a version of the launch template, by its number."""

    what: str | int
    at_seconds: float


@frozen
class MadeAnew:
    """Somebody deletes a group and makes another one of the same name and sizes."""

    group: str
    at_seconds: float


@frozen
class During:
    """What lasts begins at a time, and is over again after ``for_seconds``; None: never."""

    fault: Lasting
    at_seconds: float
    for_seconds: float | None = None


@frozen
class Over:
    """What lasts is over."""

    fault: Lasting
    at_seconds: float


@frozen
class AtPhase:
    """Something happens when a deployment comes to a phase for the first time.

    It happens so many seconds after that, ``at_seconds`` of the fault itself; what lasts begins then.
    """

    phase: str
    fault: Fault


# ---------------------------------------------------------------------------- what happens to calls and looks


@frozen
class LateCall:
    """The n-th call is answered by nothing, and is carried out so many seconds later."""

    call: int
    seconds: float


Why = Literal["capacity", "quota", "subnet", "profile", "key", "security-group", "encryption", "target-group"]


@frozen
class LaunchFails:
    """The next ``times`` attempts to launch fail, of a group (None: of any); retried with growing pauses.

    With a ``zone`` they fail there only, and another zone is tried. ``why`` says what AWS would say; of all
    reasons only ``capacity`` mends itself.
    """

    times: int
    group: str | None = None
    why: Why = "capacity"
    zone: int | None = None


@frozen
class Scarce:
    """Only so many more instances can be started, of a group (None: of any): the others are not to be had."""

    left: int
    group: str | None = None
    why: Why = "capacity"


@frozen
class ZoneDown:
    """Nothing can be started in a zone."""

    zone: int


@frozen
class Busy:
    """Something goes on in a group, so that changes of it are refused (ScalingActivityInProgress)."""

    group: str


@frozen
class SlowToShow:
    """A new group is not seen, by looks or by calls, before so many seconds have passed."""

    seconds: float


@frozen
class Denied:
    """One kind of call is not allowed: a command by its name, or an operation of AWS by its name."""

    action: str


@frozen
class LostAnswer:
    """The n-th call from now on is carried out (or not: ``applied = False``), and its answer is lost."""

    call: int
    applied: bool = True


@frozen
class RefusedCall:
    """The n-th call is not carried out; ``error`` is the class of it in bluegreen's words."""

    call: int
    error: str = "throttled"


@frozen
class StaleLook:
    """The n-th look shows what the look ``age`` looks before it showed."""

    look: int
    age: int = 1


@frozen
class BlindLook:
    """The n-th look cannot read groups and weights.

    How that shows matters through boto3 only: the service is ``unavailable`` (503), bodies are ``garbled``
    (cut off), or lists are ``cut-short`` (their first page comes, the next one is unavailable).
    """

    look: int
    how: Literal["unavailable", "garbled", "cut-short"] = "unavailable"


Lasting = (
    NeverHealthy
    | SlowBoot
    | Errors
    | OfTargets
    | LaunchFails
    | Scarce
    | ZoneDown
    | Busy
    | SlowToShow
    | Denied
    | LateCall
    | LostAnswer
    | RefusedCall
    | StaleLook
    | BlindLook
)
OfGroup = Dies | Sick | Flaps | Rescale | EditBounds | EditVersion | ScheduledAction | Refreshes | MadeAnew
Timed = OfGroup | AlarmRed | AlarmOk | EditWeights | Gone | During | Over
Fault = Lasting | Timed | AtPhase


@frozen(kw_only=True)
class Budget:
    """How many faults of each kind may still happen, at any moment that the choices choose.

    Args:
        sick: Applications that stop answering, their instances going on.
        dies: Instances that fail altogether.
        lost: Calls whose answer is lost, carried out or not.
        refused: Calls that are throttled.
        stale: Looks that show the look before.
        blind: Looks that read neither groups nor weights.
        rescales: Sizes that a scaling policy moves by one, up or down.
        reds: Gates that do not pass: alarms that go red for good, probes and hooks that fail once, or cannot
            say yet.
        acts: Operators' acts: an abort or a pause at any moment; in ``halted`` a resume. Not for a
            ``SimCloud``, which has no operator: for ``explore``.
        crashes: Ends of the deploying process at any boundary of a pass; another one goes on from the
            journal. Likewise for ``explore``.
        late: Processes that are superseded right before they send, after the lease was checked: another one
            goes on from the journal, and the request in hand arrives before some later look. For
            ``explore``; not among ``any``, since AWS cannot compare fences and a late request is obeyed.
        most: How many in all, of whatever kinds; None for no such limit.
    """

    sick: int = 0
    dies: int = 0
    lost: int = 0
    refused: int = 0
    stale: int = 0
    blind: int = 0
    rescales: int = 0
    reds: int = 0
    acts: int = 0
    crashes: int = 0
    late: int = 0
    most: int | None = None

    def __attrs_post_init__(self) -> None:
        """Raise ValueError with all that is no number of faults."""
        if wrong := list(out_of_range(self, {})):
            raise ValueError("\n".join(wrong))

    @classmethod
    def any(cls, most: int, **but: int) -> Budget:
        """So many faults in all, each of any kind but ``late``.

        Args:
            most: How many.
            but: Kinds of which there are fewer: ``Budget.any(2, crashes=0)``.
        """
        return cls(**{**dict.fromkeys(KINDS, most), "late": 0, **but}, most=most)

    @property
    def total(self) -> int:
        """How many there may be in all."""
        total: int = sum(getattr(self, name) for name in KINDS)
        return total if self.most is None else min(total, self.most)

    def at_most(self, most: int) -> Budget:
        """The same, and no more than so many in all."""
        return Budget(**{name: min(getattr(self, name), most) for name in KINDS}, most=most)

    def spent(self, kind: str) -> Budget:
        """What is left after one fault of a kind."""
        return _spent(self, kind)


NO_FAULTS = Budget()


@lru_cache(maxsize=1024)
def _spent(budget: Budget, kind: str) -> Budget:
    """What is left of a budget. A search asks for the same few again and again."""
    left = attrs.evolve(budget, **{kind: getattr(budget, kind) - 1})
    return left if budget.most is None else left.at_most(budget.most - 1)


KINDS = tuple(field.name for field in attrs.fields(Budget) if field.name != "most")
"""The kinds of faults that a budget counts."""


def for_groups(fault: Fault, blue: str, green: str) -> Fault:
    """The same fault with ``blue`` and ``green`` replaced by the names of the groups."""
    names = {"blue": blue, "green": green}
    if isinstance(fault, EditWeights):
        return attrs.evolve(fault, weights=tuple((names.get(name, name), w) for name, w in fault.weights))
    if isinstance(fault, During | Over | AtPhase):
        inner: Any = for_groups(fault.fault, blue, green)
        return attrs.evolve(fault, fault=inner)
    group = getattr(fault, "group", None)
    changes: dict[str, Any] = {"group": names[group]} if group in names else {}
    return attrs.evolve(fault, **changes)
