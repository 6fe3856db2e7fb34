"""What the endpoint remembers of the values that it has checked and written."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.model import Shape

from bluegreen_sim.endpoint.memory import REMEMBERED, by_value


class Asked:
    """A function that keeps what it was asked for."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.recalled = by_value(self.work)

    def work(self, value: Any, shape: Shape | None) -> str:
        self.values.append(value)
        return f"{value!r} {shape}"


def test_equal_values_are_worked_out_once() -> None:
    """Another dict with the same members and another text with the same letters bring no new work."""
    asked = Asked()
    names = [b"i-0001".decode() for _ in range(2)]
    assert {asked.recalled({"Id": name, "Ports": [80]}, None) for name in names} == {
        "{'Id': 'i-0001', 'Ports': [80]} None"
    }
    assert len(asked.values) == 1


@pytest.mark.parametrize("alike", [(1, True), (0, False), (1, 1.0), (0.0, -0.0), ([], ()), ("a", b"a")])
def test_values_that_only_seem_equal_are_kept_apart(alike: tuple[Any, Any]) -> None:
    """What the model may allow as one type and forbid as another is worked out as either."""
    asked = Asked()
    found = [asked.recalled({"Port": value}, None) for value in (*alike, *alike)]
    assert found == [f"{{'Port': {value!r}}} None" for value in (*alike, *alike)]
    assert len(asked.values) == 2


def test_shapes_are_kept_apart() -> None:
    """The same value of two shapes is worked out for each."""
    asked = Asked()
    first, second = (Shape(name, {"type": "string"}) for name in ("One", "Other"))
    assert asked.recalled("a", first) != asked.recalled("a", second)


def test_what_cannot_be_remembered_is_worked_out_anew() -> None:
    """A value of no plain type, or nested without end, reaches the function as it is."""
    asked = Asked()
    endless: list[Any] = []
    endless.append(endless)
    for value in (object(), endless):
        asked.recalled(value, None)
        asked.recalled(value, None)
    assert len(asked.values) == 4


def test_only_so_many_values_are_remembered() -> None:
    """With more values than there is room for, the oldest is forgotten and the others are not."""
    asked = Asked()
    for value in range(REMEMBERED + 1):
        asked.recalled(value, None)
    asked.recalled(REMEMBERED, None)
    asked.recalled(1, None)
    assert len(asked.values) == REMEMBERED + 1
    asked.recalled(0, None)
    assert asked.values[-1] == 0
