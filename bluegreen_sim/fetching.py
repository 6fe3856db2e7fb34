"""Requests that somebody makes by hand, beside the traffic that is counted."""

from __future__ import annotations

import re
from collections import Counter

from bluegreen.core.gates import Probe
from bluegreen.core.plan import Plan

from .balancing import balancer
from .users.application import Manner
from .users.watching import application
from .world import Instance, World

_HOST = re.compile(r"https?://([^/:?#]+)")
_OF_INSTANCE = re.compile(r"i-\d+")
_NO_CONNECTION = (504, "504 Gateway Time-out")
_SILENT = {502: (502, "502 Bad Gateway"), 504: _NO_CONNECTION}


class Fetcher:
    """Answers a GET as the service would; ``SimCloud.fetch`` says how."""

    def __init__(self, plan: Plan) -> None:
        """Know the plan's service, and the URLs that lead to its test rule."""
        self._service = plan.service
        self._tests = {gate.url for gate in plan.gates if isinstance(gate, Probe) and gate.test}
        self._asked = 0
        self._answered: Counter[str] = Counter()

    def fetch(self, world: World, url: str) -> tuple[int, str]:
        """Status and body of an answer in this world."""
        host = match[1] if (match := _HOST.match(url)) else ""
        named = find_instance(world, host)
        if named is None and _OF_INSTANCE.fullmatch(host):
            return _NO_CONNECTION
        if named is None:
            named = self._next_target(world.replaced(rule=world.test_rule) if url in self._tests else world)
            if named is None:
                return 503, "503 Service Temporarily Unavailable"
        app = application(world, named)
        if not named.answers:
            return _SILENT[Manner(app, dead=named.dead).silence]
        version = world.version(named.version)
        image = version and world.image(version.image)
        body = f"{self._service} {image.label if image else '?'} {named.id}"
        if image and self._wrong(image.id, app.wrong_percent):
            return 500, body
        return 200, body

    def _wrong(self, image: str, percent: int) -> bool:
        """Whether this answer is one of those that the image's application gets wrong."""
        k = self._answered[image]
        self._answered[image] += 1
        return (k + 1) * percent // 100 > k * percent // 100

    def _next_target(self, world: World) -> Instance | None:
        """Whose turn it is among those that would be asked by hand."""
        k, node = divmod(self._asked, world.settings.node_count)
        self._asked += 1
        pools = [pool for pool in balancer.pools(world, node) if pool.weight]
        if not pools:
            return None
        total = sum(pool.weight for pool in pools)
        first = [(n * pools[0].weight) // total for n in (k, k + 1)]
        pool, turn = (pools[0], first[0]) if first[1] > first[0] else (pools[-1], k - first[0])
        return find_instance(world, pool.targets[turn % len(pool.targets)][0]) if pool.targets else None


def find_instance(world: World, name: str) -> Instance | None:
    """The instance of that id, in a group or detached from one; None when there is none."""
    there = (*(each for group in world.groups for each in group.instances), *world.loose)
    return next((each for each in there if each.id == name), None)
