"""The HTML report of a deployment on the simulator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluegreen.core.errors import BlueGreenError, MissingExtra
from bluegreen.core.evidence import Evidence
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase, Step

from .telling import Told, awaited, turned_back

if TYPE_CHECKING:
    from bluegreen_sim import SimCloud
    from bluegreen_sim.report import Stage


def check_report(path: Path | None) -> None:
    """Make sure that a report can be written, before the work of which it is to tell.

    Raises:
        MissingExtra: If what draws it is not installed.
        BlueGreenError: If there is no such folder.
    """
    if path is None:
        return
    if find_spec("jinja2") is None:
        raise MissingExtra("the HTML report", "report")
    if not path.absolute().parent.is_dir():
        raise BlueGreenError(f"the report cannot be written: there is no folder {path.absolute().parent}")


def write_report(
    path: Path,
    plan: Plan,
    cloud: SimCloud,
    told: Iterable[Told],
    *,
    seed: int,
    build: tuple[float, str] | None = None,
    evidence: Evidence | None = None,
) -> bool:
    """Write the HTML report of what was told; False when there is none of a deployment like this.

    Args:
        path: Where to.
        plan: Of the deployment.
        cloud: Where it ran; its timeline holds what users saw.
        told: The passes; their seconds are those of the timeline.
        seed: What the simulation was made from.
        build: When the image build before it ended, and how.
        evidence: What green left behind, if it was given up.
    """
    from bluegreen_sim.report import VERDICTS, Decision, Story, facts_of, render

    told = list(told)
    last = told[-1]
    verdict: Any = last.phase.value
    if verdict not in VERDICTS:
        return False
    steps = [one.step for one in told]
    reason, because = _ending(steps), turned_back(steps) or ""
    story = Story(
        service=plan.service,
        verdict=verdict,
        ok=verdict == "promoted",
        reason=reason,
        because=because if because != reason else "",
        started=0 if build else told[0].second,
        ended=last.second,
        requests=cloud.timeline.requests,
        failed_requests=cloud.timeline.failed_requests,
        failures=tuple(cloud.timeline.failures().items()),
        p99_ms=tuple(cloud.timeline.percentile_ms(99).items()),
        floor=last.step.state.floor or None,
        seed=seed,
        facts=(*facts_of(plan), *rows(evidence)),
        shares=cloud.timeline.shares(),
        healthy=cloud.timeline.healthy(),
        stages=list(_stages(told, build)),
        decisions=[Decision(t.second, t.phase.value, t.why, t.commands) for t in told],
    )
    path.write_text(render(story), encoding="utf-8")
    return True


def rows(found: Evidence | None) -> tuple[tuple[str, str], ...]:
    """What green left behind, as (word, text) of a line each."""
    if found is None:
        return ()
    lines = [f"{one.instance}: {line}" for one in found.consoles for line in one.lines]
    said = {"target": found.targets, "activity": found.activities, "unread": found.unread, "console": lines}
    return tuple((word, text) for word, texts in said.items() for text in texts)


def _ending(steps: Iterable[Step]) -> str:
    """The sentence that led to the last phase, not that of a later look at it."""
    found, phase = "", None
    for step in steps:
        if step.state.phase is not phase:
            found, phase = step.reason, step.state.phase
    return found


def _stages(told: list[Told], build: tuple[float, str] | None) -> Iterator[Stage]:
    from bluegreen_sim.report import Stage

    if build:
        yield Stage("image build", 0, build[0], build[1])
    entered, start = told[0].before.phase if told[0].before else Phase.PREFLIGHT, told[0].second
    for one in told:
        if one.phase is not entered:
            yield Stage(entered.value, start, one.second, one.step.reason)
            entered, start = one.phase, one.second
    if not entered.ended:
        last = told[-1]
        waits = f"not ended: awaits {awaited(last.plan, last.step.state)}"
        yield Stage(entered.value, start, last.second, waits)
