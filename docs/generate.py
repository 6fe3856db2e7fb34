"""Write the pages that are made from the code: the state machine, the promises, the timeline, the rights.

``python docs/generate.py`` writes them; a test compares them with what would be written now.
"""

from __future__ import annotations

import inspect
import json
import tomllib
from pathlib import Path
from typing import Any

from bluegreen.aws.rights import LEVELS, RIGHTS, TEMPLATES
from bluegreen.core.invariants import INVARIANTS, Invariant
from bluegreen.core.limits import Deadlines
from bluegreen.core.machine import NEVER, STAY, TRANSITIONS
from bluegreen.core.signals import Signal
from bluegreen.core.state import Phase
from bluegreen_sim.table import COLUMNS, JSON_TYPES, schema

HERE = Path(__file__).parent
KEPT = HERE / "promises.toml"


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
    known = {invariant.id: invariant for invariant in INVARIANTS}
    sections = [
        promise(name, kept, known.get(name)) for name, kept in tomllib.loads(KEPT.read_text()).items()
    ]
    return PROMISES.format(sections="\n\n".join(sections))


def promise(number: str, kept: dict[str, Any], invariant: Invariant | None) -> str:
    """One promise: its words, where it is held to, where it is seen to object, and what is not promised."""
    name, exactly, where = kept.get("name"), kept.get("exactly"), "every run"
    if invariant is not None:
        kinds = (("commands", invariant.command), ("steps", invariant.step))
        where = " and ".join(word for word, predicate in kinds if not predicate.__name__.startswith("_"))
        name, exactly = invariant.name, invariant.sentence
    held, objects = (", ".join(f"`{test}`" for test in kept[key]) for key in ("tests", "fires"))
    return (
        f"## {number} {name}\n\n{exactly} *(of {where})*\n\n- Not promised: {kept['not']}\n"
        f"- Held to it: {held}\n- Seen to object: {objects}"
    )


PROMISES = """# Promises

Made from `bluegreen/core/invariants.py` and `docs/promises.toml` by `docs/generate.py`; do not edit.

A promise about commands says nothing of what the world does by itself. The world alone can kill every
instance; what is promised is that none of our commands did. Each promise of commands or steps is a value in
`bluegreen.INVARIANTS`, and the same predicate serves four times: right before each command that moves users
or removes something, against a look taken for that purpose; in property tests over random worlds; over every
edge of the exhaustive search; and in the tests of `tests/core/test_invariants.py`, where each one fires on a
bad trace. Those of every run are checks of a journal, of ground truth, or of all ways of a search; each is
seen to object to something wrong that was brought in. Tests are named below `tests/`.

Within which bounds: the exhaustive search covers, with one instance a colour, any two of ten kinds of fault, and a
late request of a superseded process with an act of an operator; with two, any one; with either, one more sick instance
than there are of a colour beside a fault of another kind. Both routings, both kinds of fleet, every strategy by name,
save that any two faults are tried with a canary and side by side. `make proof` adds the other strategies to that, any
two with two instances, any three with one, the late request with any other fault, and the whole crash matrix.
Simulated deployments have up to four instances: 5,000 in `make test`, 100,000 in `make proof`, 1,000,000 in `make
soak`. The bugs that other deployers had, and what caught them here, are in [real-bugs.md](explanation/real-bugs.md).

What is *not* promised: that the world is as the simulator says. Nothing here has seen AWS; the rules that the
simulator follows, with their sources, are in [simulator.md](simulator.md).

{sections}
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
bluegreen.Deployment(plan, cloud).run()

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


def rights() -> str:
    """``docs/rights.md``."""
    rows, besides = [], []
    for level in LEVELS:
        uses: dict[str, list[str]] = {}
        for right in RIGHTS:
            if right.level == level:
                uses.setdefault(right.use, []).append(f"`{right.action}`")
                if right.page:
                    besides.append(f"| `{right.action}` | {right.use} | {right.page} |")
        rows += [f"| `{level}` | {use} | {', '.join(actions)} |" for use, actions in uses.items()]
    return RIGHTS_PAGE.format(rows="\n".join(rows), besides="\n".join(besides), templates=TEMPLATES)


RIGHTS_PAGE = """# Rights

Made from `bluegreen/aws/rights.py` by `docs/generate.py`; do not edit.

`bluegreen policy LEVEL [FILE]` prints an IAM policy with the rights of a level; each level has those before it.
`observe` looks. `shift` adds what writes a [team's journal](how-to/share-a-journal.md), for `approve`, `pause`, `resume`,
`abort` and `unlock`; and what moves users between groups that stand, which no command does alone. `manage` deploys,
builds images and cleans up.

```console
$ bluegreen policy manage deployment.toml --account 123456789012 --region eu-west-1 --role exercise-instance
$ bluegreen policy observe deployment.toml --journal s3://releases/journals    # a team's journal as well
$ bluegreen policy shift --notify arn:aws:sns:eu-west-1:123456789012:releases  # by tag alone; a topic is told
```

| level | needed for | actions |
| --- | --- | --- |
{rows}

Without `autoscaling:DescribeScalingActivities` only the reason of a failed launch, and a part of what is kept of a failed
green, is missing.

These are asked of the same credentials though no call of that name is made:

| action | needed for | page |
| --- | --- | --- |
{besides}

`ec2:RunInstances` is both: called by image builds, and
[asked for]({templates}) when a group is created or pointed at a template version.

## What it is limited to

- Groups of the plan by name: their ARNs have it. A listener or a rule by its ARN, if `routing.listener` has it.
- What only an id leads to by the tag `bluegreen:service` with the service's name: launch templates, listeners and rules
  without an ARN in the plan, instances, volumes, images, snapshots. What `bluegreen` makes bears it; **give it to your
  launch template, and to the listener or rule.** Without a plan groups, listeners and rules are limited by that tag too,
  whatever service it names.
- Instances are launched from such a template alone, with whatever it names.
- Consoles of build instances by that tag, and of the plan's groups by the tag that Auto Scaling gives their instances.
- Looking is not limited: AWS knows no resources for these actions.
- No policy lets anybody give that tag to what exists. It is given when a thing is made, and only to what is made.
- `iam:PassRole` is for EC2 alone, and for the roles that `--role` names; without it for any role of the account.
  `ssm:GetParameters` is for any parameter of the account, and for those by which AWS names its images. Neither heeds the tag.
- ARNs are of the partition of `--region`, as in China or GovCloud; without one of `aws`.
- The policy fits a managed one, 6,144 characters. With names so long that it does not, `bluegreen policy` says so.
- In a journal's bucket nothing may be deleted. Turn versioning on, and nothing can be lost by overwriting either.
"""

PAGES = {
    "state-machine.md": state_machine,
    "promises.md": promises,
    "timeline.md": timeline,
    "rights.md": rights,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
