"""``bluegreen check``: the plan in every order of events."""

from pathlib import Path

import pytest

from tests.cli.conftest import WEIGHTED, Program, Write

MINE = """
def blue_keeps_an_instance(plan, state, observation, commands):
    blue = observation.fleet(state.blue)
    return blue is None or blue.desired > 0
"""


def test_a_sound_plan_is_said_to_be_sound_within_its_bounds(bluegreen: Program, write_plan: Write) -> None:
    """Nothing is wrong: exit 0, the number of states, and beside the verdict what was and was not covered."""
    ran = bluegreen("check", write_plan(), "--instances", "1", "--faults", "1")
    assert ran.code == 0, ran.err
    assert "nothing is wrong in all" in ran.out
    assert "covered      every order" in ran.out
    assert "not covered  more faults or instances than that" in ran.out
    assert "any 1 fault of these kinds: sick" in ran.out
    assert "never met    preflight: " in ran.out


def test_the_answer_is_one_object_for_programs(bluegreen: Program, write_plan: Write) -> None:
    """With --json: verdict, counts, bounds and the cells that never decided."""
    ran = bluegreen("check", write_plan(WEIGHTED), "--instances", "1", "--faults", "1", "--json")
    data = ran.data
    assert data["schema"] == "bluegreen.check/1"
    assert (data["ok"], data["complete"], data["violations"], data["exit_code"]) == (True, True, [], 0)
    assert data["states"] > 1_000
    assert set(data["ends"]) == {"promoted", "rolled_back", "refused"}
    assert data["shrunk"]
    assert ["scale_up", "blocked"] in data["unused_cells"]


def test_a_broken_promise_is_told_and_told_again(bluegreen: Program, write_plan: Write, folder: Path) -> None:
    """A promise of one's own that does not hold: exit 5, a story on a screen, a line that tells it again."""
    (folder / "mine.py").write_text(MINE)
    ran = bluegreen(
        "check",
        write_plan(),
        "--faults",
        "0",
        "--instances",
        "1",
        "--invariant",
        "mine.py:blue_keeps_an_instance",
    )
    assert ran.code == 5
    lines = ran.out.splitlines()
    assert lines[0] == "blue_keeps_an_instance: broken"
    assert len(lines) < 50
    (again,) = (line for line in lines if line.startswith("tell it again: bluegreen "))
    story = [line for line in lines[1:] if line[:1] == " "]
    told = bluegreen(*again.removeprefix("tell it again: bluegreen ").split())
    assert told.code == 0
    assert told.out.splitlines() == story
    assert "✗ blue_keeps_an_instance" in told.out


@pytest.mark.parametrize(
    "what", [["--template-version", "3", "--faults", "0"], ["--image", "ami-0gamma", "--faults", "1"]]
)
def test_what_tells_it_again_tells_the_same(
    bluegreen: Program, write_plan: Write, folder: Path, what: list[str]
) -> None:
    """Whatever was to be deployed, the line that is printed tells the story that was printed."""
    (folder / "mine.py").write_text(MINE)
    options = [*what, "--instances", "1", "--invariant", "mine.py:blue_keeps_an_instance"]
    ran = bluegreen("check", write_plan(), *options)
    (line,) = (line for line in ran.out.splitlines() if line.startswith("tell it again: bluegreen "))
    told = bluegreen(*line.removeprefix("tell it again: bluegreen ").split())
    assert told.code == 0
    assert told.out in ran.out
    assert "✗ blue_keeps_an_instance" in told.out


def test_a_check_that_was_stopped_is_no_success(bluegreen: Program, write_plan: Write) -> None:
    """Stopped at N states: exit 1, and the verdict says that it is no proof."""
    ran = bluegreen("check", write_plan(), "--most", "50")
    assert ran.code == 1
    assert "not a proof" in ran.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--invariant", "nowhere.py:it"], "should be FILE.py:NAME"),
        (["--invariant", "mine.py:other"], "no function 'other'"),
        (["--replay", "what"], "is no script"),
        (["--replay", "0:9,3"], "no script for this plan"),
        (["--replay=-3"], "is no script"),
        (["--instances", "9"], "9 is not in the range"),
        (
            ["--invariant", "broken.py:it"],
            "broken.py cannot be run: ModuleNotFoundError: No module",
        ),
        (["--invariant", "mine.py:of_two"], "must be a function of plan, state, look and commands"),
    ],
)
def test_wrong_usage_is_told(
    bluegreen: Program, write_plan: Write, folder: Path, options: list[str], words: str
) -> None:
    """What cannot be checked is a usage fault, in words."""
    (folder / "mine.py").write_text(f"{MINE}def of_two(plan, state): ...\n")
    (folder / "broken.py").write_text("import nowhere\n")
    ran = bluegreen("check", write_plan(), *options)
    assert ran.code == 64
    assert words in ran.err


def test_a_first_release_can_be_checked(bluegreen: Program, write_plan: Write) -> None:
    """With nothing live yet, and a capacity in the plan, the same check."""
    ran = bluegreen("check", write_plan(more="capacity = 1\n"), "--first-release")
    assert ran.code == 0, ran.out
    assert "a first release, any 2 faults" in ran.out
    ran = bluegreen("check", write_plan(), "--first-release")
    assert ran.code == 5
    assert "it can be promoted: never so; instead, for example" in ran.out
    assert "set capacity" in ran.out
