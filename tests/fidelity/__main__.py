"""``python -m tests.fidelity [ID ...]``: switch off each rule in turn, and see its test fail.

Prints a row for each fact: the rule, its test, and whether the test passes with it and fails without it. The
facts may be named by id or by the beginning of one (``A6``). With ``--write`` the page docs/fidelity.md is
written instead.
"""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Any

import pytest

from tests.fidelity import FACTS, PAGE, page
from tests.fidelity.fact import Fact

QUIETLY = (
    *("-q", "-x", "--no-header", "-p", "no:cacheprovider", "-p", "no:randomly"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # the simulator is loaded when the facts are
)


BROKEN = (AttributeError, ImportError, NameError, TypeError)
"""What a switch raises that does not fit its place any more: that its test fails then says nothing."""


class Failures:
    """A plugin of pytest that keeps what made tests fail."""

    def __init__(self) -> None:
        """Begin without any."""
        self.causes: list[BaseException] = []

    def pytest_exception_interact(self, call: pytest.CallInfo[Any]) -> None:
        """Keep the exception; called by pytest."""
        if call.excinfo is not None:
            self.causes.append(call.excinfo.value)


def failures(test: str) -> list[BaseException]:
    """What makes a test fail now; nothing when it passes.

    Raises:
        ValueError: If there is no such test.
    """
    words, kept = io.StringIO(), Failures()
    with contextlib.redirect_stdout(words), contextlib.redirect_stderr(words):
        code = pytest.main([test, *QUIETLY], plugins=[kept])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise ValueError(f"{test}: there is no such test, or it does not run\n{words.getvalue()[-2000:]}")
    return kept.causes


def verdict(fact: Fact) -> str:
    """What becomes of a fact's test when the rule is off."""
    assert fact.off is not None
    if failures(fact.test):
        return "FAILS WITH IT"
    with fact.off.applied():
        causes = failures(fact.test)
    if broken := [cause for cause in causes if isinstance(cause, BROKEN)]:
        return f"BROKEN SWITCH ({broken[0]!r})"
    return "noticed" if causes else "NOT NOTICED"


def main(names: list[str]) -> int:
    """Print the table; 1 when a test does not notice."""
    if names == ["--write"]:
        PAGE.write_text(page())
        return 0
    bad = 0
    for fact in FACTS:
        if fact.off is None or (names and not any(fact.id.startswith(name) for name in names)):
            continue
        found = verdict(fact)
        bad += found != "noticed"
        print(f"{fact.id:6} {found:13} {fact.off.where:45} {fact.test}", flush=True)
    print(f"{sum(f.off is not None for f in FACTS)} rules can be switched off, {bad} went unnoticed here")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
