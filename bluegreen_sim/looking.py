"""The world as bluegreen sees it."""

from __future__ import annotations

from operator import attrgetter, is_

from attrs import evolve, frozen

from bluegreen.core.gates import Alarm
from bluegreen.core.observation import (
    Fleet,
    GateReading,
    Health,
    Observation,
    Reading,
    Shares,
    TargetHealth,
)
from bluegreen.core.plan import Plan

from .balancing.checks import reason
from .balancing.routing import Rule
from .groups.membership import refreshing
from .world import NEVER, Group, Image, Instance, Version, World

_READINGS = {"ok": Reading.PASS, "alarm": Reading.FAIL, "no-data": Reading.NO_DATA}
_HEALTH = {health.value: health for health in Health}


_parts = attrgetter("groups", "homes", "rule", "test_rule", "versions", "images", "template", "alarms")


@frozen
class Shown:
    """What is seen of a world for as long as nothing of it changes.

    Args:
        given: What it was made from.
        since: When, in milliseconds of world time; an older world may show less.
        until: In milliseconds of world time: then the next group can be seen.
        strangers: What is not ours, one clause each.
        seen: The rest of the look.
        image_at: In milliseconds of world time: then the image is available.
    """

    given: tuple[object, ...]
    since: int
    until: int
    strangers: tuple[str, ...]
    seen: Observation
    image_at: int


class Looker:
    """Looks at worlds, and builds anew only what has changed since the last look."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._fleets: dict[str, tuple[Group, Fleet]] = {}
        self._makers: dict[str, str] = {}
        self._token = ""
        self._last = Shown((), 0, 0, (), Observation(at=0), NEVER)

    def look(self, world: World, plan: Plan, token: str, at: float) -> Observation:
        """All that the plan speaks of.

        Args:
            world: What there is.
            plan: What is asked for.
            token: The deployment's: its template version is looked for by it.
            at: What the clock says, in seconds.
        """
        shown = self._shown(world, plan, token)
        if shown.strangers:
            seen = self.blind(world, plan, token, at)
            return evolve(seen, unread=(*seen.unread, *shown.strangers))
        seen = shown.seen
        return Observation(
            at=at,
            fleets=seen.fleets,
            shares=seen.shares,
            test_shares=seen.test_shares,
            version=seen.version,
            default_version=seen.default_version,
            image=shown.image_at <= world.now,
            gates=seen.gates,
        )

    def _shown(self, world: World, plan: Plan, token: str) -> Shown:
        given = (plan, token, *_parts(world))
        last = self._last
        if not last.since <= world.now < last.until or not all(map(is_, last.given, given)):
            hidden = [group.shown_at for group in world.groups if group.shown_at > world.now]
            image = _image(world, plan)
            self._last = last = Shown(
                given,
                world.now,
                min(hidden, default=NEVER),
                self._strangers(world, plan, token),
                self._all(world, plan, token),
                NEVER if image is None else image.available_at,
            )
        return last

    def _strangers(self, world: World, plan: Plan, token: str) -> tuple[str, ...]:
        """Groups that were deleted and made anew by somebody else since this deployment saw them first."""
        if token != self._token:
            self._token, self._makers = token, {}
        return tuple(
            f"group {group.name} was deleted and made anew by somebody else"
            for group in world.groups
            if group.name in plan.groups
            and group.token not in (self._makers.setdefault(group.name, group.token), token)
        )

    def _all(self, world: World, plan: Plan, token: str) -> Observation:
        """What does not change with time alone."""
        version = _version(world, plan, token)
        return Observation(
            at=0,
            fleets=tuple([self._fleet(world, name) for name in plan.groups]),
            shares=None if plan.shared else _shares(world, plan, world.rule),
            test_shares=_shares(world, plan, world.test_rule)
            if plan.test_rules and world.test_rule
            else None,
            version=version.number if version else None,
            default_version=world.versions[0].number if plan.launch_template == world.template else None,
            gates=tuple([_reading(world, gate.name) for gate in plan.gates if isinstance(gate, Alarm)]),
        )

    def blind(self, world: World, plan: Plan, token: str, at: float) -> Observation:
        """The same when neither groups nor weights can be read."""
        shown = self._shown(world, plan, token)
        seen = shown.seen
        return Observation(
            at=at,
            version=seen.version,
            default_version=seen.default_version,
            image=shown.image_at <= world.now,
            gates=seen.gates,
            unread=("fleets", "shares"),
        )

    def _fleet(self, world: World, name: str) -> Fleet:
        group = world.group(name)
        if group is None or group.shown_at > world.now:
            return Fleet.absent(name)
        known = self._fleets.get(name)
        if known and known[0] is group:
            return known[1]
        fleet = Fleet(
            name=name,
            min=group.min,
            max=group.max,
            desired=group.desired,
            version=group.version if isinstance(group.version, int) else None,
            attached=group.attached,
            frozen=group.frozen,
            targets=tuple([_target(instance, group) for instance in group.instances]),
            launch_error=group.launch_error,
            refreshing=refreshing(group),
        )
        self._fleets[name] = (group, fleet)
        return fleet


def _target(instance: Instance, group: Group) -> TargetHealth:
    if instance.life in _LIVES:
        return _seen(instance, _LIVES[instance.life])
    health, why = _verdict(instance, group)
    if health == "healthy" and instance.standing.unhealthy:
        # The group has given it up and is about to replace it, whatever the balancer says.
        return _seen(instance, "unhealthy", "HealthStatus.Unhealthy")
    return _seen(instance, health, why)


_LIVES = {
    "pending": "initial",
    "pending:wait": "initial",
    "entering": "draining",
    "standby": "unknown",
    "detaching": "draining",
    "leaving:wait": "draining",
}
"""What an instance's life says of it before anybody is asked."""


def _verdict(instance: Instance, group: Group) -> tuple[str, str | None]:
    if instance.target == "unused" and group.attached and instance.life != "leaving":
        # Registered, and never looked at: nobody says anything of it, unless it is known to have ended.
        return "unhealthy" if instance.ended else "unknown", reason(instance)
    if instance.target and instance.target != "unused":
        return instance.target, reason(instance)
    if instance.life == "leaving":
        return "draining", None
    if group.attached and not instance.target:
        # Never registered, for the group's process AddToLoadBalancer was suspended.
        return "initial", "Target.NotRegistered"
    # Not behind the balancer: it is asked directly.
    return "healthy" if instance.answers else "unhealthy" if instance.answered else "initial", None


def _seen(instance: Instance, health: str, reason: str | None = None) -> TargetHealth:
    return TargetHealth(instance.id, instance.version, _HEALTH[health], reason)


def _version(world: World, plan: Plan, token: str) -> Version | None:
    """The version that a plan names, or the one that its deployment made."""
    if plan.number is not None:
        return world.version(plan.number)
    return next((version for version in world.versions if version.token == token), None)


def _image(world: World, plan: Plan) -> Image | None:
    """The image that the plan's instances are started from."""
    if plan.image is not None:
        return world.image(plan.image)
    version = _version(world, plan, token="")
    return world.image(version.image) if version else None


def _shares(world: World, plan: Plan, rule: Rule) -> Shares:
    weights = dict(rule)
    return Shares(tuple([(name, weights.get(world.home(name) or "", 0)) for name in plan.groups]))


def _reading(world: World, name: str) -> GateReading:
    state = dict(world.alarms).get(name, "no-data")
    reds = float(dict(world.reds).get(name, 0))
    return GateReading(name=name, reading=_READINGS[state], detail=f"alarm is {state}", last_red=reds)
