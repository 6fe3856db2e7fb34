"""The timeline as a table: its columns, what they add up to, and the forms in which it is given."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jsonschema
import nanoarrow
import pytest

from bluegreen import Deployment, Plan, SharedTargetGroup, WeightedTargetGroups, strategies
from bluegreen_sim import Errors, Settings, Sick, SimCloud, Timeline, Traffic, tutorial
from bluegreen_sim.table import COLUMNS
from bluegreen_sim.users.traffic import Pool, Target

FIXED = (
    "second version phase requests http_2xx http_500 http_502 http_503 targets_healthy targets_initial "
    "targets_unhealthy targets_draining targets_unused share_wanted share_real http_504 p50_ms p99_ms"
)


def deployed(**options: Any) -> SimCloud:
    """A whole deployment."""
    plan = Plan(
        service="s",
        image="ami-new",
        launch_template="exercise",
        groups=("a", "b"),
        routing=options.pop("routing", WeightedTargetGroups("a", "b")),
        strategy=options.pop("strategy", strategies.canary(10)),
    )
    cloud = SimCloud(plan, settings=Settings(deregistration_seconds=30), **options)
    Deployment(plan, cloud).run()
    return cloud


def drawn(*pools: Pool, per_second: int = 100) -> list[dict[str, Any]]:
    """The rows of a single second in which requests meet these target groups."""
    timeline = Timeline(Traffic(per_second), "blue")
    timeline.record(0, (pools,), ())
    timeline.extend(1000)
    return timeline.to_dicts()


def targets(group: str, count: int) -> tuple[Target, ...]:
    """Targets that answer rightly."""
    return tuple((f"{group}-{i}", group, True, 0) for i in range(count))


def test_the_columns_are_fixed() -> None:
    """Names and order are promised to whoever keeps such tables; a new one comes last."""
    assert [column.name for column in COLUMNS] == FIXED.split()
    row = deployed().timeline.to_dicts()[0]
    assert list(row) == FIXED.split()


@pytest.mark.parametrize("faults", [(), (Sick("green", 120), Errors("ami-new", 5))])
@pytest.mark.parametrize("routing", [WeightedTargetGroups("a", "b"), SharedTargetGroup("tg")])
def test_the_rows_keep_their_schema(routing: Any, faults: tuple[Any, ...]) -> None:
    """Every row of a deployment, with and without failures, is what the JSON schema says."""
    strategy = strategies.side_by_side() if isinstance(routing, SharedTargetGroup) else strategies.canary(10)
    timeline = deployed(routing=routing, strategy=strategy, faults=faults).timeline
    jsonschema.validate(timeline.to_dicts(), Timeline.json_schema())


def test_every_request_is_in_one_row_under_one_status() -> None:
    """Statuses add up to requests, requests to the timeline's, and what is not 2xx to the failed ones."""
    timeline = deployed(faults=(Sick("blue", 40, for_seconds=30), Errors("ami-new", 7))).timeline
    rows = timeline.to_dicts()
    statuses = ("http_2xx", "http_500", "http_502", "http_503", "http_504")
    assert all(row["requests"] == sum(row[status] for status in statuses) for row in rows)
    assert sum(row["requests"] for row in rows) == timeline.requests
    failed = sum(row["requests"] - row["http_2xx"] for row in rows)
    assert failed == timeline.failed_requests > 0
    assert all(sum(row[status] for row in rows) > 0 for status in ("http_500", "http_502"))


def test_the_rows_agree_with_the_counts() -> None:
    """What the table calls 2xx of a version is what ``counts`` says that the version answered."""
    timeline = deployed(faults=(Errors("ami-new", 7),)).timeline
    found = {(row["second"], row["version"]): row["http_2xx"] for row in timeline.to_dicts()}
    for row in timeline.counts():
        assert (found[row["second"], "blue"], found[row["second"], "green"]) == (row["blue"], row["green"])


def test_states_of_targets_are_counted_whoever_gets_requests() -> None:
    """Green's targets are seen to come up at weight 0, and blue's to drain at the end."""
    rows = deployed().timeline.to_dicts()
    first = next(row for row in rows if row["version"] == "green" and row["targets_healthy"])
    assert (first["targets_healthy"], first["requests"]) == (2, 0)
    assert max(row["targets_draining"] for row in rows if row["version"] == "blue") == 2


@pytest.mark.parametrize(
    ("pools", "wanted"),
    [
        ([Pool("tg", 1, targets("blue", 2) + targets("green", 1))], {"blue": 66.67, "green": 33.33}),
        ([Pool("a", 90, targets("blue", 2)), Pool("b", 10, targets("green", 5))], {"blue": 90, "green": 10}),
        ([Pool("a", 75, targets("blue", 1)), Pool("b", 25, ())], {"blue": 75, "green": 0, "none": 25}),
        ([Pool("a", 0, targets("blue", 1)), Pool("b", 0, ())], {"blue": 0, "green": 0, "none": 100}),
    ],
)
def test_shares_are_what_weights_and_targets_give(pools: list[Pool], wanted: dict[str, float]) -> None:
    """The wanted share follows from the rule and the targets alone, the real one from the requests."""
    rows = drawn(*pools, per_second=10_000)
    assert {row["version"]: row["share_wanted"] for row in rows} == wanted
    assert {row["version"]: row["share_real"] for row in rows} == pytest.approx(wanted, abs=0.01)


def test_requests_that_meet_no_target_have_a_row_of_their_own() -> None:
    """They are under ``none`` as 503, in the seconds in which there are any."""
    rows = drawn(Pool("a", 75, targets("blue", 1)), Pool("b", 25, ()))
    assert [(row["version"], row["http_503"]) for row in rows] == [("blue", 0), ("green", 0), ("none", 25)]


def test_a_timeline_that_listens_knows_the_phases() -> None:
    """Each row has the phase in which its second began; where nobody deploys there is none."""
    rows = deployed().timeline.to_dicts()
    phases = list(dict.fromkeys(row["phase"] for row in rows))
    assert phases == ["scale_up", "shift", "bake", "drain"]
    _, cloud = tutorial()
    cloud.clock.sleep(10)
    assert {row["phase"] for row in cloud.timeline.to_dicts()} == {None}


def test_a_timeline_is_told_once_however_often_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment tells its cloud's timeline of each pass once, whether or not it is among the listeners."""
    told: list[str] = []
    monkeypatch.setattr(Timeline, "stepped", lambda _, step, __: told.append(step.reason))
    for named in (False, True):
        plan, cloud = tutorial()
        told.clear()
        result = Deployment(plan, cloud, listeners=[cloud.timeline] if named else ()).run()
        assert told == [step.reason for step in result.history]


def test_arrow_holds_the_same_rows() -> None:
    """The stream gives what ``to_dicts`` gives, with types that do not depend on the rows."""
    timeline = deployed().timeline
    table = nanoarrow.Array(timeline)
    assert table.to_pylist() == timeline.to_dicts()
    assert str(nanoarrow.Array(Timeline(Traffic(0), "blue")).schema) == str(table.schema)


def test_without_nanoarrow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but Arrow works without it."""
    monkeypatch.setitem(sys.modules, "nanoarrow", None)
    with pytest.raises(ImportError, match=r"pip install 'bluegreen\[arrow\]'"):
        Timeline(Traffic(0), "blue").__arrow_c_stream__()


def test_a_timeline_describes_itself() -> None:
    """A few lines say how long it was, what became of the requests, and which phases there were."""
    plan, cloud = tutorial()
    Deployment(plan, cloud).run()
    whole, blue, green, phases = cloud.timeline.describe().splitlines()
    assert (
        whole == f"{cloud.timeline.end_seconds:,.0f} s, {cloud.timeline.requests:,} requests, 0 failed (0 %)"
    )
    assert blue.startswith("blue: ")
    assert green.startswith("green: ")
    assert phases.startswith("phases: scale_up at 0 s, test_traffic at ")


def test_nothing_has_no_rows() -> None:
    """A timeline without time is an empty table, and can be described."""
    timeline = Timeline(Traffic(10), "blue")
    assert timeline.to_dicts() == timeline.counts() == []
    assert timeline.describe().startswith("0 s, 0 requests, 0 failed")


STORY = """
import json
from bluegreen import Deployment
from bluegreen_sim import Dies, Settings, SimCloud, Traffic, tutorial
plan, _ = tutorial()
settings = Settings(nodes=3, boot_seconds=(30, 60, 90), termination="any")
cloud = SimCloud(plan, 3, seed=7, traffic=997, settings=settings, faults=[Dies("green", 150)])
Deployment(plan, cloud).run()
print(json.dumps([cloud.timeline.to_dicts(), cloud.timeline.per_target()]))
"""


@pytest.fixture
def told() -> Callable[[str], bytes]:
    """What a process of its own tells, with a given seed of its hashes."""

    def tell(seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(
            [sys.executable, "-c", STORY], env=environment, capture_output=True, check=True
        ).stdout

    return tell


@pytest.mark.process
def test_the_same_seed_gives_the_same_bytes(told: Callable[[str], bytes]) -> None:
    """In processes of three hash seeds the whole timeline is the same text."""
    first, *others = (told(seed) for seed in ("0", "1", "4294967295"))
    assert len(first) > 10_000
    assert others == [first, first]
