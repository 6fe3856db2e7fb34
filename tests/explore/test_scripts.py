"""Thousands of simulated deployments, each out of one string of bytes: no promise broken, every end right."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.core.commands import COMMANDS, CopySetting
from bluegreen.core.observation import ErrorClass
from bluegreen.core.state import ENDS, Phase
from tests.explore.scripts import SCENE, Run, run

ROOT = Path(__file__).parents[2]
PROOF = int(os.environ.get("BLUEGREEN_PROOF", "1"))
PARTS = 4
BEHIND_BOTO3_ONLY = {CopySetting}
"""A group of ``SimCloud`` itself is made whole; `tests/aws` reaches what copies the rest."""

REACHABLE = {
    *(phase.value for phase in Phase),
    *(command.__name__ for command in COMMANDS if command not in BEHIND_BOTO3_ONLY),
    *(error.value for error in ErrorClass),
}


def script(seed: int) -> bytes:
    """A string of bytes: a plan and a world, and up to 16 times that something takes another course."""
    draw = random.Random(seed)
    return draw.randbytes(SCENE + 2 * draw.randrange(17))


def right(found: Run, data: bytes) -> Run:
    """Nothing was wrong; else the bytes to live through again."""
    assert not found.wrong, f"run(bytes.fromhex({data.hex()!r})): {'; '.join(found.wrong[:3])}"
    return found


def campaign(seeds: range) -> tuple[Counter[str], Counter[str]]:
    """How often each phase was the last, and in how many runs each phase, command and error was met."""
    ends: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for seed in seeds:
        data = script(seed)
        found = right(run(data), data)
        ends[found.state.phase.value] += 1
        seen.update(found.seen)
    return ends, seen


@pytest.mark.property
@given(st.binary(max_size=SCENE + 32))
def test_a_script_of_bytes_breaks_no_promise(data: bytes) -> None:
    """Whatever the bytes, every pass keeps every property and the end is as it says."""
    right(run(data), data)


@pytest.mark.slow
def test_five_thousand_simulated_deployments(show: Callable[[str], None]) -> None:
    """No violation in 5,000, and every phase, end, command and class of error is met in some of them."""
    ends, seen = campaign(range(5_000))
    met = ", ".join(f"{word} {count:,}" for word, count in sorted(seen.items()))
    show(f"5,000 simulated deployments, 0 violations: {dict(ends)}; met in so many: {met}")
    assert seen.keys() == REACHABLE
    assert ends.keys() == {*(end.value for end in ENDS), Phase.HALTED.value}


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_thousand_simulated_deployments(part: int, show: Callable[[str], None]) -> None:
    """The same, 100,000 times, and 1,000,000 times in `make soak`; a part of them."""
    each = 100_000 * PROOF // PARTS
    ends, seen = campaign(range(part * each, (part + 1) * each))
    show(f"{sum(ends.values()):,} simulated deployments, part {part}, 0 violations: {dict(ends)}")
    assert seen.keys() == REACHABLE


TOLD = """
from tests.explore.test_scripts import told
print(told())
"""


def told() -> str:
    """A digest of all that 60 scripts and a search with a story say."""
    from bluegreen.journal import codec
    from bluegreen_sim import explore
    from tests.explore.small import SHARED, small_plan

    found = explore(small_plan(SHARED), 1, 1, shrink=False, invariants=[never_promoted])
    runs = [run(script(seed)) for seed in range(60)]
    words = [f"{codec.to_json(lived.state)} {lived.passes} {sorted(lived.seen)}" for lived in runs]
    words += [found.verdict, str(found.violations[0]), found.violations[0].script, str(found.ends)]
    words += [str((found.states, found.edges, found.depth)), str(sorted(found.cells.items()))]
    return blake2b("\n".join(words).encode()).hexdigest()


def never_promoted(_plan: object, state: object, _look: object, _commands: object) -> bool:
    """What does not hold, so that there is a story."""
    return getattr(state, "phase", None) is not Phase.PROMOTED


@pytest.mark.process
def test_other_hashes_give_the_same_bytes() -> None:
    """S16: runs, a search and its story are the same, byte for byte, under three seeds of Python's hashes."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", TOLD],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(digests) == 1
