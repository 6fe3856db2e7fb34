"""What an import costs a tool that only sometimes deploys."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from .measure import Section, medians, shown

ROUNDS = 9
PEER = "import attrs"
STATEMENTS = (
    PEER,
    "import bluegreen",
    "import bluegreen, bluegreen_sim",
    "from bluegreen import Deployment, Plan",
)


def measure() -> Section:
    """Each statement in fresh processes."""
    found = medians({statement: partial(_fresh_process, statement) for statement in STATEMENTS}, ROUNDS)
    rows = [
        [f"`{statement}`", shown(found[statement] * 1e3), shown(found[statement] / found[PEER])]
        for statement in STATEMENTS
    ]
    note = (
        "The statement alone, timed inside a fresh process, so that the interpreter's start is not in it. "
        "Names of `bluegreen` are loaded when first used: the last row is what they cost then. "
        f"{ROUNDS} interleaved rounds, medians."
    )
    return Section("Importing", note, ["statement", "ms", "ratio to `import attrs`"], rows)


def _fresh_process(statement: str) -> float:
    code = f"from time import perf_counter as t; s = t(); {statement}; print(t() - s)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    return float(ran.stdout)
