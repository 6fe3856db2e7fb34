"""One digest of each kind of thing that a seed decides: the same on every Python, whatever its hash seed.

``python -m tests.sim.bytes`` compares all supported interpreters; it fails by name where one is not there.
With ``--here`` it prints the digests of the interpreter that runs it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bluegreen
from bluegreen.journal.codec import canonical
from bluegreen_sim import Budget, Dies, LostAnswer, Settings, Sick, SimCloud, StaleLook, explore
from bluegreen_sim.saved import world_to_dict

PYTHONS = ("3.11", "3.12", "3.13")
HASH_SEEDS = ("0", "1", "4242")
SEEDS = range(5)
ROOT = Path(__file__).parents[2]

WEIGHTED = bluegreen.Plan(
    service="exercise",
    image="ami-0beta",
    launch_template="exercise-launch-template",
    groups=("exercise-group-blue", "exercise-group-green"),
    routing=bluegreen.WeightedTargetGroups("exercise-blue", "exercise-green"),
    strategy=bluegreen.strategies.canary(10, 30, last_bake_seconds=30),
)
SHARED = bluegreen.Plan(
    service="exercise",
    image="ami-0beta",
    launch_template="exercise-launch-template",
    groups=("exercise-group-blue", "exercise-group-green"),
    routing=bluegreen.SharedTargetGroup("exercise-target-group"),
    strategy=bluegreen.strategies.side_by_side(bake_seconds=30),
)
UNCERTAIN = Settings(boot_seconds=(20, 45, 90), termination="any", nodes=3)
FAULTS = (Sick("green", 90, 2, 40), Dies("blue", 120), StaleLook(20, 2), LostAnswer(4))


# ------------------------------------------------------------------------------------- what a seed decides


def runs() -> list[tuple[SimCloud, bluegreen.MemoryJournal]]:
    """Deployments in both routings, with things going wrong, seed by seed."""
    found = []
    for plan in (WEIGHTED, SHARED):
        for seed in SEEDS:
            cloud = SimCloud(
                plan,
                capacity=3,
                seed=seed,
                settings=UNCERTAIN,
                faults=FAULTS,
                budget=Budget(sick=1, dies=1, lost=1, refused=1, stale=1, blind=1),
            )
            journal = bluegreen.MemoryJournal()
            bluegreen.Deployment(plan, cloud, journal=journal).run()
            found.append((cloud, journal))
    return found


def digests() -> dict[str, str]:
    """Name and SHA-256 of each kind of thing."""
    played = runs()
    things: dict[str, Callable[[], Any]] = {
        # Leases and writers tell processes apart, so they differ from run to run on purpose.
        "journals": lambda: [
            [(each.seq, each.kind, each.deployment_id, each.body) for each in journal.records()[1:]]
            for _, journal in played
        ],
        "timelines": lambda: [cloud.timeline.to_dicts() for cloud, _ in played],
        "worlds": lambda: [world_to_dict(cloud.world) for cloud, _ in played],
        "explorations": explorations,
    }
    return {name: hashlib.sha256(canonical(thing())).hexdigest() for name, thing in things.items()}


def explorations() -> list[Any]:
    """A search to its end, and the story of a promise that does not hold."""
    found = explore(WEIGHTED, instances=1, faults=1)
    broken = explore(
        SHARED, instances=1, faults=1, invariants=[lambda *given: not _commits(*given)], first_only=True
    )
    return [found.states, found.edges, found.depth, dict(found.ends), [str(v) for v in broken.violations]]


def _commits(_plan: object, state: bluegreen.State, *_: object) -> bool:
    return state.committed


# ----------------------------------------------------------------------------------------- on which Python


@functools.cache
def interpreter(version: str) -> str | None:
    """The command of an interpreter of that version; None where there is none."""
    if version == ".".join(platform.python_version_tuple()[:2]):
        return sys.executable
    command = shutil.which(f"python{version}")
    ask = "import platform; print(platform.python_version())"
    told = command and subprocess.run(
        [command, "-c", ask], env=_environment(version), capture_output=True, text=True, check=False
    )
    return command if told and told.stdout.startswith(f"{version}.") else None


def _environment(version: str, hash_seed: str = "0") -> dict[str, str]:
    # All that bluegreen_sim imports besides is pure Python (attrs, cattrs), so any Python can use ours.
    # A command of pyenv asks PYENV_VERSION which Python it stands for.
    path = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
    return {**os.environ, "PYENV_VERSION": version, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}


def digests_on(version: str, hash_seed: str) -> dict[str, str]:
    """The digests of a process of that Python, with that hash seed.

    Raises:
        LookupError: If there is no such interpreter.
    """
    command = interpreter(version)
    if command is None:
        raise LookupError(f"there is no python{version} on PATH")
    ran = subprocess.run(
        [command, "-m", "tests.sim.bytes", "--here"],
        env=_environment(version, hash_seed),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def main() -> None:
    """Print the digests of every Python and hash seed; fail where they differ or a Python is missing."""
    if sys.argv[1:] == ["--here"]:
        print(json.dumps(digests()))
        return
    if missing := [version for version in PYTHONS if interpreter(version) is None]:
        sys.exit(f"there is no {', '.join(f'python{version}' for version in missing)} on PATH")
    found = {(version, seed): digests_on(version, seed) for version in PYTHONS for seed in HASH_SEEDS}
    for (version, seed), each in found.items():
        print(f"Python {version}, PYTHONHASHSEED {seed}:", *(f"{k} {v[:16]}" for k, v in each.items()))
    first, *others = found.values()
    if any(other != first for other in others):
        sys.exit("they differ")
    print("the same bytes everywhere:", *(f"{name} {digest}" for name, digest in first.items()), sep="\n  ")


if __name__ == "__main__":
    main()
