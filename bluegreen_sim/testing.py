"""Hypothesis strategies for plans, faults, settings and whole worlds.

    from hypothesis import given
    from bluegreen_sim import testing

    @given(world=testing.worlds(plan, faults=testing.tolerable()))
    def test_nothing_tolerable_stops_us(world):
        assert bluegreen.Deployment(plan, world).run().ok

Everything shrinks to what is easy to read: no fault, one instance, all at once, fast boots. A failing
example is printed as the call that makes its world anew.
"""

from __future__ import annotations

from typing import Any, TypeVar

import attrs

from bluegreen import strategies
from bluegreen.core.errors import MissingExtra
from bluegreen.core.gates import Alarm
from bluegreen.core.limits import Deadlines, Limits
from bluegreen.core.observation import ErrorClass
from bluegreen.core.plan import Plan, Rung, SharedTargetGroup, Strategy, WeightedTargetGroups

from .balancing.target_faults import Flaps, HealthAnswer, InternalError, LuckyProbe, StuckDrain
from .choices import Choices
from .cloud import SimCloud
from .faults import (
    AlarmOk,
    AlarmRed,
    AtPhase,
    BlindLook,
    Budget,
    Busy,
    Denied,
    Dies,
    During,
    EditBounds,
    EditVersion,
    EditWeights,
    Errors,
    Fault,
    Gone,
    LateCall,
    LaunchFails,
    LostAnswer,
    MadeAnew,
    NeverHealthy,
    Over,
    Refreshes,
    RefusedCall,
    Rescale,
    Scarce,
    ScheduledAction,
    Sick,
    SlowBoot,
    SlowToShow,
    StaleLook,
    ZoneDown,
)
from .founding import new_images
from .settings import Settings
from .users.traffic import Traffic

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy

    from .testing_settings import settings
except ModuleNotFoundError as error:
    raise MissingExtra("bluegreen_sim.testing", "test") from error

__all__ = ["faults", "plans", "settings", "tolerable", "worlds"]

T = TypeVar("T")
Faults = tuple[Fault, ...]

IMAGE = "ami-0beta"
NUMBER = 7
LIVE_IMAGE = "ami-0alpha"
ALARM = "errors"


def _given(value: T | SearchStrategy[T]) -> SearchStrategy[T]:
    """A strategy as it is; of any other value, the strategy that draws it."""
    return value if isinstance(value, SearchStrategy) else st.just(value)


# ----------------------------------------------------------------------------------------------- plans


def plans(**fixed: Any) -> SearchStrategy[Plan]:
    """Valid plans of every kind, with times short enough for thousands of runs.

    An image or a template version, both routings, both kinds of fleet, every strategy by name and any other
    ladder, with or without an alarm called ``errors``, deadlines generous or tight. Rungs ask for no
    approval, for nobody is there to give it, and gates are alarms only.

    Args:
        fixed: Fields of ``Plan``, each a value or a strategy of its own:
            ``plans(fleets="standing", deadlines=Deadlines())``. Pin ``routing`` along with a ``strategy``
            that only one of the routings can carry.

    Raises:
        PlanError: While drawing, if what is pinned makes no valid plan.
    """
    pinned = {name: _given(value) for name, value in fixed.items()}
    if "version" in fixed:
        pinned.setdefault("image", st.none())
    routing: SearchStrategy[SharedTargetGroup | WeightedTargetGroups] = pinned.pop("routing", _ROUTINGS)
    of_image = routing.flatmap(
        lambda routing: st.builds(
            Plan,
            routing=st.just(routing),
            **{
                **_FIELDS,
                "strategy": _ladders(shared=isinstance(routing, SharedTargetGroup)),
                **pinned,
            },
        )
    )
    if fixed.keys() & {"image", "version", "source_version"}:
        return of_image
    return of_image | of_image.map(lambda plan: plan.with_version(NUMBER))


_ROUTINGS: SearchStrategy[SharedTargetGroup | WeightedTargetGroups] = st.sampled_from(
    (WeightedTargetGroups("exercise-blue", "exercise-green"), SharedTargetGroup("exercise-target-group"))
)

_WATCHES = st.integers(0, 60)

_LIMITS = st.builds(
    Limits,
    poll_seconds=st.integers(1, 10),
    proof_looks=st.integers(1, 3),
    proof_seconds=st.integers(0, 15),
    blind_grace_seconds=st.integers(0, 120),
    rewrites=st.integers(0, 3),
)

_TIGHT = st.integers(21, 120).map(  # above what a proof within these limits takes
    lambda seconds: Deadlines(**dict.fromkeys((field.name for field in attrs.fields(Deadlines)), seconds))
)

_FIELDS: dict[str, SearchStrategy[Any]] = {
    "service": st.just("exercise"),
    "image": st.just(IMAGE),
    "launch_template": st.just("exercise-launch-template"),
    "groups": st.just(("exercise-group-blue", "exercise-group-green")),
    "fleets": st.sampled_from(("standing", "replace")),
    "capacity": st.none() | st.integers(1, 4),
    "min_healthy_percent": st.sampled_from((100, 75, 50, 0)) | st.integers(0, 100),
    "on_blue_sick": st.sampled_from(("continue", "expedite", "hold")),
    "retain_seconds": st.integers(0, 60),
    "keep_failed_green_seconds": st.just(0) | st.integers(0, 60),
    "freeze_scaling": st.booleans(),
    "gates": st.sampled_from(((), (Alarm(name=ALARM),))),
    "limits": st.just(Limits()) | _LIMITS,
    "deadlines": st.just(Deadlines()) | _TIGHT,
}


def _ladders(*, shared: bool) -> SearchStrategy[Strategy]:
    """Every strategy by name, and any ladder that the routing can show."""
    highest, steps = (50, (50, 100)) if shared else (99, (100, 50, 34, 25))
    keep = {"keep_blue_seconds": _WATCHES}
    return st.one_of(
        st.builds(strategies.all_at_once, _WATCHES, **keep),
        st.builds(strategies.side_by_side, _WATCHES, **keep),
        st.builds(strategies.canary, st.integers(1, highest), _WATCHES, last_bake_seconds=_WATCHES, **keep),
        st.builds(strategies.linear, st.sampled_from(steps), _WATCHES, **keep),
        st.builds(Strategy, _rungs(highest), **keep),
    )


def _rungs(highest: int) -> SearchStrategy[tuple[Rung, ...]]:
    """Up to four rungs in rising order, the last of them 100."""
    percents = st.lists(st.integers(1, highest), max_size=3, unique=True).map(sorted)
    return percents.flatmap(
        lambda below: st.tuples(
            *(st.builds(Rung, percent=st.just(percent), bake_seconds=_WATCHES) for percent in (*below, 100))
        )
    )


# ---------------------------------------------------------------------------------------------- faults

_GROUP = st.sampled_from(("green", "blue"))
_ANY_GROUP = st.sampled_from(("green", "blue", None))
_AT = st.integers(0, 400)
_COUNT = st.integers(1, 3)
_FOR = st.integers(1, 300) | st.none()
_CALL = st.integers(1, 20)
_LOOK = st.integers(1, 80)


def faults(plan: Plan | None = None, *, most: int = 3) -> SearchStrategy[Faults]:
    """A few faults of any class, whatever they lead to; none at all comes first.

    Args:
        plan: Whose images and alarms are struck; by default those of ``plans``. A plan with a shared
            target group has no weights that anybody could edit, and one without alarms none to go red.
        most: How many faults at most.
    """
    return _few(_any_fault(plan), most)


def tolerable(*, most: int = 5) -> SearchStrategy[Faults]:
    """Faults that must never cause a retreat.

    Looks that are stale or see nothing, calls whose answer is lost, calls that are refused for now. Each
    costs a pass or two, so that all together stay far below the default deadlines.

    Args:
        most: How many faults at most.
    """
    return _few(
        st.one_of(
            st.builds(LostAnswer, _CALL, st.booleans()),
            st.builds(RefusedCall, _CALL, st.sampled_from(("throttled", "busy", "not-sent"))),
            st.builds(StaleLook, _LOOK, st.integers(1, 3)),
            st.builds(BlindLook, _LOOK),
        ),
        most,
    )


def _few(fault: SearchStrategy[Fault], most: int) -> SearchStrategy[Faults]:
    return st.lists(fault, max_size=most).map(tuple)


def _any_fault(plan: Plan | None) -> SearchStrategy[Fault]:
    image = st.sampled_from((*(new_images(plan, ()) if plan else (IMAGE,)), LIVE_IMAGE))
    alarms = [gate.name for gate in plan.gates if isinstance(gate, Alarm)] if plan else [ALARM]
    kinds: list[SearchStrategy[Fault]] = [
        st.builds(NeverHealthy, _ANY_GROUP),
        st.builds(NeverHealthy, image=image),
        st.builds(Dies, _GROUP, _AT, _COUNT),
        st.builds(Sick, _GROUP, _AT, _COUNT, _FOR),
        st.builds(HealthAnswer, image, st.sampled_from((200, 404, 503)), st.integers(0, 10)),
        st.builds(LuckyProbe, image),
        st.builds(InternalError, _ANY_GROUP),
        st.builds(StuckDrain, _ANY_GROUP),
        st.builds(Flaps, _GROUP, _AT, st.integers(1, 30), st.integers(1, 10), _COUNT),
        st.builds(SlowBoot, st.integers(0, 1_000), _ANY_GROUP),
        st.builds(LaunchFails, st.integers(1, 5), _ANY_GROUP),
        st.builds(Scarce, st.integers(0, 5), _ANY_GROUP),
        _LASTS.flatmap(lambda lasts: st.sampled_from((lasts, During(lasts, 60, 120), Over(lasts, 0)))),
        st.builds(SlowToShow, st.integers(0, 60)),
        st.builds(EditVersion, _GROUP, st.sampled_from((1, "$Latest", "$Default")), _AT),
        st.builds(ScheduledAction, _GROUP, _AT, desired=st.integers(0, 4)),
        st.builds(Refreshes, _GROUP, _AT),
        st.builds(MadeAnew, _GROUP, _AT),
        st.builds(Gone, image, _AT),
        st.builds(AtPhase, st.sampled_from(("scale_up", "shift", "drain")), st.builds(Sick, _GROUP, _AT)),
        st.builds(LateCall, _CALL, st.integers(1, 120)),
        st.builds(Errors, image, st.integers(1, 100)),
        st.builds(Rescale, _GROUP, st.integers(-3, 3).filter(bool), _AT),
        _BOUNDS.flatmap(lambda b: st.builds(EditBounds, _GROUP, st.just(b[0]), st.just(b[1]), _AT)),
        st.builds(LostAnswer, _CALL, st.booleans()),
        st.builds(RefusedCall, _CALL, st.sampled_from([error.value for error in ErrorClass])),
        st.builds(StaleLook, _LOOK, st.integers(1, 5)),
        st.builds(BlindLook, _LOOK),
    ]
    if alarms:
        alarm = st.sampled_from(alarms)
        kinds += [st.builds(AlarmRed, alarm, _AT, _FOR), st.builds(AlarmOk, alarm, _AT)]
    if plan is None or not plan.shared:
        kinds.append(st.builds(EditWeights, _WEIGHTS, _AT))
    return st.one_of(kinds)


_LASTS: SearchStrategy[Any] = st.one_of(
    st.builds(Busy, _GROUP),
    st.just(ZoneDown(0)),  # which every world has
    st.builds(Denied, st.sampled_from(("SetShares", "SetSize", "Attach"))),
)

_BOUNDS = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(sorted)

_WEIGHTS = (
    st.tuples(st.integers(0, 100), st.integers(0, 100))
    .filter(any)
    .map(lambda weights: tuple(zip(("blue", "green"), weights, strict=True)))
)


# ---------------------------------------------------------------------------------------------- worlds


_SIZES = st.integers(1, 4)
_EITHER = st.sampled_from((0, 1))


def worlds(
    plan: Plan | SearchStrategy[Plan],
    *,
    faults: Faults | SearchStrategy[Faults] | None = None,
    capacity: int | SearchStrategy[int] = _SIZES,
    traffic: int | Traffic | SearchStrategy[int | Traffic] = 10,
    live: int | SearchStrategy[int | None] | None = _EITHER,
    settings: Settings | SearchStrategy[Settings] | None = None,
    budget: Budget | SearchStrategy[Budget] | None = None,
) -> SearchStrategy[SimCloud]:
    """Worlds in which a plan can be deployed, each made anew for its example.

    What is given as a value is the same in all of them; what is given as a strategy varies.

    Args:
        plan: What will be deployed; ``world.plan`` is the one that was drawn.
        faults: What goes wrong; by default anything, see ``faults``.
        capacity: Instances of the live group, 1 to 4 by default.
        traffic: Requests a second; 0 keeps no timeline, and is faster.
        live: Index of the live group in the plan, either by default; None: nothing is live yet.
        settings: How the world behaves; by default quicker than the default deadlines.
        budget: What may go wrong at any moment, besides.
    """
    if isinstance(plan, SearchStrategy):
        return plan.flatmap(
            lambda drawn: worlds(
                drawn,
                faults=faults,
                capacity=capacity,
                traffic=traffic,
                live=live,
                settings=settings,
                budget=budget,
            )
        )
    return st.builds(
        SimCloud,
        st.just(plan),
        capacity=_given(capacity),
        traffic=_given(traffic),
        faults=_few(_any_fault(plan), 3) if faults is None else _given(faults),
        budget=_given(budget),
        live=_given(live),
        settings=_QUICK if settings is None else _given(settings),
        choices=_CHOICES,
    )


_QUICK = settings(quick=True)
_CHOICES = st.builds(Choices.from_bytes, st.binary(max_size=64))
