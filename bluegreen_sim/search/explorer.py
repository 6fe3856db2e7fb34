"""Exhaustive search: functions in, paths out. Knows nothing of deployments, clouds or faults.

Four words carry it, as in Stateright: a property holds *always* (over states, or over steps), *sometimes*
(or the search proves nothing), or *eventually*; what breaks one is a *path*, the first one found a shortest.

A state is kept only until it has been expanded. What stays of it is a digest of 128 bits, the number of its
predecessor and which of that one's successors it is; a path is made again by walking there. So the functions
given must be deterministic: the same successors of the same state, in the same order.

*Eventually* is not judged along sampled runs. Of all states, those from which every way leads to a goal are
peeled off, backwards from the goals; what is left are dead ends, cycles without progress, and whatever leads
to them.
"""

from __future__ import annotations

import gc
import marshal
from array import array
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from itertools import islice
from sys import getsizeof
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen

from .properties import Always, AlwaysStep, Discovery, Eventually, Kind, Path, Property, Search, Sometimes

S = TypeVar("S")
L = TypeVar("L")
Successors = Callable[[S], Iterable[tuple[L, S]]]
"""All that can follow a state: (what happened, the state after it), always in the same order."""

_NOBODY = 0xFFFF_FFFF
_INT = 32
"""Bytes of a Python int of that size, for the count of memory."""


def digest(value: Any) -> bytes:
    """128 bits that stand for a value of tuples, texts, bytes, numbers, booleans and None.

    Equal values have equal digests in every process. Two different ones among n states share a digest with
    a probability of about n² / 2¹²⁹: for a billion states, one in 10²⁰.

    Raises:
        ValueError: If there is anything else in the value.
    """
    # Version 2 of the format has no references between equal parts: the bytes depend on the value alone.
    return blake2b(marshal.dumps(value, 2), digest_size=16).digest()


# --------------------------------------------------------------------------------------------------- search


def search(
    starts: Iterable[S],
    successors: Successors[S, L],
    *,
    properties: Iterable[Property[S, L]] = (),
    key: Callable[[S], Hashable] = digest,
    take: Callable[[deque[tuple[int, S]]], tuple[int, S]] = deque.popleft,
    most: int | None = None,
    first_only: bool = False,
) -> Search[S, L]:
    """Visit every state that can be reached.

    Args:
        starts: Where to begin.
        successors: What can follow.
        properties: What must hold.
        key: Equal for states whose futures are the same.
        take: Takes the next state from the frontier: ``deque.popleft`` is breadth-first, ``deque.pop``
            depth-first.
        most: Stop after so many states, and say so; None for no limit.
        first_only: Stop at the first violation of an *always*.
    """
    visit = _Visit(tuple(starts), successors, tuple(properties), key)
    with _little_garbage():
        frontier = deque(visit.begin())
        limit = _NOBODY if most is None else most
        while frontier and len(visit.parents) <= limit and not (first_only and visit.broken):
            number, state = take(frontier)
            frontier.extend(visit.expand(number, state))
    complete = not frontier
    visit.waiting.extend(number for number, _ in frontier)
    return visit.result(complete=complete)


@contextmanager
def _little_garbage() -> Iterator[None]:
    """Look for garbage seldom: nearly all that a search makes stays, and looking costs an eighth of it."""
    usual = gc.get_threshold()
    gc.set_threshold(200_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@frozen
class _Where:
    """The place of a violation: a state, and perhaps one of its successors; ``ordinal`` -1 for none."""

    number: int
    ordinal: int = -1


@define(eq=False)
class _Visit(Generic[S, L]):
    """What is remembered of a search, in arrays by the number of the state."""

    starts: tuple[S, ...]
    successors: Successors[S, L]
    properties: tuple[Property[S, L], ...]
    key: Callable[[S], Hashable]
    numbers: dict[Hashable, int] = field(factory=dict, init=False)
    parents: array[int] = field(factory=lambda: array("I"), init=False)
    ordinals: array[int] = field(factory=lambda: array("I"), init=False)
    depths: array[int] = field(factory=lambda: array("I"), init=False)
    edges: int = field(default=0, init=False)
    waiting: list[int] = field(factory=list, init=False)
    broken: dict[str, _Where] = field(factory=dict, init=False)
    met: set[str] = field(factory=set, init=False)
    instead: dict[str, int] = field(factory=dict, init=False)
    ways: tuple[_Ways[S, L], ...] = field(init=False)
    _states: tuple[Always[S], ...] = field(init=False)
    _steps: tuple[AlwaysStep[S, L], ...] = field(init=False)
    _hopes: tuple[Sometimes[S], ...] = field(init=False)

    @ways.default
    def _(self) -> tuple[_Ways[S, L], ...]:
        return tuple(_Ways(p) for p in self.properties if isinstance(p, Eventually))

    @_states.default
    def _(self) -> tuple[Always[S], ...]:
        return tuple(p for p in self.properties if isinstance(p, Always))

    @_hopes.default
    def _(self) -> tuple[Sometimes[S], ...]:
        return tuple(p for p in self.properties if isinstance(p, Sometimes))

    @_steps.default
    def _(self) -> tuple[AlwaysStep[S, L], ...]:
        return tuple(p for p in self.properties if isinstance(p, AlwaysStep))

    def begin(self) -> Iterator[tuple[int, S]]:
        """The starts that differ."""
        for ordinal, state in enumerate(self.starts):
            number = len(self.parents)
            if self.numbers.setdefault(self.key(state), number) == number:
                self._note(_NOBODY, ordinal, 0, state)
                yield number, state

    def expand(self, number: int, state: S) -> list[tuple[int, S]]:
        """The states that nobody has seen among those that follow one."""
        numbers, key, steps, ways = self.numbers, self.key, self._steps, self.ways
        new: list[tuple[int, S]] = []
        ordinal = -1
        for ordinal, (label, after) in enumerate(self.successors(state)):
            fresh = len(self.parents)
            known = numbers.setdefault(key(after), fresh)
            if known == fresh:
                self._note(number, ordinal, self.depths[number] + 1, after)
                new.append((fresh, after))
            for promise in steps:
                for name in promise.broken(state, label, after):
                    self.broken.setdefault(name, _Where(number, ordinal))
            for way in ways:
                way.step(number, label, known)
        self.edges += ordinal + 1
        return new

    def _note(self, parent: int, ordinal: int, depth: int, state: S) -> None:
        number = len(self.parents)
        self.parents.append(parent)
        self.ordinals.append(ordinal)
        self.depths.append(depth)
        for promise in self._states:
            if not promise.holds(state):
                self.broken.setdefault(promise.name, _Where(number))
        for hope in self._hopes:
            if hope.name in self.met:
                continue
            if hope.holds(state):
                self.met.add(hope.name)
            elif hope.name not in self.instead and hope.instead(state):
                self.instead[hope.name] = number
        for way in self.ways:
            way.state(state)

    def result(self, *, complete: bool) -> Search[S, L]:
        """All that was found, when nothing more is visited."""
        states = len(self.parents)
        found = [Discovery[S, L](name, "always", self._path(where)) for name, where in self.broken.items()]
        if complete:
            unmet = [hope.name for hope in self._hopes if hope.name not in self.met]
            found += [Discovery(n, "never", self._path(_Where(self.instead.get(n, 0)))) for n in unmet]
        for way in self.ways:
            if stuck := way.stuck(self.waiting):
                kind, chain, back_to = stuck
                path = self._path(_Where(chain[0]))
                lead = len(path)
                path = self._along(path, chain[1:])
                found.append(
                    Discovery(way.promise.name, kind, path, None if back_to is None else lead + back_to)
                )
        per_state = getsizeof(self.numbers) + sum(a.itemsize * states for a in (self.parents,) * 3)
        per_state += states * (getsizeof(next(iter(self.numbers), b"")) + _INT)
        per_state += sum(way.size for way in self.ways)
        return Search(
            states=states,
            edges=self.edges,
            depth=max(self.depths, default=0),
            complete=complete,
            waiting=len(self.waiting),
            discoveries=tuple(sorted(found, key=lambda d: len(d.path))),
            bytes_per_state=per_state // max(1, states),
        )

    def _path(self, where: _Where) -> Path[S, L]:
        """The way to a place, walked again from its start."""
        ordinals = [where.ordinal] if where.ordinal >= 0 else []
        number = where.number
        while self.parents[number] != _NOBODY:
            ordinals.append(self.ordinals[number])
            number = self.parents[number]
        start = state = self.starts[self.ordinals[number]]
        steps: list[tuple[L, S]] = []
        for ordinal in reversed(ordinals):
            step = next(islice(iter(self.successors(state)), ordinal, None))
            steps.append(step)
            state = step[1]
        return Path(start, tuple(steps))

    def _along(self, path: Path[S, L], chain: Sequence[int]) -> Path[S, L]:
        """A path, continued through states of these numbers."""
        steps, state = list(path.steps), path.last
        for number in chain:
            step = next(s for s in self.successors(state) if self.numbers[self.key(s[1])] == number)
            steps.append(step)
            state = step[1]
        return Path(path.start, tuple(steps))


# --------------------------------------------------------------------------------------------- eventually


class _Ways(Generic[S, L]):
    """The steps that count for one *eventually*, and what is left when its goals are peeled off."""

    def __init__(self, promise: Eventually[S, L]) -> None:
        self.promise = promise
        self.goals = bytearray()
        self.sources = array("I")
        self.targets = array("I")

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.goals) + 2 * self.sources.itemsize * len(self.sources)

    def state(self, state: S) -> None:
        """Take note of the next state."""
        self.goals.append(self.promise.done(state))

    def step(self, source: int, label: L, target: int) -> None:
        """Take note of a step."""
        if not self.goals[source] and self.promise.along(label):
            self.sources.append(source)
            self.targets.append(target)

    def stuck(self, waiting: Iterable[int]) -> tuple[Kind, list[int], int | None] | None:
        """What never gets to a goal, if anything does not: its kind, its states, and where a cycle closes.

        Args:
            waiting: States that were not expanded; what becomes of them is not known, and not held
                against them.
        """
        left = self._left(waiting)
        if not left:
            return None
        following: dict[int, list[int]] = {}
        ends = set(left)
        for source, target in zip(self.sources, self.targets, strict=True):
            if source in left:
                ends.discard(source)
                if target in left:
                    following.setdefault(source, []).append(target)
        if ends:
            return "dead end", [min(ends)], None
        chain, places = [min(left)], {min(left): 0}
        while True:
            after = following[chain[-1]][0]
            if after in places:
                # The way into the cycle is not part of it.
                begin = places[after]
                return "cycle", [*chain, after], begin
            places[after] = len(chain)
            chain.append(after)

    def _left(self, waiting: Iterable[int]) -> set[int]:
        """The states from which some way along the steps does not lead to a goal."""
        ahead = array("I", bytes(4 * len(self.goals)))
        for source in self.sources:
            ahead[source] += 1
        behind: dict[int, list[int]] = {}
        for source, target in zip(self.sources, self.targets, strict=True):
            behind.setdefault(target, []).append(source)
        good = bytearray(self.goals)
        for number in waiting:
            good[number] = 1
        peel = [number for number, is_good in enumerate(good) if is_good]
        while peel:
            for source in behind.get(peel.pop(), ()):
                ahead[source] -= 1
                if not ahead[source] and not good[source]:
                    good[source] = 1
                    peel.append(source)
        return {number for number, is_good in enumerate(good) if not is_good}
