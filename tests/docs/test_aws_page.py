"""What docs/aws.md says is so: its tests exist, its rights are those of the calls, nothing is left out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bluegreen import Deployment
from bluegreen.aws import AwsCloud, copying
from bluegreen.core.observation import ErrorClass
from bluegreen.core.state import Phase
from tests.architecture.source import read
from tests.aws.conftest import moto, moto_server
from tests.contract.providers import Hands, plan_for
from tests.moto_account import lay_out

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

__all__ = ["moto", "moto_server"]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")

# A piece of each sentence with which a plan is refused: what the page's table says of it.
REFUSALS = {
    "does not exist: create it, or correct routing": "a target group does not exist",
    "name one of type 'instance'": "not of type `instance`",
    "is no ARN of a listener or of a rule": "is no ARN of a listener or of a rule",
    "forwards to both": "no rule forwards to both",
    "divide by different weights": "rules that forward to both divide by different weights",
    "too, unshifted": "another rule leads to one of the target groups",
    "by a weight of its own": "a third target group by a weight of its own",
    "is gone": "the rule is gone",
    "would be refused": "EC2 would refuse",
    "but the credentials lead to": "`routing.listener` is an ARN of another Region",
    "the credentials lead to account": "the credentials lead to another account",
    "forwards to both target groups no more": "forwards to both no more",
    "does not forward to both target groups of a pair": "forwards to one target group of a pair only",
    "is of no load balancer of the target groups": "a test rule is not there",
    "leads to too, by a weight of its own": "leads to another one",
    "turn its stickiness off": "is sticky",
    "is being deleted": "a group is being deleted",
    "launches from a launch configuration": "a group launches from a launch configuration",
    "overrides with a template of their own": "an override of a mixed instances policy",
    "launches from template": "a group launches from another template",
    "pin it to a number": "launches from `$Latest` or `$Default`",
    "is not attached to its target group": "a group is not attached to its target group",
    "where nothing is shifted": "behind another target group or balancer too",
    "suspended: resume it": "`AddToLoadBalancer` is suspended",
    "suspend both, or neither": "one of `AlarmNotification` and `ScheduledActions`",
    "has a warm pool": "a warm pool",
    "in Standby": "instances in `Standby`",
    "which a new version would not": "a source version with a snapshot",
    "which acts by alarms that are not copied": "a scaling policy that acts by alarms of somebody's own",
    "so two launches may differ": "a plan's version that names its image by a parameter",
    "deleted and made anew": "a group that was deleted and made anew",
    "this deployment did not make it": "the name of one that this deployment was to",
}


def section(title: str) -> str:
    """What stands below a heading of the second level."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str, first: str) -> list[list[str]]:
    """The cells of the table of a section whose head begins with that word, row by row."""
    table = section(title).partition(f"| {first} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in table.splitlines()[2:]]


# ---------------------------------------------------------------------------------------------- facts, rights


@cache
def _tests(path: str) -> set[str]:
    """Names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_fact_has_a_test_that_exists() -> None:
    """Every fact has a source and at least one test, and all tests that the page names are there."""
    facts = rows("Facts relied upon", "fact")
    assert len(facts) > 40
    for fact, source, tests in facts:
        assert source, fact
        assert re.search(r"`tests/\S+\.py::test_\w+`", tests), fact
    named = re.findall(r"(tests/\S+?\.py)::(\w+)", PAGE)
    missing = [f"{path}::{name}" for path, name in named if name not in _tests(path)]
    assert not missing


def test_every_class_of_error_is_told() -> None:
    """The table of errors has each class once, with what became of the command and what is done then."""
    said = {row[0].strip("`"): row[2:] for row in rows("Sent once", "class of error")}
    assert set(said) == {kind.value for kind in ErrorClass}
    for kind in ErrorClass:
        became, done = said[kind.value]
        assert became == kind.result.value.replace("-", " ")
        assert ("a person must look" in done) is kind.hopeless


# --------------------------------------------------------------------------------------------------- refusals


def _text(node: ast.AST) -> str:
    """The literal parts of a sentence, wherever they stand in an expression."""
    parts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return " ".join(parts)


def _said(tree: ast.AST) -> Iterator[str]:
    """Each sentence that is yielded as a problem, added to the problems, or raised as NotThere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in (
            "problems",
            "source_problems",
            "place_problems",
            "_test_problems",
        ):
            yield from (_text(n.value) for n in ast.walk(node) if isinstance(n, ast.Yield) and n.value)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            if isinstance(node.exc.func, ast.Name) and node.exc.func.id == "NotThere":
                yield _text(node.exc.args[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "self._problems.append":
            yield _text(node.args[0])


def test_every_refusal_is_told() -> None:
    """Each sentence with which the adapter refuses a plan has its place under "What is refused"."""
    sentences = [
        said
        for module in read("bluegreen").values()
        if module.name.startswith("bluegreen.aws.")
        for said in _said(module.tree)
    ]
    assert len(sentences) == len(REFUSALS)
    told = " ".join(section("What is refused").split())
    for piece, words in REFUSALS.items():
        assert any(piece in " ".join(said.split()) for said in sentences), piece
        assert words in told, words


def test_what_is_copied_is_told_member_by_member() -> None:
    """Every member of CreateAutoScalingGroup stands in the page where the adapter puts it."""
    told = section("A group made like another")
    copied, made = (row[1] for row in rows("A group made like another", "what")[:2])
    assert set(re.findall(r"`(\w+)`", copied)) == set(copying.COPIED)
    assert {name for name in copying.MADE if f"`{name}` ({copying.MADE[name]})" in made} == set(copying.MADE)
    left = rows("A group made like another", "member")
    assert {name.strip("`"): why for name, why in left} == copying.NOT_COPIED
    assert all(f"`{call}`" in told for call in copying.EXTRAS.values())


# ------------------------------------------------------------------------------------------------------ calls


def _named(command: Any, sizes: dict[str, int]) -> str:
    """A command as the page's table names it."""
    kind = type(command).__name__
    if kind != "SetSize":
        return f"`{kind}`"
    return f"`SetSize`, {'larger' if command.size > sizes[command.fleet] else 'smaller'}"


@pytest.mark.contract
def test_whose_the_credentials_are_is_one_call_more(moto: MotoServer) -> None:
    """Where an account is named the first look asks for it, as the page says; later ones do not."""
    (row,) = [row for row in rows("What is called when", "a look") if "AwsCloud(account" in row[0]]
    assert "`GetCallerIdentity`, 1 more" in row[1]
    lay_out(moto, "weighted")
    with closing(
        AwsCloud(moto.session(), endpoint_url=moto.url, clock=Hands(), account="123456789012")
    ) as cloud:
        deployment = Deployment(plan_for("weighted"), cloud)
        deployment.advance()
        assert (len(moto.calls), moto.operations().count("GetCallerIdentity")) == (21 + 1, 1)
        deployment.advance()
        assert moto.operations().count("GetCallerIdentity") == 1


def _made(moto: MotoServer, routing: Any) -> tuple[int, dict[str, set[int]]]:
    """How many calls preflight made, and by its command how many each later pass of a deployment made."""
    lay_out(moto, routing)
    found: dict[str, set[int]] = {}
    with closing(AwsCloud(moto.session(), endpoint_url=moto.url, clock=Hands())) as cloud:
        deployment = Deployment(plan_for(routing), cloud)
        deployment.advance()
        first = len(moto.calls)
        moto.calls.clear()
        sizes = dict.fromkeys(deployment.plan.groups, 0) | {deployment.plan.groups[0]: 2}
        for step in deployment.steps():
            (name,) = [_named(command, sizes) for command in step.commands] or ["none"]
            sizes |= {each.fleet: each.size for each in step.commands if hasattr(each, "size")}
            found.setdefault(name, set()).add(len(moto.calls))
            moto.calls.clear()
        assert step.state.phase is Phase.PROMOTED
    return first, found


@pytest.mark.contract
@pytest.mark.parametrize(("routing", "first", "column"), [("weighted", 21, 3), ("shared", 12, 4)])
def test_calls_are_as_many_as_the_page_says(routing: str, first: int, column: int, moto: MotoServer) -> None:
    """A whole deployment makes, pass by pass, the calls of the page's table."""
    table = rows("What is called when", "command of the pass")
    said = {row[0]: {int(n) for n in re.findall(r"\d+", row[column])} for row in table}
    preflight, found = _made(moto, routing)
    assert preflight == first
    assert f": {first}" in rows("What is called when", "a look")[0][column - 2]
    assert found == {name: numbers for name, numbers in said.items() if numbers}
