"""Stories for the tests of the report: made by hand, each of a kind that a page must tell well."""

import random

import attrs

from bluegreen import strategies
from bluegreen.core.plan import Plan, SharedTargetGroup, WeightedTargetGroups
from bluegreen_sim.report import Decision, Stage, Story, facts_of

ALARM = (
    "the alarm 'exercise-5xx' is red: Threshold Crossed: 1 datapoint [14.0 (23/11/26 03:12:00)] was greater "
    "than the threshold (5.0); 2 of 4 green targets healthy (i-0a1b2c3d4e5f60718: "
    "Target.ResponseCodeMismatch, i-0b1b2c3d4e5f60718: Target.Timeout), 18 s left"
)

PLAN = Plan(
    service="exercise",
    image="ami-0beta",
    launch_template="exercise-launch-template",
    groups=("exercise-group-blue", "exercise-group-green"),
    routing=SharedTargetGroup("exercise-target-group"),
    strategy=strategies.side_by_side(bake_seconds=60),
)


def stages(*lengths: tuple[str, float, str]) -> tuple[Stage, ...]:
    """Phases one after the other, from their lengths in seconds."""
    found: list[Stage] = []
    for phase, length, reason in lengths:
        start = found[-1].end if found else 0
        found.append(Stage(phase, start, start + length, reason))
    return tuple(found)


def decisions(phases: tuple[Stage, ...], every: int = 5) -> tuple[Decision, ...]:
    """A pass at the start of each phase, which acts, and others that wait."""
    return tuple(
        Decision(
            second,
            stage.phase,
            f"{second % 4} of 4 green targets healthy, {stage.end - second:g} s left",
            (f"size of exercise-group-green to {second % 9}",) if second == stage.start else (),
        )
        for stage in phases
        for second in range(int(stage.start), int(stage.end), every)
    )


def promoted() -> Story:
    """The tutorial's: side by side, then green alone."""
    phases = stages(
        ("preflight", 5, "exercise-group-blue is live with 2 healthy targets; exercise-group-green is empty"),
        ("scale_up", 95, "2 of 2 green targets healthy in 2 looks"),
        ("test_traffic", 10, "all green instances answered directly"),
        ("shift", 20, "green gets 50 %: 2 of 4 targets healthy behind the balancer"),
        ("bake", 60, "60 s watched, no alarm"),
        ("shift", 5, "green is at full size beside the whole blue"),
        ("bake", 5, "nothing to watch"),
        ("keep_blue", 5, "nothing to keep"),
        ("drain", 60, "blue has no instance left"),
        ("clean_up", 5, "nothing is left over"),
    )
    return Story(
        service="exercise",
        verdict="promoted",
        ok=True,
        reason="exercise-group-green serves ami-0beta alone; nothing is left over.",
        started=0,
        ended=270,
        requests=27_000,
        failed_requests=0,
        floor=2,
        seed=1,
        facts=facts_of(PLAN),
        shares=[
            {"second": s, "blue": b, "green": 100 - b, "errors": 0}
            for s in range(270)
            for b in [100 if s < 115 else 50 if s < 210 else 0]
        ],
        healthy=[
            {"second": s, "blue": 2 if s < 205 else 0, "green": 0 if s < 88 else 1 if s < 95 else 2}
            for s in range(270)
        ],
        stages=phases,
        decisions=decisions(phases),
    )


def rolled_back() -> Story:
    """Green breaks under load; users see errors; blue comes back, one instance short for a while."""
    phases = stages(
        ("preflight", 5, "colours seen"),
        ("scale_up", 120, "4 of 4 green targets healthy"),
        ("test_traffic", 10, "all green instances answered directly"),
        ("shift", 15, "green gets 25 %"),
        (
            "bake",
            42,
            ALARM,
        ),
        ("roll_back", 10, "blue has all traffic"),
        ("discard", 75, "green is gone, what was borrowed is given back"),
    )
    return Story(
        service="exercise",
        verdict="rolled_back",
        ok=False,
        reason="The alarm 'exercise-5xx' turned red 42 s into the first rung; blue has all traffic again.",
        started=0,
        ended=277,
        requests=55_400,
        failed_requests=1263,
        floor=4,
        seed=20_261_123,
        facts=facts_of(attrs.evolve(PLAN, strategy=strategies.canary(25, 60))),
        shares=[
            {"second": s, "blue": 100 - g - e, "green": g, "errors": e}
            for s in range(277)
            for g in [20 if 160 < s < 195 else 25 if 140 < s <= 160 else 0]
            for e in [5 + s % 4 if 165 < s < 193 else 0]
        ],
        healthy=[
            {
                "second": s,
                "blue": 3 if 170 < s < 188 else 4,
                "green": 0 if s < 110 or s > 215 else 2 if 175 < s < 195 else 4,
            }
            for s in range(277)
        ],
        stages=phases,
        decisions=decisions(phases),
    )


def refused() -> Story:
    """Nothing was changed, nothing was seen."""
    return Story(
        service="exercise",
        verdict="refused",
        ok=False,
        reason="Both groups are live (2 and 2 instances): which of them is blue cannot be told.",
        started=0,
        ended=0,
        requests=0,
        failed_requests=0,
        facts=facts_of(PLAN),
        stages=(Stage("preflight", 0, 0, "both groups are live"),),
        decisions=(Decision(0, "refused", "both groups are live"),),
    )


def three_hours() -> Story:
    """A canary with weights, watched for long; shares are never exact, so no two seconds are equal."""
    plan = attrs.evolve(
        PLAN,
        service="shop",
        routing=WeightedTargetGroups("shop-a", "shop-b"),
        strategy=strategies.canary(10, 7200, approval=True, last_bake_seconds=1800, keep_blue_seconds=600),
    )
    phases = stages(
        ("preflight", 5, "colours seen"),
        ("scale_up", 110, "40 of 40 green targets healthy"),
        ("test_traffic", 10, "all green instances answered directly"),
        ("shift", 5, "weights 90 and 10 read back"),
        ("bake", 7800, "7200 s watched, approved by alice"),
        ("shift", 5, "weights 0 and 100 read back"),
        ("bake", 1800, "1800 s watched"),
        ("keep_blue", 600, "600 s kept"),
        ("drain", 320, "blue has no instance left"),
        ("clean_up", 5, "nothing is left over"),
    )
    dice = random.Random(1)
    ended = 10_660
    return Story(
        service="shop",
        verdict="promoted",
        ok=True,
        reason="shop-green serves ami-0beta alone; nothing is left over.",
        started=0,
        ended=ended,
        requests=10_660_000,
        failed_requests=3,
        floor=40,
        seed=7,
        facts=facts_of(plan),
        shares=[
            {"second": s, "blue": round(100 - g - e, 2), "green": g, "errors": e}
            for s in range(ended)
            for g in [0 if s < 130 else round(9 + 2 * dice.random(), 2) if s < 7935 else 100]
            for e in [0.3 if s == 4000 else 0]
        ],
        healthy=[
            {
                "second": s,
                "blue": 40 - (dice.random() < 0.02) if s < 10_340 else 0,
                "green": min(40, max(0, s - 60)),
            }
            for s in range(ended)
        ],
        stages=phases,
        decisions=decisions(phases),
    )


def linear() -> Story:
    """Ten rungs: many short phases side by side."""
    rungs = [
        part
        for rung in range(1, 11)
        for part in (("shift", 5, f"green gets {rung * 10} %"), ("bake", 60, "60 s watched"))
    ]
    phases = stages(
        ("preflight", 5, "seen"),
        ("scale_up", 60, "healthy"),
        *rungs,
        ("drain", 30, "gone"),
        ("clean_up", 5, ""),
    )
    ended = int(phases[-1].end)
    return attrs.evolve(
        promoted(),
        ended=ended,
        stages=phases,
        decisions=decisions(phases),
        shares=[
            {"second": s, "blue": 100 - g, "green": g, "errors": 0}
            for s in range(ended)
            for g in [min(100, max(0, (s - 65) // 65 * 10 + 10)) if s >= 65 else 0]
        ],
        healthy=[
            {"second": s, "blue": 2 if s < 720 else 0, "green": 2 if s > 40 else 0} for s in range(ended)
        ],
    )


def halted() -> Story:
    """A person decides, and the clock does not begin at zero."""
    story = rolled_back()
    return attrs.evolve(
        story,
        verdict="halted",
        reason="Neither colour can carry the traffic: 1 of 4 blue and 2 of 4 green targets healthy.",
        started=1_700_000_000,
        ended=1_700_000_277,
        shares=[{**row, "second": row["second"] + 1_700_000_000} for row in story.shares],
        healthy=[{**row, "second": row["second"] + 1_700_000_000} for row in story.healthy],
        stages=[
            attrs.evolve(stage, start=stage.start + 1_700_000_000, end=stage.end + 1_700_000_000)
            for stage in story.stages
        ],
        decisions=[attrs.evolve(row, second=row.second + 1_700_000_000) for row in story.decisions],
    )


STORIES = {
    "promoted": promoted(),
    "rolled back": rolled_back(),
    "refused": refused(),
    "three hours": three_hours(),
    "linear": linear(),
    "halted": halted(),
}
