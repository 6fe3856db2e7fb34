"""A balancer's node whose requests have no closed form: target by target, one second after the other.

Needed for weights that change all the time (stickiness, slow start), for choices by a die, and for least
outstanding requests, which looks at each request. Round robin by fixed weights needs none of it: see
``dataplane``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import Literal

from attrs import frozen

from .cookies import UNIT, Bound, Homes, lags
from .dataplane import CursorRule, Rotation
from .dicing import dice, multinomial
from .latency import Shared
from .traffic import Outcome, Pool, Sessions

Algorithm = Literal["round_robin", "least_outstanding_requests", "weighted_random"]


@frozen(kw_only=True)
class Rules(Shared):
    """How the balancer divides requests, as far as AWS lets one choose or says nothing; see ``Settings``.

    Args:
        algorithm: Of all target groups.
        cursor: What becomes of a turn when a target comes or goes; see ``Split``.
        division: How weights divide: exactly, or by a die for each request.
        slow_start_ms: How long a target's share rises; 0 for not at all.
        group_cookie_ms: How long a client stays with a target group; 0 for no stickiness.
        target_cookie_ms: How long a client stays with a target; 0 for no stickiness.
        refreshed: Whether each answer renews the cookie of a target group.
        idle_timeout_ms: How long an answer may take.
        seed: Of the dice.
    """

    algorithm: Algorithm = "round_robin"
    cursor: CursorRule = "kept"
    division: Literal["exact", "random"] = "exact"
    slow_start_ms: int = 0
    group_cookie_ms: int = 0
    target_cookie_ms: int = 0
    refreshed: bool = True
    idle_timeout_ms: int = 60_000
    seed: int = 0

    def fine(self, sessions: Sessions | None) -> bool:
        """Whether each second has to be divided by itself."""
        sticky = sessions is not None and (self.group_cookie_ms or self.target_cookie_ms)
        return bool(
            sticky or self.slow_start_ms or self.algorithm != "round_robin" or self.division == "random"
        )


class Shares:
    """Divides requests by weights that may change at any moment, each part as exact as whole numbers allow.

    Each name in turn takes its share of what is left; what is below one is kept for it.
    """

    def __init__(self) -> None:
        """Begin with nothing kept."""
        self._kept: dict[str, int] = {}

    def divide(self, requests: int, weights: Mapping[str, int]) -> dict[str, int]:
        """How many of the next requests each name gets; nobody gets any if all weights are 0."""
        left, found = sum(weights.values()), {}
        for name, weight in weights.items():
            share = weight * UNIT // left if left else 0
            found[name], self._kept[name] = divmod(self._kept.get(name, 0) + requests * share, UNIT)
            requests -= found[name]
            left -= weight
        return found


class Fewest:
    """Each request goes to the target with the fewest unfinished ones, of several to the next in turn."""

    def __init__(self) -> None:
        """Begin with nobody busy."""
        self._unfinished: Counter[str] = Counter()
        self._ends: list[tuple[int, str]] = []  # a heap, in microseconds
        self._sent: Counter[str] = Counter()
        self._turn = 0

    def divide(
        self, requests: int, names: Sequence[str], kinds: Mapping[str, Outcome], start_ms: int, end_ms: int
    ) -> dict[str, int]:
        """How many of the requests, which come evenly from ``start_ms`` to ``end_ms``, each target gets."""
        found = dict.fromkeys(names, 0)
        unfinished, ends = self._unfinished, self._ends
        for i in range(requests):
            now = 1000 * start_ms + 1000 * (end_ms - start_ms) * i // requests
            while ends and ends[0][0] <= now:
                unfinished[heappop(ends)[1]] -= 1
            size, turn = len(names), self._turn
            name = min((names[(turn + place) % size] for place in range(size)), key=unfinished.__getitem__)
            self._turn = (names.index(name) + 1) % size
            found[name] += 1
            if spent := _spent(kinds[name], self._sent[name]):
                unfinished[name] += 1
                heappush(ends, (now + spent, name))
            self._sent[name] += 1
        return found


def _spent(kind: Outcome, k: int) -> int:
    """Microseconds for which the k-th request that a target of a kind gets is unfinished."""
    _, answers, _, manner = kind
    if not answers:
        return 0 if manner.silence == 502 else 10_000_000  # a refused connection is over at once
    latency = manner.application.latency
    return latency.of(k) if latency else 0


class FineNode:
    """One node of the balancer, second by second.

    Args:
        node: Its number, so that nodes throw dice of their own.
        rules: How it divides.
        sessions: What the sessions of users are like.
    """

    def __init__(self, node: int, rules: Rules, sessions: Sessions | None) -> None:
        """Begin without targets."""
        self._node, self._rules = node, rules
        cookie = rules.group_cookie_ms
        self._bound = Bound(lags(sessions, cookie, refreshed=rules.refreshed))
        self._given = lags(sessions, rules.target_cookie_ms, refreshed=True)
        self._pools: tuple[Pool, ...] = ()
        self._kinds: dict[str, Outcome] = {}
        self._slow: dict[str, int] = {}
        self._groups = Shares()
        self._targets: dict[str, Shares] = {}
        self._turns: dict[str, Rotation[str]] = {}
        self._homes: dict[str, Homes] = {}
        self._fewest: dict[str, Fewest] = {}
        self.sent: Counter[str] = Counter()

    def meet(
        self, pools: tuple[Pool, ...], kinds: Mapping[str, Outcome], slow: Mapping[str, int], at_ms: int
    ) -> None:
        """Let requests meet these target groups from a moment on.

        Args:
            pools: The target groups.
            kinds: What each target does with its requests.
            slow: Since when the share of each target that starts slowly rises, in milliseconds.
            at_ms: When that is.
        """
        changed = [pool for pool in pools if pool not in self._pools]
        self._pools, self._kinds, self._slow = pools, dict(kinds), dict(slow)
        self._bound.weigh(at_ms, {pool.name: pool.weight for pool in pools})
        for pool in changed:
            names = [target[0] for target in pool.targets]
            turns = self._turns.setdefault(pool.name, Rotation(1, self._rules.cursor))
            for name in turns.serving():
                if name not in names:
                    turns.leave(name)
            for name in names:
                turns.join(name, "")
            if self._rules.target_cookie_ms:
                self._homes.setdefault(pool.name, Homes(self._given)).serve(at_ms, names)

    def serve(self, marks: Sequence[int], counts: Sequence[int]) -> dict[Outcome | None, list[int]]:
        """How many of the requests meet each outcome, from mark to mark; None: there was no target.

        Args:
            marks: Milliseconds, rising.
            counts: Requests between each and the next one.
        """
        found: dict[Outcome | None, list[int]] = {}
        self._marks, self._rows = list(marks), dict[str, list[int]]()
        for i, ((start, end), count) in enumerate(zip(pairwise(marks), counts, strict=True)):
            unserved = count
            for name, got in self._second(start, end, count).items():
                unserved -= got
                self.sent[name] += got
                for key, rows in ((name, self._rows), (self._kinds[name], found)):
                    rows.setdefault(key, [0] * len(counts))[i] += got  # type: ignore[arg-type]
            if unserved:
                found.setdefault(None, [0] * len(counts))[i] += unserved
        return found

    def course(self, name: str, _: str) -> tuple[int, Callable[[int], int]]:
        """Requests of a target before those that are served next, and of these, those up to a millisecond."""

        def upto(ms: int) -> int:
            total = 0
            for (start, end), got in zip(pairwise(self._marks), self._rows.get(name, ()), strict=False):
                total += got if ms >= end else got * max(0, ms - start) // (end - start)
            return total

        return self.sent[name], upto

    def per_target(self) -> dict[str, int]:
        """How many requests each target got."""
        return dict(self.sent)

    def _second(self, start: int, end: int, count: int) -> dict[str, int]:
        """How many requests each target gets in a time that is no longer than a second."""
        weights = self._bound.weights(start)
        if self._rules.division == "random":
            parts = multinomial(count, weights, dice(self._rules.seed, self._node, start, "groups"))
        else:
            parts = self._groups.divide(count, weights)
        found: dict[str, int] = {}
        for pool in self._pools:
            if pool.targets and parts.get(pool.name):
                found |= self._within(pool, parts[pool.name], start, end)
        return found

    def _within(self, pool: Pool, count: int, start: int, end: int) -> dict[str, int]:
        """How many of a target group's requests each of its targets gets."""
        rules, names = self._rules, [target[0] for target in pool.targets]
        if pool.name in self._homes:
            return self._shares(pool, count, self._homes[pool.name].weights(start))
        if rules.algorithm == "weighted_random":
            source = dice(rules.seed, self._node, start, pool.name)
            return multinomial(count, dict.fromkeys(names, 1), source)
        if rules.algorithm == "least_outstanding_requests":
            fewest = self._fewest.setdefault(pool.name, Fewest())
            return fewest.divide(count, names, self._kinds, start, end)
        ramp = {
            name: ramped(start - self._slow.get(name, start - rules.slow_start_ms), rules) for name in names
        }
        if min(ramp.values()) < max(ramp.values()):
            return self._shares(pool, count, ramp)
        turns = self._turns[pool.name]
        found = turns.each(0, count)
        turns.take(0, count)
        return found

    def _shares(self, pool: Pool, count: int, weights: Mapping[str, int]) -> dict[str, int]:
        return self._targets.setdefault(pool.name, Shares()).divide(count, weights)


def ramped(elapsed_ms: int, rules: Rules) -> int:
    """The weight of a target so long after it began to start slowly; the exact ramp is undocumented."""
    return max(1000, min(elapsed_ms, rules.slow_start_ms))
