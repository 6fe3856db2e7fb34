"""Small values that much depends on, each by what it says: what mutants of them lived on before."""

from __future__ import annotations

from fractions import Fraction

import attrs
import pytest

from bluegreen.core.commands import DeleteFleet, SetShares, SetSize
from bluegreen.core.invariants import INVARIANTS
from bluegreen.core.machine import step
from bluegreen.core.observation import ErrorClass, Outcome, Result, Shares
from bluegreen.core.predicates import guarded
from bluegreen.core.signals import Signal, read
from bluegreen.core.state import Ledger, Loan, Phase, Sighting
from bluegreen.core.targets import want
from bluegreen.core.view import blue_carries, blue_healthy, last_rung, proven, rung
from bluegreen.strategies import all_at_once, canary, linear, side_by_side
from tests.core.looks import BLUE, GREEN, SHARED, look, plan, state, targets

UP = targets("g", 2, 2)
BY_ID = {invariant.id: invariant for invariant in INVARIANTS}


def borrowed(*loans: Loan) -> Ledger:
    """A ledger of these."""
    return Ledger("web-1", loans)


@pytest.mark.parametrize(
    ("blue", "green", "carries"),
    [(2, 0, True), (2, 2, True), (1, 2, False), (1, 1, False), (1, 0, True), (0, 0, False), (0, 1, False)],
)
def test_who_may_take_the_users_back(blue: int, green: int, carries: bool) -> None:  # noqa: FBT001
    """Blue covers the floor of 2; or green has nobody, and blue at least somebody."""
    seen = look(blue=targets("b", 1, blue, unhealthy=2 - blue), green=targets("g", 2, green))
    assert blue_carries(state(Phase.BAKE), seen) is carries


def test_one_healthy_blue_is_enough_for_a_floor_of_one() -> None:
    """Of a floor of 0 or 1 somebody must be healthy, and one is; of a group that is not seen nobody is."""
    for floor in (0, 1):
        assert blue_carries(state(Phase.BAKE, floor=floor), look(blue=targets("b", 1, 1), green=UP))
    unseen = attrs.evolve(look(green=UP), fleets=look(green=UP).fleets[1:])
    assert blue_healthy(state(Phase.BAKE), unseen) == 0


@pytest.mark.parametrize(
    ("looks", "span", "count"), [(2, 5.0, 2), (3, 6.0, 2), (1, 5.0, 0), (2, 4.5, 0), (1, 0.0, 0)]
)
def test_proof_asks_for_looks_and_for_their_span(looks: int, span: float, count: int) -> None:
    """One without the other proves nothing; each instance of a sighting counts."""
    seen = (Sighting(frozenset({"i-1", "i-2"}), looks, span),)
    assert proven(plan(), state(Phase.BAKE, sightings=seen)) == count


def test_a_first_release_is_on_the_last_rung_from_the_start() -> None:
    """However many rungs there are, nobody is there to share with."""
    for strategy, last in ((all_at_once(), 0), (canary(10), 1), (linear(25), 3)):
        wanted = plan(strategy=strategy)
        assert rung(wanted, state(Phase.SHIFT, first_release=True)) == wanted.rungs[-1]
        assert [last_rung(wanted, state(Phase.BAKE, rung=n)) for n in range(last + 1)] == [False] * last + [
            True
        ]
        assert last_rung(wanted, state(Phase.BAKE, first_release=True))


def test_of_a_first_release_back_is_to_nothing_once_nothing_serves() -> None:
    """There is no blue: only a green that nobody finds healthy may be left."""
    first = state(Phase.BAKE, first_release=True, floor=0)
    assert blue_carries(first, look(blue=(), green=targets("g", 2, unhealthy=2)))
    assert not blue_carries(first, look(blue=(), green=targets("g", 2, 1)))


def test_shares_of_what_is_not_divided_are_nothing() -> None:
    """A group that no rule names has no weight and no share; with all weights at 0 nobody has one."""
    assert Shares(((BLUE, 90), (GREEN, 10))).weight("another") == 0
    assert Shares(((BLUE, 90), (GREEN, 10))).share(GREEN) == Fraction(1, 10)
    assert Shares(((BLUE, 0), (GREEN, 0))).share(GREEN) == 0


@pytest.mark.parametrize(
    ("routing", "percent", "need", "size", "share"),
    [
        (None, 10, 4, 4, Fraction(1, 10)),
        (SHARED, 10, 4, 1, Fraction(1, 5)),
        (SHARED, 34, 4, 2, Fraction(1, 3)),
        (SHARED, 50, 4, 4, Fraction(1, 2)),
        (SHARED, 100, 4, 4, Fraction(1, 2)),
        (SHARED, 34, 1, 1, Fraction(1, 2)),
    ],
)
def test_a_rung_is_a_size_and_a_real_share(
    routing: object, percent: int, need: int, size: int, share: Fraction
) -> None:
    """With weights green is whole and the share as asked; behind one target group the count is the share."""
    wanted = plan() if routing is None else plan(routing=routing, strategy=side_by_side())
    assert wanted.green_size(percent, need) == size
    assert wanted.real_share(percent, need) == share


def test_the_next_release_is_the_plan_with_another_image() -> None:
    """The image changes, and a source version that was said for the last one is no longer said."""
    following = plan(source_version=7).with_image("ami-3")
    assert (following.image, following.source_version) == ("ami-3", None)
    assert attrs.evolve(following, image="ami-2") == plan()


def test_a_plan_that_names_no_strategy_goes_all_at_once() -> None:
    """One rung of 100 percent, watched for a minute."""
    fields = attrs.asdict(plan(), recurse=False)
    fields.pop("strategy")
    (only,) = type(plan())(**fields).rungs
    assert (only.percent, only.bake_seconds, only.approval) == (100, 60, False)


def test_weights_that_green_had_before_may_be_given_back() -> None:
    """S3: on the way back green may get what it had before the first change, and no more."""
    ledger = borrowed(Loan(BLUE, "weight", 80, (0,)), Loan(GREEN, "weight", 20, (100,)))
    back = state(Phase.ROLL_BACK, ledger=ledger)
    seen = look(green=targets("g", 2, 2), share=100)
    for weight, allowed in ((20, True), (0, True), (21, False)):
        command = SetShares(weights=((BLUE, 100 - weight), (GREEN, weight)))
        assert BY_ID["S3"].command(plan(), back, seen, command) is allowed


def test_a_group_that_was_attached_before_is_attached_again() -> None:
    """Behind a shared target group an idle green that was there before is there afterwards, and else not."""
    wanted = plan(routing=SHARED, strategy=side_by_side())
    for before in (0, 1):
        ledger = borrowed(Loan(GREEN, "attached", before, (0, 1)))
        target = want(
            wanted, state(Phase.DISCARD, ledger=ledger), look(share=None, green_attached=not before)
        )
        assert target.green.attached is bool(before)
    untouched = want(wanted, state(Phase.DISCARD, ledger=borrowed()), look(share=None))
    assert untouched.green.attached is None


def test_a_group_that_we_made_is_emptied_and_deleted_and_nothing_else() -> None:
    """Its bounds, its version and its place in a target group go with it."""
    ledger = borrowed(
        *(Loan(GREEN, setting, 0, (1,)) for setting in ("exists", "attached", "min", "max", "version")),
        Loan(BLUE, "max", 4, (6,)),
    )
    back = state(Phase.DISCARD, ledger=ledger)
    seen = look(green=targets("g", 2, 1), green_min=1, green_max=1, blue_max=6)
    target = want(plan(fleets="replace"), back, seen)
    assert (target.green.exists, target.green.size, target.green.min) == (False, 0, 0)
    assert (target.green.max, target.green.version, target.green.attached) == (None, None, None)
    assert target.blue.max == 4
    empty = look(green_min=0)
    sent = step(plan(fleets="replace"), back, empty).commands
    assert DeleteFleet(fleet=GREEN) in sent
    assert not any(isinstance(command, SetSize) for command in sent)


def test_an_emptied_blue_leaves_a_shared_target_group() -> None:
    """Standing, it is detached, so that the next green is not among users from its first check."""
    done = state(Phase.CLEAN_UP, committed=True)
    seen = look(blue=(), green=targets("g", 2, 2), share=None)
    standing = plan(routing=SHARED, strategy=side_by_side())
    assert want(standing, done, seen).blue.attached is False
    assert want(attrs.evolve(standing, fleets="replace"), done, seen).blue.attached is None


def test_a_first_release_keeps_its_share_to_the_end() -> None:
    """With weights, the picture at the end has all of them on green, whoever has changed them since."""
    done = state(Phase.CLEAN_UP, committed=True, first_release=True)
    assert want(plan(), done, look(blue=(), green=targets("g", 2, 2))).shares == ((BLUE, 0), (GREEN, 100))


def test_a_refusal_is_told_by_the_name_of_the_command() -> None:
    """What no retry can mend is named, with its class and the cloud's own words."""
    refused = Outcome(
        command=DeleteFleet(fleet=GREEN), result=Result.REFUSED, error=ErrorClass.IDENTITY, detail="no"
    )
    reply = read(plan(), state(Phase.DISCARD), look(outcomes=(refused,)))
    assert (reply.signal, reply.why) == (Signal.BLOCKED, "DeleteFleet was refused (identity): no")


def test_what_waits_for_a_person_says_so() -> None:
    """A halted deployment names the two ways on."""
    reply = read(plan(), state(Phase.HALTED, came_from=Phase.BAKE), look())
    assert (reply.signal, reply.why) == (Signal.WAIT, "halted: an operator must resume or abort")


@pytest.mark.parametrize(
    ("fleet", "count", "looked"), [(BLUE, 1, True), (BLUE, 2, False), (BLUE, 3, False), ("another", 3, True)]
)
def test_the_guard_looks_before_a_group_shrinks(fleet: str, count: int, looked: bool) -> None:  # noqa: FBT001
    """Fewer than are wanted now, or of a group that the look does not know."""
    assert guarded(SetSize(fleet=fleet, size=count, min=0, max=4), look()) is looked
