"""How many steps a second a deployment takes out of bytes, and how many by rules that can be read."""

from __future__ import annotations

from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.explore.scripts import run
from tests.explore.test_rules import Deploying
from tests.explore.test_scripts import script

from .measure import Section, medians, seconds, shown

ROUNDS = 3
SCRIPTS = 300
MACHINES = 15
PROFILE = settings(
    max_examples=MACHINES,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class Counted(Deploying):
    """The machine of rules, its steps counted."""

    steps = 0

    def check_invariants(self, *args: object, **options: object) -> None:
        """Called after every rule."""
        type(self).steps += 1
        super().check_invariants(*args, **options)


def measure() -> Section:
    """Both, as the tests run them, all properties and the journal of the rules included."""
    subjects = {"bytes": partial(sum_of_passes, SCRIPTS), "rules": partial(sum_of_rules)}
    steps = {name: subject() for name, subject in subjects.items()}
    found = medians({name: partial(seconds, subject) for name, subject in subjects.items()}, ROUNDS)
    rate = {name: steps[name] / found[name] for name in subjects}
    rows = [
        [
            "a script of bytes",
            str(SCRIPTS),
            f"{steps['bytes']:,}",
            shown(rate["bytes"]),
            shown(SCRIPTS / found["bytes"]),
        ],
        [
            "a machine of rules",
            str(MACHINES),
            f"{steps['rules']:,}",
            shown(rate["rules"]),
            shown(MACHINES / found["rules"]),
        ],
        ["bytes to rules", "", "", shown(rate["bytes"] / rate["rules"]), ""],
    ]
    note = (
        "Simulated deployments with random faults, every pass held to every property. *Bytes*: a step is a "
        "pass (`tests/explore/scripts.py`, no journal). *Rules*: a step is a rule of Hypothesis's state "
        "machine, up to five passes with a journal (`tests/explore/test_rules.py`). "
        f"{ROUNDS} interleaved rounds, medians."
    )
    return Section("Scripting", note, ["run", "runs", "steps", "steps a second", "runs a second"], rows)


def sum_of_passes(scripts: int) -> int:
    """Passes of so many scripts."""
    return sum(run(script(seed)).passes for seed in range(scripts))


def sum_of_rules() -> int:
    """Rules of so many machines."""
    Counted.steps = 0
    run_state_machine_as_test(Counted, settings=PROFILE)
    return Counted.steps
