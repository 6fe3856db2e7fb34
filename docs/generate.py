"""Write the pages that are made from the code: the state machine and the promises.

``python docs/generate.py`` writes them; a test compares them with what would be written now.
"""

from __future__ import annotations

import inspect
from pathlib import Path

from bluegreen.core.invariants import INVARIANTS
from bluegreen.core.machine import NEVER, STAY, TRANSITIONS
from bluegreen.core.plan import Deadlines
from bluegreen.core.signals import Signal
from bluegreen.core.state import Phase

HERE = Path(__file__).parent


def described(member: Phase | Signal) -> str:
    """The sentence that stands under an enum member in its class."""
    lines = inspect.getsource(type(member)).splitlines()
    at = next(n for n, line in enumerate(lines) if line.strip().startswith(f"{member.name} ="))
    text = ""
    for line in lines[at + 1 :]:
        text = f"{text} {line.strip()}".strip()
        if text.endswith('"""'):
            break
    return text.strip('"')


def cell(phase: Phase, signal: Signal) -> str:
    """One cell as text."""
    found = TRANSITIONS[phase][signal]
    if found is NEVER:
        return ""
    if found is STAY:
        return "="
    return found.value if isinstance(found, Phase) else "*where it came from*"


def diagram() -> str:
    """The table as a Mermaid state diagram, one arrow for each pair of phases."""
    lines = ["stateDiagram-v2", "    [*] --> preflight"]
    for phase, row in TRANSITIONS.items():
        ways: dict[Phase, list[str]] = {}
        for signal, found in row.items():
            if isinstance(found, Phase):
                ways.setdefault(found, []).append(signal.value)
        lines += [f"    {phase.value} --> {to.value}: {', '.join(words)}" for to, words in ways.items()]
        lines += [f"    {phase.value} --> [*]"] if phase.ended else []
    return "\n".join(lines)


def state_machine() -> str:
    """``docs/state-machine.md``."""
    signals = [signal for signal in Signal if any(TRANSITIONS[p][signal] is not NEVER for p in Phase)]
    head = "| phase | " + " | ".join(s.value for s in signals) + " |"
    rule = "| --- |" + " --- |" * len(signals)
    rows = [f"| {p.value} | " + " | ".join(cell(p, s) for s in signals) + " |" for p in TRANSITIONS]
    deadlines = Deadlines()
    phases = [
        f"| `{p.value}` | {described(p)} | {getattr(deadlines, f'{p.value}_seconds', '–')} |" for p in Phase
    ]
    words = [f"| `{s.value}` | {described(s)} |" for s in Signal]
    return TEXT.format(
        head=head,
        rule=rule,
        rows="\n".join(rows),
        diagram=diagram(),
        phases="\n".join(phases),
        words="\n".join(words),
    )


TEXT = """# The state machine

Made from `bluegreen/core/machine.py` by `docs/generate.py`; do not edit.

Everything that changes a phase stands in this table, and nothing else does. A pass that changes the phase
sends nothing: one record, one transition, one sentence. `=` stays; an empty cell cannot occur, and raises if
it does. `bake` to `shift` is the next rung; `keep_blue` to `drain` is the commit, after which no way leads
back.

{head}
{rule}
{rows}

```mermaid
{diagram}
```

## Phases

Deadlines are defaults, in seconds on the deployment's own clock, which stands still while paused, while only
a person is awaited, and while nobody looks. Those of `bake` and `keep_blue` run after the time that the
strategy asks for.

| phase | what it is | deadline |
| --- | --- | --- |
{phases}

## Signals

The first that applies is the answer, in this order.

| signal | when |
| --- | --- |
{words}
"""


def promises() -> str:
    """``docs/promises.md``."""
    rows = []
    for invariant in INVARIANTS:
        kinds = [
            word
            for word, predicate in (("commands", invariant.command), ("steps", invariant.step))
            if not predicate.__name__.startswith("_")
        ]
        rows.append(f"| {invariant.id} | {invariant.name} | {invariant.sentence} | {' and '.join(kinds)} |")
    return (
        (HERE / "promises.head.md").read_text().rstrip()
        + "\n\n"
        + "\n".join(["| id | promise | exactly | of |", "| --- | --- | --- | --- |", *rows, ""])
        + (HERE / "promises.tail.md").read_text()
    )


PAGES = {"state-machine.md": state_machine, "promises.md": promises}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
