"""What is found before anything is changed: who is live, and every reason not to begin, word for word."""

from __future__ import annotations

import attrs
import pytest

from bluegreen.core.gates import Alarm, Gate, Hook, Window
from bluegreen.core.observation import GateReading, Observation, Reading, Shares
from bluegreen.core.plan import TemplateVersion
from bluegreen.core.preflight import Survey, survey
from tests.core.looks import BLUE, GREEN, SHARED, look, plan, targets

UP = targets("g", 2, 2)
BOTH = attrs.evolve(look(), shares=Shares(((BLUE, 1), (GREEN, 1))))
FOUND = Survey(
    blue=BLUE, green=GREEN, first_release=False, source=1, baseline=2, need=2, problems=(), pending=()
)
FIRST = attrs.evolve(FOUND, first_release=True, source=1, baseline=0, need=3)
SHARED_PLAN = {"routing": SHARED}
DETACHED = {"share": None, "green_attached": False}

# (what is there, plan, look, what is found)
SURVEYS = [
    ("the first group is live", {}, look(), FOUND),
    (
        "the second group is live",
        {},
        look(blue=(), green=targets("g", 2, 3), share=100),
        attrs.evolve(FOUND, blue=GREEN, green=BLUE, source=2, baseline=3, need=3),
    ),
    (
        "the plan says what the version is made from",
        {"source_version": 9},
        look(),
        attrs.evolve(FOUND, source=9),
    ),
    ("the live group's version is the source", {}, look(default_version=5), FOUND),
    ("with counts, who is attached is live", SHARED_PLAN, look(**DETACHED), FOUND),
    (
        "with counts, the attached second group is live",
        SHARED_PLAN,
        look(green=targets("g", 2, 2), share=None, blue=(), blue_attached=False),
        attrs.evolve(FOUND, blue=GREEN, green=BLUE, source=2),
    ),
    (
        "nobody is live, and the default version is the source",
        {"capacity": 3},
        look(blue=(), share=0, default_version=5),
        attrs.evolve(FIRST, source=5),
    ),
    (
        "nobody is live, and requests are led to the second group",
        {"capacity": 3},
        look(blue=(), share=100),
        attrs.evolve(FIRST, blue=GREEN, green=BLUE),
    ),
    (
        "a group that wants nobody is not live, whatever is left of it",
        {"capacity": 3},
        look(blue_desired=0),
        FIRST,
    ),
    (
        "a group that nobody is led to is not live, whatever it wants",
        {"capacity": 3},
        attrs.evolve(look(blue=(), green=UP), shares=Shares(((BLUE, 0), (GREEN, 0)))),
        attrs.evolve(FIRST, blue=GREEN, green=BLUE),
    ),
]


@pytest.mark.parametrize(
    ("wanted", "seen", "found"), [row[1:] for row in SURVEYS], ids=[row[0] for row in SURVEYS]
)
def test_who_is_live_is_seen(wanted: dict[str, object], seen: Observation, found: Survey) -> None:
    """Colours, source and sizes are those of the world, and a sound world has nothing against it."""
    assert survey(plan(**wanted), seen) == found


def test_a_first_release_without_a_size_needs_nobody() -> None:
    """How many are needed is the plan's to say: none are made up."""
    assert survey(plan(), look(blue=(), share=0)).need == 0


VERSION = {"image": None, "version": TemplateVersion(7)}
NO_FLOOR = (
    "web-a has 1 healthy of 2, and the floor is 2: wait until it is whole, or lower min_healthy_percent"
)
NOT_IDLE = "web-b is not live and not at 0 ({}): scale it to 0, or run cleanup"
LED = "web-b gets a share but has no instances: set its weight to 0"

# (what is wrong, plan, look, the sentences)
PROBLEMS = [
    ("the surroundings", {}, look(problems=("no rule", "no role")), ["no rule", "no role"]),
    (
        "an instance refresh, of either group",
        {},
        look(blue_refreshing=True, green_refreshing=True),
        [
            f"an instance refresh replaces the instances of {name}: wait until it has ended, or cancel it"
            for name in (BLUE, GREEN)
        ],
    ),
    (
        "test rules that are not found",
        {"test_rules": ("one", "two")},
        look(),
        ["no test rule one or two was found: correct test_rules"],
    ),
    ("test rules that are found", {"test_rules": ("one",)}, look(test_shares=look().shares), []),
    ("test rules, and the reason why", {"test_rules": ("one",)}, look(problems=("no rule",)), ["no rule"]),
    (
        "no template",
        {},
        look(default_version=None),
        ["launch template web-template does not exist: create it, or correct launch_template"],
    ),
    ("no image", {}, look(image=False), ["image ami-2 cannot be found: build it first, or correct image"]),
    (
        "an unread image",
        {},
        look(image=None),
        ["image ami-2 cannot be found: build it first, or correct image"],
    ),
    (
        "no such version",
        VERSION,
        look(version=None),
        ["version 7 of web-template does not exist: make it first, or correct version"],
    ),
    (
        "a version without its image",
        VERSION,
        look(version=7, image=False),
        ["the image of version 7 cannot be found: build it, or name another version"],
    ),
    ("a version whose image was not asked for", VERSION, look(version=7, image=None), []),
    ("a version that is there", VERSION, look(version=7), []),
    ("an image is asked for no version", {}, look(version=None), []),
    (
        "two that are live",
        {},
        look(green=UP, share=50, image=False),
        [
            "image ami-2 cannot be found: build it first, or correct image",
            (
                "web-a and web-b are both live: scale the one that should not be to 0 "
                "(and give it no share), or run cleanup"
            ),
        ],
    ),
    ("one that is not whole", {}, look(blue=targets("b", 1, 1, unhealthy=1)), [NO_FLOOR]),
    ("one that is whole enough", {"min_healthy_percent": 50}, look(blue=targets("b", 1, 1, unhealthy=1)), []),
    ("a green that wants some", {}, look(green_desired=1), [NOT_IDLE.format("0 instances, 1 wanted")]),
    (
        "a green that has some left",
        {},
        look(green=targets("g", 2, draining=1)),
        [NOT_IDLE.format("1 instance, 0 wanted")],
    ),
    ("an idle green with a share", {}, BOTH, [LED]),
    (
        "an idle green with a share and some left",
        {},
        attrs.evolve(BOTH, fleets=look(green=targets("g", 2, draining=1)).fleets),
        [NOT_IDLE.format("1 instance, 0 wanted"), LED],
    ),
    (
        "no standing green",
        {},
        look(green_exists=False),
        ["group web-b does not exist: create it at size 0, or use fleets = 'replace'"],
    ),
    (
        "a green that is in the way",
        {"fleets": "replace"},
        look(),
        ["group web-b exists already: delete it, or use fleets = 'standing'"],
    ),
    ("a green to be created", {"fleets": "replace"}, look(green_exists=False), []),
    (
        "nobody live and no size",
        {},
        look(blue=(), share=0),
        ["no group is live and the plan names no size for a first release: set capacity"],
    ),
    (
        "nobody live and nothing there",
        {"capacity": 3},
        look(blue=(), blue_exists=False, green_exists=False),
        [],
    ),
    (
        "no pinned version",
        {},
        look(blue_version=None),
        ["web-a names no pinned template version: pin it, or set source_version"],
    ),
    ("no pinned version, and none is needed", VERSION, look(blue_version=None, version=7), []),
    (
        "no pinned version, and no template",
        {},
        look(blue_version=None, default_version=None),
        ["launch template web-template does not exist: create it, or correct launch_template"],
    ),
]


@pytest.mark.parametrize(
    ("wanted", "seen", "problems"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS]
)
def test_every_reason_not_to_begin_is_told(
    wanted: dict[str, object], seen: Observation, problems: list[str]
) -> None:
    """Each is one sentence that names what is wrong and how to mend it; no other is told."""
    assert list(survey(plan(**wanted), seen).problems) == problems


ALARM, HOOK, WINDOW = Alarm(name="5xx"), Hook(name="db", phases=("preflight",)), Window(name="office")
LATER = Hook(name="smoke")
RED = " is red before anything was changed"

# (gate, its reading, problems, what is not yet known)
READINGS = [
    (ALARM, Reading.PASS, [], []),
    (ALARM, Reading.FAIL, [f"alarm 5xx{RED}: wait until it is not"], []),
    (ALARM, Reading.PENDING, [], ["alarm 5xx has no data"]),
    (ALARM, Reading.NO_DATA, [], ["alarm 5xx has no data"]),
    (ALARM, None, [], ["alarm 5xx has no data"]),
    (HOOK, Reading.PASS, [], []),
    (HOOK, Reading.FAIL, [f"hook db{RED} (why): wait until it is not"], []),
    (HOOK, Reading.PENDING, [], ["hook db has no answer yet (why)"]),
    (HOOK, Reading.NO_DATA, [], ["hook db has no data (why)"]),
    (HOOK, None, [], ["hook db has no data"]),
    (WINDOW, Reading.PASS, [], []),
    (WINDOW, Reading.FAIL, [f"window office{RED} (why): wait until it is not"], []),
    (WINDOW, Reading.PENDING, ["window office is closed (why): deploy when it is open"], []),
    (WINDOW, Reading.NO_DATA, [], ["window office has no data (why)"]),
    (WINDOW, None, [], ["window office has no data"]),
    (LATER, Reading.FAIL, [], []),
    (LATER, None, [], []),
]


@pytest.mark.parametrize(
    ("gate", "reading", "problems", "pending"), READINGS, ids=[f"{row[0].kind} {row[1]}" for row in READINGS]
)
def test_a_gate_that_is_asked_before_the_start(
    gate: Gate, reading: Reading | None, problems: list[str], pending: list[str]
) -> None:
    """What is red refuses, what is not known is waited for, and a closed window is no time to begin."""
    gates = () if reading is None else (GateReading(name=gate.name, reading=reading, detail="why"),)
    found = survey(plan(gates=(gate,)), look(gates=gates))
    assert (list(found.problems), list(found.pending)) == (problems, pending)


def test_a_gate_without_words_is_told_without_brackets() -> None:
    """Where a reading gives no reason, none is shown."""
    found = survey(plan(gates=(HOOK,)), look(gates=(GateReading(name="db", reading=Reading.PENDING),)))
    assert found.pending == ("hook db has no answer yet",)
