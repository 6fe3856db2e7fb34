"""``python -m tests.fidelity [ID ...]``: switch off each rule in turn, and see its test fail.

Prints a row for each fact: the rule, its test, and whether the test passes with it and fails without it. The
facts may be named by id or by the beginning of one (``A6``). With ``--write`` the page docs/fidelity.md is
written instead.
"""

from __future__ import annotations

import contextlib
import io
import sys

import pytest

from tests.fidelity import FACTS, PAGE, page
from tests.fidelity.fact import Fact

QUIETLY = (
    *("-q", "-x", "--no-header", "-p", "no:cacheprovider", "-p", "no:randomly"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # the simulator is loaded when the facts are
)


def passes(test: str) -> bool:
    """Whether a test passes now.

    Raises:
        ValueError: If there is no such test.
    """
    words = io.StringIO()
    with contextlib.redirect_stdout(words), contextlib.redirect_stderr(words):
        code = pytest.main([test, *QUIETLY])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise ValueError(f"{test}: there is no such test, or it does not run\n{words.getvalue()[-2000:]}")
    return code == pytest.ExitCode.OK


def verdict(fact: Fact) -> str:
    """What becomes of a fact's test when the rule is off."""
    assert fact.off is not None
    if not passes(fact.test):
        return "FAILS WITH IT"
    with fact.off.applied():
        noticed = not passes(fact.test)
    return "noticed" if noticed else "NOT NOTICED"


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
