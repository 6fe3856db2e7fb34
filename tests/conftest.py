"""The Hypothesis profile, the same examples on every machine; what is slow; what the suite asks of AWS."""

import os
import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import ClientCreator
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


_make_methods = ClientCreator._create_methods
_methods: dict[tuple[str, ...], dict[str, Any]] = {}


def _methods_once(creator: ClientCreator, model: Any) -> dict[str, Any]:
    """The methods of a service's clients; botocore makes them anew for each client, at 15 ms."""
    names = (model.service_name, *model.operation_names)
    if names not in _methods:
        _methods[names] = _make_methods(creator, model)
    return dict(_methods[names])


ClientCreator._create_methods = _methods_once

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


# ----------------------------------------------------------------------------------- rights: granted and used

ASKED: set[str] = set()
"""IAM actions that bluegreen asked of moto's servers, in this process and its workers."""

NOT_IN_MOTO = {"autoscaling:DetachTrafficSources", "cloudwatch:DescribeAlarmHistory"}


def _whole(config: pytest.Config) -> bool:
    """Whether all tests ran: whatever a right is used for was then done."""
    option = config.option
    return not option.file_or_dir and not option.keyword and option.markexpr == "not proof"


def unused(asked: set[str]) -> set[str]:
    """Actions that our policies grant and that nothing asked for."""
    from bluegreen.aws.rights import RIGHTS

    called = {right.action for right in RIGHTS if not right.page}
    return called - asked - NOT_IN_MOTO


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist has ended: what it asked for counts."""
    ASKED.update(getattr(node, "workeroutput", {}).get("asked", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of the whole suite in which a right was granted that nothing used."""
    if "tests.moto_server" in sys.modules:
        ASKED.update(sys.modules["tests.moto_server"].ASKED)
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["asked"] = sorted(ASKED)
    elif session.exitstatus == pytest.ExitCode.OK and _whole(session.config) and (left := unused(ASKED)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line(
            f"granted by bluegreen/aws/rights.py, and used by no test: {sorted(left)}", red=True
        )
