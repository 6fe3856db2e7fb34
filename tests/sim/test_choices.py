"""The only source of choice."""

from itertools import product

import pytest

from bluegreen_sim import Choices, enumerate_runs


def test_every_sequence_of_choices_is_visited_once() -> None:
    """A tree whose shape depends on the choices is walked completely, and no path twice."""

    def run(choices: Choices) -> tuple[str, ...]:
        first = choices.pick(("a", "b", "c"))
        rest = [choices.pick((first, first.upper()))] if first != "b" else []
        return (first, *rest, choices.pick(("x", "y")))

    seen = list(enumerate_runs(run))
    assert len(seen) == len(set(seen))
    assert set(seen) == {
        *product("a", "aA", "xy"),
        *product("b", "xy"),
        *product("c", "cC", "xy"),
    }


def test_a_run_without_choices_is_visited_once() -> None:
    """Nothing to choose is one run."""
    assert list(enumerate_runs(lambda choices: choices.pick(["only"]))) == ["only"]


def test_a_single_option_draws_nothing() -> None:
    """Only real choices use up the script."""
    choices = Choices.scripted([1])
    assert choices.pick(["only"]) == "only"
    assert choices.pick(["a", "b"]) == "b"
    assert choices.widths == [2]


@pytest.mark.parametrize("choices", [Choices.scripted([]), Choices.from_bytes(b"")])
def test_without_anything_left_the_world_is_kind(choices: Choices) -> None:
    """An exhausted source takes the first option."""
    assert [choices.pick("kind or not") for _ in range(5)] == ["k"] * 5


def test_bytes_choose_by_their_remainder() -> None:
    """Each byte is one choice, modulo the number of options."""
    choices = Choices.from_bytes(bytes([0, 4, 255]))
    assert [choices.pick("abc") for _ in range(4)] == ["a", "b", "a", "a"]


def test_a_seed_is_the_same_everywhere() -> None:
    """The draws of a seed are those that were written down here once."""
    choices = Choices.seeded(1)
    assert [choices.pick(range(100)) for _ in range(8)] == [13, 84, 76, 25, 49, 44, 65, 78]
