"""The only source of choice: a seed makes a simulation, bytes a property test, a search a proof."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Choices:
    """Decides whatever is uncertain in the world.

    Every list of options begins with the kind one: with nothing left to draw from, the world is free of
    faults and everything is as fast as it can be.

    Args:
        draw: Gives an index below the width it is asked for.
    """

    __slots__ = ("_draw", "widths")

    def __init__(self, draw: Callable[[int], int]) -> None:
        """Draw from ``draw``; see the class methods."""
        self._draw = draw
        self.widths: list[int] = []

    def pick(self, options: Sequence[T]) -> T:
        """One of the options. A single option is no choice and draws nothing."""
        if len(options) == 1:
            return options[0]
        self.widths.append(len(options))
        return options[self._draw(len(options))]

    @classmethod
    def seeded(cls, seed: int) -> Choices:
        """Random, and the same for the same seed on every machine."""
        # Of the random module only random() and getrandbits() are promised to stay the same for ever.
        draw = random.Random(seed).random
        return cls(lambda width: int(draw() * width))

    @classmethod
    def from_bytes(cls, data: bytes) -> Choices:
        """One byte a choice, modulo the number of options; then always the first option."""
        left = iter(data)
        return cls(lambda width: next(left, 0) % width)

    @classmethod
    def scripted(cls, indices: Sequence[int]) -> Choices:
        """The given indices in this order; then always the first option.

        Raises:
            IndexError: From ``pick``, if an index is not below the number of options.
        """
        left = iter(indices)
        return cls(lambda _: next(left, 0))


def enumerate_runs(run: Callable[[Choices], R]) -> Iterator[R]:
    """Call ``run`` once for every sequence of choices that it can meet, depth first.

    Args:
        run: Takes its choices from what it is given, and from nothing else.

    Yields:
        What each call returned.
    """
    script: list[int] = []
    while True:
        choices = Choices.scripted(script)
        yield run(choices)
        # The next path of the tree: the deepest choice that has an option left takes it.
        script += [0] * (len(choices.widths) - len(script))
        while script and script[-1] + 1 == choices.widths[len(script) - 1]:
            script.pop()
        if not script:
            return
        script[-1] += 1
