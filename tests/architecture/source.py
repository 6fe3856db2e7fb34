"""The source as data: its modules, what each imports and when, and a way to report broken rules."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from attrs import frozen

ROOT = Path(__file__).parents[2]

When = Literal["load", "call", "typing"]
"""Whether loading the file loads what it imports, or calling one of its functions, or neither."""


@frozen
class Import:
    """One imported module, by its absolute name."""

    module: str
    line: int
    when: When


@frozen
class Module:
    """One file of Python."""

    name: str
    path: Path
    tree: ast.Module

    def at(self, line: int) -> str:
        """A place in this file, as editors and terminals understand it."""
        return f"{self.path.relative_to(ROOT)}:{line}"

    @property
    def imports(self) -> list[Import]:
        """Everything the file imports, wherever the statement stands."""
        return list(self._imports(self.tree, "load"))

    def _imports(self, node: ast.AST, when: When) -> Iterator[Import]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (Import(name, node.lineno, when) for name in self._names(node))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and when == "load":
            when = "call"
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            when = "typing"
        for child in ast.iter_child_nodes(node):
            yield from self._imports(child, when)

    def _names(self, statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
            return
        base = statement.module or ""
        if statement.level:
            package = self.name.split(".")
            up = statement.level - (self.path.name == "__init__.py")
            base = ".".join([*package[: len(package) - up], *filter(None, [base])])
        for alias in statement.names:
            name = f"{base}.{alias.name}"
            yield name if _exists(name) else base


def _exists(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def read(*folders: str) -> dict[str, Module]:
    """The modules in some folders of the project, by dotted name; a folder without any is an error."""
    found = {}
    for folder in folders:
        paths = sorted((ROOT / folder).rglob("*.py"))
        assert paths, f"{folder}/ holds no Python file, so no rule about it would hold anything"
        for path in paths:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8"), str(path)))
    return found


def inside(name: str, *packages: str) -> bool:
    """Whether a module is one of the packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def forbid(faults: Iterable[str]) -> None:
    """Fail with all faults, one a line; each names its place and the remedy."""
    if found := list(faults):
        pytest.fail("\n".join(found), pytrace=False)
