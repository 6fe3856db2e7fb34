"""What is written into a journal comes back equal, and nothing else is read."""

import json
from collections.abc import Iterator
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import strategies as ladders
from bluegreen.core.commands import COMMANDS, SetSize
from bluegreen.core.errors import JournalDamaged, JournalError
from bluegreen.core.gates import Alarm, Hook, MetricGate, Probe, Window
from bluegreen.core.observation import GateReading, Observation, Outcome, Reading, Request, Result
from bluegreen.core.plan import (
    Deadlines,
    Limits,
    Plan,
    Rung,
    SharedTargetGroup,
    Strategy,
    WeightedTargetGroups,
)
from bluegreen.core.state import Ledger, Sighting, State, Step
from bluegreen.journal import codec
from bluegreen.ports import Holder

# ------------------------------------------------------------------------------------------------ values

# Plans are validated, so they are drawn by hand; all else by the annotations of its fields.
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,8}[A-Za-z0-9]", fullmatch=True)
two_names = st.lists(names, min_size=2, max_size=2, unique=True).map(tuple)
durations = st.integers(0, 86_400)
percents = st.sets(st.integers(1, 50), max_size=4).map(lambda found: [*sorted(found), 100])
ladder = percents.flatmap(
    lambda rising: st.tuples(
        *(st.builds(Rung, percent=st.just(p), bake_seconds=durations, approval=st.booleans()) for p in rising)
    )
)
gates = st.lists(
    st.builds(Alarm, name=names)
    | st.builds(Hook, name=names, phases=st.sampled_from([("bake",), ("test_traffic", "keep_blue")]))
    | st.builds(
        Probe,
        name=names,
        url=st.just("http://{instance}/"),
        body=st.sampled_from([None, "", "v[12]"]),
        requests=st.just(3),
    )
    | st.builds(MetricGate, name=names, metric=st.just("m"), threshold=st.floats(-1, 1), by=st.just("group"))
    | st.builds(Window, name=names, freezes=st.sampled_from([(), ("2026-12-24",)])),
    unique_by=lambda gate: gate.name,
    max_size=3,
).map(tuple)
plans = st.builds(
    Plan,
    service=names,
    image=names,
    launch_template=st.just("shop-template"),
    groups=two_names,
    routing=st.builds(SharedTargetGroup, names)
    | st.builds(
        lambda pair, listener: WeightedTargetGroups(
            *pair, listener=listener, also=() if listener else (("x-1", "x-2"),)
        ),
        two_names,
        st.none() | names,
    ),
    strategy=st.builds(Strategy, ladder, keep_blue_seconds=durations, name=names)
    | st.sampled_from([ladders.all_at_once(), ladders.canary(), ladders.side_by_side()]),
    fleets=st.sampled_from(["standing", "replace"]),
    capacity=st.none() | st.integers(1, 100),
    min_healthy_percent=st.integers(0, 100),
    source_version=st.none() | st.integers(1, 100),
    on_blue_sick=st.sampled_from(["continue", "expedite", "hold"]),
    retain_seconds=durations,
    keep_failed_green_seconds=durations,
    console_lines=st.integers(0, 200),
    freeze_scaling=st.booleans(),
    gates=gates,
    limits=st.builds(Limits, poll_seconds=st.integers(1, 60), rewrites=st.integers(0, 9)),
    deadlines=st.builds(Deadlines, keep_blue_seconds=durations, drain_seconds=durations),
)

plans |= plans.filter(lambda plan: not plan.shared).map(
    lambda plan: attrs.evolve(plan, test_rules=("arn:aws:elasticloadbalancing:test", "other"))
)

LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    NoneType: st.none(),
    bool: st.booleans(),
    int: st.integers(),
    str: st.text(max_size=12),
    float: st.floats(-1e12, 1e12).map(lambda number: number + 0.0),  # -0.0 equals the default 0.0
    Plan: plans,
}


@cache
def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Any value of a type: of attrs classes every field, so that a field added later is drawn as well."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in LEAVES:
        return LEAVES[annotation]
    if origin in (Union, UnionType):
        return st.one_of([values(one) for one in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is frozenset:
        return st.frozensets(values(*arguments), max_size=3)
    if origin is tuple and arguments[-1] is ...:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, arguments))
    if issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    fields = attrs.fields(attrs.resolve_types(annotation))
    return st.builds(annotation, **{field.name: values(field.type) for field in fields if field.init})


def through_json(data: object) -> Any:
    """What a reader gets of what a writer gave."""
    return json.loads(codec.canonical(data))


def same(one: object, other: object) -> bool:
    """Equal, and of equal types: 1, 1.0 and True differ. A set shows in any order, so letters are sorted."""
    return one == other and sorted(repr(one)) == sorted(repr(other))


WHOLES = [Plan, Observation, State, Step, Outcome, Request, Ledger, Sighting, Holder, *COMMANDS]


@pytest.mark.property
@pytest.mark.parametrize("cls", WHOLES, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_values_come_back_equal(cls: type, data: st.DataObject) -> None:
    """Reading what was written gives the same value, of the same types, and writing that the same bytes."""
    value = data.draw(values(cls))
    written = codec.canonical(codec.to_json(value))
    read = codec.from_json(cls, json.loads(written))
    assert same(read, value)
    assert codec.canonical(codec.to_json(read)) == written


@pytest.mark.property
@given(
    plan=plans,
    state=values(State),
    look=values(Observation),
    step=values(Step),
    became=values(tuple[Outcome, ...]),
)
def test_bodies_come_back_equal(
    plan: Plan, state: State, look: Observation, step: Step, became: tuple[Outcome, ...]
) -> None:
    """Every kind of body gives back what it was made of."""
    assert same(codec.read_started(through_json(codec.started(plan, state))), (plan, state))
    assert same(codec.read_decision(through_json(codec.decision(look, step))), (look, step))
    assert same(codec.read_outcomes(through_json(codec.outcomes(became))), became)


@pytest.mark.property
@given(look=values(Observation), step=values(Step), next_look=values(Observation), next_step=values(Step))
def test_what_did_not_change_is_written_once(
    look: Observation, step: Step, next_look: Observation, next_step: Step
) -> None:
    """A decision that repeats fleets and sightings of the one before is short, and comes back equal."""
    quiet = attrs.evolve(next_look, fleets=look.fleets)
    still = attrs.evolve(next_step, state=next_step.state.replaced(sightings=step.state.sightings))
    for following in ((quiet, still), (next_look, next_step)):
        body = through_json(codec.decision(*following, (look, step)))
        assert same(codec.read_decision(body, (look, step)), following)
    short = codec.decision(quiet, still, (look, step))
    assert short["same"] == ["fleets", "sightings"]
    with pytest.raises(JournalDamaged):
        codec.read_decision(short)


@pytest.mark.property
@given(holder=values(Holder), request=values(Request))
def test_small_bodies_come_back_equal(holder: Holder, request: Request) -> None:
    """Leases and requests too; a request takes its number from the slot it stands in."""
    assert same(codec.read_lease(through_json(codec.lease(holder))), holder)
    body = codec.request(request.kind, by=request.by, reason=request.reason, rung=request.rung)
    assert same(codec.read_request(request.seq, through_json(body)), request)


def test_the_form_of_bodies() -> None:
    """The keys of each body are those that the module's docstring names."""
    state = State(ledger=Ledger("shop-1"), at=0, wake_at=0)
    holder = Holder(name="me", fence=2, since=0.5, until=1.5)
    assert codec.lease(holder) == {"holder": "me", "fence": 2, "since": 0.5, "until": 1.5}
    assert codec.decision(Observation(at=1), Step(state, (), "waits", 2.0, "wait")) == {
        "observation": {"at": 1.0},
        "state": {"ledger": {"deployment_id": "shop-1"}, "at": 0.0, "wake_at": 0.0},
        "commands": [],
        "reason": "waits",
        "wake_at": 2.0,
        "signal": "wait",
    }
    size = SetSize(fleet="b", size=4, min=4, max=8)
    assert codec.outcomes([Outcome(command=size, result=Result.APPLIED)]) == {
        "outcomes": [
            {"command": {"kind": "SetSize", "fleet": "b", "size": 4, "min": 4, "max": 8}, "result": "applied"}
        ]
    }
    assert codec.request("abort", by="alice", reason="no") == {
        "kind": "abort",
        "by": "alice",
        "reason": "no",
        "rung": None,
    }


def test_a_plan_is_written_in_full() -> None:
    """A changed default never changes an old plan: every field of it and of its parts is in the journal."""
    weighted = WeightedTargetGroups("ta", "tb")
    metric = MetricGate(name="m", metric="RequestCount", threshold=1)
    parts = [Probe(name="p", url="http://shop/"), Hook(name="h"), Alarm(name="a"), metric, Window(name="w")]
    plan = Plan(
        service="shop",
        image="ami-1",
        launch_template="shop",
        groups=("a", "b"),
        routing=weighted,
        gates=tuple(parts),
    )
    data = through_json(codec.to_json(plan))
    written = [data, *(data[key] for key in ("routing", "strategy", "limits", "deadlines")), *data["gates"]]
    written += data["strategy"]["rungs"]
    values = [plan, weighted, plan.strategy, plan.limits, plan.deadlines, *parts, *plan.rungs]
    for part, value in zip(written, values, strict=True):
        assert part.keys() - {"kind"} == {field.name for field in attrs.fields(type(value))}


def test_a_field_added_later_takes_its_default() -> None:
    """An older journal, which lacks a field that has a default, is still read."""
    data = through_json(codec.to_json(Rung(percent=100)))
    del data["approval"]
    assert codec.from_json(Rung, data) == Rung(percent=100)
    del data["percent"]
    with pytest.raises(JournalDamaged, match="percent"):
        codec.from_json(Rung, data)


# --------------------------------------------------------------------------------------------- strictness


def objects(data: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in some data, outermost first."""
    if isinstance(data, dict):
        yield data
    for part in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from objects(part)


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in some data: what holds it, and under which key."""
    keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in list(keys):
        yield data, key
        yield from places(data[key])


@pytest.mark.property
@given(value=plans | values(Observation) | values(Step))
def test_unknown_keys_are_refused(value: object) -> None:
    """One key too many, in any object at any depth, is an error."""
    data = through_json(codec.to_json(value))
    for part in objects(data):
        part["unknown"] = 1
        with pytest.raises(JournalDamaged):
            codec.from_json(type(value), data)
        del part["unknown"]
    assert same(codec.from_json(type(value), data), value)


@pytest.mark.property
@given(value=plans | values(Observation) | values(Step))
def test_nothing_is_coerced(value: object) -> None:
    """Whatever place holds a value of another JSON type than the one written there: it is an error."""
    data = through_json(codec.to_json(value))
    for holder, key in places(data):
        right = holder[key]
        for wrong in ("7", 7, 7.5, True, [], {}, ["x"]):
            if type(wrong) is type(right):
                continue
            holder[key] = wrong
            try:
                read = codec.from_json(type(value), data)
            except JournalDamaged:
                continue
            finally:
                holder[key] = right
            # An optional field was None and takes its own type: then that is what is read, as it is.
            assert right is None, (key, right, wrong)
            assert read != value


@pytest.mark.parametrize(
    "value",
    [
        GateReading(name="hook", reading=Reading.PASS, detail=None),  # type: ignore[arg-type]
        GateReading(name="hook", reading="pass"),  # type: ignore[arg-type]
        GateReading(name=7, reading=Reading.PASS),  # type: ignore[arg-type]
        Observation(at=1, version=True),
        Observation(at=1, gates=[]),  # type: ignore[arg-type]
        Observation(at=1, unread="all"),  # type: ignore[arg-type]
        Sighting(frozenset({"i"}), 1, float("nan")),
        Sighting(frozenset({"i"}), 1, float("inf")),
        Outcome(command=None, result=Result.APPLIED),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_what_could_not_be_read_is_not_written(value: object) -> None:
    """A value of a wrong type, as a user's hook may give, fails where it is written, not after a crash."""
    with pytest.raises(JournalError, match="cannot be written"):
        codec.to_json(value)


@pytest.mark.parametrize(
    "wrong", [{"kind": "destroy"}, {"by": None}, {"rung": "1"}, {"reason": 7}, {"rung": True}], ids=str
)
def test_a_request_that_nobody_could_read_is_not_written(wrong: dict[str, Any]) -> None:
    """An operator's request is checked before it can block the log."""
    with pytest.raises(JournalError, match="no request"):
        codec.request(**{"kind": "abort", "by": "alice", **wrong})


@pytest.mark.parametrize("ids", [["b", "a"], ["a", "a"], "ab", [1], {"a": 1}, None], ids=str)
def test_ids_are_a_sorted_list(ids: object) -> None:
    """A set of ids has one spelling."""
    with pytest.raises(JournalDamaged):
        codec.from_json(Sighting, {"ids": ids, "looks": 1, "span": 1.0})


def test_an_invalid_plan_is_not_read() -> None:
    """A plan that could not be built is not read from a journal either."""
    data = {"percent": 101, "bake_seconds": 0, "approval": False}
    with pytest.raises(JournalDamaged, match="percent"):
        codec.from_json(Rung, data)


def test_whole_seconds_have_one_spelling() -> None:
    """An int where a float belongs, as mypy allows, is written as that float, if it is the same number."""
    assert codec.canonical(codec.to_json(Sighting(frozenset(), 1, 5))) == b'{"ids":[],"looks":1,"span":5.0}'
    for wrong in (2**53 + 1, 10**400):
        with pytest.raises(JournalError):
            codec.to_json(Sighting(frozenset(), 1, wrong))


def test_canonical_bytes_have_one_spelling() -> None:
    """Sorted keys, no spaces, ASCII; no NaN."""
    assert (
        codec.canonical({"b": [1, 0.5, None], "a": "é\ud800"}) == b'{"a":"\\u00e9\\ud800","b":[1,0.5,null]}'
    )
    for wrong in (float("nan"), float("-inf"), {1, 2}, {1: 2, "a": 3}):
        with pytest.raises(JournalError):
            codec.canonical({"x": wrong})
