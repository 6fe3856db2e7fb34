"""Write the pages that are made from the code: the state machine and the promises.

``python docs/generate.py`` writes them; a test compares them with what would be written now.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path

from bluegreen.core.invariants import INVARIANTS
from bluegreen.core.machine import NEVER, STAY, TRANSITIONS
from bluegreen.core.plan import Deadlines
from bluegreen.core.signals import Signal
from bluegreen.core.state import Phase
from bluegreen_sim.table import COLUMNS, JSON_TYPES, schema

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
    return STATE_MACHINE.format(
        head=head,
        rule=rule,
        rows="\n".join(rows),
        diagram=diagram(),
        phases="\n".join(phases),
        words="\n".join(words),
    )


STATE_MACHINE = """# The state machine

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
    return PROMISES.format(rows="\n".join(rows))


PROMISES = """# Promises

Made from `bluegreen/core/invariants.py` by `docs/generate.py`; do not edit.

A promise about commands says nothing of what the world does by itself. The world alone can kill every
instance; what is promised is that none of our commands did. Each promise is a value in
`bluegreen.INVARIANTS`, and the same predicate serves four times: right before each command that moves users
or removes something, against a look taken for that purpose; in property tests over random worlds; over every
edge of the exhaustive search; and in the tests of `tests/core/test_invariants.py`, where each one fires on a
bad trace.

| id | promise | exactly | of |
| --- | --- | --- | --- |
{rows}

Of every run, rather than of a single decision, these hold too:

| id | promise | exactly | where |
| --- | --- | --- | --- |
| S16 | determinism | The same plan, state and observation give the same step, byte for byte; a journal replays. | `tests/crash/`, `tests/golden/` |
| S13 | intent first | No command is sent before its decision is in the journal. | `tests/crash/` |
| S12 | one writer | A stale holder's next append finds its slot taken, whatever its clock says. | `tests/contract/test_journals.py` |
| S10 | at most one | However often a process dies, there is one green group and one template version. | `tests/crash/` |
| L1 | it ends | Once faults stop, every run ends in a terminal phase or halts for a person. | `tests/explore/` |
| L2 | deadlines | No phase outlasts its deadline on the deployment's own clock, looked at whole. | `tests/explore/properties.py` |
| L3 | crashes | A run that crashed and was loaded ends as the run that did not. | `tests/crash/` |
| L4 | a way back | Before the commit, with a blue that carries, an abort ends rolled back; it never waits for green. | `tests/explore/` |
| L8 | no needless retreat | With tolerable faults only, and a world quicker than the deadlines, every run ends promoted. | `tests/explore/test_campaign.py` |

Bounds: the exhaustive search covers any two of ten kinds of fault with one instance a colour and any one with two,
for both routings, both kinds of fleet and every strategy by name; `make proof` any two with two, and any three with
one. Random worlds have up to four instances. What is *not* promised: that the world is as the simulator says. Nothing here has seen
AWS; the rules that the simulator follows, with their sources, are in [simulator.md](simulator.md).
"""


def timeline() -> str:
    """``docs/timeline.md``."""
    rows = []
    for column in COLUMNS:
        kind = JSON_TYPES[column.kind]
        types = kind.get("type", "string")
        rows.append(
            f"| `{column.name}` | {types if isinstance(types, str) else ' or '.join(types)} | {column.sentence} |"
        )
    return TIMELINE.format(rows="\n".join(rows), schema=json.dumps(schema(), indent=2))


TIMELINE = """# The timeline

Made from `bluegreen_sim/table.py` by `docs/generate.py`; do not edit.

`cloud.timeline` is what users saw. As a table it has a row for each second and version. The columns are fixed: one
may be added at the end, none is renamed, moved or removed.

| column | type | what it says |
| --- | --- | --- |
{rows}

```python
import bluegreen, bluegreen_sim

plan, cloud = bluegreen_sim.tutorial()
bluegreen.Deployment(plan, cloud, listeners=[cloud.timeline]).run()    # it listens, so it knows the phases

print(cloud.timeline.describe())
rows = cloud.timeline.to_dicts()
assert sum(row["requests"] for row in rows) == cloud.timeline.requests
assert all(row["requests"] == row["http_2xx"] for row in rows)
```

The table is also an Arrow stream (`pip install 'bluegreen[arrow]'`), so `polars.DataFrame(cloud.timeline)`,
`pyarrow.table(cloud.timeline)` or a query of DuckDB take it as it is. Counts are `int64`, shares and
times `float64`.

A request stands in the second in which it was sent, whatever becomes of it later. `p50_ms` and `p99_ms` are order
statistics of the menu of times that an application's latency is, each stretched by the load of its second; they are
empty where no latency is set ([simulator](simulator.md#what-applications-are-like)).

## JSON schema

Of `to_dicts()`, as `Timeline.json_schema()` gives it:

```json
{schema}
```
"""

PAGES = {"state-machine.md": state_machine, "promises.md": promises, "timeline.md": timeline}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
