"""`bluegreen demo`: the tutorial, as people and as programs see it."""

from pathlib import Path

from tests.cli.conftest import Program


def test_json_tells_the_truth_about_the_tutorial(bluegreen: Program) -> None:
    """The one object on stdout has every promised field: promoted, nothing failed, nothing left."""
    ran = bluegreen("demo", "--json")
    data = ran.data
    assert ran.code == 0
    assert ran.out.count("\n") == 1
    assert data["schema"] == "bluegreen.demo/1"
    assert (data["phase"], data["ok"], data["failed_requests"]) == ("promoted", True, 0)
    assert data["instances"] == {"blue": 0, "green": 2}
    assert data["instances_left"] == 0
    assert data["requests"] > 10_000
    assert data["image"].startswith("ami-")
    assert data["deployment_id"].startswith("exercise-1-")
    assert list(data) == sorted(data)


def test_shares_go_from_blue_over_both_to_green(bluegreen: Program) -> None:
    """Second by second, users see 100/0, then 50/50, then 0/100, and no error."""
    rows = bluegreen("demo", "--json").data["shares"]
    assert all(set(row) == {"second", "blue", "green", "errors"} for row in rows)
    assert [row["second"] for row in rows] == list(range(len(rows)))
    splits = [(row["blue"], row["green"]) for row in rows]
    assert splits[0] == (100, 0)
    assert splits.count((50, 50)) > 50
    assert splits[-1] == (0, 100)
    assert not any(row["errors"] for row in rows)


def test_the_story_has_the_nine_steps_in_order(bluegreen: Program) -> None:
    """Every step of the tutorial has a line, in order, under the tutorial's own names."""
    ran = bluegreen("demo")
    lines = [line for line in ran.out.splitlines() if line.startswith("step ")]
    numbers = [int(line.split()[1]) for line in lines]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 10))
    for name in ("group-blue", "group-green", "launch-template", "target-group"):
        assert f"exercise-{name}" in ran.out
    assert ran.err == ""


def test_the_probe_sees_blue_then_both_then_green_alone(bluegreen: Program) -> None:
    """Asked through the load balancer, the versions answer as the tutorial shows, with their counts."""
    steps = bluegreen("demo", "--json").data["steps"]
    asked = [step["reason"] for step in steps if "load balancer, asked" in step["reason"]]
    seen = [(reason.count("ami-0alpha"), reason.count("exercise-v2")) for reason in asked]
    assert seen == [(1, 0), (1, 1), (0, 1)]
    assert "ami-0alpha 6, exercise-v2 6" in asked[1]
    direct = [step["reason"] for step in steps if "directly" in step["reason"]]
    assert len(direct) == 2


def test_the_report_is_one_page(bluegreen: Program, folder: Path) -> None:
    """`--report` writes one HTML file without script, of at most 150 kB, and says so on stderr."""
    ran = bluegreen("demo", "--report", "out.html", "--json")
    page = (folder / "out.html").read_text(encoding="utf-8")
    assert ran.data["ok"]
    assert "out.html" in ran.err
    assert "<svg" in page
    assert "<script" not in page
    assert len(page.encode()) <= 150_000


def test_a_report_that_cannot_be_written_is_found_first(bluegreen: Program) -> None:
    """A report into a folder that is not there is one error, before anything is played."""
    ran = bluegreen("demo", "--report", "nowhere/out.html")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("bluegreen: the report cannot be written")
