"""Every node, every check, every request: the slow truth that the balancer's arithmetic must equal.

Nothing is shared with it but the settings: time goes in steps of half a second, each node looks at each
target at each of its checks, each request is sent by itself. The turns of a target group are those of
`one_by_one`.
"""

from __future__ import annotations

from collections import Counter

from attrs import define, field

from bluegreen_sim import Settings
from tests.sim.one_by_one import OneByOne

STEP_MS = 500
NEVER = 10**12


@define
class Seen:
    """A target as one node sees it: from when on, its checks, and its verdict."""

    known_at: int
    first: int
    state: str = "initial"
    run: int = 0
    last: bool | None = None

    def look(self, now: int, *, passed: bool, settings: Settings) -> None:
        """One check, if one is due."""
        step = round(settings.check_interval_seconds * 1000)
        if now < self.first or (now - self.first) % step:
            return
        self.run, self.last = (self.run + 1 if passed == self.last else 1), passed
        if passed:
            needed = {"initial": 1, "unhealthy": settings.healthy_threshold}.get(self.state, NEVER)
        else:
            needed = NEVER if self.state == "unhealthy" else settings.unhealthy_threshold
        if self.run >= needed:
            self.state = "healthy" if passed else "unhealthy"


@define
class Box:
    """An instance: its target group, its zone, whether it answers, and what each node thinks of it."""

    target_group: str
    zone: int
    answers: bool = True
    seen: list[Seen] | None = None
    gone: list[list[tuple[int, str]]] = field(
        factory=list
    )  # by node: (until, state) of what it still believes
    drains_until: int = 0
    taken_out: int = -1

    def state(self, node: int, now: int) -> str:
        """What a node says of it; nothing when it does not know it."""
        if self.seen and now >= self.seen[node].known_at:
            return self.seen[node].state
        return next((state for until, state in self.gone[node] if until > now), "")

    def shown(self, now: int) -> str:
        """What the API says of it."""
        if self.seen is None:
            # A delay of 0 ends when time next passes.
            return "draining" if now < self.drains_until or now == self.taken_out else ""
        states = {each.state for each in self.seen if now >= each.known_at}
        return next((state for state in ("healthy", "unhealthy") if state in states), "initial")


def of_node(times: tuple[float, ...], node: int) -> int:
    """A node's own time, in milliseconds."""
    return round(times[node % len(times)] * 1000)


class Nodes:
    """A balancer, node by node.

    Args:
        settings: Of the world.
        boxes: The instances, by id, in the order in which the world lists them.
        weights: (target group: weight).
        rate: Requests a second.
    """

    def __init__(self, settings: Settings, boxes: dict[str, Box], weights: dict[str, int], rate: int) -> None:
        self.settings, self.boxes, self.rate = settings, boxes, rate
        self.now = self.arrived = 0
        self.zones = [zone for zone in range(settings.zones) if zone not in settings.disabled_zones]
        self.node_count = max(settings.nodes, len(self.zones))
        for box in boxes.values():
            box.gone = [[] for _ in range(self.node_count)]
        self.weights = weights
        self.old_weights: list[list[tuple[int, dict[str, int]]]] = [[] for _ in range(self.node_count)]
        self.sending = [
            OneByOne(dict.fromkeys(weights, 0), 1, settings.cursor) for _ in range(self.node_count)
        ]
        self.named: list[tuple[int, list[bool]]] = []  # what DNS said, and since when
        self.failed = 0
        self.sent: Counter[str] = Counter()

    # ------------------------------------------------------------------------------------- what happens

    def start(self, box: Box) -> None:
        """It has been healthy for ever."""
        box.seen = [
            Seen(-1, of_node(self.settings.check_phases_seconds, node), "healthy", 0, last=True)
            for node in range(self.node_count)
        ]

    def register(self, box: Box) -> None:
        """Each node learns of it, and begins its checks."""
        if box.seen is not None:
            return
        lag, phases = self.settings.propagation.register_seconds, self.settings.check_phases_seconds
        first = round(self.settings.first_check_seconds * 1000)
        box.seen = [
            Seen(known := self.now + of_node(lag, node), known + first + of_node(phases, node))
            for node in range(self.node_count)
        ]

    def deregister(self, box: Box) -> None:
        """Each node goes on for a while."""
        if box.seen is None:
            return
        for node, seen in enumerate(box.seen):
            lag = of_node(self.settings.propagation.deregister_seconds, node)
            if self.now >= seen.known_at and lag:
                box.gone[node].append((self.now + lag, seen.state))
        box.seen, box.taken_out = None, self.now
        box.drains_until = self.now + round(self.settings.deregistration_seconds * 1000)

    def weigh(self, weights: dict[str, int]) -> None:
        """Each node goes on with the old weights for a while."""
        for node in range(self.node_count):
            lag = of_node(self.settings.propagation.weights_seconds, node)
            if lag and weights != self.weights:
                self.old_weights[node].append((self.now + lag, self.weights))
        self.weights = weights

    # --------------------------------------------------------------------------------------- time passes

    def checks(self) -> None:
        """The checks of this moment; they see what was before it."""
        for box in self.boxes.values():
            for seen in box.seen or ():
                if self.now > seen.known_at or self.now >= seen.first:
                    seen.look(self.now, passed=box.answers, settings=self.settings)

    def pass_a_step(self) -> None:
        """Send the requests of half a second, and go to its end."""
        until = self.now + STEP_MS
        self.name_nodes(self.now)
        doors = [node for node, open_ in enumerate(self.entered()) if open_]
        for node in doors:
            self.meet(node)
        for node in range(self.node_count):
            if node not in doors:
                self.sending[node].weigh({"": 0})
        for number in range(self.arrived, self.rate * until // 1000):
            self.send(doors[number % len(doors)])
        self.arrived = self.rate * until // 1000
        self.now = until

    def name_nodes(self, at: int) -> None:
        """What DNS says from a moment on."""
        verdicts = [self.fit(node) for node in range(self.node_count)]
        self.named.append((at, verdicts if any(verdicts) else [True] * self.node_count))

    def entered(self) -> list[bool]:
        """To which nodes clients come: those that DNS named so long ago."""
        old = self.now - round(self.settings.dns_seconds * 1000)
        return [verdicts for at, verdicts in self.named if at <= old][-1]

    def fit(self, node: int) -> bool:
        """Whether DNS should lead clients to a node."""
        s, zone, bad = self.settings, self.zones[node % len(self.zones)], []
        for name in self.weights:
            states = [
                box.state(node, self.now)
                for box in self.boxes.values()
                if box.target_group == name
                and box.seen
                and (s.cross_zone or box.zone == zone)
                and self.now >= box.seen[node].known_at
            ]
            if states:
                good = states.count("healthy")
                bad.append(good < s.dns_minimum_count or 100 * good < s.dns_minimum_percent * len(states))
        return not bad or not (any(bad) if s.dns_failover == "any" else all(bad))

    def meet(self, node: int) -> None:
        """Let a node know whom it can send to now, and by which weights."""
        sending, s = self.sending[node], self.settings
        pending = [weights for until, weights in self.old_weights[node] if until > self.now]
        weights = pending[0] if pending else self.weights
        if list(weights.items()) != list(sending.weights.items()):
            sending.divided = [0]
        sending.weights = weights
        for name in weights:
            # Those that it believes in against the API stand last, those that it believed in longest first.
            listed = sorted(self.boxes.items(), key=lambda item: self.late(item[1], node))
            targets = {
                box_id: state
                for box_id, box in listed
                if box.target_group == name
                and (state := box.state(node, self.now))
                and (s.cross_zone or box.zone == self.zones[node % len(self.zones)])
            }
            good = [box_id for box_id, state in targets.items() if state == "healthy"]
            few = len(good) < s.minimum_healthy_count
            few = few or 100 * len(good) < s.minimum_healthy_percent * len(targets)
            wanted = list(targets) if few or not good else good
            for box_id in list(sending.turns[0][name].serving):
                if box_id not in wanted:
                    sending.leave(box_id, group=name)
            for box_id in wanted:
                sending.join(box_id, "", group=name)

    def late(self, box: Box, node: int) -> int:
        """When a target was taken out that a node still believes in; before all time for any other."""
        if box.seen and self.now >= box.seen[node].known_at:
            return -1
        lag = of_node(self.settings.propagation.deregister_seconds, node)
        return next((until - lag for until, _ in box.gone[node] if until > self.now), -1)

    def send(self, node: int) -> None:
        """One request."""
        sending = self.sending[node]
        name = sending.request()
        if name is None or not self.boxes[name].answers:
            self.failed += 1
        if name is not None:
            self.sent[name] += 1
