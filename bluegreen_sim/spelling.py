"""Faults as short texts, such as ``dies:green:120``, for command lines and scripts."""

from __future__ import annotations

from collections.abc import Callable

from .balancing.target_faults import Flaps, HealthAnswer, InternalError, LuckyProbe, StuckDrain
from .faults import (
    AlarmRed,
    BlindLook,
    Busy,
    Denied,
    Dies,
    During,
    EditVersion,
    Errors,
    Fault,
    Gone,
    LateCall,
    LaunchFails,
    LostAnswer,
    MadeAnew,
    NeverHealthy,
    Refreshes,
    RefusedCall,
    Rescale,
    Scarce,
    Sick,
    SlowBoot,
    SlowToShow,
    StaleLook,
    ZoneDown,
)

FORMS: dict[str, tuple[str, Callable[..., Fault]]] = {
    "never-healthy": ("GROUP", NeverHealthy),
    "slow-boot": ("SECONDS", lambda seconds: SlowBoot(_seconds(seconds))),
    "errors": ("IMAGE:PERCENT", lambda image, percent: Errors(image, _count(percent))),
    "dies": ("GROUP:SECONDS", lambda group, at: Dies(group, _seconds(at))),
    "sick": ("GROUP:SECONDS", lambda group, at: Sick(group, _seconds(at))),
    "health-answer": ("IMAGE:CODE", lambda image, code: HealthAnswer(image, _count(code))),
    "lucky-probe": ("IMAGE", LuckyProbe),
    "internal-error": ("GROUP", InternalError),
    "stuck-drain": ("GROUP", StuckDrain),
    "flaps": ("GROUP:EVERY:SECONDS", lambda group, every, at: Flaps(group, _seconds(at), _seconds(every))),
    "alarm": ("NAME:SECONDS", lambda name, at: AlarmRed(name, _seconds(at))),
    "rescale": ("GROUP:DELTA:SECONDS", lambda group, delta, at: Rescale(group, int(delta), _seconds(at))),
    "launch-fails": ("TIMES", lambda times: LaunchFails(_count(times))),
    "scarce": ("GROUP:LEFT", lambda group, left: Scarce(int(left), group)),
    "busy": ("GROUP:SECONDS:FOR", lambda group, at, last: During(Busy(group), _seconds(at), _seconds(last))),
    "zone-down": ("ZONE:SECONDS", lambda zone, at: During(ZoneDown(int(zone)), _seconds(at))),
    "denied": ("ACTION", Denied),
    "slow-to-show": ("SECONDS", lambda seconds: SlowToShow(_seconds(seconds))),
    "edit-version": (
        "GROUP:VERSION:SECONDS",
        lambda group, version, at: EditVersion(group, _count(version), _seconds(at)),
    ),
    "refreshes": ("GROUP:SECONDS", lambda group, at: Refreshes(group, _seconds(at))),
    "made-anew": ("GROUP:SECONDS", lambda group, at: MadeAnew(group, _seconds(at))),
    "gone": (
        "IMAGE-OR-VERSION:SECONDS",
        lambda what, at: Gone(_count(what) if what.isdecimal() else what, _seconds(at)),
    ),
    "late-call": ("CALL:SECONDS", lambda call, seconds: LateCall(_count(call), _seconds(seconds))),
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
    if kind not in FORMS:
        forms = ", ".join(f"{kind}:{form}" for kind, (form, _) in FORMS.items())
        raise ValueError(f"{text!r} is no fault; allowed are {forms}")
    form, make = FORMS[kind]
    parts = len(form.split(":"))
    if kind in ("alarm", "errors", "health-answer", "lucky-probe"):
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
