"""The list of facts is whole, and every rule that is kept has a test that notices when it is gone."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.fidelity import FACTS, PAGE, SECTIONS, page, placed
from tests.fidelity.fact import PAGES

ROOT = Path(__file__).parents[2]


def test_no_fact_is_missing() -> None:
    """The facts of a section are numbered from 1 without a gap, and there are as many as were collected."""
    numbers: dict[str, set[int]] = {section: set() for section in SECTIONS}
    for fact in FACTS:
        part, section, number, _ = placed(fact.id)
        numbers[f"{part}{section}"].add(number)
    assert {s: sorted(n) for s, n in numbers.items()} == {
        s: list(range(1, max(SECTIONS[s][1], *n, 0) + 1)) for s, n in numbers.items()
    }
    assert not [name for name, count in Counter(fact.id for fact in FACTS).items() if count > 1]


def test_each_fact_says_how_it_is_kept() -> None:
    """What is kept has a test and a switch, a parameter its name, and what is not modelled a reason."""
    faults = []
    for fact in FACTS:
        kept = fact.how != "not modelled"
        if kept != bool(fact.test) or kept != (fact.off is not None):
            faults.append(f"{fact.id}: give test and off where it is kept, and only there")
        if (fact.how == "parameter") != bool(fact.by):
            faults.append(f"{fact.id}: give by where it is a parameter, and only there")
        if not kept and not fact.why:
            faults.append(f"{fact.id}: say why it is not modelled")
        if fact.page not in PAGES:
            faults.append(f"{fact.id}: page {fact.page!r} is none of PAGES")
        if kept and not _exists(fact.test):
            faults.append(f"{fact.id}: there is no {fact.test}")
    assert not faults, "\n".join(faults)


def _exists(test: str) -> bool:
    path, _, name = test.partition("::")
    file = ROOT / path
    return (
        file.exists() and re.search(rf"^def {re.escape(name)}\(", file.read_text(), re.MULTILINE) is not None
    )


def test_the_page_is_up_to_date() -> None:
    """The committed page is what `python -m tests.fidelity --write` writes."""
    assert PAGE.read_text() == page(), "run: python -m tests.fidelity --write"


SAMPLE = ("A4", "A8", "B5", "D1")
"""Sections whose rules are tried in `make test`; `make proof` tries all."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "section",
    [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.proof) for name in SECTIONS],
)
def test_each_rule_is_noticed(section: str) -> None:
    """Each rule's test passes, and fails once the rule is switched off."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fidelity", f"{section}."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
