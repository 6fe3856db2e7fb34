"""What is borrowed: noted with its value before, so that it can be given back and others' hands be seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from .commands import (
    Attach,
    Command,
    CreateFleet,
    Detach,
    Freeze,
    SetBounds,
    SetShares,
    SetSize,
    SetTestShares,
    SetVersion,
)
from .observation import Observation
from .state import Ledger, Loan


def pre_image(ledger: Ledger, observation: Observation) -> Ledger:
    """The ledger with what both groups' bounds and weights are before the first change.

    Roles swap with their bounds, and weights are shared with everybody who may edit the rule.
    """
    noted = [
        Loan(fleet.name, setting, getattr(fleet, setting))
        for fleet in observation.fleets
        if fleet.exists
        for setting in ("min", "max")
    ]
    for setting, shares in (("weight", observation.shares), ("test_weight", observation.test_shares)):
        if shares is not None:
            noted += [Loan(fleet, setting, weight) for fleet, weight in shares.weights]
    return Ledger(ledger.deployment_id, (*ledger.loans, *noted))


def borrow(ledger: Ledger, command: Command, observation: Observation) -> Ledger:
    """Note what a command will change, and what it was, before the command is sent."""
    for fleet, setting, wanted, seen in _changes(command, observation):
        loan = ledger.loan(fleet, setting)
        if loan is None:
            noted = Loan(fleet, setting, seen, (wanted,))
            ledger = Ledger(ledger.deployment_id, (*ledger.loans, noted))
            continue
        rewrites = loan.rewrites + (1 if loan.foreign(seen) else 0)
        written = loan.written if wanted in loan.written else (*loan.written, wanted)
        if (rewrites, written) != (loan.rewrites, loan.written):
            noted = Loan(fleet, setting, loan.before, written, rewrites)
            loans = tuple([noted if other is loan else other for other in ledger.loans])
            ledger = Ledger(ledger.deployment_id, loans)
    return ledger


def contested(
    ledger: Ledger, commands: Iterable[Command], observation: Observation, limit: int
) -> Loan | None:
    """A loan that would be written over somebody else's value once more than ``limit`` allows."""
    for command in commands:
        for fleet, setting, _, seen in _changes(command, observation):
            loan = ledger.loan(fleet, setting)
            if loan is not None and loan.rewrites >= limit and loan.foreign(seen):
                return loan
    return None


def forgive(ledger: Ledger) -> Ledger:
    """The ledger after a person has looked: what was contested may be written again."""
    return Ledger(ledger.deployment_id, tuple([attrs.evolve(loan, rewrites=0) for loan in ledger.loans]))


def _changes(command: Command, observation: Observation) -> Iterator[tuple[str, str, int, int | None]]:
    """(group, setting, value asked for, value seen) for each setting that a command really changes."""
    for fleet, setting, wanted in _settings(command):
        seen = _seen(observation, fleet, setting)
        if seen != wanted:
            yield fleet, setting, wanted, seen


def _settings(command: Command) -> tuple[tuple[str, str, int], ...]:
    """(group, setting, value) for each setting that a command writes."""
    match command:
        case CreateFleet(fleet=fleet):
            return ((fleet, "exists", 1),)
        case SetVersion(fleet=fleet, version=version):
            return ((fleet, "version", version),)
        case SetBounds(fleet=fleet, min=low, max=high):
            return ((fleet, "min", low), (fleet, "max", high))
        case SetSize(fleet=fleet, size=size, min=low, max=high):
            return ((fleet, "min", low), (fleet, "max", high), (fleet, "size", size))
        case SetShares(weights=weights):
            return tuple((fleet, "weight", weight) for fleet, weight in weights)
        case SetTestShares(weights=weights):
            return tuple((fleet, "test_weight", weight) for fleet, weight in weights)
        case Attach(fleet=fleet):
            return ((fleet, "attached", 1),)
        case Detach(fleet=fleet):
            return ((fleet, "attached", 0),)
        case Freeze(fleet=fleet, frozen=frozen):
            return ((fleet, "frozen", int(frozen)),)
        case _:
            return ()


def _seen(observation: Observation, fleet_name: str, setting: str) -> int | None:
    if setting in ("weight", "test_weight"):
        shares = observation.shares if setting == "weight" else observation.test_shares
        return shares.weight(fleet_name) if shares else None
    fleet = observation.fleet(fleet_name)
    if fleet is None:
        return None
    value = fleet.desired if setting == "size" else getattr(fleet, setting)
    return None if value is None else int(value)
