"""Step charts over time as plain geometry: what the report's template draws as SVG.

Only attributes that SVG itself defines are meant, never ``style``: Jenkins' default policy for stored
pages drops styles and would leave black boxes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

# The space that a chart has, in units that are pixels at its natural size.
LEFT, WIDTH, RIGHT = 52, 612, 116
HEIGHT, FOOT = 190, 34
FLAG, MAX_FLAGS = 15, 7
CHARACTER = 6.4
LINE = 15

Row = Mapping[str, float]


@frozen(kw_only=True)
class Series:
    """One line of a chart.

    Args:
        key: The column it shows.
        name: What it is called, beside its end.
        colour: Of the line.
        ink: Of its name: darker, because text needs more contrast than a line.
        dash: The pattern of the line, so that colour is never alone; empty for solid.
        width: Of the line.
        unit: Written after its last value.
    """

    key: str
    name: str
    colour: str
    ink: str
    dash: str = ""
    width: float = 2
    unit: str = ""


@frozen
class Line:
    """A drawn series: its path, the height at which it ends, and its label beside that, at ``y``."""

    series: Series
    path: str
    at: float
    label: str
    y: float


@frozen
class Band:
    """A phase behind the lines, and its name on a flag above them; no name when there is no room."""

    name: str
    x: float
    width: float
    flag: float | None


@frozen
class Mark:
    """A span of time in which something was wrong, and whether there is room for a sign on it."""

    x: float
    width: float
    sign: bool

    @property
    def middle(self) -> float:
        """Where the sign stands: in the middle, but not across the edge of the plot."""
        return min(max(self.x + self.width / 2, LEFT + CHARACTER), LEFT + WIDTH - CHARACTER)


@frozen
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@frozen(kw_only=True)
class Chart:
    """Everything the template draws.

    ``top`` is where the plot begins, below the flags.
    """

    lines: Sequence[Line]
    bands: Sequence[Band]
    across: Sequence[Tick]
    up: Sequence[Tick]
    top: float
    floor: Line | None = None
    marks: Sequence[Mark] = ()
    left: float = LEFT
    width: float = WIDTH
    plot: float = HEIGHT

    @property
    def bottom(self) -> float:
        """Where the plot ends."""
        return self.top + self.plot

    @property
    def box(self) -> str:
        """The view box."""
        return f"0 0 {LEFT + WIDTH + RIGHT} {self.bottom + FOOT:g}"


def draw(
    rows: Sequence[Row],
    series: Sequence[Series],
    phases: Sequence[tuple[str, float, float]],
    *,
    span: tuple[float, float],
    ceiling: float,
    floor: tuple[float, Series] | None = None,
    wrong: Callable[[Row], bool],
) -> Chart:
    """Lay out a chart.

    Args:
        rows: Each holds from its ``second`` until the next one's.
        series: The lines.
        phases: Name, start and end, in seconds.
        span: First and last second of the chart; the first is written as 0:00.
        ceiling: The largest value; the axis goes a little higher, so that no line runs along its edge.
        floor: A value that no line should fall below, and how it is drawn.
        wrong: Whether a row must catch the eye: three failures in ten million are no height of a line.
    """
    start, end = span
    scale = WIDTH / ((end - start) or 1)

    def x(second: float) -> float:
        return round(LEFT + (min(max(second, start), end) - start) * scale, 1)

    bands = _bands([(name, x(first), x(last)) for name, first, last in phases])
    top = 9 + FLAG * (1 + max((band.flag for band in bands if band.flag is not None), default=-1))

    def y(value: float) -> float:
        return round(top + HEIGHT * (1 - min(max(value, 0), ceiling) / (ceiling * 1.05)), 1)

    drawn = [
        (one, [(x(row["second"]), y(row[one.key])) for row in rows], rows[-1][one.key])
        for one in series
        if rows
    ]
    if floor:
        drawn.append((floor[1], [(x(start), y(floor[0]))], floor[0]))
    heights = _spread([points[-1][1] for _, points, _ in drawn], top + 3, top + HEIGHT)
    lines = [
        Line(one, _steps(points, x(end)), points[-1][1], f"{one.name} {last:g}{one.unit}", height)
        for (one, points, last), height in zip(drawn, heights, strict=True)
    ]
    return Chart(
        lines=lines[: len(lines) - bool(floor)],
        floor=lines[-1] if floor else None,
        bands=bands,
        across=[Tick(x(start + at), clock(at)) for at in ticks(end - start, 7, TIMES)],
        marks=_marks(rows, wrong, x, end),
        up=[Tick(y(at), f"{at:g}") for at in ticks(ceiling, 5, COUNTS)],
        top=top,
    )


TIMES = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    *(3600 * hours for hours in (1, 2, 3, 6, 12, 24, 72, 240)),
)
COUNTS = tuple(base * 10**power for power in range(9) for base in (1, 2, 5))


def ticks(length: float, most: int, steps: Sequence[float]) -> list[float]:
    """Round values from 0 to ``length``, at most ``most`` steps apart by the smallest step that does."""
    step = next((step for step in steps if length / step <= most), steps[-1])
    return [step * count for count in range(int(length / step) + 1)]


def clock(seconds: float) -> str:
    """A time since the start: ``0:05``, ``12:00``, ``1:00:00``."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    rest = f"{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
    return f"{hours}:{rest}" if hours else rest


def _steps(points: Sequence[tuple[float, float]], end: float) -> str:
    """Across, then up or down: values hold until they change."""
    x, y = points[0]
    path = [f"M{x:g} {y:g}"]
    for next_x, next_y in points[1:]:
        if next_y != y:
            path.append(f"H{next_x:g}V{next_y:g}")
            y = next_y
    return "".join([*path, f"H{end:g}"])


def _marks(
    rows: Sequence[Row], wrong: Callable[[Row], bool], x: Callable[[float], float], end: float
) -> list[Mark]:
    """Each run of rows that are wrong, wide enough to be seen."""
    runs: list[tuple[float, float]] = []
    begun: float | None = None
    for row in rows:
        if wrong(row) and begun is None:
            begun = row["second"]
        elif not wrong(row) and begun is not None:
            runs.append((begun, row["second"]))
            begun = None
    if begun is not None:
        runs.append((begun, end))
    marks: list[Mark] = []
    signed = 0.0
    for first, last in runs:
        room = x(first) >= signed
        signed = x(first) + 2 * CHARACTER if room else signed
        marks.append(Mark(x(first), max(2, round(x(last) - x(first), 1)), room))
    return marks


def _bands(phases: Sequence[tuple[str, float, float]]) -> list[Band]:
    """Place the phases' names on flags, from right to left.

    A name that would run into the next one goes a row up, so that no flagpole crosses a name: whatever
    is below a name begins further right.
    """
    ends: list[float] = []  # where the leftmost name of each row begins
    bands = []
    for name, first, last in reversed(phases):
        right = first + 4 + len(name) * CHARACTER
        row = next(row for row, taken in enumerate([*ends, float("inf")]) if right < taken)
        flag = row if row < MAX_FLAGS else None
        if flag is not None:
            # Rows below are taken too, or a later name would stand where this one's pole is.
            ends[: flag + 1] = [first] * (flag + 1)
        bands.append(Band(name, first, round(last - first, 1), flag))
    return bands[::-1]


def _spread(heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """Heights for labels, near the given ones and a line apart."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    placed = [0.0] * len(heights)
    low = top
    for rank, i in enumerate(order):
        room = bottom - LINE * (len(order) - 1 - rank)
        placed[i] = low = max(low, min(heights[i], room))
        low += LINE
    return placed


def thinned(rows: Sequence[Row], most: int, worst: Mapping[str, str]) -> tuple[list[Row], float]:
    """At most about ``most`` rows that say the same, and the seconds that each stands for; 0 for all.

    Equal neighbours become one. If that is not enough, rows are put together by equal spans of time.

    Args:
        rows: One a second, in order; what is missing is as before.
        most: How many are wanted.
        worst: What stands for a column's values in a span: ``"max"``, ``"min"`` or ``"mean"``. A short
            burst of errors or a short lack of instances must never be averaged away.
    """
    merged = [row for before, row in zip([None, *rows], rows, strict=False) if not _same(before, row)]
    if len(merged) <= most:
        return merged, 0
    first = rows[0]["second"]
    # Whole seconds, so that a span has a name that people can read.
    span = -(-(rows[-1]["second"] - first + 1) // most)
    starts = [first + span * i for i in range(most)]
    groups: list[list[Row]] = [[] for _ in starts]
    for row in rows:
        groups[bisect_right(starts, row["second"]) - 1].append(row)
    kept: list[Row] = []
    held = rows[0]
    for start, group in zip(starts, groups, strict=True):
        if not group or group[0]["second"] > start:
            group.insert(0, held)
        held = group[-1]
        row = {key: _stands_for([row[key] for row in group], how) for key, how in worst.items()}
        if not (kept and _same(kept[-1], row)):
            kept.append({"second": start, **row})
    return kept, span


def _same(before: Row | None, row: Row) -> bool:
    return before is not None and all(before[key] == row[key] for key in row if key != "second")


def _stands_for(values: Sequence[float], how: str) -> float:
    if how == "mean":
        return round(sum(values) / len(values), 1)
    return max(values) if how == "max" else min(values)
