"""Stickiness: whom the requests of sessions are bound to, by cohorts instead of one session after the other.

The sessions of a moment are of all ages, in equal parts: of R requests of a session, each R-th request of a
second is the first, each R-th the second, and so on, one gap after the other. All that a cookie does is to
let the i-th request of a session follow what held when the cookie was given: so many gaps ago.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence

from .traffic import Sessions

UNIT = 1 << 32
"""One, in numbers that have as many binary digits after the point as this has zeros."""


def lags(sessions: Sessions | None, cookie_ms: int, *, refreshed: bool) -> Counter[int]:
    """How long ago the cookies of a moment's requests were given: (milliseconds: requests of a session).

    Args:
        sessions: What users' sessions are like; None: each request is a session of its own.
        cookie_ms: How long a cookie lasts; 0: there are none.
        refreshed: Whether each answer gives a new cookie of the same content, so that it lasts as long as
            its user is never silent for longer.
    """
    if sessions is None or not cookie_ms:
        return Counter({0: 1})
    lasts, requests = 1000 * sessions.seconds, sessions.requests
    if lasts > cookie_ms * requests:
        return Counter({0: requests})
    # Gaps are no whole milliseconds, and shorter than one where requests come fast.
    renewed = requests if refreshed else cookie_ms * requests // lasts + 1
    return Counter(i % renewed * lasts // requests for i in range(requests))


class Bound:
    """Sessions bound to target groups: each to one that the weights chose when its cookie was given."""

    def __init__(self, given: Counter[int]) -> None:
        """Know how long ago cookies were given."""
        self._given = given
        self._since: list[int] = []
        self._rules: list[dict[str, int]] = []

    def weigh(self, at_ms: int, weights: dict[str, int]) -> None:
        """New weights from a moment on."""
        if not self._rules or self._rules[-1] != weights:
            self._since.append(at_ms)
            self._rules.append(weights)

    def weights(self, at_ms: int) -> dict[str, int]:
        """By which weights the requests of a moment are divided in effect.

        A cookie of a group at weight 0 still leads there; one of a group that the rule names no more is as
        none.
        """
        now = self._rules[-1]
        parts: Counter[int] = Counter()
        for lag, requests in self._given.items():
            parts[max(0, bisect_right(self._since, at_ms - lag) - 1)] += requests
        if len(parts) == 1 and len(self._rules) - 1 in parts:
            return now
        found = dict.fromkeys(now, 0)
        for rule, requests in parts.items():
            old = self._rules[rule] if self._rules[rule].keys() <= now.keys() else now
            total = sum(old.values())
            for group, weight in old.items():
                found[group] += requests * UNIT * weight // total if total else 0
        return found


class Homes:
    """Sessions bound to single targets of a group; those whose target is gone are spread anew, evenly."""

    def __init__(self, given: Counter[int]) -> None:
        """Know how long ago cookies were given."""
        self._given = given
        self._since: list[int] = []
        self._parts: list[
            dict[str, int]
        ] = []  # of the sessions that began since then: on which targets they are

    def serve(self, at_ms: int, names: Sequence[str]) -> None:
        """These targets serve from a moment on."""
        for parts in self._parts:
            gone = [name for name in parts if name not in names]
            lost = sum(parts.pop(name) for name in gone)
            if lost and names:
                for name in names:
                    parts[name] = parts.get(name, 0) + lost // len(names)
        if self._parts and self._since[-1] == at_ms:
            self._parts.pop()
            self._since.pop()
        self._since.append(at_ms)
        self._parts.append({name: UNIT // len(names) for name in names})

    def weights(self, at_ms: int) -> Mapping[str, int]:
        """By which weights the requests of a moment are divided among the targets in effect."""
        found: Counter[str] = Counter(dict.fromkeys(self._parts[-1], 0))
        for lag, requests in self._given.items():
            for name, part in self._parts[max(0, bisect_right(self._since, at_ms - lag) - 1)].items():
                found[name] += requests * part
        return found
