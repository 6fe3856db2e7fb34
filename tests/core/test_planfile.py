"""Plan files: what is right is read, what is wrong is named, all at once and with its place."""

import contextlib
import datetime as dt
import json
import pickle
import re
import sys
from pathlib import Path

import attrs
import pytest
from attrs import NOTHING
from hypothesis import example, given
from hypothesis import strategies as st

from bluegreen import strategies
from bluegreen.core.errors import MissingExtra, PlanError
from bluegreen.core.gates import Alarm, Hook, MetricGate, Probe, Window
from bluegreen.core.plan import (
    Deadlines,
    Limits,
    Plan,
    Rung,
    SharedTargetGroup,
    Strategy,
    WeightedTargetGroups,
)
from bluegreen.journal import codec
from bluegreen.planfile import PlanFileError, places, plan_from_data, plan_from_toml, plan_to_toml, read_plan

EXERCISE = """\
service = "exercise"
image = "ami-0beta"
launch_template = "exercise-launch-template"
groups = ["exercise-group-blue", "exercise-group-green"]
min_healthy_percent = 100

[routing]
kind = "shared"
target_group = "exercise-target-group"

[strategy]
kind = "side-by-side"
bake_seconds = 60
"""

PLAN = Plan(
    service="exercise",
    image="ami-0beta",
    launch_template="exercise-launch-template",
    groups=("exercise-group-blue", "exercise-group-green"),
    routing=SharedTargetGroup("exercise-target-group"),
    strategy=strategies.side_by_side(bake_seconds=60),
)


def faults(text: str) -> list[str]:
    """The lines of the error, without the last, which counts them."""
    with pytest.raises(PlanFileError) as caught:
        plan_from_toml(text)
    *lines, last = str(caught.value).split("\n")
    assert last == f"{len(lines)} fault{'s' if len(lines) > 1 else ''} in deployment.toml"
    assert len(caught.value.faults) == len(lines)
    return lines


def with_strategy(strategy: str, routing: str = 'kind = "shared"\ntarget_group = "web"') -> str:
    """A file that is right but, perhaps, for one table."""
    return f"""\
service = "web"
image = "ami-1"
launch_template = "web"
groups = ["a", "b"]
[routing]
{routing}
[strategy]
{strategy}
"""


# ------------------------------------------------------------------------------------------- right files


def test_the_file_of_the_design_is_the_plan_of_the_design() -> None:
    """The example file and the example in Python are one plan."""
    assert plan_from_toml(EXERCISE) == PLAN


@pytest.mark.parametrize(
    ("table", "strategy"),
    [
        ('kind = "all-at-once"', strategies.all_at_once()),
        (
            'kind = "all-at-once"\nbake_seconds = 5\nkeep_blue_seconds = 6',
            strategies.all_at_once(5, keep_blue_seconds=6),
        ),
        ('kind = "canary"\npercent = 5\napproval = true', strategies.canary(5, approval=True)),
        ('kind = "canary"\nlast_bake_seconds = 0', strategies.canary(last_bake_seconds=0)),
        ('kind = "linear"\nstep_percent = 50\nevery_seconds = 7', strategies.linear(50, 7)),
        ('kind = "Canary10Percent5Minutes"', strategies.canary(10, 300)),
        ('kind = "AllAtOnce"', strategies.all_at_once()),
        (
            'kind = "rungs"\n[[strategy.rungs]]\npercent = 1\n[[strategy.rungs]]\npercent = 100',
            Strategy((Rung(percent=1), Rung(percent=100))),
        ),
        (
            'kind = "rungs"\nkeep_blue_seconds = 9\nrungs = [{percent = 9, approval = true}, {percent=100}]',
            Strategy((Rung(percent=9, approval=True), Rung(percent=100)), keep_blue_seconds=9),
        ),
    ],
)
def test_a_strategy_takes_the_parameters_of_its_function(table: str, strategy: Strategy) -> None:
    """Each kind is the strategy that the function of that name makes."""
    assert plan_from_toml(with_strategy(table)).strategy == strategy


def test_json_and_yaml_say_the_same_as_toml(tmp_path: Path) -> None:
    """One plan in three formats, chosen by the extension, is one plan."""
    data = {
        "service": "exercise",
        "image": "ami-0beta",
        "launch_template": "exercise-launch-template",
        "groups": ["exercise-group-blue", "exercise-group-green"],
        "routing": {"kind": "shared", "target_group": "exercise-target-group"},
        "strategy": {"kind": "side-by-side", "bake_seconds": 60},
    }
    files = {
        "deployment.toml": EXERCISE,
        "with-bom.toml": "\ufeff" + EXERCISE.replace("\n", "\r\n"),
        "deployment.json": json.dumps(data),
        "deployment.yaml": json.dumps(data, indent=1).replace('"image"', "image"),
    }
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode())
        assert read_plan(tmp_path / name) == PLAN, name
    assert plan_from_data(data) == PLAN


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._/()+=@-]{0,20}", fullmatch=True)
groups = st.from_regex(r"(?! )[^\x00-\x1f:*?$\x7f-\U0010ffff]{1,20}", fullmatch=True)
alarms = st.text(min_size=1, max_size=20).filter(str.isprintable)
target_groups = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?", fullmatch=True)
seconds = st.integers(0, 30 * 86_400)
ladders = st.builds(
    lambda percents, bakes, approval, keep, name: Strategy(
        tuple(
            Rung(percent=percent, bake_seconds=bake, approval=approval)
            for percent, bake in zip([*sorted(percents), 100], bakes, strict=False)
        ),
        keep_blue_seconds=keep,
        name=name,
    ),
    st.sets(st.integers(1, 50), max_size=4),
    st.lists(seconds, min_size=5, max_size=5),
    st.booleans(),
    seconds,
    st.sampled_from(["rungs", "canary", "linear", "all-at-once", "side-by-side", "by hand"]),
) | st.one_of(
    st.builds(strategies.all_at_once, seconds, keep_blue_seconds=seconds),
    st.builds(strategies.side_by_side, seconds, keep_blue_seconds=seconds),
    st.builds(
        strategies.canary, st.integers(1, 50), seconds, approval=st.booleans(), last_bake_seconds=seconds
    ),
    st.builds(strategies.linear, st.sampled_from([50, 100]), seconds),
)
gates = (
    st.builds(Alarm, name=alarms)
    | st.builds(
        Probe,
        name=names,
        url=st.from_regex(r"https?://[^\s\x00-\x1f\ud800-\udfff@]{1,20}", fullmatch=True),
        body=st.none() | st.text(st.characters(exclude_categories=["Cs"])).map(re.escape),
    )
    | st.builds(Hook, name=names, phases=st.permutations(["test_traffic", "bake", "PRE_SCALE_UP"]).map(tuple))
    | st.builds(
        MetricGate,
        name=names,
        metric=st.just("RequestCount"),
        comparison=st.sampled_from(["<", ">="]),
        threshold=st.integers(-5, 5) | st.floats(-1e15, 1e15),
        divided_by=st.none() | st.just("RequestCount"),
        by=st.just("group"),
        periods=st.integers(1, 100),
    )
    | st.builds(
        Window,
        name=names,
        days=st.permutations(["mon", "sun", "fri"]).map(tuple),
        opens=st.just("08:30"),
        freezes=st.sampled_from([(), ("2026-12-24", "2026-12-31/2027-01-02")]),
    )
)
listeners = st.none() | st.from_regex(r"[A-Za-z0-9][\w.:/-]{0,20}", fullmatch=True)
routings = st.builds(SharedTargetGroup, target_groups) | st.builds(
    lambda pair, listener: WeightedTargetGroups(
        *pair, listener=listener, also=() if listener else (("also-a", "also-b"),)
    ),
    st.lists(target_groups, min_size=2, max_size=2, unique=True),
    listeners,
)
plans = st.builds(
    Plan,
    service=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True),
    image=st.just("ami-0abc"),
    launch_template=st.from_regex(r"[A-Za-z0-9()./_-]{3,20}", fullmatch=True),
    groups=st.lists(groups, min_size=2, max_size=2, unique=True).map(tuple),
    routing=routings,
    strategy=ladders,
    fleets=st.sampled_from(["standing", "replace"]),
    capacity=st.none() | st.integers(1, 10_000),
    min_healthy_percent=st.integers(0, 100),
    source_version=st.none() | st.integers(1, 2**31),
    on_blue_sick=st.sampled_from(["continue", "expedite", "hold"]),
    freeze_scaling=st.booleans(),
    gates=st.lists(gates, max_size=4, unique_by=lambda gate: gate.name).map(tuple),
    limits=st.builds(Limits, rewrites=st.integers(0, 100)),
    deadlines=st.builds(Deadlines, drain_seconds=seconds),
)
plans |= plans.filter(lambda plan: not plan.shared).map(
    lambda plan: attrs.evolve(plan, test_rules=("arn:aws:elasticloadbalancing:test", "other"))
)
plans |= st.builds(Plan.with_version, plans, st.integers(1, 2**31))


@pytest.mark.property
@given(plan=plans)
def test_a_plan_written_and_read_is_the_same_plan(plan: Plan) -> None:
    """Whatever a plan holds, its TOML holds too, and nothing is lost but what is as by default."""
    assert plan_from_toml(plan_to_toml(plan)) == plan


def test_a_version_is_written_as_its_number() -> None:
    """``version = 7`` stands where an image would stand."""
    text = EXERCISE.replace('image = "ami-0beta"', "version = 7")
    assert plan_from_toml(text) == PLAN.with_version(7)
    assert "version = 7\n" in plan_to_toml(PLAN.with_version(7))
    assert PLAN.with_version(7).with_image("ami-0beta") == PLAN


def test_what_is_deployed_is_said_once() -> None:
    """An image or a version: neither and both are faults, and a version is a number that is pinned."""
    image = 'image = "ami-0beta"'
    said = [
        faults(EXERCISE.replace(image, more))
        for more in (
            "",
            f"{image}\nversion = 7",
            "version = 7\nsource_version = 3",
            'version = "$Latest"',
            "version = 0",
        )
    ]
    assert [len(each) for each in said] == [1] * 5
    for words, each in zip(
        (
            "image: None: name an image such as 'ami-0abc', or the version of the launch template",
            "image: 'ami-0beta': name an image or a version of the launch template, not both",
            "source_version: 3: goes with an image",
            "version: '$Latest': must be a whole number from 1 to",
            "version: 0: must be a whole number from 1 to",
        ),
        said,
        strict=True,
    ):
        assert words in each[0]


def test_the_file_is_written_as_a_person_would_write_it() -> None:
    """Named strategies keep their names, and defaults are left out."""
    bake = attrs.evolve(PLAN, strategy=strategies.side_by_side(bake_seconds=5))
    expected = EXERCISE.replace("min_healthy_percent = 100\n", "").replace("= 60", "= 5")
    assert plan_to_toml(bake) == expected


# ------------------------------------------------------------------------------------------- wrong files

SERVICE = "must be 1 to 63 letters, digits, dots, hyphens or underscores, a letter or digit first"
SECONDS = "must be a whole number of seconds from 0 to 2592000"
KINDS = "must be one of 'alarm', 'metric', 'probe', 'hook', 'window'"

TEN = """\
launch_template = "web"
service = "-exercise"
image = 5
groups = ["one", "one"]
min_healthy_percent = 101
fleetz = "standing"

[routing]
kind = "weighted"
target_groups = [
    "a",
    7,
]
[strategy]
kind = "side-by-side"
bake_seconds = "5 minutes"
bake_secs = 5

[[gates]]
kind= "alrm"

[[gates]]
kind = "hook"
phases = ["bake"]
"""


def test_pairs_of_target_groups_are_told_apart() -> None:
    """Each target group is in one pair, each pair has two, and rules are then found by their groups."""
    assert WeightedTargetGroups("a", "b", also=(("c", "d"),)).pairs == (("a", "b"), ("c", "d"))
    for options, words in (
        ({"also": (("b", "c"),)}, "names 'b' twice"),
        ({"also": (("c",),)}, "must be two target groups"),
        ({"also": "c"}, "must be a tuple of pairs"),
        ({"also": (("c", "d"),), "listener": "web"}, "must be left out with also"),
    ):
        with pytest.raises(PlanError, match=words):
            WeightedTargetGroups("a", "b", **options)  # type: ignore[arg-type]


def test_ten_faults_are_ten_lines_in_the_order_of_the_file() -> None:
    """Every fault of a file is told, once, at its line and column, the first line first."""
    assert faults(TEN) == [
        f"deployment.toml:2:11: service: '-exercise': {SERVICE}",
        "deployment.toml:3:9: image: 5: must be an image id such as 'ami-0abc'",
        "deployment.toml:4:10: groups: ['one', 'one']: must be two different groups",
        "deployment.toml:5:23: min_healthy_percent: 101: must be a whole number of percent from 0 to 100",
        "deployment.toml:6:1: unknown key 'fleetz'; did you mean 'fleets'?",
        "deployment.toml:12:5: routing.target_groups[1]: 7: must be a string",
        f"deployment.toml:16:16: strategy.bake_seconds: '5 minutes': {SECONDS}",
        "deployment.toml:17:1: strategy: unknown key 'bake_secs'; did you mean 'bake_seconds'?",
        f"deployment.toml:20:7: gates[0].kind: 'alrm': {KINDS}; did you mean 'alarm'?",
        "deployment.toml:22:1: gates[1]: missing key 'name'; for example: name = \"web-errors\"",
    ]


def test_the_error_comes_home_from_another_process() -> None:
    """Pickled and loaded, the error says the same."""
    with pytest.raises(PlanFileError) as caught:
        plan_from_toml(TEN)
    home = pickle.loads(pickle.dumps(caught.value))
    assert (str(home), home.faults) == (str(caught.value), caught.value.faults)


@pytest.mark.parametrize(
    "given", ["true", '"5"', "5.0", "nan", "-1", "2592001", "[5]", "{a = 5}", "2026-01-01"]
)
def test_no_value_is_taken_for_another(given: str) -> None:
    """What is not a whole number is none, however much it looks like one."""
    [line] = faults(with_strategy(f'kind = "all-at-once"\nbake_seconds = {given}'))
    assert line.startswith("deployment.toml:10:16: strategy.bake_seconds: ")
    assert line.endswith(f": {SECONDS}")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("image = \n", "deployment.toml:1:9: not valid TOML: Invalid value"),
        ('a = 1\nb = "x', "deployment.toml:2:7: not valid TOML: "),
        ("a = 1\na = 2\n", "deployment.toml:2:6: not valid TOML: Cannot overwrite a value"),
        ("a = 2024-13-45\n", "deployment.toml:"),
        ("a = \x01", "deployment.toml:1:5: not valid TOML: "),
        ("a = " + "9" * 5000, "deployment.toml:1:5: a number may have at most 200 characters"),
        ("a = 0x" + "f" * 5000, "deployment.toml:1:5: a number may have at most 200 characters"),
        ("a = " + "[" * 100_000, "deployment.toml:1:37: nested more than 32 deep"),
        ("a" + ".a" * 100_000 + " = 1", "deployment.toml:1:1: nested more than 32 deep"),
        ('"a"' + '."a"' * 100_000 + " = 1", "deployment.toml:1:132: nested more than 32 deep"),
        ("#" * 2**20 + "#", "deployment.toml:1:1: larger than 1 MiB"),
        ('x = 1\ny = "\ud800"', "deployment.toml:2:6: must be UTF-8"),
    ],
)
def test_what_is_no_toml_is_one_fault_with_its_place(text: str, start: str) -> None:
    """A text that cannot be read gives one line that says where, however hostile it is."""
    [line] = faults(text)
    assert line.startswith(start)
    assert len(line) < 200


@pytest.mark.parametrize(
    ("table", "remedy"),
    [
        (
            'kind = "cannary"',
            "9:8: strategy.kind: 'cannary': must be one of 'all-at-once', 'canary', 'linear', ",
        ),
        (
            'kind = "Canary0Percent5Minutes"',
            "9:8: strategy.kind: 'Canary0Percent5Minutes': must be a whole number",
        ),
        ('kind = "Cannary"', "9:8: strategy.kind: 'Cannary': 'Cannary' is no strategy; 'AllAtOnce', "),
        ('kind = "AllAtOnce"\nbake_seconds = 5', "10:1: strategy: unknown key 'bake_seconds'"),
        ('kind = ["x"]', "9:8: strategy.kind: ['x']: must be one of "),
        ("percent = 5", "8:1: strategy: missing key 'kind'; for example: kind = \"all-at-once\""),
        ('kind = "rungs"', "8:1: strategy: missing key 'rungs'; for example: "),
        ('kind = "rungs"\nrungs = 5', "10:9: strategy.rungs: 5: must be an array"),
        ('kind = "rungs"\nrungs = [5]', "10:10: strategy.rungs[0]: 5: must be a table"),
        (
            'kind = "rungs"\nrungs = [{percent = 5}]',
            "10:21: strategy.rungs[0].percent: 5: the last rung must be 100",
        ),
        (
            'kind = "rungs"\n[[strategy.rungs]]\npercent = 60\n[[strategy.rungs]]\npercent = 100',
            "11:11: strategy.rungs[0].percent: 60: with a shared target group ",
        ),
    ],
)
def test_a_wrong_strategy_is_one_fault_at_its_place(table: str, remedy: str) -> None:
    """A strategy that is misnamed, incomplete or impossible says so in one line."""
    [line] = faults(with_strategy(table))
    assert line.startswith(f"deployment.toml:{remedy}")


@pytest.mark.parametrize("body", ["(", "a{99999999999999999999}", "(" * 5000])
def test_a_body_that_is_no_pattern_is_a_fault(body: str) -> None:
    """Whatever the regular expression compiler makes of a body, the reader says where it stands."""
    gate = f'kind = "all-at-once"\n[[gates]]\nkind = "probe"\nname = "p"\nurl = "http://x"\nbody = "{body}"'
    [line] = faults(with_strategy(gate))
    assert re.match(r"deployment.toml:(10:1|14:8): gates\[0\]", line)


def test_two_gates_of_one_name_are_a_fault() -> None:
    """Names of gates must differ, in a file as in Python."""
    [line] = faults(with_strategy('kind = "all-at-once"' + '\n[[gates]]\nkind = "alarm"\nname = "a"' * 2))
    assert line.endswith("two gates are called 'a'; names must differ")


def test_json_and_yaml_faults_have_places_too(tmp_path: Path) -> None:
    """The other formats are held to the same rules, with lines and columns."""
    (tmp_path / "a.json").write_text('{"service": "web",\n "groups": ["a", 5],\n "image": NaN}')
    (tmp_path / "a.yaml").write_text("service: web\ngroups:\n  - a\n  - 5\nimage: 1.10\n")
    for name, expected in {
        "a.json": ["1:1"] * 2 + ["2:18", "3:11"],
        "a.yaml": ["1:1"] * 2 + ["4:5", "5:8"],
    }.items():
        with pytest.raises(PlanFileError) as caught:
            read_plan(tmp_path / name)
        assert [f"{fault.place.line}:{fault.place.column}" for fault in caught.value.faults] == expected


@pytest.mark.parametrize(
    ("name", "text", "remedy"),
    [
        ("a.json", '{"image": 1,\n "image": 2}', "2:2: 'image' stands here for the second time"),
        ("a.json", '{"image": }', "1:11: not valid JSON: Expecting value"),
        ("a.json", "[" * 100_000, "1:33: nested more than 32 deep"),
        ("a.json", '{"a": ' + "9" * 5000 + "}", "1:7: a number may have at most 200 characters"),
        ("a.yaml", "a: &x [1]\nb: *x\n", "1:4: anchors and aliases are not read; write the value out"),
        ("a.yaml", "a: !!python/name:os.system x\n", "1:4: tags are not read; write a plain value"),
        ("a.yaml", "<<: {image: 1}\n", "1:1: merge keys (<<) are not read; write the keys out"),
        ("a.yaml", "a:\n  - <<: {b: 1}\n    c: 2\n", "2:5: merge keys (<<) are not read"),
        ("a.yaml", "image: 1\nimage: 2\n", "2:1: not valid YAML: found duplicate key"),
        ("a.yaml", "a: 1\n" * 20_000, "1:1: larger than 64 KiB"),
        ("a.yaml", "a: " + "[" * 10_000, "1:35: nested more than 32 deep"),
        ("a.yaml", "a: " + "9" * 5000, "1:4: a number may have at most 200 characters"),
        ("a.yaml", "a: [", "not valid YAML: "),
        ("a.toml", b"image = '\xff'", "1:10: must be UTF-8"),
    ],
)
def test_hostile_files_of_other_formats_are_one_fault(
    tmp_path: Path, name: str, text: str | bytes, remedy: str
) -> None:
    """Duplicates, bombs and tricks are refused where they stand."""
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(PlanFileError) as caught:
        read_plan(tmp_path / name)
    assert remedy in str(caught.value)
    assert len(caught.value.faults) == 1


def test_data_without_a_file_has_faults_without_places() -> None:
    """Faults of plain data name the path only, whatever the data is."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(PlanFileError) as caught:
        plan_from_data({"service": 10**5000, "image": deep, 3: NOTHING, "groups": dt.date.max})
    assert str(caught.value).split("\n") == [
        "unknown key 3",
        f"service: a int too large to show: {SERVICE}",
        "image: a list too large to show: must be an image id such as 'ami-0abc'",
        "missing key 'launch_template'; for example: launch_template = \"web\"",
        "groups: datetime.date(9999, 12, 31): must be an array",
        'missing key \'routing\'; for example: routing = { kind = "shared", target_group = "web" }',
        "6 faults in the plan",
    ]


PROBED = """\
service: exercise
image: ami-0beta
launch_template: exercise-launch-template
groups: [blue, green]
routing: {kind: shared, target_group: web}
gates:
  - kind: probe
    name: smoke
    url: http://{instance}/
    body: """


@pytest.mark.parametrize("style", ["|-\n      ok", ">-\n      ok", "'ok'", '"ok"', "ok"])
def test_whatever_yaml_writes_it_with_a_text_is_a_text(tmp_path: Path, style: str) -> None:
    """A block, folded, quoted or plain, is the same plan, and a journal can hold it."""
    (tmp_path / "a.yaml").write_text(PROBED + style)
    plan = read_plan(tmp_path / "a.yaml")
    (probe,) = plan.gates
    assert isinstance(probe, Probe)
    assert (probe.body, type(probe.body)) == ("ok", str)
    assert codec.from_json(Plan, codec.to_json(plan)) == plan


def test_yaml_without_its_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ruamel.yaml a YAML file is refused with the name of the extra."""
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    (tmp_path / "a.yaml").touch()
    with pytest.raises(MissingExtra, match=r"bluegreen\[yaml\]"):
        read_plan(tmp_path / "a.yaml")


# ----------------------------------------------------------------------------------------------- the laws

fragments = st.sampled_from(
    [*re.findall(r"\w+|[^\w]", EXERCISE + TEN), '"""', "'''", "\\", "nan", "1e400", "{", "\x00"]
)


@pytest.mark.property
@given(text=st.text() | st.lists(fragments, max_size=60).map("".join))
@example('""".')
@example("a = '''")
@example("[[a]]\n[a]\n")
def test_any_text_is_a_plan_or_a_plan_error(text: str) -> None:
    """No text makes the reader fail in another way than by a PlanError."""
    with contextlib.suppress(PlanError):
        plan_from_toml(text)


@pytest.mark.property
@given(
    at=st.integers(0, len(EXERCISE)),
    cut=st.integers(0, 20),
    insert=st.lists(fragments, max_size=4).map("".join),
    suffix=st.sampled_from([".toml", ".json", ".yaml"]),
)
def test_a_mutated_file_is_a_plan_or_a_plan_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, cut: int, insert: str, suffix: str
) -> None:
    """A file with a piece cut out and another put in is read or refused, in every format."""
    path = tmp_path_factory.getbasetemp() / f"mutated{suffix}"
    text = EXERCISE if suffix == ".toml" else json.dumps(TREE, indent=1)
    path.write_text(text[:at] + insert + text[at + cut :], encoding="utf-8")
    with contextlib.suppress(PlanError):
        read_plan(path)


TREE = {"service": "x", "groups": ["a", "b"], "routing": {"kind": "shared"}, "gates": [{"kind": "alarm"}]}

keys = st.sampled_from(["a", "b-c", "3", "x y", "q.r", "", 'say "no"', "ü", "\n"])
leaves = st.integers() | st.booleans() | st.text(max_size=5) | st.datetimes() | st.floats(-1, 1)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)


def inline(value: object) -> str:
    """Any data as inline TOML, spread over lines where TOML allows it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {inline(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[\n# ] } a comment\n" + "".join(f"  {inline(inner)},\n" for inner in value) + "]"
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def leaf_paths(value: object, path: str = "") -> set[str]:
    """The path of everything in some data."""
    inner: list[tuple[str, object]] = []
    if isinstance(value, dict):
        inner = [(places.below(path, key), item) for key, item in value.items()]
    if isinstance(value, list):
        inner = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    return {path}.union(*(leaf_paths(item, at) for at, item in inner))


@pytest.mark.property
@given(
    tree=st.dictionaries(keys, trees, max_size=3),
    tables=st.lists(st.dictionaries(keys, trees, max_size=2), max_size=3),
)
def test_everything_in_a_file_has_a_place(tree: dict[str, object], tables: list[dict[str, object]]) -> None:
    """The scanner finds what the parser found, no more and no less, and each value where it stands."""
    lines = [f"{json.dumps(key)} = {inline(value)}" for key, value in tree.items()]
    for table in tables:
        lines += [
            "[[z]]",
            *(f"{json.dumps(key)} = {inline(value)}" for key, value in table.items()),
            "[z.inner]",
            "k=1",
        ]
    text = "\n".join(lines)
    data, found = places.from_toml(text)
    assert set(found.values) - {"z"} == leaf_paths(data) - {"z"}
    source = text.split("\n")
    for path, place in found.values.items():
        if path.endswith("inner.k"):
            assert source[place.line - 1][place.column - 1] == "1"
    data, found = places.from_json(json.dumps(json.loads(json.dumps(tree, default=str)), indent=1))
    assert set(found.values) == leaf_paths(data)
