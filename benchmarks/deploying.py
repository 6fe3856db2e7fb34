"""How much faster than real time a whole deployment is simulated."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from attrs import evolve, frozen

import bluegreen
from bluegreen_sim import Settings, SimCloud, tutorial
from tests.sim.every_check import EveryCheck

from .measure import Section, Sections, cpu_seconds, medians, shown
from .worlds import SEED, canary, passes

ROUNDS = 5
SLOW_ROUNDS = 3


@frozen
class Case:
    """A deployment to be measured.

    Args:
        plan: What is deployed.
        size: Instances of each colour.
        settings: How the world behaves.
    """

    plan: bluegreen.Plan
    size: int
    settings: Settings

    def cloud(self, kind: type[SimCloud] = SimCloud) -> SimCloud:
        """A world in which it has not begun."""
        return kind(self.plan, capacity=self.size, traffic=100, seed=SEED, settings=self.settings)

    def run(self, cloud: SimCloud, journal: bluegreen.MemoryJournal | None = None) -> bluegreen.Result:
        """All of it."""
        result = bluegreen.Deployment(self.plan, cloud, journal=journal or bluegreen.MemoryJournal()).run()
        result.raise_unless_promoted()
        return result


def _cases() -> dict[str, Case]:
    plan, cloud = tutorial()
    linear = evolve(
        canary(),
        strategy=bluegreen.strategies.linear(20, 180),
        limits=bluegreen.Limits(poll_seconds=15),
    )
    slow_boots = Settings(boot_seconds=(60, 90, 120, 150, 180))
    return {
        "tutorial, 2 + 2": Case(plan, 2, cloud.world.settings),
        **{f"canary 10 %, {size:,} + {size:,}": Case(canary(), size, Settings()) for size in (2, 100, 1_000)},
        **{
            f"canary 10 % for {minutes} minutes, 100 + 100": Case(
                evolve(canary(), strategy=bluegreen.strategies.canary(10, 60 * minutes)), 100, Settings()
            )
            for minutes in (30, 60)
        },
        "linear 20 % every 180 s, a look every 15 s, boots of 60 to 180 s, 100 + 100": Case(
            linear, 100, slow_boots
        ),
    }


def measure() -> Sections:
    """Deployments with and without a journal, and against the reference in which each check is an event."""
    cases = _cases()
    return Sections([_whole(cases), _slowly({name: cases[name] for name in list(cases)[-5:]})])


def _whole(cases: dict[str, Case]) -> Section:
    runs = {name: _played(case) for name, case in cases.items()}
    pure = medians({name: partial(_pure, case) for name, case in cases.items()}, ROUNDS)
    full = medians({name: partial(_full, case) for name, case in cases.items()}, ROUNDS)
    read = medians({name: partial(_read, case) for name, case in cases.items()}, ROUNDS)
    rows = [
        [
            name,
            f"{simulated:,.0f}",
            str(count),
            shown(pure[name] * 1e3),
            shown(simulated / pure[name]),
            shown(full[name] * 1e3),
            shown(simulated / full[name]),
            shown(read[name] * 1e3),
        ]
        for name, (simulated, count) in runs.items()
    ]
    note = (
        "From preflight to `promoted`: default times, 100 requests a second, the world made beforehand. "
        "*Loop*: `observe`, `step`, `carry_out`, sleep, and nothing else. *Deployment*: "
        "`bluegreen.Deployment(plan, cloud).run()` with a `MemoryJournal`. What it records is written, "
        "sealed and chained when somebody reads: *journal read* is all of that, done afterwards. "
        "Reading the timeline is not included. Times are those of the process. "
        f"{ROUNDS} interleaved rounds, medians."
    )
    header = [
        *("deployment", "simulated s", "passes"),
        *("loop, ms", "× real time", "Deployment, ms", "× real time", "journal read, ms"),
    ]
    return Section("Whole deployments", note, header, rows)


def _played(case: Case) -> tuple[float, int]:
    """Simulated seconds and passes, both loops agreeing."""
    result = case.run(case.cloud())
    again = sum(1 for _ in passes(case.plan, case.cloud()))
    assert again == len(result.history), "both loops make the same passes"
    return result.ended - result.started, again


def _pure(case: Case) -> float:
    cloud = case.cloud()
    return cpu_seconds(lambda: sum(1 for _ in passes(case.plan, cloud)))


def _full(case: Case) -> float:
    return cpu_seconds(partial(case.run, case.cloud()))


def _read(case: Case) -> float:
    journal = bluegreen.MemoryJournal()
    case.run(case.cloud(), journal)
    return cpu_seconds(journal.records)


def _slowly(cases: dict[str, Case]) -> Section:
    subjects: dict[tuple[str, bool], Callable[[], float]] = {}
    rows, asked = [], {}
    for name, case in cases.items():
        slow = EveryCheck(case.plan, capacity=case.size, traffic=100, seed=SEED, settings=case.settings)
        same = case.run(case.cloud()).history == case.run(slow).history
        asked[name] = slow.asked, "yes" if same else "NO"
        subjects[name, True] = partial(_full, case)
        subjects[name, False] = partial(_every_check, case)
    found = medians(subjects, SLOW_ROUNDS)
    for name, (checks, same_decisions) in asked.items():
        fast, slow_seconds = found[name, True], found[name, False]
        ratio = shown(slow_seconds / fast)
        rows.append(
            [name, f"{checks:,}", shown(fast * 1e3), shown(slow_seconds * 1e3), ratio, same_decisions]
        )
    note = (
        "The same `Deployment` on `tests/sim/every_check.py`: every check of every target is an event, time "
        "goes second by second, every look is made anew. *Same decisions*: states, commands, sentences and "
        f"times of all passes. {SLOW_ROUNDS} interleaved rounds, medians."
    )
    header = ["deployment", "checks", "computed, ms", "every check, ms", "ratio", "same decisions"]
    return Section("Against every check an event", note, header, rows)


def _every_check(case: Case) -> float:
    return cpu_seconds(partial(case.run, case.cloud(EveryCheck)))
