"""Every fact about AWS that a deployment can meet: how the simulator keeps it, and the test that holds it so.

The facts stand in one module for each part of AWS; docs/fidelity.md is made from them.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from .alarms import ALARMS
from .balancer import BALANCER
from .fact import PAGES, Fact
from .requests import REQUESTS
from .scaling import SCALING
from .times import TIMES


def placed(name: str) -> tuple[str, int, int, str]:
    """Part, section, number and letter of a fact's id.

    Raises:
        ValueError: If it is none.
    """
    match = re.fullmatch(r"([A-Z])(\d+)\.(\d+)([a-z]?)", name)
    if match is None:
        raise ValueError(f"{name!r} is no id of a fact: give part, section and number, as in A6.2 or A6.2b")
    return match[1], int(match[2]), int(match[3]), match[4]


FACTS: tuple[Fact, ...] = tuple(
    sorted(
        [*BALANCER, *REQUESTS, *SCALING, *TIMES, *ALARMS],
        key=lambda fact: placed(fact.id),
    )
)
"""All of them, section by section."""

SECTIONS = {
    "A1": ("Nodes, zones, cross-zone", 8),
    "A2": ("Routing algorithms", 6),
    "A3": ("Weighted target groups", 14),
    "A4": ("Slow start", 6),
    "A5": ("Stickiness within a group", 3),
    "A6": ("Health checks", 28),
    "A7": ("Deregistration and requests in flight", 10),
    "A8": ("Errors of the load balancer's own", 5),
    "A9": ("Quotas", 1),
    "A10": ("Metrics", 1),
    "B1": ("Sizes", 5),
    "B2": ("Lifecycle states", 5),
    "B3": ("Health and replacement", 8),
    "B4": ("Which instance is terminated", 2),
    "B5": ("Attachment to a target group", 8),
    "B6": ("Suspending, and other actors", 7),
    "B7": ("Launch template versions", 4),
    "B8": ("Launches that fail", 4),
    "B9": ("Lifecycle hooks", 1),
    "B10": ("Detach, standby, terminate, delete", 6),
    "B11": ("Quotas", 1),
    "D1": ("Alarms", 6),
    "F1": ("Times", 17),
}
"""(title, how many facts AWS's pages give): A is the load balancer, B Auto Scaling, D CloudWatch, F time."""

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"


def page() -> str:
    """``docs/fidelity.md``."""
    lines = [HEAD, "| section | exact | parameter | not modelled |", "| --- | --- | --- | --- |"]
    for section, (title, _) in SECTIONS.items():
        counts = Counter(fact.how for fact in FACTS if _section(fact) == section)
        row = " | ".join(str(counts[how]) for how in ("exact", "parameter", "not modelled"))
        lines.append(f"| {section} {title} | {row} |")
    for section, (title, _) in SECTIONS.items():
        lines += ["", f"## {section} {title}", "", "| id | fact | here | test |", "| --- | --- | --- | --- |"]
        lines += [_row(fact) for fact in FACTS if _section(fact) == section]
    return "\n".join(lines) + "\n"


def _section(fact: Fact) -> str:
    return fact.id.partition(".")[0]


def _row(fact: Fact) -> str:
    source = f" ([{fact.page}]({PAGES[fact.page]}))" if PAGES[fact.page] else " (undocumented)"
    here = f"**{fact.how}**" if fact.how == "not modelled" else fact.how
    here += f": `{fact.by}`" if fact.by else ""
    here += f". {fact.why}" if fact.why else ""
    path, _, name = fact.test.partition("::")
    test = f"[`{name}`](../{path})" if fact.test else "–"
    return f"| {fact.id} | {fact.says}{source} | {here} | {test} |"


HEAD = """# Fidelity

Made from `tests/fidelity/` by `python -m tests.fidelity --write`; do not edit.

What AWS does and a deployment can meet, with AWS's page, and how the simulator keeps it: *exact*; by a
*parameter* where AWS is silent or lets one choose; or not at all, with the reason. Each rule that is kept has
a test that fails when the rule is switched off: `python -m tests.fidelity` switches off one after the other
and prints what became of the tests.
"""
