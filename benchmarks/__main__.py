"""``python -m benchmarks [--write] [--note TEXT] [SUBJECT ...]``: measure, print, and keep what was seen."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs

from . import (
    calling,
    crowding,
    deciding,
    deploying,
    exploring,
    importing,
    proving,
    rehearsing,
    scripting,
    splitting,
)
from .worlds import SEED

MODULES = (
    deciding,
    deploying,
    calling,
    rehearsing,
    crowding,
    splitting,
    exploring,
    scripting,
    proving,
    importing,
)
SUBJECTS = {module.__name__.rpartition(".")[2]: module for module in MODULES}
RESULTS = Path(__file__).with_name("RESULTS.md")
BEGIN, END = "<!-- begin: python -m benchmarks --write -->\n", "<!-- end -->\n"


def main() -> None:
    """Measure the subjects that were named, all by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument("--write", action="store_true", help=f"rewrite the figures in {RESULTS.name}")
    parser.add_argument("--note", default="", help="what else the machine was doing")
    asked = parser.parse_args()
    if unknown := set(asked.subjects) - set(SUBJECTS):
        parser.error(f"no such subject: {', '.join(sorted(unknown))}")
    if asked.write and asked.subjects:
        parser.error("--write keeps one whole run: name no subject")
    parts = [f"{machine(asked.note)}\n"]
    print(parts[0])
    for name in asked.subjects or SUBJECTS:
        parts.append(str(SUBJECTS[name].measure()))
        print(parts[-1], flush=True)
    if asked.write:
        write("\n".join(parts))


def machine(note: str) -> str:
    """What was run, where, and when."""
    return "\n".join(f"- {line}" for line in _facts(note))


def _facts(note: str) -> Iterator[str]:
    yield f"command: `python -m benchmarks --write`, seed {SEED}, {dt.date.today().isoformat()}"  # noqa: DTZ011
    yield f"machine: {os.cpu_count()} cores, {_processor()}, {platform.system()}{f'; {note}' if note else ''}"
    yield f"{platform.python_implementation()} {platform.python_version()}, attrs {attrs.__version__}"


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def write(text: str) -> None:
    """Put the figures between the marks of the results file; all else there is written by hand."""
    old = RESULTS.read_text(encoding="utf-8")
    before, found, rest = old.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        sys.exit(f"{RESULTS.name} has lost its marks: {BEGIN.strip()} … {END.strip()}")
    RESULTS.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


main()
