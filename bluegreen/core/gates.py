"""What must hold besides health, as the plan says it: alarms, metrics, probes, hooks, windows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from attrs import frozen

from .checks import (
    Validated,
    alarm_name,
    checked,
    flag,
    matching,
    one_of,
    optional,
    resource_name,
    tuple_of,
    whole,
)
from .errors import Fault
from .text import HIDDEN


@frozen(kw_only=True)
class Alarm(Validated):
    """A monitoring alarm that must not be red, from preflight to the commit.

    One that was red between two looks has been red: the deployment goes back.

    Args:
        name: The alarm's name, as the cloud knows it.

    Raises:
        PlanError: With every fault.
    """

    kind: ClassVar[str] = "alarm"
    name: str = checked(alarm_name)


@frozen(kw_only=True)
class Probe(Validated):
    """An HTTP request, repeated, that must be answered rightly before traffic goes further.

    Args:
        name: What the reading is called.
        url: Where to look; ``{instance}`` in it asks every green instance directly.
        status: Expected HTTP status.
        body: Regular expression that the body must contain; None accepts any body.
        requests: How many requests make one reading.
        test: Whether the URL is one of those that ``Plan.test_rules`` lead to green: then it is asked before
            users come, too.

    Raises:
        PlanError: With every fault.
    """

    kind: ClassVar[str] = "probe"
    name: str = checked(resource_name)
    url: str = checked(matching(r"https?://[^\s\x00-\x1f]{1,2000}", "an http or https URL"))
    status: int = checked(whole(100, 599), default=200)
    body: str | None = checked(
        lambda v: None if v is None or isinstance(v, str) else "must be a regular expression", default=None
    )
    requests: int = checked(whole(1, 1000), default=10)
    test: bool = checked(flag, default=False)

    def cross_faults(self) -> Iterator[Fault]:
        """No password in the URL, for plans are written into journals; and the body pattern must compile."""
        if "@" in self.url.split("/")[2]:
            remedy = (
                "must have no user name or password in it: a probe sends none, and a plan is no place for it"
            )
            yield Fault("url", HIDDEN, remedy)
        if self.body is not None:
            try:
                re.compile(self.body)
            except (re.error, OverflowError, RecursionError) as error:
                yield Fault("body", self.body, f"must be a regular expression: {error}")


# ------------------------------------------------------------------------------------------------- metrics


def _number(value: object) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e15
    return None if number and math.isfinite(value) else "must be a number"  # type: ignore[arg-type]


_METRIC_NAME = matching(r"[\x21-\x7e][\x20-\x7e]{0,254}", "1 to 255 printable ASCII characters")


@frozen(kw_only=True)
class MetricGate(Validated):
    """A metric of green that must stay within a bound while users are on green.

    Each colour is measured by itself. Where blue is beyond the bound too, the metric says nothing of the new
    version: the reading has no data, and the deployment waits.

    Args:
        name: What the reading is called.
        metric: The metric's name, such as ``HTTPCode_Target_5XX_Count``.
        comparison: How the metric must stand to ``threshold``.
        threshold: The bound, in the metric's own unit.
        namespace: Where the metric is.
        statistic: What is made of the values of a period.
        divided_by: A metric of the same namespace whose sum divides the sum of ``metric``: 5xx answers by
            ``RequestCount`` is a share. Only with ``statistic = "Sum"``.
        by: What tells the colours apart: the dimensions of their target groups, or of the groups themselves.
        period_seconds: Length of a period.
        periods: How many of the newest periods in a row must be beyond the bound for the gate to fail; with
            fewer it is pending.
        missing: What a period without a value means: ``"no-data"``, or ``"zero"`` for what is only counted
            when it occurs, as the balancer counts errors.

    Raises:
        PlanError: With every fault.
    """

    kind: ClassVar[str] = "metric"
    name: str = checked(resource_name)
    metric: str = checked(_METRIC_NAME)
    comparison: Literal["<", "<=", ">", ">="] = checked(one_of("<", "<=", ">", ">="), default="<=")
    threshold: float = checked(_number)
    namespace: str = checked(_METRIC_NAME, default="AWS/ApplicationELB")
    statistic: str = checked(
        matching(
            r"Average|Maximum|Minimum|SampleCount|Sum|p\d{1,2}(\.\d{1,2})?|p100",
            "Average, Maximum, Minimum, SampleCount, Sum or a percentile such as p99",
        ),
        default="Sum",
    )
    divided_by: str | None = checked(optional(_METRIC_NAME), default=None)
    by: Literal["target-group", "group"] = checked(one_of("target-group", "group"), default="target-group")
    period_seconds: int = checked(
        lambda v: (
            None if whole(60, 86_400)(v) is None and v % 60 == 0 else "must be a multiple of 60 seconds"
        ),
        default=60,
    )
    periods: int = checked(whole(1, 100, "periods"), default=1)
    missing: Literal["no-data", "zero"] = checked(one_of("no-data", "zero"), default="no-data")

    def cross_faults(self) -> Iterator[Fault]:
        """A quotient is made of sums."""
        if self.divided_by is not None and self.statistic != "Sum":
            yield Fault("statistic", self.statistic, "must be 'Sum' with divided_by")

    def value(self, measured: float | None, divisor: float | None = None) -> float | None:
        """The value of a period; None when there is none.

        Args:
            measured: Of ``metric``; None when nothing was.
            divisor: Of ``divided_by``, likewise.
        """
        if measured is None and self.missing == "zero":
            measured = 0.0
        if self.divided_by is None or measured is None:
            return measured
        return measured / divisor if divisor else None

    def holds(self, value: float) -> bool:
        """Whether a value is within the bound."""
        match self.comparison:
            case "<":
                return value < self.threshold
            case "<=":
                return value <= self.threshold
            case ">":
                return value > self.threshold
            case _:
                return value >= self.threshold


# --------------------------------------------------------------------------------------------------- hooks

STAGES = ("preflight", "test_traffic", "shift", "bake", "keep_blue")
"""The phases whose forward end a hook may hold."""

LIFECYCLE = {
    "RECONCILE_SERVICE": ("preflight",),
    "PRE_SCALE_UP": ("preflight",),
    "POST_SCALE_UP": ("test_traffic",),
    "TEST_TRAFFIC_SHIFT": ("test_traffic",),
    "POST_TEST_TRAFFIC_SHIFT": ("test_traffic",),
    "PRE_PRODUCTION_TRAFFIC_SHIFT": ("test_traffic", "bake"),
    "PRODUCTION_TRAFFIC_SHIFT": ("shift",),
    "POST_PRODUCTION_TRAFFIC_SHIFT": ("bake",),
}
"""The stages of an ECS deployment at which its lifecycle hooks are called (ECS API reference,
DeploymentLifecycleHook), by the phases that wait for such a hook here."""


@frozen(kw_only=True)
class Hook(Validated):
    """A check of the user's own, given to ``Deployment`` by name, that must pass before some phases are left.

    Args:
        name: The name under which the check is given.
        phases: Which phases wait for it: some of ``preflight``, ``test_traffic``, ``shift``, ``bake``,
            ``keep_blue``, or stages by the names that ECS gives them, such as ``POST_SCALE_UP``.

    Raises:
        PlanError: With every fault.
    """

    kind: ClassVar[str] = "hook"
    name: str = checked(resource_name)
    phases: tuple[str, ...] = checked(
        tuple_of(
            "phases or stages",
            lambda v: (
                None
                if v and all(phase in (*STAGES, *LIFECYCLE) for phase in v)
                else f"must be some of {', '.join(map(repr, (*STAGES, *LIFECYCLE)))}"
            ),
        ),
        default=("test_traffic",),
    )

    def waits(self, phase: str) -> bool:
        """Whether a phase waits for this check."""
        return any(phase in LIFECYCLE.get(name, (name,)) for name in self.phases)


# ------------------------------------------------------------------------------------------------- windows

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DATE = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_FREEZE = re.compile(rf"{_DATE}(?:/{_DATE})?")
_HOUR = matching(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", "a time of day such as '09:30'; '24:00' ends a day")


def _freezes(value: tuple[object, ...]) -> str | None:
    if all(isinstance(each, str) and _FREEZE.fullmatch(each) for each in value):
        return None
    return "must be dates such as '2026-12-24', or from the first to the last day, '2026-12-24/2027-01-02'"


@frozen(kw_only=True)
class Window(Validated):
    """When a deployment may begin and go forward.

    Outside of it none begins. One that is under way keeps its share, and its clock stands still; alarms and
    aborts act. From the commit on, and on the way back, it changes nothing.

    Args:
        name: What the reading is called.
        days: On which days, as ``mon`` … ``sun``, in any order.
        opens: From which time of day on.
        closes: Until which time of day, not included; not after ``opens`` means on the next day.
        time_zone: In which zone, as the IANA names it.
        freezes: Days on which it stays shut, each a date or ``first/last``.

    Raises:
        PlanError: With every fault.
    """

    kind: ClassVar[str] = "window"
    name: str = checked(resource_name)
    days: tuple[str, ...] = checked(
        tuple_of(
            "days",
            lambda v: (
                None
                if v and all(day in DAYS for day in v) and len(set(v)) == len(v)
                else f"must be some of {', '.join(map(repr, DAYS))}, each once"
            ),
        ),
        default=DAYS,
    )
    opens: str = checked(_HOUR, default="00:00")
    closes: str = checked(_HOUR, default="24:00")
    time_zone: str = checked(
        matching(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*", "a time zone such as 'Europe/Berlin'"),
        default="UTC",
    )
    freezes: tuple[str, ...] = checked(tuple_of("dates", _freezes), default=())

    def cross_faults(self) -> Iterator[Fault]:
        """A window that never opens, and days that end before they begin."""
        if self.opens in (self.closes, "24:00"):
            yield Fault("closes", self.closes, "must differ from opens, and opens must be before 24:00")
        for i, freeze in enumerate(self.freezes):
            days = freeze.split("/")
            if days != sorted(days):
                yield Fault(f"freezes[{i}]", freeze, "must name the first day, then the last")


Gate = Alarm | MetricGate | Probe | Hook | Window
