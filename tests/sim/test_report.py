"""The report: small, without scripts, the same for the same story, and unmoved by hostile texts."""

import re
import sys
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree as ET

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import strategies
from bluegreen.core.errors import MissingExtra
from bluegreen.core.plan import WeightedTargetGroups
from bluegreen_sim import chart
from bluegreen_sim.report import MAX_BYTES, Decision, Stage, Story, duration, facts_of, render
from tests.sim.stories import PLAN, STORIES, promoted

EVIL = [
    "</script><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</title></style></svg><h1>promoted</h1>",
    "{{ 7 * 7 }}{% include 'x' %}",
    "<!-- ]]> &lt; &#0;",
    "\x00\x07\x1b[31m\r\n\x7f\x85",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "\ud800 \uffff \U000e0001",
    "https://example.com/x.js",
]


class Tree(HTMLParser):
    """What a browser would build: elements and their attributes, and apart from these the texts."""

    def __init__(self, page: str) -> None:
        """Parse."""
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element's beginning."""
        self.elements.append(f"<{tag} {' '.join(name for name, _ in attrs)}>")
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """Note an element's end."""
        self.elements.append(f"</{tag}>")

    def handle_comment(self, data: str) -> None:
        """Note a comment, of which there should be none."""
        self.elements.append(f"<!--{data}-->")

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


def saying(text: str) -> Story:
    """A story in which every text that comes from outside is the given one."""
    return attrs.evolve(
        STORIES["refused"],
        ended=270,
        service=text,
        reason=text,
        because=f"so {text}",
        facts=((text, text),),
        stages=(Stage(text, 0, 5, text), Stage(text, 5, 270, text)),
        decisions=(Decision(0, text, text, (text,)), Decision(5, text, text)),
    )


BENIGN = Tree(render(saying("benign")))


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_page_is_small_and_the_same_every_time(story: Story) -> None:
    """The same story gives the same bytes, at most 150 kB of them, however long it lasted."""
    page = render(story)
    assert page == render(story)
    assert len(page.encode()) <= MAX_BYTES


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_page_asks_for_nothing(story: Story) -> None:
    """No script, no handler, no reference to anything outside, and a policy that forbids them all."""
    page = render(story)
    tree = Tree(page)
    tags = {element.split()[0] for element in tree.elements}
    assert not tags & {"<script", "<img", "<link", "<iframe", "<object", "<a", "<image", "<use"}
    outside = {"src", "href", "xlink:href", "srcset", "action", "style"}
    assert not [name for name, _ in tree.attributes if name in outside or name.startswith("on")]
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in tree.attributes
    assert "url(" not in page
    assert "@import" not in page
    assert set(re.findall(r"\w+://[^\s\"]*", page)) <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("evil", EVIL)
def test_hostile_texts_change_no_element(evil: str) -> None:
    """A hostile text parses to the elements of a harmless one and appears as text."""
    hostile = Tree(render(saying(evil)))
    assert hostile.elements == BENIGN.elements
    assert [name for name, _ in hostile.attributes] == [name for name, _ in BENIGN.attributes]


@pytest.mark.property
@given(text=st.text() | st.text("<>&\"'/{}%#\x00\u202e\ud800-!", max_size=30))
def test_no_text_changes_an_element_or_cannot_be_stored(text: str) -> None:
    """Whatever a text holds, the page keeps its elements, can be encoded, and hides nothing."""
    page = render(saying(text))
    assert page.encode()
    assert Tree(page).elements == BENIGN.elements
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", page)


def test_a_page_of_long_texts_stays_small_and_says_what_it_cut() -> None:
    """Texts are cut until the page fits, decisions in the middle are left out, and both are said."""
    long = "<é\u202e>" * 1000
    story = attrs.evolve(
        STORIES["three hours"],
        service=long,
        reason=long,
        stages=[Stage(long, second, second + 1, long) for second in range(200)],
        decisions=[Decision(second, long, long, (long,)) for second in range(2000)],
    )
    page = render(story)
    assert len(page.encode()) <= MAX_BYTES
    assert re.search(r"\d+ decisions in the middle are left out", page)
    assert re.search(r"\d+ phases in the middle are left out", page)
    assert "…" in page


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_every_picture_can_be_read_without_seeing_it(story: Story) -> None:
    """Each SVG is well-formed, has a role, a title and a description, and needs no style."""
    pictures = re.findall(r"<svg.*?</svg>", render(story), re.DOTALL)
    assert len(pictures) == 2
    for picture in pictures:
        svg = ET.fromstring(picture)
        named = {element.get("id") for element in svg if element.text and element.text.strip()}
        assert svg.get("role") == "img"
        assert set(str(svg.get("aria-labelledby")).split()) <= named
        assert not [element for element in svg.iter() if element.get("style") or element.get("class")]


def test_every_table_names_its_columns_and_rows() -> None:
    """Each header cell has a scope."""
    headers = re.findall(r"<th\b[^>]*>", render(promoted()))
    assert headers
    assert set(headers) == {'<th scope="col">', '<th scope="row">'}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("promoted", ["✔ Promoted: exercise", "27,000", "4 min 30 s", "2 / 2", "simulated with seed"]),
        (
            "rolled back",
            ["✖ Rolled back: exercise", "✖ 1,263", "4 / 4", "some requests failed", "(the last of 23 passes"],
        ),
        ("halted", ["‖ Halted: exercise", "4 min 37 s", "0:00preflight"]),
        ("refused", ["✖ Refused: exercise", "No traffic was seen.", "No targets were seen.", "not seen"]),
        (
            "three hours",
            ["2 h 57 min", "39 / 40 ✖ below", "fewer than the floor", "Each step stands for 45 s"],
        ),
    ],
)
def test_the_page_says_what_matters(name: str, words: list[str]) -> None:
    """The verdict with its sign and the numbers that decide are there as text."""
    text = " ".join("".join(Tree(render(STORIES[name])).texts).split())
    for word in words:
        assert word in text


def test_the_page_tells_failures_by_status_and_how_long_answers_took() -> None:
    """Beside the number of failures stand their statuses, and the p99 of each colour where it is known."""
    story = next(iter(STORIES.values()))
    told = attrs.evolve(story, failures=((500, 1_200), (502, 3)), p99_ms=(("blue", 90.5), ("green", 222.0)))
    text = "".join(Tree(render(told)).texts)
    assert "(1,200 × 500, 3 × 502)" in text
    assert "blue 90.5 ms, green 222 ms" in text
    assert "<dt>p99</dt>" not in render(story)


def test_one_bad_second_in_three_hours_is_not_averaged_away() -> None:
    """The one second with errors, and the few with too few instances, are in picture and data."""
    page = render(STORIES["three hours"])
    assert "<td>0.3</td>" in page
    assert page.count('fill-opacity="0.3"') >= 2


def test_the_facts_of_a_plan_are_what_a_reader_needs() -> None:
    """Strategy with its rungs, routing, image, groups and floor, in words."""
    plan = attrs.evolve(
        PLAN, routing=WeightedTargetGroups("a", "b"), strategy=strategies.canary(10, approval=True)
    )
    assert dict(facts_of(plan)) == {
        "strategy": "canary (10 %, approval → 100 %)",
        "routing": "weights between a and b",
        "image": "ami-0beta",
        "groups": "exercise-group-blue and exercise-group-green",
        "floor": "100 % of the instances",
    }
    assert dict(facts_of(PLAN))["routing"] == "shared target group exercise-target-group"


def test_without_jinja2_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing template engine is told with the extra that brings it."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra, match=r"the HTML report needs the extra 'report'"):
        render(promoted())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.6, "1 min"), (250, "4 min 10 s"), (3600, "1 h"), (10_923, "3 h 2 min")],
)
def test_durations_are_words(seconds: float, words: str) -> None:
    """A length of time is told in the two units that matter."""
    assert duration(seconds) == words


# --------------------------------------------------------------------------------------------- the chart

lengths = st.lists(
    st.tuples(st.sampled_from(["shift", "bake", "test_traffic"]), st.integers(0, 900)), max_size=30
)


@pytest.mark.property
@given(lengths=lengths)
def test_names_of_phases_never_meet(lengths: list[tuple[str, int]]) -> None:
    """However short the phases, no name runs into another, and no flagpole crosses a name."""
    phases, start = [], 0
    for name, length in lengths:
        phases.append((name, float(start), float(start + length)))
        start += length
    drawn = chart.draw([], [], phases, span=(0, max(1, start)), ceiling=1, wrong=bool)
    flags = [(band.flag, band.x, band.x + 4 + len(band.name) * chart.CHARACTER) for band in drawn.bands]
    shown = [flag for flag in flags if flag[0] is not None]
    for i, (row, left, right) in enumerate(shown):
        for other, begin, _ in shown[i + 1 :]:
            assert row != other or right < begin, "two names"
            assert not (row < other and left < begin < right), "a pole across a name"
    assert len(shown) == len(flags) or len(flags) > chart.MAX_FLAGS


@pytest.mark.property
@given(wrong=st.lists(st.booleans(), min_size=1, max_size=50))
def test_a_sign_stands_inside_the_plot(wrong: list[bool]) -> None:
    """Whenever something was wrong, its sign does not cross the axis or the labels at the lines' ends."""
    given = [{"second": second, "bad": bad} for second, bad in enumerate(wrong)]
    drawn = chart.draw(given, [], [], span=(0, len(wrong)), ceiling=1, wrong=lambda row: bool(row["bad"]))
    assert bool(drawn.marks) == any(wrong)
    for mark in drawn.marks:
        assert drawn.left + chart.CHARACTER <= mark.middle <= drawn.left + drawn.width - chart.CHARACTER


rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=300)


@pytest.mark.property
@given(values=rows, most=st.integers(1, 50))
def test_thinning_keeps_the_worst(values: list[tuple[int, int, bool]], most: int) -> None:
    """Thinned rows are few and in order, and of every column the worst value is still there."""
    given = [{"second": s, "a": a, "b": b, "c": c} for s, (a, b, c) in enumerate(values)]
    kept, span = chart.thinned(given, most, {"a": "max", "b": "min", "c": "mean"})
    assert len(kept) <= most
    assert all(before["second"] < after["second"] for before, after in pairwise(kept))
    assert kept[0]["second"] == 0
    assert max(row["a"] for row in kept) == max(row["a"] for row in given)
    assert min(row["b"] for row in kept) == min(row["b"] for row in given)
    if not span:
        held = {row["second"]: row for row in kept}
        current: dict[str, float] = {}
        for row in given:
            current = dict(held.get(row["second"], current))
            assert {**current, "second": row["second"]} == row


@pytest.mark.parametrize(
    ("length", "steps", "expected"),
    [
        (270, chart.TIMES, [0, 60, 120, 180, 240]),
        (104, chart.COUNTS, [0, 20, 40, 60, 80, 100]),
        (1, chart.COUNTS, [0, 1]),
    ],
)
def test_ticks_are_round(length: float, steps: tuple[int, ...], expected: list[int]) -> None:
    """Marks on an axis stand at round values."""
    assert chart.ticks(length, 6, steps) == expected


def test_times_are_told_from_the_start() -> None:
    """Minutes and seconds, and hours when there are any."""
    assert [chart.clock(s) for s in (0, 5.9, 65, 3600, 36_065)] == [
        "0:00",
        "0:05",
        "1:05",
        "1:00:00",
        "10:01:05",
    ]
