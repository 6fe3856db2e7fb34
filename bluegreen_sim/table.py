"""The timeline as a table: its columns, as dicts, as an Arrow stream, and as a JSON schema."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from .users.latency import percentile
from .users.outcomes import FAILURES

if TYPE_CHECKING:
    from .timeline import Timeline
    from .users.outcomes import Answers, Segment

STATES = ("healthy", "initial", "unhealthy", "draining", "unused")


@frozen
class Column:
    """One column of the table.

    Args:
        name: Its name.
        kind: What a cell holds; only ``"phase"`` and ``"time"`` may be missing.
        sentence: What it says, unit included.
    """

    name: str
    kind: Literal["count", "percent", "version", "phase", "time"]
    sentence: str


COLUMNS = (
    Column("second", "count", "Seconds since the timeline began; the row tells of the second that follows."),
    Column("version", "version", "`blue`, `green`, or `none` for requests that met no target at all."),
    Column("phase", "phase", "The deployment's phase when the second began, where the timeline was told."),
    Column("requests", "count", "Requests that this version got in this second."),
    Column("http_2xx", "count", "Of these, answered rightly."),
    Column("http_500", "count", "Of these, answered wrongly by the application."),
    Column("http_502", "count", "Of these, refused by a target that does not answer, or cut off by its end."),
    Column("http_503", "count", "Of these, without any target to send them to; only of `none`."),
    Column("targets_healthy", "count", "Targets of this state when the second began, whoever gets requests."),
    Column("targets_initial", "count", "The same: no verdict yet."),
    Column("targets_unhealthy", "count", "The same: too many checks failed."),
    Column("targets_draining", "count", "The same: deregistered, within the delay."),
    Column("targets_unused", "count", "The same: of a target group that no rule names."),
    Column("share_wanted", "percent", "What weights and targets would give it when the second began."),
    Column("share_real", "percent", "What it got of this second's requests."),
    Column(
        "http_504",
        "count",
        "Of its requests, not answered in time: 10 s to connect, the idle timeout for an answer.",
    ),
    Column(
        "p50_ms", "time", "Half of this second's answers took no longer, in milliseconds, where it is known."
    ),
    Column("p99_ms", "time", "The same of 99 in a hundred."),
)
"""Fixed: a column may be added at the end, none is renamed, moved or removed."""

JSON_TYPES: dict[str, dict[str, Any]] = {
    "count": {"type": "integer", "minimum": 0},
    "percent": {"type": "number", "minimum": 0, "maximum": 100},
    "version": {"enum": ["blue", "green", "none"]},
    "phase": {"type": ["string", "null"]},
    "time": {"type": ["number", "null"], "minimum": 0},
}


def schema() -> dict[str, Any]:
    """The JSON schema of ``Timeline.to_dicts()``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bluegreen_sim timeline",
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                column.name: {**JSON_TYPES[column.kind], "description": column.sentence} for column in COLUMNS
            },
            "required": [column.name for column in COLUMNS],
            "additionalProperties": False,
        },
    }


def rows(timeline: Timeline) -> Iterator[dict[str, Any]]:
    """The rows, second by second: blue, green, and none in a second in which somebody met no target."""
    answers = timeline.answers()
    requests = {version: each.requests() for version, each in answers.items()}
    seconds = zip(timeline.segment_of_each_second(), timeline.phase_of_each_second(), strict=True)
    for second, (segment, phase) in enumerate(seconds):
        total = sum(counts[second] for counts in requests.values())
        wanted = _wanted(segment, timeline.blue)
        for version, each in answers.items():
            got = requests[version][second]
            if version != "none" or got:
                yield {
                    "second": second,
                    "version": version,
                    "phase": phase,
                    "requests": got,
                    **_by_status(each, second),
                    **_by_state(segment, timeline.blue, version),
                    "share_wanted": wanted[version],
                    "share_real": percent(got, total),
                    "http_504": each.late[second],
                    "p50_ms": _milliseconds(each, second, 50),
                    "p99_ms": _milliseconds(each, second, 99),
                }


def arrow(timeline: Timeline) -> object:
    """The rows as an Arrow stream in a capsule.

    Raises:
        ImportError: If nanoarrow is not installed.
    """
    try:
        import nanoarrow  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError("Arrow needs nanoarrow: pip install 'bluegreen[arrow]'") from error
    types = {
        "count": nanoarrow.int64(nullable=False),
        "percent": nanoarrow.float64(nullable=False),
        "version": nanoarrow.string(nullable=False),
        "phase": nanoarrow.string(),
        "time": nanoarrow.float64(),
    }
    table = list(rows(timeline))
    children = [
        nanoarrow.c_array([row[column.name] for row in table], types[column.kind]) for column in COLUMNS
    ]
    whole = nanoarrow.c_array_from_buffers(
        nanoarrow.struct({column.name: types[column.kind] for column in COLUMNS}, nullable=False),
        length=len(table),
        buffers=[None],
        null_count=0,
        children=children,
    )
    stream: object = nanoarrow.c_array_stream(whole).__arrow_c_stream__()
    return stream


def described(timeline: Timeline) -> Iterator[str]:
    """The timeline in a few lines: the whole, each version, and the phases that are known."""
    failed, total = timeline.failed_requests, timeline.requests
    yield f"{timeline.end_seconds:,.0f} s, {total:,} requests, {failed:,} failed ({percent(failed, total)} %)"
    for version, answers in timeline.answers().items():
        failures = {str(status): getattr(answers, name) for name, status in FAILURES.items()}
        statuses = {"2xx": answers.right} | failures
        got = sum(answers.requests())
        if got or version != "none":
            counts = (f"{status} {sum(row):,}" for status, row in statuses.items() if any(row))
            yield f"{version}: {got:,} requests ({percent(got, total)} %){''.join(f', {c}' for c in counts)}"
    told = [(at // 1000, phase) for at, phase in timeline.phases]
    if told:
        yield "phases: " + ", ".join(f"{phase} at {second} s" for second, phase in told)


def percent(part: int, whole: int) -> float:
    """A part in percent, of two digits after the point; of nothing, 0."""
    if not whole or part * 100 % whole == 0:
        return part * 100 // whole if whole else 0
    return round(part * 100 / whole, 2)


def _by_status(answers: Answers, second: int) -> dict[str, int]:
    return {
        "http_2xx": answers.right[second],
        "http_500": answers.wrong[second],
        "http_502": answers.silent[second],
        "http_503": answers.nobody[second],
    }


def _milliseconds(answers: Answers, second: int, part: int) -> float | None:
    """A percentile of the answers of a second; None unless it is known of all how long they took."""
    paces = answers.paces.get(second)
    if not paces or paces.total() != answers.right[second] + answers.wrong[second]:
        return None
    return percentile(paces, part) / 1000


def _by_state(segment: Segment | None, blue: str, version: str) -> dict[str, int]:
    found = dict.fromkeys(STATES, 0)
    for group, states in segment.states if segment else ():
        if version != "none" and (group == blue) == (version == "blue"):
            for state, count in states:
                found[state] += count
    return {f"targets_{state}": count for state, count in found.items()}


def _wanted(segment: Segment | None, blue: str) -> dict[str, float]:
    """What each version would get of many requests: its part of each target group, by the groups' weights."""
    parts = {"blue": Fraction(0), "green": Fraction(0)}
    nodes = segment.nodes if segment else ()
    for pools in nodes:
        total = len(nodes) * sum(pool.weight for pool in pools)
        for pool in pools if total else ():
            blues = sum(target[1] == blue for target in pool.targets)
            each = Fraction(pool.weight, total * max(1, len(pool.targets)))
            parts["blue"] += blues * each
            parts["green"] += (len(pool.targets) - blues) * each
    parts["none"] = 1 - parts["blue"] - parts["green"]
    return {version: percent(part.numerator, part.denominator) for version, part in parts.items()}
