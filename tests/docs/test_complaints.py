"""docs/explanation/complaints.md: twenty-five complaints, and each test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "complaints.md").read_text(encoding="utf-8")


def rows() -> list[list[str]]:
    """The cells of the table."""
    table = PAGE.partition("| --- |")[2].splitlines()[1:]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in table]


def test_there_are_twenty_five() -> None:
    """Each complaint has its number, the thread's name and what happened."""
    assert [row[0] for row in rows()] == [str(number) for number in range(1, 26)]
    for _, thread, happened, _ in rows():
        assert re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", thread)
        assert happened.endswith(".")


def test_each_has_a_test_that_exists() -> None:
    """Every row names at least one test, and every test that is named is in its file."""
    for _, thread, _, answer in rows():
        named = re.findall(r"`(tests/\S+?\.py)::(test_\w+)`", answer)
        assert named, thread
        assert answer.count("tests/") == len(named)
        for path, name in named:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
            assert found, f"{thread}: {path}::{name}"
