"""Rules for test requests, in the pure core: what a plan may say of them, and what each phase wants."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from bluegreen.core.commands import SetTestShares
from bluegreen.core.errors import PlanError
from bluegreen.core.gates import Hook, Probe
from bluegreen.core.invariants import broken_by_command
from bluegreen.core.machine import initial, step
from bluegreen.core.observation import GateReading, Reading, Shares
from bluegreen.core.plan import WeightedTargetGroups
from bluegreen.core.state import Loan, Phase, Step
from bluegreen.planfile.reader import PlanFileError, plan_from_data, plan_from_toml
from bluegreen.planfile.writer import plan_to_toml
from tests.core.looks import BLUE, GREEN, SHARED, look, plan, state, targets

UP = targets("g", 2, 2)
AT_BLUE = Shares(((BLUE, 1), (GREEN, 0)))
AT_GREEN = Shares(((BLUE, 0), (GREEN, 100)))
ELSEWHERE = Shares(((BLUE, 7), (GREEN, 3)))
TO_GREEN = SetTestShares(weights=AT_GREEN.weights)
BACK = SetTestShares(weights=AT_BLUE.weights)
TESTED = plan(test_rules=("test",))
PREVIEW = Probe(name="preview", url="http://web.example:8080/", test=True)


def decided(phase: Phase, shown: Shares | None, *, proven: int = 2, share: int = 0, **changes: Any) -> Step:
    """The step of a plan with a test rule, which led to blue before; it shows this now."""
    now = state(phase, proven=proven)
    noted = (Loan(BLUE, "test_weight", 1, (0,)), Loan(GREEN, "test_weight", 0, (100,)))
    ledger = attrs.evolve(now.ledger, loans=(*now.ledger.loans, *noted))
    now = attrs.evolve(now, ledger=ledger, **changes)
    return step(TESTED, now, look(green=UP, share=share, test_shares=shown))


# ---------------------------------------------------------------------------------------------- in a plan


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"routing": SHARED}, "nothing tells green apart: use routing kind 'weighted'"),
        ({"routing": WeightedTargetGroups("a", "b", listener="test")}, "users come by routing.listener"),
        ({"test_rules": ("test", "test")}, "must name each rule once"),
        ({"test_rules": ("a rule",)}, "'a rule' must be a listener's or rule's name or ARN"),
        ({"test_rules": "test"}, "must be a tuple of listeners or rules, by name or ARN"),
        ({"test_rules": (), "gates": (PREVIEW,)}, "gates[0].test: True: needs test_rules"),
    ],
)
def test_a_rule_that_cannot_tell_green_apart_is_a_fault(changes: dict[str, Any], words: str) -> None:
    """A shared target group, the rule of the users, a rule twice, a probe by no rule: each has its remedy."""
    with pytest.raises(PlanError) as refused:
        plan(**({"test_rules": ("test",)} | changes))
    assert words in str(refused.value)


def test_a_plan_file_names_the_rules() -> None:
    """Read and written like any other list of names; with a shared target group the reader refuses them."""
    wanted = plan(test_rules=("arn:aws:one", "two"), gates=(PREVIEW,))
    text = plan_to_toml(wanted)
    assert 'test_rules = ["arn:aws:one", "two"]' in text
    assert plan_from_toml(text) == wanted
    data = {
        "service": "web",
        "image": "ami-2",
        "launch_template": "tpl",
        "groups": ["a", "b"],
        "routing": {"kind": "shared", "target_group": "tg"},
        "test_rules": ["test"],
    }
    with pytest.raises(PlanFileError, match=r"test_rules.*nothing tells green apart"):
        plan_from_data(data)


# -------------------------------------------------------------------------------------------- in each phase


def test_preflight_asks_for_the_rule_and_notes_where_it_leads() -> None:
    """What cannot be found refuses the plan; what is found is in the ledger before anything is changed."""
    refused = step(TESTED, initial("web-1", 100.0), look())
    assert refused.state.phase is Phase.REFUSED
    assert "no test rule test was found: correct test_rules" in refused.reason
    begun = step(TESTED, initial("web-1", 100.0), look(test_shares=AT_BLUE)).state
    noted = [(loan.fleet, loan.before) for loan in begun.ledger.loans if loan.setting == "test_weight"]
    assert (begun.phase, noted) == (Phase.SCALE_UP, [(BLUE, 1), (GREEN, 0)])


def test_testers_come_to_a_proven_green_before_anything_is_asked() -> None:
    """The rule waits for proof, and scale_up, which asks no gate, is not left until it is read back."""
    assert decided(Phase.SCALE_UP, AT_BLUE, proven=0).commands == ()
    leads = decided(Phase.SCALE_UP, AT_BLUE)
    assert (leads.commands, leads.state.phase) == ((TO_GREEN,), Phase.SCALE_UP)
    assert decided(Phase.SCALE_UP, AT_GREEN).state.phase is Phase.TEST_TRAFFIC


def test_tests_begin_when_every_node_knows() -> None:
    """For so long as weights may take to settle nothing is asked in test_traffic, and it is not left."""
    young = decided(Phase.TEST_TRAFFIC, AT_GREEN, since=90.0)
    assert (young.state.phase, young.signal) == (Phase.TEST_TRAFFIC, "wait")
    assert young.wake_at == 105.0
    assert decided(Phase.TEST_TRAFFIC, AT_GREEN, since=85.0).state.phase is Phase.SHIFT


@pytest.mark.parametrize("phase", [Phase.TEST_TRAFFIC, Phase.SHIFT, Phase.BAKE, Phase.KEEP_BLUE])
def test_the_rule_leads_to_green_for_as_long_as_there_is_a_way_back(phase: Phase) -> None:
    """Edited by others, it is written again, in every phase up to the commit."""
    share = {Phase.TEST_TRAFFIC: 0, Phase.KEEP_BLUE: 100}.get(phase, 10)
    edited = decided(phase, ELSEWHERE, share=share)
    assert (edited.commands, edited.state.phase) == ((TO_GREEN,), phase)


@pytest.mark.parametrize("phase", [Phase.DISCARD, Phase.CLEAN_UP])
def test_the_rule_is_given_back_at_either_end(phase: Phase) -> None:
    """Exactly as it was; what somebody else has set since is left alone, and told."""
    share, committed = (100, True) if phase is Phase.CLEAN_UP else (0, False)
    assert BACK in decided(phase, AT_GREEN, share=share, committed=committed).commands
    for shown, words in ((ELSEWHERE, "changed by others, left alone"), (None, "the test rules are gone")):
        left = decided(phase, shown, share=share, committed=committed, since=-9_000.0)
        assert not any(isinstance(command, SetTestShares) for command in left.commands)
        assert any(words in each for each in left.state.leftovers), left.state.leftovers


@pytest.mark.parametrize("phase", [Phase.ROLL_BACK, Phase.DRAIN])
def test_users_come_first(phase: Phase) -> None:
    """While users move back, or blue empties, nobody waits for the test rule."""
    moving = decided(phase, ELSEWHERE, share=100, committed=phase is Phase.DRAIN)
    assert not any(isinstance(command, SetTestShares) for command in moving.commands)


def test_a_green_that_is_kept_is_still_reached() -> None:
    """As long as somebody may look at a green that was given up, the rule leads there."""
    wanted = attrs.evolve(TESTED, keep_failed_green_seconds=600)
    now = state(Phase.DISCARD)
    noted = (Loan(BLUE, "test_weight", 1, (0,)), Loan(GREEN, "test_weight", 0, (100,)))
    now = attrs.evolve(now, ledger=attrs.evolve(now.ledger, loans=(*now.ledger.loans, *noted)))
    seen = look(green=UP, test_shares=AT_GREEN)
    assert BACK not in step(wanted, now, seen).commands
    assert BACK in step(wanted, attrs.evolve(now, since=-600.0), seen).commands


def test_a_rule_that_goes_away_holds_the_way_forward_only() -> None:
    """Without it green is never tested, so the deadline turns back; the way back needs no test rule."""
    lost = decided(Phase.SCALE_UP, None)
    assert "the test rules are not there any more" in lost.reason
    late = decided(Phase.SCALE_UP, None, since=-9_000.0)
    assert (late.state.phase, late.signal) == (Phase.ROLL_BACK, "expired")
    assert decided(Phase.ROLL_BACK, None).state.phase is Phase.DISCARD


def test_a_red_test_turns_back() -> None:
    """A probe or hook that fails on test requests leads back before any user has come."""
    wanted = attrs.evolve(TESTED, gates=(Hook(name="smoke"),))
    red = (GateReading(name="smoke", reading=Reading.FAIL),)
    seen = look(green=UP, test_shares=AT_GREEN, gates=red)
    assert step(wanted, state(Phase.TEST_TRAFFIC), seen).state.phase is Phase.ROLL_BACK


def test_the_guard_knows_the_command() -> None:
    """S14 and S15: no plan without test rules sends it, and weights stay in their range; all may be 0."""
    now, seen = state(Phase.TEST_TRAFFIC), look(green=UP, test_shares=AT_GREEN)
    nowhere = SetTestShares(weights=((BLUE, 0), (GREEN, 0)))
    assert [broken_by_command(TESTED, now, seen, command) for command in (TO_GREEN, nowhere)] == [None, None]
    too_much = SetTestShares(weights=((BLUE, 0), (GREEN, 1000)))
    strange = SetTestShares(weights=(("other", 1), (GREEN, 1)))
    for wanted, command, promise in (
        (plan(), TO_GREEN, "S14"),
        (TESTED, strange, "S14"),
        (TESTED, too_much, "S15"),
    ):
        broken = broken_by_command(wanted, now, seen, command)
        assert broken is not None
        assert broken.id == promise
