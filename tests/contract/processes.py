"""A third cloud: processes of one machine behind a proxy, as a dict. It knows no word of AWS.

It is here to keep the core's words neutral: what is asked of this cloud is all that a deployment asks of
any. A version is a program and whose it is; a process boots for a second, answers, is taken off the proxy
for two seconds, and ends. No balancer checks here: health is what a process answers when it is asked.
"""

from __future__ import annotations

from attrs import Factory, define

from bluegreen.core import commands as c
from bluegreen.core.observation import (
    ErrorClass,
    Fleet,
    Health,
    Observation,
    Outcome,
    Result,
    Shares,
    TargetHealth,
)
from bluegreen.core.plan import Plan
from bluegreen.core.state import Ledger

BOOT_SECONDS, LEAVE_SECONDS = 1, 2


@define
class Process:
    """One process; ``leaves_at`` is when it stops, once it was told to."""

    version: int
    answers_at: float
    works: bool
    leaves_at: float | None = None

    def health(self, now: float) -> Health:
        if self.leaves_at is not None:
            return Health.DRAINING
        if now < self.answers_at:
            return Health.INITIAL
        return Health.HEALTHY if self.works else Health.UNHEALTHY


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
    processes: dict[str, Process] = Factory(dict)


class No(Exception):
    """The class of error of what cannot be done."""


@define
class Machine:
    """The machine; it is its own clock.

    Args:
        groups: By name.
        programs: Program and token of each version, counted from 1.
        known: Programs that exist.
        shares: Weight of each group; None where the proxy counts processes.
        broken: Programs that never answer.
    """

    groups: dict[str, Group]
    programs: list[tuple[str, str]]
    known: set[str]
    shares: dict[str, int] | None = None
    broken: set[str] = Factory(set)
    second: float = 0
    started: int = 0
    virtual: bool = True

    @property
    def clock(self) -> Machine:
        return self

    def now(self) -> float:
        return self.second

    def sleep(self, seconds: float) -> None:
        self.second += max(0, seconds)

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        self._settle()
        tokens = [whose for _, whose in self.programs]
        token, last = ledger.deployment_id, len(tokens)
        version = tokens.index(token) + 1 if token in tokens else None
        if plan.number is not None:
            version = plan.number if plan.number <= last else None
        program = self.programs[version - 1][0] if plan.number is not None and version else plan.image
        return Observation(
            at=self.second,
            fleets=tuple(self._fleet(name) for name in plan.groups),
            shares=None if self.shares is None else Shares(tuple(self.shares.items())),
            version=version,
            default_version=1,
            image=program in self.known,
        )

    def _fleet(self, name: str) -> Fleet:
        if name not in self.groups:
            return Fleet.absent(name)
        group = self.groups[name]
        return Fleet(
            name=name,
            min=group.low,
            max=group.high,
            desired=group.size,
            version=group.version,
            attached=group.attached,
            frozen=group.frozen,
            targets=tuple(
                TargetHealth(pid, process.version, process.health(self.second))
                for pid, process in group.processes.items()
            ),
        )

    def _settle(self) -> None:
        """Processes end and begin as their groups want it."""
        for group in self.groups.values():
            kept = {
                p: x for p, x in group.processes.items() if x.leaves_at is None or x.leaves_at > self.second
            }
            staying = sorted([x for x in kept.values() if x.leaves_at is None], key=lambda x: x.version)
            for process in staying[: max(0, len(staying) - group.size)]:
                process.leaves_at = self.second + LEAVE_SECONDS
            for _ in range(group.size - len(staying)):
                self.started += 1
                works = self.programs[group.version - 1][0] not in self.broken
                kept[f"pid-{self.started}"] = Process(group.version, self.second + BOOT_SECONDS, works)
            group.processes = kept

    def apply(self, command: c.Command) -> Outcome:
        try:
            self._obey(command)
        except No as no:
            error = ErrorClass(str(no))
            return Outcome(command=command, result=error.result, error=error)
        self._settle()
        return Outcome(command=command, result=Result.APPLIED)

    def _obey(self, command: c.Command) -> None:
        match command:
            case c.PrepareVersion(image=image, token=token):
                if image not in self.known:
                    raise No("absent")
                if token not in [whose for _, whose in self.programs]:
                    self.programs.append((image, token))
            case c.CreateFleet(fleet=name, token=token, version=version):
                sizes = (command.min, command.max, command.size)
                made = Group(version, *sizes, attached=self.shares is not None, made_by=token)
                if self.groups.setdefault(name, made).made_by != token:
                    raise No("conflict")
            case c.SetShares(weights=weights):
                self.shares = dict(weights)
            case c.DeleteFleet(fleet=name):
                if name in self.groups and self.groups[name].processes:
                    raise No("in-use")
                self.groups.pop(name, None)
            case _ if command.fleet in self.groups:
                self._change(self.groups[command.fleet], command)
            case _:
                raise No("absent")

    def _change(self, group: Group, command: c.Command) -> None:
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
