"""Attributes of target groups and of the load balancer: those that the world heeds, and the rules of all.

Sources: ALB user guide, "Edit target group attributes" and "Target group health"; API reference,
TargetGroupAttribute and LoadBalancerAttribute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import evolve, frozen

from bluegreen_sim.balancing import checks
from bluegreen_sim.settings import Settings, not_together
from bluegreen_sim.world import World

from ..asking import Change, Given, NotSimulated, Read, tag_dict, tag_list
from ..wire import AwsError
from .elbv2_groups import find_target_group, know_balancer

DAY, WEEK = 86_400, 604_800
BY_BALANCER = "use_load_balancer_configuration"


def _number(low: int, high: int) -> Callable[[str], bool]:
    return lambda text: text.isdecimal() and low <= int(text) <= high


def _one_of(*words: str) -> Callable[[str], bool]:
    return lambda text: text in words


def _off_or(low: int, high: int) -> Callable[[str], bool]:
    return lambda text: text == "off" or _number(low, high)(text)


def _seconds(value: float) -> str:
    return f"{value:g}"


def _percent(value: int) -> str:
    return str(value) if value else "off"


def _off_is_0(text: str) -> int:
    return 0 if text == "off" else int(text)


@frozen
class Attribute:
    """One attribute of a target group.

    Args:
        allowed: Whether a text is a value of it.
        field: The setting of the world that it is; ``""`` for one that the world does not heed.
        shown: The setting as text; for one that the world does not heed, the text itself.
        read: The text as a setting; None for one that cannot change while the world goes on.
    """

    allowed: Callable[[str], bool]
    field: str
    shown: Any
    read: Callable[[str], Any] | None = None


_BELOW = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
_OUT = "target_group_health.dns_failover.minimum_healthy_targets."

ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": Attribute(
        _number(0, 3600), "deregistration_seconds", _seconds, int
    ),
    "load_balancing.algorithm.anomaly_mitigation": Attribute(_one_of("on", "off"), "", "off"),
    "load_balancing.algorithm.type": Attribute(
        _one_of("round_robin", "least_outstanding_requests", "weighted_random"), "algorithm", str
    ),
    "load_balancing.cross_zone.enabled": Attribute(
        _one_of("true", "false", BY_BALANCER),
        "cross_zone",
        lambda on: BY_BALANCER if on else "false",
        lambda text: text != "false",
    ),
    "slow_start.duration_seconds": Attribute(
        lambda text: text == "0" or _number(30, 900)(text), "slow_start_seconds", str
    ),
    "stickiness.app_cookie.cookie_name": Attribute(lambda _: True, "", ""),
    "stickiness.app_cookie.duration_seconds": Attribute(_number(1, WEEK), "", "86400"),
    "stickiness.enabled": Attribute(
        _one_of("true", "false"), "stickiness_seconds", lambda seconds: "true" if seconds else "false"
    ),
    "stickiness.lb_cookie.duration_seconds": Attribute(
        _number(1, WEEK), "stickiness_seconds", lambda seconds: str(seconds or DAY)
    ),
    "stickiness.type": Attribute(_one_of("lb_cookie", "app_cookie"), "", "lb_cookie"),
    f"{_OUT}count": Attribute(_off_or(1, 1000), "dns_minimum_count", _percent, _off_is_0),
    f"{_OUT}percentage": Attribute(_off_or(1, 100), "dns_minimum_percent", _percent, _off_is_0),
    f"{_BELOW}count": Attribute(_number(1, 1000), "minimum_healthy_count", str, int),
    f"{_BELOW}percentage": Attribute(_off_or(1, 100), "minimum_healthy_percent", _percent, _off_is_0),
}


def attributes(settings: Settings) -> dict[str, str]:
    """All attributes of every target group."""
    return {
        key: each.shown(getattr(settings, each.field)) if each.field else each.shown
        for key, each in ATTRIBUTES.items()
    }


def contradictions(wanted: dict[str, str]) -> Iterator[str]:
    """What cannot be combined, one sentence each."""
    algorithm = wanted["load_balancing.algorithm.type"]
    fixed = {
        "algorithm": algorithm,
        "slow_start_seconds": int(wanted["slow_start.duration_seconds"]),
        "stickiness_seconds": int(wanted["stickiness.enabled"] == "true"),
    }
    read = {each.field: each.read(wanted[key]) for key, each in ATTRIBUTES.items() if each.read}
    yield from not_together(fixed | read)
    if wanted["load_balancing.algorithm.anomaly_mitigation"] == "on" and algorithm != "weighted_random":
        yield f"Anomaly mitigation cannot be enabled with the load balancing algorithm {algorithm}"


def _describe_target_group_attributes(world: World, given: Given) -> Given:
    find_target_group(world, given["TargetGroupArn"])
    return {"Attributes": tag_list(attributes(world.settings))}


def _modify_target_group_attributes(world: World, given: Given) -> tuple[World, Given]:
    find_target_group(world, given["TargetGroupArn"])
    asked, now = tag_dict(given["Attributes"]), attributes(world.settings)
    for key, text in asked.items():
        if key not in ATTRIBUTES:
            raise AwsError("ValidationError", f"Target group attribute key '{key}' is not recognized")
        if not ATTRIBUTES[key].allowed(text):
            raise AwsError("ValidationError", f"Target group attribute '{key}' cannot be '{text}'")
    for why in contradictions(now | asked):
        raise AwsError("InvalidConfigurationRequest", why)
    changed = [key for key in asked if asked[key] != now[key]]
    if fixed := [key for key in changed if ATTRIBUTES[key].read is None]:
        raise NotSimulated(f"{', '.join(sorted(fixed))} cannot be changed here: give Settings")
    given_here = [(each, asked[key]) for key, each in ATTRIBUTES.items() if key in asked]
    changes = {each.field: each.read(text) for each, text in given_here if each.read}
    world = checks.with_settings(world, evolve(world.settings, **changes))
    return world, _describe_target_group_attributes(world, given)


def _of_balancer(settings: Settings) -> dict[str, str]:
    """The idle timeout, and AWS's defaults of what the world has no use for."""
    return {
        "client_keep_alive.seconds": "3600",
        "idle_timeout.timeout_seconds": str(settings.idle_timeout_seconds),
        "load_balancing.cross_zone.enabled": "true",
    }


def _describe_load_balancer_attributes(world: World, given: Given) -> Given:
    know_balancer(given["LoadBalancerArn"])
    return {"Attributes": tag_list(_of_balancer(world.settings))}


def _turns_off_cross_zone(asked: dict[str, str]) -> bool:
    return asked.get("load_balancing.cross_zone.enabled") == "false"


def _modify_load_balancer_attributes(world: World, given: Given) -> tuple[World, Given]:
    know_balancer(given["LoadBalancerArn"])
    asked = tag_dict(given["Attributes"])
    if _turns_off_cross_zone(asked):
        why = "Cross-zone load balancing cannot be disabled for Application Load Balancers"
        raise AwsError("InvalidConfigurationRequest", why)
    now = _of_balancer(world.settings)
    if changed := [key for key, text in asked.items() if now.get(key) != text]:
        raise NotSimulated(f"{', '.join(sorted(changed))} cannot be changed in this world")
    return world, _describe_load_balancer_attributes(world, given)


READS: dict[str, Read] = {
    "DescribeLoadBalancerAttributes": _describe_load_balancer_attributes,
    "DescribeTargetGroupAttributes": _describe_target_group_attributes,
}
CHANGES: dict[str, Change] = {
    "ModifyLoadBalancerAttributes": _modify_load_balancer_attributes,
    "ModifyTargetGroupAttributes": _modify_target_group_attributes,
}
