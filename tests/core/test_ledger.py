"""What is borrowed: noted before it is written, counted when it is fought over, forgiven by a person."""

from __future__ import annotations

import attrs
import pytest

from bluegreen.core.commands import (
    Attach,
    Command,
    CopySetting,
    CreateFleet,
    DeleteFleet,
    Detach,
    Freeze,
    SetBounds,
    SetShares,
    SetSize,
    SetTestShares,
    SetVersion,
)
from bluegreen.core.ledger import borrow, contested, forgive
from bluegreen.core.observation import Observation, Shares
from bluegreen.core.state import Ledger, Loan
from tests.core.looks import BLUE, GREEN, look

LENT = Ledger("web-1", (Loan(BLUE, "min", 1, (2,)), Loan(GREEN, "min", 0, (2,), 1), Loan(GREEN, "max", 4)))
PIN = SetBounds(fleet=GREEN, min=2, max=4)


@pytest.mark.parametrize(
    ("ledger", "seen", "command", "noted"),
    [
        (Ledger("web-1"), look(), PIN, Loan(GREEN, "min", 0, (2,))),
        (LENT, look(), PIN, Loan(GREEN, "min", 0, (2,), 1)),
        (LENT, look(green_min=1), PIN, Loan(GREEN, "min", 0, (2,), 2)),
        (LENT, look(green_min=2), attrs.evolve(PIN, min=3), Loan(GREEN, "min", 0, (2, 3), 1)),
        (LENT, look(green_min=1), attrs.evolve(PIN, min=3), Loan(GREEN, "min", 0, (2, 3), 2)),
    ],
)
def test_what_is_written_is_noted_before_it_is_sent(
    ledger: Ledger, seen: Observation, command: SetBounds, noted: Loan
) -> None:
    """The value before, every value asked for, and how often others' were overwritten; the rest stays."""
    after = borrow(ledger, command, seen)
    assert after.deployment_id == "web-1"
    others = [loan for loan in ledger.loans if (loan.fleet, loan.setting) != (GREEN, "min")]
    assert [loan for loan in after.loans if loan != noted] == others
    assert after.loan(GREEN, "min") == noted


@pytest.mark.parametrize(
    ("command", "loans"),
    [
        (
            CreateFleet(fleet=GREEN, like=BLUE, version=2, min=2, max=4, size=2, token="web-1"),
            (Loan(GREEN, "exists", 0, (1,)),),
        ),
        (SetVersion(fleet=GREEN, version=2), (Loan(GREEN, "version", None, (2,)),)),
        (SetBounds(fleet=GREEN, min=1, max=3), (Loan(GREEN, "min", 0, (1,)), Loan(GREEN, "max", 4, (3,)))),
        (
            SetSize(fleet=GREEN, size=2, min=1, max=3),
            (Loan(GREEN, "min", 0, (1,)), Loan(GREEN, "max", 4, (3,)), Loan(GREEN, "size", 0, (2,))),
        ),
        (
            SetShares(weights=((BLUE, 90), (GREEN, 10))),
            (Loan(BLUE, "weight", 100, (90,)), Loan(GREEN, "weight", 0, (10,))),
        ),
        (
            SetTestShares(weights=((BLUE, 90), (GREEN, 10))),
            (Loan(BLUE, "test_weight", 0, (90,)), Loan(GREEN, "test_weight", 100, (10,))),
        ),
        (Attach(fleet=GREEN), (Loan(GREEN, "attached", 0, (1,)),)),
        (Detach(fleet=BLUE), (Loan(BLUE, "attached", 1, (0,)),)),
        (Freeze(fleet=GREEN, frozen=True), (Loan(GREEN, "frozen", 0, (1,)),)),
        (Freeze(fleet=BLUE, frozen=False), (Loan(BLUE, "frozen", 1, (0,)),)),
        (DeleteFleet(fleet=GREEN), ()),
        (CopySetting(fleet=GREEN, like=BLUE, setting="tags"), ()),
        (SetVersion(fleet="another", version=2), (Loan("another", "version", None, (2,)),)),
    ],
    ids=str,
)
def test_what_a_command_writes_is_borrowed(command: Command, loans: tuple[Loan, ...]) -> None:
    """Each setting with its value before, as far as it is known; what cannot be given back is not noted."""
    tested = Shares(((BLUE, 0), (GREEN, 100)))
    seen = look(
        green_exists=False, green_version=None, green_attached=False, blue_frozen=True, test_shares=tested
    )
    assert borrow(Ledger("web-1"), command, seen) == Ledger("web-1", loans)
    dark = borrow(Ledger("web-1"), SetShares(weights=((GREEN, 10),)), look(share=None))
    assert dark.loans == (Loan(GREEN, "weight", None, (10,)),)


def test_what_is_already_so_is_not_noted() -> None:
    """A setting that shows what is asked for is not borrowed."""
    assert borrow(Ledger("web-1"), PIN, look(green_min=2)) == Ledger("web-1")
    assert borrow(LENT, PIN, look(green_min=2)) == LENT


@pytest.mark.parametrize(
    ("limit", "low", "fights"), [(1, 1, True), (2, 1, False), (1, 0, False), (0, 1, True)]
)
def test_a_tug_of_war_is_seen(limit: int, low: int, fights: bool) -> None:  # noqa: FBT001
    """Only over a value of others, and only once as often as the limit says."""
    found = contested(LENT, [Attach(fleet=BLUE), PIN], look(green_min=low, blue_attached=True), limit)
    assert found == (LENT.loans[1] if fights else None)


def test_after_a_person_has_looked_all_may_be_written_again() -> None:
    """Rewrites are forgotten, what was borrowed is not."""
    forgiven = (LENT.loans[0], attrs.evolve(LENT.loans[1], rewrites=0), LENT.loans[2])
    assert forgive(LENT) == Ledger("web-1", forgiven)
