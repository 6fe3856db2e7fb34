"""bluegreen before HAProxy: the ``Cloud`` port over real processes behind a real balancer.

Groups are processes of this machine, health is what HAProxy finds, weights are an entry of HAProxy's map.
What a group wants is kept here, and every look and every command brings the machine one step nearer to it: no
step waits, so a look is quick, and whatever was cut short is taken up again by the next one.
"""

from __future__ import annotations

import time

from attrs import define, field

from bluegreen import Fleet, Health, Observation, Outcome, Plan, Shares, TargetHealth
from bluegreen.core import commands as c
from bluegreen.core.observation import ErrorClass, Result
from bluegreen.core.state import Ledger
from tests.e2e.haproxy.host import Process
from tests.e2e.haproxy.proxy import Proxy, Refused, Server

GRACE_SECONDS = 5
"""For so long a process that does not answer yet is taken to be starting, not sick."""


class Clock:
    """Time that passes ``speed`` times as fast as on the wall, so that a bake of 30 s can be tested."""

    virtual = True  # nobody else comes to a test: a journal in memory will do

    def __init__(self, speed: float = 1) -> None:
        self.speed = speed

    def now(self) -> float:
        return time.monotonic() * self.speed

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / self.speed)


@define
class Group:
    """Processes under one name; ``size`` is how many it wants."""

    version: int
    low: int = 0
    high: int = 9
    size: int = 0
    attached: bool = False
    frozen: bool = False
    made_by: str = ""
    processes: list[Process] = field(factory=list)


class No(Exception):
    """Why something cannot be done, in a class of bluegreen's."""

    def __init__(self, error: ErrorClass, detail: str) -> None:
        super().__init__(detail)
        self.error = error


@define(kw_only=True, eq=False)
class HaproxyCloud:
    """One machine with two groups of processes behind HAProxy.

    Args:
        plan: Whose groups and backends there are.
        proxy: HAProxy, with a backend for each target group of the plan.
        images: What can be started, by name.
        groups: By name.
        clock: Time.
        boot_seconds: From the start of a process until it answers, on the wall.
        respond_seconds: How long it takes for an answer, on the wall.
        versions: Image and token of each version, counted from 1.
        broken: Images whose processes are never well.
    """

    plan: Plan
    proxy: Proxy
    images: set[str]
    groups: dict[str, Group]
    clock: Clock = field(factory=Clock)
    boot_seconds: float = 0.1
    respond_seconds: float = 0
    versions: list[tuple[str, str]]
    broken: set[str] = field(factory=set)
    started: int = 0

    def close(self) -> None:
        """End every process, and HAProxy."""
        for group in self.groups.values():
            for process in group.processes:
                process.stop()
        self.proxy.close()

    # ---------------------------------------------------------------------------------------- the Cloud port

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        """What there is now; without an answer from HAProxy, groups and shares are unread, not empty."""
        tokens = [token for _, token in self.versions]
        token, number = ledger.deployment_id, plan.number
        version = tokens.index(token) + 1 if token in tokens else None
        if number is not None:
            version = number if number <= len(tokens) else None
        image = self.versions[version - 1][0] if number is not None and version else plan.image
        look = {
            "at": self.clock.now(),
            "version": version,
            "default_version": 1,
            "image": image in self.images,
        }
        try:
            fleets, shares = tuple(self._fleet(name) for name in plan.groups), self._shares()
            self.settle()
            return Observation(fleets=fleets, shares=shares, **look)
        except (OSError, Refused):
            return Observation(unread=("fleets", "shares"), **look)

    def apply(self, command: c.Command) -> Outcome:
        """Carry out one command; a lost answer is unknown, so the loop looks before it asks again."""
        try:
            self._obey(command)
            self.settle()
        except No as no:
            return Outcome(command=command, result=no.error.result, error=no.error, detail=str(no))
        except Refused as words:
            error = ErrorClass.UNCLASSIFIED
            return Outcome(command=command, result=error.result, error=error, detail=str(words))
        except OSError as lost:
            error = ErrorClass.LOST
            return Outcome(command=command, result=error.result, error=error, detail=str(lost))
        return Outcome(command=command, result=Result.APPLIED)

    # -------------------------------------------------------------------------------------- what is looked at

    def backend(self, group: str) -> str:
        """Where the group's requests come from: its own backend, or the one that both share."""
        return self.proxy.backends[self.plan.groups.index(group) if len(self.proxy.backends) > 1 else 0]

    def _fleet(self, name: str) -> Fleet:
        if name not in self.groups:
            return Fleet.absent(name)
        group, servers = self.groups[name], self.proxy.servers(self.backend(name))
        return Fleet(
            name=name,
            min=group.low,
            max=group.high,
            desired=group.size,
            version=group.version,
            attached=group.attached,
            frozen=group.frozen,
            targets=tuple(_target(process, servers.get(process.id)) for process in group.processes),
        )

    def _shares(self) -> Shares | None:
        if self.plan.shared:
            return None
        first, second = self.plan.groups
        share = self.proxy.share
        return Shares(((first, 100 - share), (second, share)))

    # ---------------------------------------------------------------------------------- what is brought about

    def settle(self) -> None:
        """One step towards what the groups want; nothing here waits."""
        for name, group in self.groups.items():
            backend = self.backend(name)
            servers = self.proxy.servers(backend)
            for process in tuple(group.processes):
                if process.leaving and process.id not in servers:
                    process.stop()
                    group.processes.remove(process)
            self._size(group)
            for process in group.processes:
                self._place(group, process, backend, servers.get(process.id))

    def _size(self, group: Group) -> None:
        """Start what is missing; tell the dead to go, and of too many those of the oldest version."""
        for process in group.processes:
            process.leaving |= process.dead
        staying = sorted((p for p in group.processes if not p.leaving), key=lambda process: process.version)
        for process in staying[: max(0, len(staying) - group.size)]:
            process.leaving = True
        group.processes += [self._start(group.version) for _ in range(group.size - len(staying))]

    def _start(self, version: int) -> Process:
        self.started += 1
        image = self.versions[version - 1][0]
        return Process.start(
            f"s{self.started}",
            version,
            image,
            boot_seconds=self.boot_seconds,
            respond_seconds=self.respond_seconds,
            works=image not in self.broken,
        )

    def _place(self, group: Group, process: Process, backend: str, server: Server | None) -> None:
        """Put one process behind the balancer, or a step further out: drain, wait, delete."""
        wanted = group.attached and not process.leaving
        if server is None:
            if wanted:
                self.proxy.join(backend, process.id, process.port)
                process.judged_anew()
        elif server.leaving or not wanted:
            # A server that is down stays DOWN when it is drained, so what counts is that it is not up.
            if server.up:
                self.proxy.drain(backend, process.id)
            elif server.current == 0:
                self.proxy.leave(backend, process.id)

    # ----------------------------------------------------------------------------------------- what is wanted

    def _obey(self, command: c.Command) -> None:
        match command:
            case c.PrepareVersion(image=image, token=token):
                if image not in self.images:
                    raise No(ErrorClass.ABSENT, f"there is no image {image}")
                if token not in [known for _, known in self.versions]:
                    self.versions.append((image, token))
            case c.CreateFleet(fleet=name, token=token):
                sizes = (command.min, command.max, command.size)
                made = Group(command.version, *sizes, attached=not self.plan.shared, made_by=token)
                if self.groups.setdefault(name, made).made_by != token:
                    raise No(ErrorClass.CONFLICT, f"{name} is there, and somebody else's")
            case c.SetShares(weights=weights):
                self._divide(dict(weights))
            case c.DeleteFleet(fleet=name):
                if name in self.groups and self.groups[name].processes:
                    raise No(ErrorClass.IN_USE, f"{name} has processes")
                self.groups.pop(name, None)
            case _ if command.fleet in self.groups:
                _change(self.groups[command.fleet], command)
            case _:
                raise No(ErrorClass.ABSENT, f"there is no group {command.fleet}")

    def _divide(self, weights: dict[str, int]) -> None:
        if sum(weights.values()) != 100:
            raise No(ErrorClass.BUG, f"weights are percents here, and {weights} are none")
        self.proxy.set_share(weights[self.plan.groups[1]])


def _change(group: Group, command: c.Command) -> None:
    match command:
        case c.SetVersion(version=version):
            group.version = version
        case c.SetBounds(min=low, max=high):
            group.low, group.high, group.size = low, high, min(max(group.size, low), high)
        case c.SetSize(size=size, min=low, max=high):
            group.low, group.high, group.size = low, high, size
        case c.Attach() | c.Detach():
            group.attached = isinstance(command, c.Attach)
        case c.Freeze(frozen=frozen):
            group.frozen = frozen


def _target(process: Process, server: Server | None) -> TargetHealth:
    """HAProxy's verdict; a process that it does not know is asked directly."""
    if process.leaving or (server and server.leaving):
        return TargetHealth(process.id, process.version, Health.DRAINING)
    well = server.up if server else process.is_well()
    process.answered |= well
    if well:
        return TargetHealth(process.id, process.version, Health.HEALTHY)
    if not process.answered and process.age_seconds < GRACE_SECONDS:
        return TargetHealth(process.id, process.version, Health.INITIAL)
    return TargetHealth(process.id, process.version, Health.UNHEALTHY, server.check if server else None)
