"""Requests by arithmetic: who gets how many, at a cost that does not depend on how many there are.

Round robin has a closed form: of k requests to n targets everyone gets ``k // n`` and the ``k % n`` targets
from the cursor on get one more. AWS documents neither the order of a rotation nor what becomes of the
cursor when targets come and go: here targets follow each other by group, then by launch, and the cursor is
kept modulo the number of targets. Weighted target groups are divided exactly, not at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attrs import field, frozen, validators

Target = tuple[str, str, bool, int]
"""A target as requests meet it: id, group, whether it answers, percent of its answers that are wrong."""

Outcome = tuple[str, bool, int]
"""What becomes of a request: the group, whether it answers, percent of its answers that are wrong."""

NOBODY: Outcome = ("", False, 0)
"""There is no target: the balancer itself answers 503."""


@frozen
class Traffic:
    """Requests that arrive at a constant rate, request k at the first moment with rate × time ≥ k.

    Args:
        per_second: Requests a second.
    """

    per_second: int = field(validator=[validators.instance_of(int), validators.ge(0)])

    def arrived(self, elapsed_ms: int) -> int:
        """Requests that have arrived after so many milliseconds."""
        return self.per_second * elapsed_ms // 1000


@frozen
class Pool:
    """One target group as the data plane sees it: its weight and the targets that get its requests."""

    name: str
    weight: int
    targets: tuple[Target, ...]


@frozen
class Node:
    """Where one node of the balancer stands.

    Args:
        turn: Requests since the weights were set, modulo their sum.
        cursors: (target group, index of the target whose turn it is).
    """

    turn: int = 0
    cursors: tuple[tuple[str, int], ...] = ()

    def cursor(self, pool: str) -> int:
        """The cursor of a target group."""
        return next((cursor for name, cursor in self.cursors if name == pool), 0)


def of_node(requests: int, node: int, nodes: int) -> int:
    """How many of the first ``requests`` meet a node; clients take the nodes in turn."""
    return (requests - node + nodes - 1) // nodes


def divided(turn: int, requests: int, weights: tuple[int, ...]) -> tuple[int, ...]:
    """How many of the next ``requests`` go to each of one or two target groups, from a turn on."""
    total = sum(weights)
    if not total:
        return (0,) * len(weights)
    first = (turn + requests) * weights[0] // total - turn * weights[0] // total
    return (first, requests - first)[: len(weights)]


class Spell:
    """A time in which neither targets nor weights change, for one node.

    Args:
        pools: One or two target groups.
        node: Where the node stands at its beginning.
    """

    def __init__(self, pools: tuple[Pool, ...], node: Node) -> None:
        """Keep both; what is needed of the targets is computed once, when it is asked for."""
        self.pools = pools
        self.node = node
        self.weights = tuple(pool.weight for pool in pools)
        self._prefixes: list[dict[Outcome, list[int]]] | None = None

    def after(self, requests: int) -> Node:
        """Where the node stands after so many requests."""
        counts = divided(self.node.turn, requests, self.weights)
        cursors = (
            (pool.name, (self.node.cursor(pool.name) + count) % max(1, len(pool.targets)))
            for pool, count in zip(self.pools, counts, strict=True)
        )
        return Node((self.node.turn + requests) % max(1, sum(self.weights)), tuple(cursors))

    def outcomes(self, requests: int) -> Iterator[tuple[Outcome, int]]:
        """What becomes of the first ``requests`` of this time."""
        if not sum(self.weights):
            yield NOBODY, requests
            return
        if self._prefixes is None:
            self._prefixes = [_prefixes([target[1:] for target in pool.targets]) for pool in self.pools]
        counts = divided(self.node.turn, requests, self.weights)
        for pool, count, prefixes in zip(self.pools, counts, self._prefixes, strict=True):
            if not pool.targets:
                yield NOBODY, count
            start = self.node.cursor(pool.name) % max(1, len(pool.targets))
            for outcome, prefix in prefixes.items():
                yield outcome, _up_to(start + count, prefix) - _up_to(start, prefix)

    def per_target(self, requests: int) -> Counter[str]:
        """How many of the first ``requests`` each target gets, by id."""
        found: Counter[str] = Counter()
        counts = divided(self.node.turn, requests, self.weights)
        for pool, count in zip(self.pools, counts, strict=True):
            if pool.targets:
                size = len(pool.targets)
                each, rest = divmod(count, size)
                start = self.node.cursor(pool.name) % size
                for i, target in enumerate(pool.targets):
                    found[target[0]] += each + ((i - start) % size < rest)
        return found


def _prefixes(kinds: list[Outcome]) -> dict[Outcome, list[int]]:
    """For each kind: how many of the first i targets are of it, for every i."""
    found: dict[Outcome, list[int]] = {}
    for kind in dict.fromkeys(kinds):
        counts = [0]
        for other in kinds:
            counts.append(counts[-1] + (other == kind))
        found[kind] = counts
    return found


def _up_to(requests: int, prefix: list[int]) -> int:
    """Requests to targets of a kind, of so many counted from target 0 on."""
    turns, rest = divmod(requests, len(prefix) - 1)
    return turns * prefix[-1] + prefix[rest]
