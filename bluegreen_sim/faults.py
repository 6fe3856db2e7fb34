"""What can go wrong, as data.

Groups are given by name; ``blue`` stands for the group that is live at the start and ``green`` for the
other one. Times are in seconds from the start of the ``SimCloud``. Calls (commands that change something)
and looks are counted from 1, likewise from its start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import attrs
from attrs import frozen

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


# ---------------------------------------------------------------------------- what happens to calls and looks


@frozen
class LaunchFails:
    """The next ``times`` attempts to launch fail, of a group (None: of any); retried with growing pauses."""

    times: int
    group: str | None = None


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


Lasting = NeverHealthy | SlowBoot | Errors | LaunchFails | LostAnswer | RefusedCall | StaleLook | BlindLook
Timed = Dies | Sick | AlarmRed | AlarmOk | Rescale | EditBounds | EditWeights
Fault = Lasting | Timed
TIMED = (Dies, Sick, AlarmRed, AlarmOk, Rescale, EditBounds, EditWeights)


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

    @classmethod
    def any(cls, most: int, **but: int) -> Budget:
        """So many faults in all, each of any kind but ``late``.

        Args:
            most: How many.
            but: Kinds of which there are fewer: ``Budget.any(2, crashes=0)``.
        """
        return cls(**{**dict.fromkeys(KINDS, most), "late": 0, **but}, most=most)

    def spent(self, kind: str) -> Budget:
        """What is left after one fault of a kind."""
        left = {name: getattr(self, name) - (name == kind) for name in KINDS}
        if self.most is None:
            return Budget(**left)
        most = self.most - 1
        return Budget(**{name: min(number, most) for name, number in left.items()}, most=most)


KINDS = tuple(field.name for field in attrs.fields(Budget) if field.name != "most")
"""The kinds of faults that a budget counts."""


# ------------------------------------------------------------------------------------------------- as text

_FORMS: dict[str, tuple[str, Callable[..., Fault]]] = {
    "never-healthy": ("GROUP", NeverHealthy),
    "slow-boot": ("SECONDS", lambda seconds: SlowBoot(_seconds(seconds))),
    "errors": ("IMAGE:PERCENT", lambda image, percent: Errors(image, _count(percent))),
    "dies": ("GROUP:SECONDS", lambda group, at: Dies(group, _seconds(at))),
    "sick": ("GROUP:SECONDS", lambda group, at: Sick(group, _seconds(at))),
    "alarm": ("NAME:SECONDS", lambda name, at: AlarmRed(name, _seconds(at))),
    "rescale": ("GROUP:DELTA:SECONDS", lambda group, delta, at: Rescale(group, int(delta), _seconds(at))),
    "launch-fails": ("TIMES", lambda times: LaunchFails(_count(times))),
    "lost-answer": ("CALL", lambda call: LostAnswer(_count(call))),
    "refused-call": ("CALL", lambda call: RefusedCall(_count(call))),
    "stale-look": ("LOOK", lambda look: StaleLook(_count(look))),
    "blind-look": ("LOOK", lambda look: BlindLook(_count(look))),
}


def _count(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _seconds(text: str) -> float:
    """A time from now on; ``at=120`` says the same as ``120``."""
    seconds = float(text.removeprefix("at="))
    if not 0 <= seconds < 1e9:
        raise ValueError(text)
    return seconds


def parse(text: str) -> Fault:
    """A fault from a short text such as ``dies:green:120``.

    Args:
        text: A kind and its parts; times in seconds, calls and looks counted from 1.

    Raises:
        ValueError: If it is none; the message names what is allowed.
    """
    kind, *given = text.split(":")
    if kind not in _FORMS:
        forms = ", ".join(f"{kind}:{form}" for kind, (form, _) in _FORMS.items())
        raise ValueError(f"{text!r} is no fault; allowed are {forms}")
    form, make = _FORMS[kind]
    parts = len(form.split(":"))
    if kind in ("alarm", "errors"):
        # Their names may hold colons; what stands after the last one is a number.
        given = ":".join(given).rsplit(":", parts - 1)
    wrong = ValueError(
        f"{text!r} is no fault; it should be {kind}:{form}, numbers from 1, times from 0 seconds"
    )
    if len(given) != parts or not all(given):
        raise wrong
    try:
        return make(*given)
    except ValueError:
        raise wrong from None


def for_groups(fault: Fault, blue: str, green: str) -> Fault:
    """The same fault with ``blue`` and ``green`` replaced by the names of the groups."""
    names = {"blue": blue, "green": green}
    if isinstance(fault, EditWeights):
        return attrs.evolve(fault, weights=tuple((names.get(name, name), w) for name, w in fault.weights))
    group = getattr(fault, "group", None)
    changes: dict[str, Any] = {"group": names[group]} if group in names else {}
    return attrs.evolve(fault, **changes)
