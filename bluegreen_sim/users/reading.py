"""From changes to counts: what became of the requests between some moments, group by group."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any

from attrs import Factory, define, frozen

from .application import USUAL, Stretch
from .dataplane import Split, by_node
from .fine import FineNode, Rules
from .latency import INSTANT, Latency
from .outcomes import Answers, Nodes, Segment
from .traffic import Outcome, Pool, Traffic


class TurnsNode:
    """One node of the balancer, dividing by fixed weights and in turns.

    Args:
        rules: How the balancer divides.
    """

    def __init__(self, rules: Rules) -> None:
        """Begin without targets."""
        self._split: Split[Outcome] = Split({"": 0}, cursor=rules.cursor)

    def meet(
        self, pools: tuple[Pool, ...], kinds: Mapping[str, Outcome], slow: Mapping[str, int], at_ms: int
    ) -> None:
        """Let requests meet these target groups from now on."""
        del slow, at_ms
        split = self._split
        split.weigh({pool.name: pool.weight for pool in pools} or {"": 0})
        for pool in pools:
            names = {target[0] for target in pool.targets}
            for name in split.serving(pool.name):
                if name not in names:
                    split.leave(name, group=pool.name)
            for target in pool.targets:
                split.join(target[0], kinds[target[0]], group=pool.name)

    def serve(self, marks: Sequence[int], counts: Sequence[int]) -> dict[Outcome | None, list[int]]:
        """How many of the requests between the marks meet each outcome; None: there was no target."""
        del marks
        return self._split.serve(counts)

    def course(self, name: str, group: str) -> tuple[int, Callable[[int], int]]:
        """Requests that a target got before, and how many of the node's next k it gets."""
        return self._split.count(name, group=group), self._split.course(name, group=group)

    def per_target(self) -> dict[str, int]:
        """How many requests each target got."""
        return self._split.per_target()


@frozen
class Course:
    """The requests of one target at one node in a segment.

    Args:
        kind: What becomes of them in general.
        cut_ms: When the target's connections are cut.
        status: What those get who then wait.
        before: Requests that it got at this node before the segment.
        upto: How many it got in the segment up to a millisecond.
    """

    kind: Outcome
    cut_ms: int
    status: int
    before: int
    upto: Callable[[int], int]


@define
class Ledger:
    """What an outcome gave so far, so that each part of it is spread evenly over all its requests."""

    answered: int = 0
    late: int = 0


@define
class Reader:
    """Reads a timeline once, from its beginning on.

    Args:
        traffic: How many requests arrive.
        rules: How the balancer divides them.
        count: Nodes of the balancer.
        cuts: When the connections of a target are cut: by instance, rising (milliseconds, status).
    """

    traffic: Traffic
    rules: Rules
    count: int
    cuts: Mapping[str, list[tuple[int, int]]]
    _nodes: list[Any] = Factory(list)
    _ledgers: dict[Outcome, Ledger] = Factory(dict)

    def __attrs_post_init__(self) -> None:
        """Begin without targets."""
        fine = self.rules.fine(self.traffic.sessions)
        self._nodes = [
            FineNode(node, self.rules, self.traffic.sessions) if fine else TurnsNode(self.rules)
            for node in range(self.count)
        ]

    def per_target(self) -> dict[str, int]:
        """How many requests were sent to each instance that got any, by id."""
        found: Counter[str] = Counter()
        for node in self._nodes:
            found.update(node.per_target())
        return {name: found[name] for name in sorted(found) if found[name]}

    def read(self, segments: Iterable[Segment], marks: Sequence[int]) -> dict[str | None, Answers]:
        """What became of the requests between some rising moments, by group; None: nobody got them.

        Args:
            segments: Those that lie between the first and the last mark, or reach beyond.
            marks: Milliseconds; the first is where the last reading ended.
        """
        found = defaultdict[str | None, Answers](lambda: Answers.none(len(marks) - 1))
        for segment in segments:
            start, end = max(segment.start_ms, marks[0]), min(segment.end_ms, marks[-1])
            if start >= end:
                continue
            first = bisect_right(marks, start) - 1
            cuts = [start, *marks[first + 1 : bisect_left(marks, end)], end]
            for group, answers in self._segment(segment, cuts).items():
                found[group].add(answers, first)
        return found

    # -------------------------------------------------------------------------------------------- a segment

    def _segment(self, segment: Segment, cuts: Sequence[int]) -> dict[str | None, Answers]:
        """What became of the requests of a segment, or a part of it, between these moments."""
        arrived = [self.traffic.arrived(cut) for cut in cuts]
        counts = [after - before for before, after in pairwise(arrived)]
        parts = entering(counts, segment.nodes, arrived[0])
        manners = dict(segment.manners)
        rows: dict[Outcome | None, list[int]] = {}
        instances: dict[Outcome, set[str]] = defaultdict(set)
        courses: list[Course] = []
        for number, (node, pools, part) in enumerate(zip(self._nodes, segment.nodes, parts, strict=True)):
            kinds = {
                target[0]: (*target[1:], manners.get(target[0], USUAL))
                for pool in pools
                for target in pool.targets
            }
            node.meet(pools, kinds, dict(segment.slow), segment.start_ms)
            courses += self._courses(segment, number, kinds, cuts, arrived[0])
            for name, kind in kinds.items() if manners else ():
                instances[kind].add(name)
            for outcome, row in node.serve(cuts, part).items():
                rows[outcome] = (
                    [a + b for a, b in zip(rows[outcome], row, strict=True)] if outcome in rows else list(row)
                )
        found: dict[str | None, Answers] = {}
        for outcome, row in rows.items():
            group = outcome[0] if outcome else None
            into = found.setdefault(group, Answers.none(len(row)))
            if outcome is None:
                into.nobody = row
                continue
            mine = [course for course in courses if course.kind == outcome]
            into.add(self._became(outcome, row, cuts, len(instances[outcome]), mine))
        return found

    def _courses(
        self, segment: Segment, number: int, kinds: Mapping[str, Outcome], cuts: Sequence[int], before: int
    ) -> Iterable[Course]:
        """Of the targets whose connections are cut while requests of this time may still be in flight."""
        if not self.cuts:
            return
        node = self._nodes[number]
        for pool in segment.nodes[number]:
            for target in pool.targets:
                kind = kinds[target[0]]
                ahead = self.cuts.get(target[0], [])
                place = bisect_left(ahead, (cuts[-1], 0))
                if place == len(ahead) or kind[3].application.latency is None or not kind[1]:
                    continue
                at, status = ahead[place]
                if at - cuts[-1] < self.rules.idle_timeout_ms:
                    got, upto = node.course(target[0], pool.name)
                    if isinstance(node, TurnsNode):
                        upto = self._by_time(upto, segment, number, before)
                    yield Course(kind, at, status, got, upto)

    def _by_time(
        self, upto: Callable[[int], int], segment: Segment, number: int, before: int
    ) -> Callable[[int], int]:
        """A function of the node's requests as one of time."""
        arrived = self.traffic.arrived
        return lambda ms: upto(sum(entering([arrived(ms) - before], segment.nodes, before)[number]))

    # ------------------------------------------------------------------------------------------- an outcome

    def _became(
        self, outcome: Outcome, row: list[int], cuts: Sequence[int], instances: int, courses: Sequence[Course]
    ) -> Answers:
        """What became of the requests that met an outcome."""
        _, answers, wrong_percent, manner = outcome
        found = Answers.none(len(row))
        if not answers:
            into = found.silent if manner.silence == 502 else found.late
            into[:] = row
            return found
        ledger = self._ledgers.setdefault(outcome, Ledger())
        app = manner.application
        if app.latency is None and app.capacity is None:
            # Wrong answers are spread evenly over all that an outcome ever gave.
            sums = list(accumulate(row, initial=ledger.answered))
            found.right = [
                after - before for before, after in pairwise(s - s * wrong_percent // 100 for s in sums)
            ]
            found.wrong = [sent - good for sent, good in zip(row, found.right, strict=True)]
            ledger.answered = sums[-1]
            return found
        for i, ((start, end), sent) in enumerate(zip(pairwise(cuts), row, strict=True)):
            room = app.room(instances, end - start, start - manner.since_ms)
            stretch = app.stretch(sent, room)
            lost = Counter[int]()
            for course in courses:
                lost[course.status] += in_flight(course, start, end, stretch, self.rules.idle_timeout_ms)
            left = sent - lost.total()
            excess = min(left, max(0, sent - room // 1000)) if room is not None else 0
            late, latency = self._late(ledger, left - excess, app.latency, stretch)
            answered = left - excess - late
            wrong = (
                ledger.answered + answered
            ) * wrong_percent // 100 - ledger.answered * wrong_percent // 100
            ledger.answered += answered
            found.right[i] = answered - wrong
            found.wrong[i] = excess + wrong
            found.silent[i] = lost[502]
            found.late[i] = lost[504] + late
            if latency and answered + excess:
                found.paces[i] = Counter({(latency, *stretch): answered, (INSTANT, 1, 1): excess})
        return found

    def _late(
        self, ledger: Ledger, requests: int, latency: Latency | None, stretch: Stretch
    ) -> tuple[int, Latency | None]:
        """How many are not answered within the idle timeout, and how long the others take."""
        if latency is None:
            return 0, None
        longest = self.rules.idle_timeout_ms * 1000 * stretch[1] // stretch[0]
        place = bisect_left(latency.bands, longest, key=lambda band: band[0])
        tail = latency.total - latency.edges[place]
        if not tail:
            return 0, latency
        late = (ledger.late + requests * tail) // latency.total
        ledger.late = (ledger.late + requests * tail) % latency.total
        return late, _first(latency, place) if place else None


def entering(counts: Sequence[int], nodes: Nodes, before: int) -> list[Sequence[int]]:
    """Each node's part of counts of requests; clients take those in turn that they come to."""
    doors = [node for node, pools in enumerate(nodes) if pools] or [0]
    parts = dict(zip(doors, by_node(counts, len(doors), before), strict=True))
    return [parts.get(node, [0] * len(counts)) for node in range(len(nodes))]


@lru_cache(maxsize=256)
def _first(latency: Latency, bands: int) -> Latency:
    return Latency(latency.bands[:bands])


def in_flight(course: Course, start: int, end: int, stretch: Stretch, idle_timeout_ms: int) -> int:
    """How many of the requests sent to a target in a time are unfinished when its connections are cut.

    The k-th request of a target at a node takes what its latency has for k, see ``Latency.of``. It is
    unfinished if it was sent later than so long before the cut; after the idle timeout none is.

    Args:
        course: The target's requests.
        start: Where the time begins, in milliseconds.
        end: Where it ends.
        stretch: By what answers take longer.
        idle_timeout_ms: How long an answer may take at most.
    """
    latency = course.kind[3].application.latency
    assert latency is not None
    edges, last = latency.edges, course.before + course.upto(end)

    def since(place: int) -> int:
        """From when on those that take so long are unfinished."""
        took = -(-latency.bands[place][0] * stretch[0] // (stretch[1] * 1000))
        return course.cut_ms - min(took, idle_timeout_ms) + 1

    # Whatever takes longer than the band at `whole` has been unfinished from the start on.
    whole = bisect_left(range(len(latency.bands)), x=True, key=lambda place: since(place) <= start)
    total = latency.between(course.before + course.upto(start), last, edges[whole], latency.total)
    for place in range(whole - 1, -1, -1):
        sent = since(place)
        if sent >= end:
            break
        total += latency.between(course.before + course.upto(sent), last, edges[place], edges[place + 1])
    return total
