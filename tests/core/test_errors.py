"""Errors as values: they come home whole from another process."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from bluegreen.core.errors import BlueGreenError, Fault, LockTaken, MissingExtra, PlanError
from bluegreen.planfile.places import Place
from bluegreen.planfile.reader import FileFault, PlanFileError

FAULTS = [Fault("service", "", "must have a name"), Fault("groups", ("a", "a"), "must differ")]
PLACED = [FileFault("service", "", "must have a name", "a.toml", Place(1, 2))]
SPECIAL: dict[type, BlueGreenError] = {
    PlanError: PlanError(FAULTS),
    PlanFileError: PlanFileError(PLACED, "a.toml"),
    LockTaken: LockTaken("taken", by="alice", fence=3, since=1.0, until=61.0),
    MissingExtra: MissingExtra("the HTML report", "html"),
}


def below(cls: type[BlueGreenError]) -> Iterator[type[BlueGreenError]]:
    """The class and all of ours that are below it."""
    yield cls
    for each in cls.__subclasses__():
        if each.__module__.startswith("bluegreen."):
            yield from below(each)


@pytest.mark.parametrize("cls", sorted(set(below(BlueGreenError)), key=lambda cls: cls.__name__))
@pytest.mark.parametrize("through", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy])
def test_every_error_comes_home_whole(cls: type[BlueGreenError], through: Any) -> None:
    """Its class, its message and all that it holds survive pickling and copying."""
    error = SPECIAL.get(cls) or cls("what went wrong")
    home = through(error)
    assert (type(home), str(home), vars(home)) == (cls, str(error), vars(error))
