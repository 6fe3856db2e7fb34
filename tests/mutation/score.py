"""``make mutants``: mutants of the core, drawn by seed, each against the fast tests of the core.

Prints the score with its 95 % interval and every survivor, with the reason that ``reasons.toml`` gives;
fails below 90 %. A mutant that is justified as equivalent does not count; one that no test reaches survives.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tomllib
from math import sqrt
from pathlib import Path

ROOT = Path(__file__).parents[2]
REASONS = Path(__file__).with_name("reasons.toml")
MUTMUT = Path(sys.executable).with_name("mutmut")
FIRST = "bluegreen.core.ledger.x_forgive*"
"""A few mutants, so that all are made."""

SEED, COUNT, LEAST = 5, 600, 0.90
SURVIVED, UNREACHED = 0, 33
"""Exit codes that mutmut records."""


def main() -> None:
    """Draw, run, tell."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    run(FIRST)
    names = sorted(codes())
    drawn = random.Random(SEED).sample(names, min(count, len(names)))
    run(*drawn)
    found = codes()
    lived = [name for name in drawn if found[name] in (SURVIVED, UNREACHED)]
    justified = {name: why for name in lived if (why := reason(f"{name} {change(name)}"))}
    for name in lived:
        print(f"{name}\n    {change(name)}\n    {justified.get(name, 'NOT JUSTIFIED')}")
    counted = len(drawn) - len(justified)
    killed = len(drawn) - len(lived)
    low, high = interval(killed, counted)
    print(
        f"{killed} of {counted} killed ({killed / counted:.1%}, 95 % interval {low:.1%} to {high:.1%}); "
        f"{len(drawn)} drawn of {len(names)} by seed {SEED}, {len(justified)} of them justified as equivalent"
    )
    if killed < LEAST * counted:
        sys.exit(f"fewer than {LEAST:.0%} are killed")


def run(*names: str) -> None:
    """Let mutmut try these; it leaves out what it has tried already and nothing has changed since."""
    few = {**os.environ, "BLUEGREEN_EXAMPLES": os.environ.get("BLUEGREEN_EXAMPLES", "150")}
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
        if all(part in changed for part in row["has"]):
            return str(row["why"])
    return None


def interval(killed: int, drawn: int) -> tuple[float, float]:
    """Wilson's 95 % interval for a share (Wilson 1927)."""
    z = 1.96
    share, weight = killed / drawn, z * z / drawn
    middle, half = share + weight / 2, z * sqrt(share * (1 - share) / drawn + weight / (4 * drawn))
    return (middle - half) / (1 + weight), (middle + half) / (1 + weight)


main()
