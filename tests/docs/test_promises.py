"""Every promise says where it is held to and where it is seen to object, by tests that exist."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path

import pytest

from bluegreen.core.invariants import INVARIANTS

TESTS = Path(__file__).parents[1]
KEPT = tomllib.loads((TESTS.parent / "docs" / "promises.toml").read_text())
ALL = {*(f"S{n}" for n in range(1, 19)), *(f"L{n}" for n in range(1, 9))}


@cache
def names(path: str) -> set[str]:
    """The tests of a module: functions, and classes of rules."""
    tree = ast.parse((TESTS / path).read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    bound = {
        t.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for t in node.targets
        if isinstance(t, ast.Name)
    }
    return {name for name in functions | bound if name.lower().startswith("test")}


def test_the_table_is_complete() -> None:
    """All 26 promises are there; predicates have their words from the code, the others have them here."""
    assert set(KEPT) == ALL
    predicates = {invariant.id for invariant in INVARIANTS}
    assert {number for number, kept in KEPT.items() if "exactly" not in kept} == predicates
    assert {number for number, kept in KEPT.items() if "name" not in kept} == predicates


@pytest.mark.parametrize("number", sorted(ALL))
@pytest.mark.parametrize("key", ["tests", "fires"])
def test_each_promise_names_tests_that_exist(number: str, key: str) -> None:
    """What holds it, and what shows that this can object, are tests of this suite."""
    assert KEPT[number][key]
    for named in KEPT[number][key]:
        path, _, name = named.partition("::")
        assert name in names(path), named
