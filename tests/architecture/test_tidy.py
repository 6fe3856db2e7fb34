"""The house style that no linter knows. Each message names the place and the remedy."""

import ast
import importlib
import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.source import ROOT, forbid, inside, read

MODULES = read("bluegreen", "bluegreen_sim")
TESTS = read("tests")

MODULE_LINES = 400
FUNCTION_LINES = 60

# Ratchets: what is longer, and may not grow. A row goes when its module or function is within the limit.
LONG_MODULES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}

# Written so that no pattern matches itself.
UNWANTED = {
    r"\b(TO[D]O|FIX[M]E)\b": "do it now, or open an issue",
    r"(?<![\w.-])/(work|root|farm)/": "the path of one machine; derive it, or use a made-up one",
    r"(pypi|pythonhosted|npmjs|deb[.]debian)[.]org|//[^ /]+/simple\b|--(extra-)?index-url": (
        "the host of a package registry; name the package only"
    ),
}


def functions(node: ast.AST, name: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function below a node, with its dotted name."""
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        inner = f"{name}.{child.name}" if named else name
        if named and not isinstance(child, ast.ClassDef):
            yield inner, child
        yield from functions(child, inner)


def too_long(
    sizes: dict[str, tuple[str, int]], limit: int, ratchet: dict[str, int], remedy: str
) -> Iterator[str]:
    """What is longer than it may be, and the rows of the ratchet that are needed no more."""
    for name, (place, size) in sizes.items():
        if size > (allowed := ratchet.get(name, limit)):
            yield f"{place}: {name} has {size} lines, {allowed} allowed: {remedy}"
    for name in ratchet:
        if name not in sizes or sizes[name][1] <= limit:
            yield f"{name} is within {limit} lines, or gone: take its row out of the ratchet"


def imported_for_types(package: ModuleType) -> set[str]:
    """The names that a package imports for type checkers only, and serves when they are first used."""
    tree = ast.parse(Path(str(package.__file__)).read_text())
    typed = [
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {
        alias.asname or alias.name
        for node in typed
        for entry in node.body
        if isinstance(entry, ast.ImportFrom)
        for alias in entry.names
    }


@pytest.mark.parametrize("name", ["bluegreen", "bluegreen_sim"])
def test_all_lists_the_public_names(name: str) -> None:
    """`__all__`, what type checkers see and what the package serves at run time are the same names."""
    package = importlib.import_module(name)
    typed, listed = imported_for_types(package), set(package.__all__)
    served = {each for each in listed if hasattr(package, each)}
    forbid(
        f"{name}.{each}: name it in __all__, under TYPE_CHECKING, and in _HOMES; or nowhere"
        for each in sorted((typed ^ listed) | (served ^ listed))
    )


@pytest.mark.parametrize("name", ["bluegreen", "bluegreen_sim"])
def test_public_names_explain_themselves(name: str) -> None:
    """Every class and function in `__all__` has a docstring, and so has every public method."""
    package = importlib.import_module(name)
    named = {f"{name}.{each}": getattr(package, each, None) for each in package.__all__}
    named |= {
        f"{owner}.{member}": value
        for owner, cls in named.items()
        if inspect.isclass(cls)
        for member, value in vars(cls).items()
        if not member.startswith("_")
    }
    forbid(
        f"{path}: say in one sentence what it does, as its docstring"
        for path, value in named.items()
        if (inspect.isclass(value) or inspect.isroutine(value) or isinstance(value, property))
        and not value.__doc__
    )


def test_every_module_says_what_it_is() -> None:
    """The first statement of every file is a docstring."""
    forbid(
        f"{module.at(1)}: say in one sentence what the file is for, as its docstring"
        for module in [*MODULES.values(), *TESTS.values()]
        if not ast.get_docstring(module.tree)
    )


def test_every_test_says_what_holds() -> None:
    """Every test function has a docstring: one sentence that is true when the test passes."""
    forbid(
        f"{module.at(test.lineno)}: {test.name} needs one sentence saying what holds, as its docstring"
        for module in TESTS.values()
        for _, test in functions(module.tree, module.name)
        if test.name.startswith("test") and not ast.get_docstring(test)
    )


def test_only_the_command_line_prints() -> None:
    """Nothing but bluegreen/cli calls `print`."""
    forbid(
        f"{module.at(call.lineno)}: return the text, or tell a Listener; only bluegreen/cli prints"
        for module in MODULES.values()
        if not inside(module.name, "bluegreen.cli")
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"
    )


def test_modules_have_one_subject() -> None:
    """No module is longer than the limit, or than its row in the ratchet."""
    sizes = {
        name: (module.at(1), len(module.path.read_text(encoding="utf-8").splitlines()))
        for name, module in MODULES.items()
    }
    forbid(too_long(sizes, MODULE_LINES, LONG_MODULES, "it has two subjects; make them two files"))


def test_functions_do_one_thing() -> None:
    """No function is longer than the limit, or than its row in the ratchet."""
    sizes = {
        name: (module.at(function.lineno), (function.end_lineno or 0) - function.lineno + 1)
        for module in MODULES.values()
        for name, function in functions(module.tree, module.name)
    }
    forbid(too_long(sizes, FUNCTION_LINES, LONG_FUNCTIONS, "it does two things; give one of them a name"))


def test_no_file_holds_what_nobody_should_read() -> None:
    """No file that git would take holds a leftover note, a path of one machine or the host of a registry."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]
    assert paths, "git lists no file, so this rule would hold nothing"
    texts = [(path, path.read_bytes().decode(errors="replace")) for path in paths]
    forbid(
        f"{path.relative_to(ROOT)}:{number}: {match[0]!r}: {remedy}"
        for path, text in texts
        for number, line in enumerate(text.splitlines(), start=1)
        for pattern, remedy in UNWANTED.items()
        if (match := re.search(pattern, line))
    )
