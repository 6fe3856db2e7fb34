"""The Hypothesis profile: the same examples on every machine, more where a tier asks; and what is shown."""

import os
from collections.abc import Callable

import pytest
from hypothesis import Phase, settings

settings.register_profile(
    "bluegreen",
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),  # to explain a failing run costs minutes
    max_examples=int(os.environ.get("BLUEGREEN_EXAMPLES", "100")),
)
settings.load_profile("bluegreen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks moto's server takes seconds, and is kept out of `make check`."""
    for item in items:
        if {"moto", "aws"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


Show = Callable[[str], None]
SHOWN = "shown"


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Show:
    """Shows a figure or a table at the end of the run, whichever process found it."""
    return lambda text: record_property(SHOWN, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have shown."""
    reports = [r for rs in terminalreporter.stats.values() for r in rs if isinstance(r, pytest.TestReport)]
    shown = [text for r in reports if r.when == "call" for name, text in r.user_properties if name == SHOWN]
    if shown:
        terminalreporter.section(SHOWN)
        terminalreporter.write_line("\n".join(shown))
