"""``make mutants``: mutants of the core against its fast tests: all of them, or some that are drawn by seed.

    python tests/mutation/score.py [COUNT [SEED]]

Prints the score and every survivor, with the reason that ``reasons.toml`` gives; of a draw the 95 % interval
as well. Fails below 90 %. A mutant that is justified as equivalent does not count; one that no test reaches
survives, and so does one of which mutmut cannot say what became of it.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tomllib
from math import sqrt
from pathlib import Path

ROOT = Path(__file__).parents[2]
REASONS = Path(__file__).with_name("reasons.toml")
MUTMUT = Path(sys.executable).with_name("mutmut")
FIRST, EVERY = "bluegreen.core.ledger.x_forgive*", "bluegreen.core.*"
"""A few mutants, so that all are made; and all."""

SEED, LEAST = 5, 0.90
FAILED, TIMED_OUT = (1, 3), (24, 36, 152, 255, -24)
"""Exit codes that mutmut records when a test has failed, and when the tests have not come to an end."""


def main() -> None:
    """Draw, run, tell."""
    run(FIRST)
    names = sorted(codes())
    count = int(sys.argv[1]) if len(sys.argv) > 1 else len(names)
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    drawn = random.Random(seed).sample(names, min(count, len(names)))
    run(*drawn if len(drawn) < len(names) else (EVERY,))
    found = codes()
    late = [name for name in drawn if found[name] in TIMED_OUT]
    lived = [name for name in drawn if found[name] not in FAILED + TIMED_OUT]
    justified = {name: why for name in lived if (why := reason(f"{name} {change(name)}"))}
    for name in late:
        print(f"{name}\n    {change(name)}\n    has no end")
    for name in lived:
        print(f"{name}\n    {change(name)}\n    {justified.get(name, 'NOT JUSTIFIED')}")
    counted = len(drawn) - len(justified)
    killed = len(drawn) - len(lived)
    low, high = interval(killed, counted)
    part = f"all {len(names)}" if len(drawn) == len(names) else f"{len(drawn)} of {len(names)}, seed {seed}"
    sure = "" if len(drawn) == len(names) else f", 95 % interval {low:.1%} to {high:.1%}"
    print(
        f"{killed} of {counted} killed ({killed / counted:.1%}{sure}), {len(late)} of them by time; "
        f"tried: {part}; {len(justified)} justified as equivalent"
    )
    if killed < LEAST * counted:
        sys.exit(f"fewer than {LEAST:.0%} are killed")


def run(*names: str) -> None:
    """Let mutmut try these, whatever it knows of them from before."""
    few = {**os.environ, "BLUEGREEN_EXAMPLES": "30"}  # in a soak, too: each survivor meets all of them
    subprocess.run([MUTMUT, "run", "--max-children", "2", *names], cwd=ROOT, env=few, check=True)


def codes() -> dict[str, int | None]:
    """What became of each mutant, by name; None for those that were not tried."""
    return {
        name: code
        for meta in (ROOT / "mutants").rglob("*.meta")
        for name, code in json.loads(meta.read_text())["exit_code_by_key"].items()
    }


def change(name: str) -> str:
    """What a mutant has in the place of what."""
    shown = subprocess.run(
        [MUTMUT, "show", name], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    lines = [line for line in shown.splitlines() if line[:1] in "-+" and line[:3] not in ("---", "+++")]
    return " ⇒ ".join(" ".join(line[1:].split()) for line in lines)


def reason(changed: str) -> str | None:
    """Why a survivor is no gap in the tests."""
    for row in tomllib.loads(REASONS.read_text())["equivalent"]:
        if re.search(row["change"], changed):
            return str(row["why"])
    return None


def interval(killed: int, drawn: int) -> tuple[float, float]:
    """Wilson's 95 % interval for a share (Wilson 1927)."""
    z = 1.96
    share, weight = killed / drawn, z * z / drawn
    middle, half = share + weight / 2, z * sqrt(share * (1 - share) / drawn + weight / (4 * drawn))
    return (middle - half) / (1 + weight), (middle + half) / (1 + weight)


main()
