"""`--set`: a value of the plan file, said on the command line."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import PlanError, SharedTargetGroup, WeightedTargetGroups, read_plan
from tests.cli.conftest import PLAN, SHARED, SIDE_BY_SIDE, Program, Write, write_file

TEXT = PLAN.format(routing=SHARED, strategy=SIDE_BY_SIDE)

WRONG = {
    "strategy.bake_second=30": "unknown key 'bake_second'; did you mean 'bake_seconds'?",
    "limits.poll_seconds=2s": "must be a whole number of seconds from 1 to 3600",
    "deadlines.drain_seconds=": "must be a whole number of seconds from 0 to 2592000",
    "image": "must be KEY=VALUE, such as strategy.bake_seconds=30",
    "a b=3": "'a b' is no path such as strategy.bake_seconds or gates[0].name",
    "groups[2]=x": "groups has no element 2",
    "launch_template.x=1": "launch_template is no table",
    "gates=[1": "not valid TOML: Unclosed array",
    "capacity=1\nimage='x'": "must be one value",
}


def test_a_value_is_of_any_type_at_any_depth(write_plan: Write) -> None:
    """Numbers, words, tables and elements of arrays take the place of the file's, or are added."""
    plan = read_plan(
        write_plan(),
        overrides=[
            "strategy.bake_seconds=7",
            "deadlines.drain_seconds = 9",
            "image=ami-0x",
            "launch_template='a(b)'",
            'gates=[{kind = "alarm", name = "a"}, {kind = "alarm", name = "b"}]',
            "gates[1].name=c",
        ],
    )
    assert (plan.rungs[0].bake_seconds, plan.deadlines.drain_seconds) == (7, 9)
    assert (plan.image, plan.launch_template) == ("ami-0x", "a(b)")
    assert [gate.name for gate in plan.gates] == ["a", "c"]
    assert plan.limits.poll_seconds == 30, "the file's own values stay"
    assert plan.routing == SharedTargetGroup("exercise-target-group")


def test_a_table_is_replaced_whole(write_plan: Write) -> None:
    """A table takes the place of the file's with all its keys, in every format of plan file."""
    routing = 'routing={kind="weighted", target_groups=["one", "two"]}'
    assert read_plan(write_plan(), overrides=[routing]).routing == WeightedTargetGroups("one", "two")
    Path("a.json").write_text('{"service": "x"}')
    with pytest.raises(PlanError, match="--set capacity=0: capacity: 0: "):
        read_plan("a.json", overrides=["capacity=0"])


def test_every_wrong_one_is_told_with_the_faults_of_the_file(bluegreen: Program, folder: Path) -> None:
    """Wrong keys and values are told all at once, after the file's own faults, each under its own words."""
    write_file(folder, more="capacity = 0\n")
    for command in ("plan", "simulate", "deploy"):
        ran = bluegreen(command, "deployment.toml", *(word for text in WRONG for word in ("--set", text)))
        first, *lines, last = ran.err.splitlines()
        assert (ran.code, ran.out) == (64, "")
        assert first.startswith("deployment.toml:1:12: capacity: 0: ")
        assert last == f"{len(lines) + 1} faults in deployment.toml"
        for text, remedy in WRONG.items():
            said = "--set " + text.replace("\n", "\\n")
            (found,) = [line for line in lines if line.startswith(f"{said}: ")]
            assert found.endswith(remedy)
    assert list(folder.iterdir()) == [folder / "deployment.toml"]


def test_plan_and_simulate_take_it(bluegreen: Program, write_plan: Write) -> None:
    """`plan` and `simulate` do what they are told instead of what the file says, and say it again."""
    file = write_plan()
    forecast = bluegreen("plan", file, "--set", "deadlines.bake_seconds=77", "--json").data
    assert forecast["deadlines"]["bake_seconds"] == 77
    said = ("--set", 'strategy={kind="canary", percent=25, approval=true}')
    waits = bluegreen("simulate", file, *said)
    assert waits.code == 4
    assert """--set 'strategy={kind="canary", percent=25, approval=true}'""" in waits.out
    assert bluegreen("simulate", file).code == 1, "without it, it is another plan"
    bluegreen("approve", file)
    assert bluegreen("simulate", file, *said).code == 0


@pytest.mark.property
@given(
    key=st.sampled_from(["", "image", "gates", "gates[0]", "strategy.kind", "groups[1]", "limits.x", "a.b"])
    | st.text(max_size=5),
    value=st.sampled_from(["", "1", "x", "[", "{}", "[{}]", "'", "1\nx=1", '"""a', "1e999", "0x", "\x00"])
    | st.text(max_size=8),
)
def test_any_override_gives_a_plan_or_a_plan_error(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: str
) -> None:
    """No override makes the reader fail in another way than by a PlanError."""
    path = tmp_path_factory.getbasetemp() / "overridden.toml"
    path.write_text(TEXT)
    with contextlib.suppress(PlanError):
        read_plan(path, overrides=[f"{key}={value}", value, f"{key}={value}"])
