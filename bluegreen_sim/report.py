"""A deployment as one HTML page: the verdict first, then pictures, phases, decisions and data.

The page has no script and asks for nothing from anywhere, so it can be attached to a ticket, and it
keeps its pictures under Jenkins' default policy, which drops every style. The SVG is drawn here and not
by Vega: phases as bands with their names on flags, and labels at the ends of lines, are what a legend
cannot give, and they cost less than to describe them to a renderer of 88 MB.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import attrs
from attrs import frozen

from bluegreen.core.errors import MissingExtra
from bluegreen.core.plan import Plan, WeightedTargetGroups

from .chart import Series, clock, draw, thinned

MAX_BYTES = 150_000

# Characters of a text and rows of a table: the first sizes with which the page fits are taken.
SIZES = ((500, 240), (160, 160), (60, 80), (20, 40))

# Okabe and Ito's colours, which colour-blind readers can tell apart; names in darker tones, as text
# needs more contrast than lines. Never colour alone: the lines differ in dashes too.
BLUE = Series(key="blue", name="blue", colour="#0072B2", ink="#005A8E")
GREEN = Series(key="green", name="green", colour="#009E73", ink="#00664B", dash="7 4")
ERRORS = Series(key="errors", name="errors", colour="#D55E00", ink="#A84300", dash="2 3", width=3)
BOTH = Series(key="both", name="both", colour="#8C8C8C", ink="#404040", width=6)
TRAFFIC = tuple(attrs.evolve(one, unit=" %") for one in (BLUE, GREEN, ERRORS))
CAPACITY = (BOTH, BLUE, GREEN)
FLOOR = Series(key="floor", name="floor", colour="#D55E00", ink="#A84300", dash="10 3 2 3", width=1.5)

# Control, directional and unassigned characters, lone surrogates, separators of lines and paragraphs.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

T = TypeVar("T")

Verdict = Literal["promoted", "rolled_back", "halted", "refused"]

VERDICTS: dict[str, tuple[str, str]] = {
    "promoted": ("✔", "Promoted"),
    "rolled_back": ("✖", "Rolled back"),
    "halted": ("‖", "Halted"),
    "refused": ("✖", "Refused"),
}


@frozen
class Stage:
    """One phase that a deployment was in.

    Args:
        phase: Its name.
        start: When it was entered, in seconds.
        end: When it was left, in seconds.
        reason: Why it ended.
    """

    phase: str
    start: float
    end: float
    reason: str = ""


@frozen
class Decision:
    """What one pass decided.

    Args:
        second: When.
        phase: The phase after it.
        reason: Its sentence.
        commands: What it asked of the cloud, as short clauses.
    """

    second: float
    phase: str
    reason: str
    commands: tuple[str, ...] = ()


@frozen(kw_only=True)
class Story:
    """All that a report tells. Times are in seconds of one clock; the report counts from ``started``.

    Args:
        service: What was deployed.
        verdict: How it ended.
        ok: Whether that is what was wanted.
        reason: One sentence that says how it ended.
        because: Why it turned back or stopped, where ``reason`` does not say so.
        started: When it began.
        ended: When it ended.
        requests: How many requests users sent.
        failed_requests: How many of them failed.
        failures: (status, how many failed with it).
        p99_ms: (colour, milliseconds within which 99 % of its answers came), where that is known.
        floor: Instances that had to stay healthy and serving; None when there was no floor yet.
        seed: What the simulation was made from; None for a deployment that was not simulated.
        facts: What the plan says, as (word, value); see ``facts_of``.
        shares: ``second``, ``blue``, ``green`` and ``errors``, in percent of the requests.
        healthy: ``second``, ``blue`` and ``green``: healthy targets of each.
        stages: The phases, in order.
        decisions: The passes, in order.
    """

    service: str
    verdict: Verdict
    ok: bool
    reason: str
    started: float
    ended: float
    requests: int
    failed_requests: int
    because: str = ""
    failures: tuple[tuple[int, int], ...] = ()
    p99_ms: tuple[tuple[str, float], ...] = ()
    floor: int | None = None
    seed: int | None = None
    facts: tuple[tuple[str, str], ...] = ()
    shares: Sequence[Mapping[str, float]] = ()
    healthy: Sequence[Mapping[str, float]] = ()
    stages: Sequence[Stage] = ()
    decisions: Sequence[Decision] = ()


def facts_of(plan: Plan) -> tuple[tuple[str, str], ...]:
    """The facts of a plan that belong at the foot of a report."""
    rungs = " → ".join(f"{rung.percent} %" + ", approval" * rung.approval for rung in plan.rungs)
    if isinstance(plan.routing, WeightedTargetGroups):
        routing = "weights between " + " and ".join(plan.routing.target_groups)
    else:
        routing = f"shared target group {plan.routing.target_group}"
    return (
        ("strategy", f"{plan.strategy.name} ({rungs})"),
        ("routing", routing),
        ("image", plan.image) if plan.image else ("version", str(plan.number)),
        ("groups", " and ".join(plan.groups)),
        ("floor", f"{plan.min_healthy_percent} % of the instances"),
    )


def render(story: Story) -> str:
    """The page, at most 150 kB: the same story gives the same bytes.

    What is long is shortened, never left out unsaid: passes that only waited are folded into one, rows
    of a long deployment are put together with the worst of each span kept, and texts are cut.

    Raises:
        MissingExtra: If jinja2 is not installed.
    """
    page = ""
    for longest, most in SIZES:
        page = _page(_told(story, most), longest)
        if len(page.encode()) <= MAX_BYTES:
            break
    return page


def _page(told: Mapping[str, Any], longest: int) -> str:
    """The filled template, no text in it longer than ``longest`` characters."""
    try:
        import jinja2
    except ImportError:
        raise MissingExtra("the HTML report", "report") from None

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: _plain(value, longest),
    )
    source = Path(__file__).with_suffix(".html.jinja").read_text(encoding="utf-8")
    return environment.from_string(source).render(told)


def _told(story: Story, most: int) -> dict[str, Any]:
    """What the template fills in, no table longer than ``most`` rows."""
    shares, share_span = thinned(story.shares, most, {"blue": "mean", "green": "mean", "errors": "max"})
    sums = [{**row, "both": row["blue"] + row["green"]} for row in story.healthy]
    healthy, healthy_span = thinned(sums, most, dict.fromkeys(("blue", "green", "both"), "min"))
    lowest = min((row["both"] for row in sums if story.started <= row["second"] <= story.ended), default=None)
    decisions, decisions_out = _ends(_folded(story.decisions), most)
    stages, stages_out = _ends(story.stages, most)
    symbol, word = VERDICTS[story.verdict]
    span = max(share_span, healthy_span)
    highest = max([1, story.floor or 0, *(row["both"] for row in sums)])
    chart = partial(
        draw,
        phases=[(stage.phase, stage.start, stage.end) for stage in stages],
        span=(story.started, max(story.ended, story.started + 1)),
    )
    floor = None if story.floor is None else (story.floor, FLOOR)
    return {
        "story": story,
        "symbol": symbol,
        "word": word,
        "duration": duration(story.ended - story.started),
        "lowest": lowest,
        "below": lowest is not None and story.floor is not None and lowest < story.floor,
        "traffic": chart(shares, TRAFFIC, ceiling=100, wrong=lambda row: row["errors"] > 0),
        "capacity": chart(
            healthy,
            CAPACITY,
            ceiling=highest,
            floor=floor,
            wrong=lambda row: row["both"] < (story.floor or 0),
        ),
        "shares": shares,
        "healthy": healthy,
        "span": duration(span) if span else "",
        "stages": [(stage, duration(stage.end - stage.start)) for stage in stages],
        "stages_out": stages_out,
        "decisions": decisions,
        "decisions_out": decisions_out,
        "passes": len(story.decisions),
        "clock": lambda second: clock(second - story.started),
    }


def _ends(rows: Sequence[T], most: int) -> tuple[Sequence[T], int]:
    """The first and the last rows, and how many between them are left out."""
    if len(rows) <= most:
        return rows, 0
    half = most // 2
    return [*rows[:half], *rows[-half:]], len(rows) - 2 * half


def _folded(decisions: Sequence[Decision]) -> list[tuple[Decision, int]]:
    """The passes, with those that only waited in the same phase folded into the last of them."""
    rows: list[tuple[Decision, int]] = []
    for decision in decisions:
        quiet = not decision.commands
        if quiet and rows and rows[-1][0].phase == decision.phase and not rows[-1][0].commands:
            rows[-1] = (decision, rows[-1][1] + 1)
        else:
            rows.append((decision, 0))
    return rows


def duration(seconds: float) -> str:
    """A length of time in words: ``45 s``, ``4 min 10 s``, ``3 h 2 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min" + f" {rest} s" * bool(rest)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h" + f" {minutes} min" * bool(minutes)


def _plain(value: Any, longest: int) -> Any:
    """A value as it may stand in the page: cut, and with characters that act on the text made visible.

    Control characters can hide text, directional ones turn it around, and lone surrogates cannot be
    encoded. Markup of our own goes through as it is.
    """
    if hasattr(value, "__html__"):
        return value
    text = str(value)
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in UNSEEN
        else character
        for character in text
    )
