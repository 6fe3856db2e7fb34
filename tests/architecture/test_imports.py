"""Who may import whom. A rule that no longer fits is changed here, on purpose, or not at all."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.source import Import, Module, forbid, inside, read

MODULES = read("bluegreen", "bluegreen_sim")

# What the decision is made of: nothing that looks at a clock, a file, a network or a die.
PURE = set(
    "__future__ abc bisect collections contextlib copy dataclasses decimal difflib enum fractions functools "
    "hashlib heapq itertools json math operator re string textwrap types typing unicodedata".split()
)

# Inside bluegreen: a row may import what it names. A module without a row sees all but cli.
MAY_IMPORT = {
    "bluegreen.core": ("bluegreen.core",),
    "bluegreen.ports": ("bluegreen.core",),
    "bluegreen.strategies": ("bluegreen.core",),
    "bluegreen.journal": ("bluegreen.core", "bluegreen.ports", "bluegreen.journal"),
    "bluegreen.gates": ("bluegreen.core", "bluegreen.ports", "bluegreen.metrics", "bluegreen.windows"),
    "bluegreen.metrics": ("bluegreen.core", "bluegreen.ports"),
    "bluegreen.windows": ("bluegreen.core",),
    "bluegreen.image": ("bluegreen.core", "bluegreen.ports", "bluegreen.image"),
    "bluegreen.aws": (
        "bluegreen.core",
        "bluegreen.ports",
        "bluegreen.clock",
        "bluegreen.journal",
        "bluegreen.aws",
    ),
    "bluegreen.cli": ("bluegreen",),
}

# The world itself, and what judges it: they would serve any deployment tool, so they cannot share bluegreen's
# mistakes.
WORLD = [
    f"bluegreen_sim.{part}"
    for part in (
        "groups",
        "balancing",
        "users",
        "cloudwatch",
        "world",
        "settings",
        "ranges",
        "engine",
        "choices",
        "times",
        "timeline",
        "table",
        "faults",
        "spelling",
        "oracle",
        "search.explorer",
        "search.properties",
        "search.canonical",
    )
]

# What the rest of bluegreen_sim may use of bluegreen besides the names in `bluegreen` itself.
# The search drives the very loop that sends commands.
SHARED = ("bluegreen.core", "bluegreen.ports", "bluegreen.strategies", "bluegreen.deployment")

# `python -m bluegreen_sim serve` is the command line by another name, so that there is one set of options.
ALSO_THE_COMMAND_LINE = "bluegreen_sim.__main__"

# The only places that know these libraries, however late they import them.
KNOWN_TO = {
    "asyncssh": ("bluegreen.aws.ssh",),
    "boto3": ("bluegreen.aws", "bluegreen_sim.endpoint"),
    "botocore": ("bluegreen.aws", "bluegreen_sim.endpoint"),
    "click": ("bluegreen.cli",),
    "rich": ("bluegreen.cli",),
    "hypothesis": (
        "bluegreen_sim.testing",
        "bluegreen_sim.testing_settings",
        "bluegreen_sim.hypothesis_plugin",
    ),
    "nanoarrow": ("bluegreen_sim.table",),
    "opentelemetry": ("bluegreen.telemetry",),
    "pytest": ("bluegreen_sim.pytest_plugin",),
}

# Modules that nobody loads by accident, with what they may load when they are; all others load attrs only.
LOADED_ON_PURPOSE = {
    "bluegreen.aws": {"boto3", "botocore"},
    "bluegreen.cli": {"click", "rich", "cattrs", "structlog"},
    "bluegreen_sim.endpoint": {"boto3", "botocore"},
    "bluegreen_sim.testing": {"hypothesis"},
    "bluegreen_sim.testing_settings": {"hypothesis"},
    "bluegreen_sim.pytest_plugin": {"pytest"},
}

HEAVY = set(
    "asyncio boto3 botocore cattrs click hypothesis jinja2 moto nanoarrow numpy rich structlog "
    "vl_convert".split()
)


def may_import(importer: str, used: str) -> bool:
    """Whether a module of bluegreen may import another one."""
    for row, allowed in MAY_IMPORT.items():
        if inside(importer, row):
            return inside(used, *allowed)
    return not inside(used, "bluegreen.cli")


def fault(module: Module, used: Import, remedy: str) -> str:
    """One line: where, what, and what to do instead."""
    return f"{module.at(used.line)}: {module.name} imports {used.module}: {remedy}"


def test_the_rules_name_modules_that_exist() -> None:
    """No rule here speaks of a module that was renamed or removed."""
    named = {*MAY_IMPORT, *WORLD, *SHARED, *LOADED_ON_PURPOSE, ALSO_THE_COMMAND_LINE}.union(
        *KNOWN_TO.values()
    )
    forbid(
        f"{Path(__file__).name}: there is no module {name}: rename it in the rule, or take it out"
        for name in sorted(named - set(MODULES))
    )


def test_the_core_is_pure() -> None:
    """The core imports attrs, the pure part of the standard library, and itself."""
    forbid(
        fault(module, used, "the core is a pure function; take the value in as an argument, from the loop")
        for module in MODULES.values()
        if inside(module.name, "bluegreen.core")
        for used in module.imports
        if not inside(used.module, "attrs", "bluegreen.core", *PURE)
    )


def test_bluegreen_imports_downwards() -> None:
    """Inside bluegreen, imports follow the rows of MAY_IMPORT."""
    forbid(
        fault(module, used, "it stands above; pass the object in, or move what is shared down")
        for module in MODULES.values()
        if inside(module.name, "bluegreen") and module.name != "bluegreen"
        for used in module.imports
        if inside(used.module, "bluegreen") and not may_import(module.name, used.module)
    )


def test_only_the_command_line_knows_the_simulator_and_late() -> None:
    """The product never imports the simulator; the command line does, inside the function that needs it."""
    forbid(
        fault(module, used, "only bluegreen/cli may, and only inside a function")
        for module in MODULES.values()
        if inside(module.name, "bluegreen")
        for used in module.imports
        if inside(used.module, "bluegreen_sim")
        and not (inside(module.name, "bluegreen.cli") and used.when != "load")
    )


def test_the_world_knows_nothing_of_bluegreen() -> None:
    """The parts of the simulated world import each other and nothing else of the project."""
    forbid(
        fault(module, used, "give the world neutral values; bluegreen_sim.cloud translates")
        for module in MODULES.values()
        if inside(module.name, *WORLD)
        for used in module.imports
        if inside(used.module, "bluegreen", "bluegreen_sim") and not inside(used.module, *WORLD)
    )


def test_the_simulator_uses_what_every_user_may_use() -> None:
    """Around the world, bluegreen_sim uses bluegreen's public names and values, not its machinery."""
    forbid(
        fault(module, used, f"use the public names, or one of {', '.join(SHARED)}")
        for module in MODULES.values()
        if inside(module.name, "bluegreen_sim")
        for used in module.imports
        if used.module.startswith("bluegreen.") and not inside(used.module, *SHARED)
        if (module.name, used.module) != (ALSO_THE_COMMAND_LINE, "bluegreen.cli")
    )


def test_each_library_is_known_in_one_place() -> None:
    """Only the modules that KNOWN_TO names import boto3, click and the like, at whatever time."""
    forbid(
        fault(
            module,
            used,
            f"only {' and '.join(KNOWN_TO[library]) or 'nobody'} may; put the code there, behind a port",
        )
        for module in MODULES.values()
        for used in module.imports
        for library in [used.module.partition(".")[0]]
        if library in KNOWN_TO and not inside(module.name, *KNOWN_TO[library])
    )


def test_loading_a_module_loads_no_library_but_attrs() -> None:
    """Other libraries are imported inside the function that needs them, or in a module loaded on purpose."""
    light = {"attrs", "bluegreen", "bluegreen_sim", *sys.stdlib_module_names}
    forbid(
        fault(module, used, "import it inside the function that needs it")
        for module in MODULES.values()
        for row in [next((row for row in LOADED_ON_PURPOSE if inside(module.name, row)), None)]
        for used in module.imports
        if used.when == "load" and not inside(used.module, *light, *LOADED_ON_PURPOSE.get(row, ()))
    )


def test_importing_both_packages_is_light(tmp_path: Path) -> None:
    """`import bluegreen, bluegreen_sim` loads none of the heavy modules, not even by a detour."""
    code = "import sys; old = {*sys.modules}; import bluegreen, bluegreen_sim; print(*{*sys.modules} - old)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    forbid(
        f"import bluegreen, bluegreen_sim loads {name}: `python -X importtime` tells who; import it later"
        for name in sorted(HEAVY & set(ran.stdout.split()))
    )
