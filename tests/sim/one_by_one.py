"""Requests one by one: the slow truth that the arithmetic of `bluegreen_sim.users.dataplane` must equal.

Nothing is shared with it: targets are a list, a cursor is a number or a name, each request is looked at.
"""

from __future__ import annotations

from collections import Counter

from bluegreen_sim.users.dataplane import CursorRule


class Turns:
    """One target group on one node: who is next.

    Args:
        rule: What becomes of the cursor when a target comes or goes.
    """

    def __init__(self, rule: CursorRule) -> None:
        self.rule = rule
        self.serving: list[str] = []
        self.sent = 0  # since the first request, or since the last change
        self.pointer: str | None = None  # whose turn it is

    def change(self, serving: list[str]) -> None:
        """Others serve from now on; at most one came or went."""
        old, self.serving = self.serving, serving
        if serving == old:
            return
        if self.rule == "reset":
            self.sent = 0
        if self.pointer is not None and self.pointer not in serving:
            after = old[old.index(self.pointer) + 1 :] + old
            self.pointer = next((name for name in after if name in serving), None)
        if self.pointer is None and serving:
            self.pointer = serving[0]

    def request(self) -> str | None:
        """Who gets the next request."""
        if not self.serving:
            return None
        if self.rule == "next":
            assert self.pointer is not None
            name = self.pointer
            self.pointer = self.serving[(self.serving.index(name) + 1) % len(self.serving)]
            return name
        name = self.serving[self.sent % len(self.serving)]
        self.sent += 1
        return name


class OneByOne:
    """The loop over single requests, with the methods of `Split`."""

    def __init__(self, weights: dict[str, int], nodes: int, rule: CursorRule) -> None:
        self.weights = weights
        self.places: dict[str, list[str]] = {group: [] for group in weights}
        self.versions: dict[str, str] = {}
        self.turns = [{group: Turns(rule) for group in weights} for _ in range(nodes)]
        self.arrived = 0
        self.divided = [0] * nodes
        self.counts: Counter[str] = Counter()

    def weigh(self, weights: dict[str, int]) -> None:
        """New weights begin a new division."""
        if weights != self.weights:
            self.divided = [0] * len(self.divided)
        self.weights = weights

    def join(self, target: str, version: str, *, group: str) -> None:
        """One that comes back takes its old place."""
        self.versions[target] = version
        if target not in self.places[group]:
            self.places[group].append(target)
        for node in self.turns:
            turn = node[group]
            turn.change([name for name in self.places[group] if name in turn.serving or name == target])

    def leave(self, target: str, *, group: str) -> None:
        """Its place is kept."""
        for node in self.turns:
            node[group].change([name for name in node[group].serving if name != target])

    def serve(self, counts: list[int]) -> dict[str | None, list[int]]:
        """Every request in its turn."""
        found: dict[str | None, list[int]] = {}
        for i, count in enumerate(counts):
            for _ in range(count):
                target = self.request()
                self.counts[target or ""] += 1
                version = self.versions[target] if target else None
                found.setdefault(version, [0] * len(counts))[i] += 1
        return found

    def request(self) -> str | None:
        """Who gets the next request."""
        node = self.arrived % len(self.turns)
        self.arrived += 1
        group = self.chosen(self.divided[node])
        self.divided[node] += group is not None
        return None if group is None else self.turns[node][group].request()

    def chosen(self, number: int) -> str | None:
        """The first group whenever its part of all requests passes a whole number, else one of the others."""
        groups = dict(self.weights)
        while total := sum(groups.values()):
            group, weight = next(iter(groups.items()))
            before, after = number * weight // total, (number + 1) * weight // total
            if after > before:
                return group
            number -= before
            del groups[group]
        return None
