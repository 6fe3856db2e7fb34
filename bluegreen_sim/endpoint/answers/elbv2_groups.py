"""Target groups of Elastic Load Balancing v2, their targets and attributes, answered by the world.

The world has one set of settings: what is changed of one target group is changed of all.

Sources: API reference of Elastic Load Balancing, version 2015-12-01, and the ALB user guide.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from bluegreen_sim.balancing import balancer, checks
from bluegreen_sim.settings import MATCHER
from bluegreen_sim.world import Instance, World

from .. import names
from ..asking import Change, Given, NotSimulated, Read, page, paged
from ..notes import note, noted
from ..wire import AwsError

PORT = 80
PAGE = 400
CHECKED_BY = {"HealthCheckProtocol": "HTTP", "HealthCheckPort": "traffic-port", "HealthCheckPath": "/"}
"""What a check asks; the world's applications answer all alike, so it is only kept."""
MOST_TARGETS = 1000
"""Of a target group (ALB user guide, "Quotas")."""

# ------------------------------------------------------------------------------------------- target groups


def target_groups(world: World) -> list[str]:
    """Names of the target groups that there are: those in the rule, and those of groups."""
    return list(dict.fromkeys([*dict(world.rule), *(home for _, home in world.homes)]))


def find_target_group(world: World, arn: str) -> str:
    """The name of the target group that an ARN means.

    Raises:
        AwsError: If there is none.
    """
    name = names.target_group_name(arn)
    if name not in target_groups(world):
        raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")
    return str(name)


def know_balancer(*wanted: str) -> None:
    """Whether these are ARN or name of the balancer.

    Raises:
        AwsError: If one of them is not.
    """
    if any(name not in (names.BALANCER_ARN, names.BALANCER) for name in wanted):
        raise AwsError("LoadBalancerNotFound", f"Load balancers '[{', '.join(wanted)}]' not found")


def next_page(found: tuple[list[Any], str | None]) -> tuple[list[Any], str, str | None]:
    """A page, as the service names what follows it."""
    return found[0], "NextMarker", found[1]


def _describe_target_groups(world: World, given: Given) -> Given:
    found = [_target_group(world, name) for name in target_groups(world)]
    if "TargetGroupArns" in given:
        wanted = [find_target_group(world, arn) for arn in given["TargetGroupArns"]]
        found = [shown for shown in found if shown["TargetGroupName"] in wanted]
    if "Names" in given:
        if missing := set(given["Names"]) - set(target_groups(world)):
            raise AwsError("TargetGroupNotFound", f"Target groups '{sorted(missing)}' not found")
        found = [shown for shown in found if shown["TargetGroupName"] in given["Names"]]
    if "LoadBalancerArn" in given:
        know_balancer(given["LoadBalancerArn"])
        found = [shown for shown in found if shown["LoadBalancerArns"]]
    return paged("TargetGroups", *next_page(page(found, given, "PageSize", "Marker", PAGE)))


def _target_group(world: World, name: str) -> Given:
    settings = world.settings
    return {
        "TargetGroupArn": names.target_group_arn(name),
        "TargetGroupName": name,
        "Protocol": "HTTP",
        "Port": PORT,
        "VpcId": names.NETWORK,
        **CHECKED_BY,
        **note(world, "health check", {}),
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": _within(5, settings.check_interval_seconds, 300),
        "HealthCheckTimeoutSeconds": _within(2, settings.check_timeout_seconds, 120),
        "HealthyThresholdCount": _within(2, settings.healthy_threshold, 10),
        "UnhealthyThresholdCount": _within(2, settings.unhealthy_threshold, 10),
        "Matcher": {"HttpCode": settings.matcher},
        "LoadBalancerArns": [names.BALANCER_ARN] if name in dict(world.rule) else [],
        "TargetType": "instance",
        "ProtocolVersion": "HTTP1",
        "IpAddressType": "ipv4",
    }


def _within(low: int, value: float, high: int) -> int:
    """A setting as AWS can show it; the world's may lie outside what AWS allows."""
    return min(max(low, round(value)), high)


SET_BY = {
    "HealthCheckIntervalSeconds": "check_interval_seconds",
    "HealthCheckTimeoutSeconds": "check_timeout_seconds",
    "HealthyThresholdCount": "healthy_threshold",
    "UnhealthyThresholdCount": "unhealthy_threshold",
}
"""Settings of the world, by what ModifyTargetGroup calls them."""


def _modify_target_group(world: World, given: Given) -> tuple[World, Given]:
    name = find_target_group(world, given["TargetGroupArn"])
    if _stops_checks(given):
        why = "Health check enabled must be true for target groups with target type 'instance'"
        raise AwsError("InvalidConfigurationRequest", why)
    changes: dict[str, Any] = {field: given[key] for key, field in SET_BY.items() if key in given}
    if matcher := given.get("Matcher"):
        changes["matcher"] = _matcher(matcher)
    settings = evolve(world.settings, **changes)
    if changes and settings.check_timeout_seconds >= settings.check_interval_seconds:
        raise AwsError("ValidationError", "Health check interval must be greater than the timeout.")
    kept = note(world, "health check", {}) | {key: given[key] for key in CHECKED_BY if key in given}
    if kept.get("HealthCheckProtocol", "HTTP") not in ("HTTP", "HTTPS"):
        raise AwsError("InvalidConfigurationRequest", "Health check protocol must be HTTP or HTTPS")
    world = noted(checks.with_settings(world, settings), "health check", kept or None)
    return world, {"TargetGroups": [_target_group(world, name)]}


def _stops_checks(given: Given) -> bool:
    return not given.get("HealthCheckEnabled", True)


def _matcher(given: Given) -> str:
    """Codes and ranges of codes, from 200 to 499 (API reference, Matcher)."""
    text = str(given.get("HttpCode", ""))
    if not MATCHER.fullmatch(text):
        raise AwsError("ValidationError", f"Health check matcher HTTP code '{text}' must be within 200-499")
    return text


def _in_use(world: World, name: str) -> bool:
    return name in dict(world.rule)


def _delete_target_group(world: World, given: Given) -> tuple[World, Given]:
    name = find_target_group(world, given["TargetGroupArn"])
    if _in_use(world, name):
        why = f"Target group '{given['TargetGroupArn']}' is currently in use by a listener or a rule"
        raise AwsError("ResourceInUse", why)
    raise NotSimulated("the target groups of a plan stay")


# ------------------------------------------------------------------------------------------------- targets


def targets(world: World, name: str) -> list[Instance]:
    """The instances that are registered with a target group, in the order of their groups."""
    return [
        instance
        for group in world.groups
        if world.home(group.name) == name
        for instance in group.instances
        if instance.target
    ]


def _describe_target_health(world: World, given: Given) -> Given:
    name = find_target_group(world, given["TargetGroupArn"])
    found = {instance.id: instance for instance in targets(world, name)}
    if "Targets" in given:
        asked = [target["Id"] for target in given["Targets"]]
        shown = [_health(world, found[each]) if each in found else _unknown(each) for each in asked]
    else:
        shown = [_health(world, instance) for instance in found.values()]
    return {"TargetHealthDescriptions": shown}


def _unknown(name: str) -> Given:
    health = {
        "State": "unused",
        "Reason": "Target.NotRegistered",
        "Description": "Target is not registered to the target group",
    }
    return {"Target": {"Id": name, "Port": PORT}, "TargetHealth": health}


REASONS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.ResponseCodeMismatch": "Health checks failed with these codes: [{code}]",
    "Target.FailedHealthChecks": "Health checks failed",
    "Elb.InternalError": "Health checks failed due to an internal error",
    "Target.Timeout": "Request timed out",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Target.InvalidState": "Target is in the stopped or terminated state",
}
"""ALB user guide, "Health checks for your target groups"."""


NO_NODE = "Target is in an Availability Zone that is not enabled for the load balancer"


def _health(world: World, instance: Instance) -> Given:
    health = {"State": str(instance.target)}
    if reason := checks.reason(instance):
        words = REASONS[reason].format(code=instance.why)
        if reason == "Target.NotInUse" and instance.zone in world.settings.disabled_zones:
            words = NO_NODE
        health |= {"Reason": reason, "Description": words}
    return {
        "Target": {"Id": instance.id, "Port": PORT},
        "HealthCheckPort": str(PORT),
        "TargetHealth": health,
    }


def _register_targets(world: World, given: Given) -> tuple[World, Given]:
    return _change_targets(world, given, registered=True), {}


def _deregister_targets(world: World, given: Given) -> tuple[World, Given]:
    return _change_targets(world, given, registered=False), {}


def _can_register(instance: Instance) -> bool:
    return instance.life == "running" and not instance.ended


def _too_many(ids: set[str]) -> bool:
    return len(ids) > MOST_TARGETS


def _change_targets(world: World, given: Given, *, registered: bool) -> World:
    """Targets that are not there are no error when they are taken out (API reference, DeregisterTargets)."""
    name = find_target_group(world, given["TargetGroupArn"])
    here = [target for target in given["Targets"] if target.get("Port", PORT) == PORT]
    if registered and len(here) < len(given["Targets"]):
        raise NotSimulated(f"a target has one port here, {PORT}")
    wanted = {target["Id"] for target in here}
    if registered and _too_many(wanted | {each.id for each in targets(world, name)}):
        raise AwsError("TooManyTargets", f"a target group has {MOST_TARGETS} targets at most")
    for group in world.groups:
        its = {instance.id for instance in group.instances} & wanted
        if registered:
            its -= {each.id for each in group.instances if not _can_register(each)}
        wanted -= its
        if its and world.home(group.name) == name:
            world = balancer.change_targets(world, group, its, registered=registered)
        elif its and registered:
            raise NotSimulated(f"instances of {group.name} can only be targets of {world.home(group.name)}")
    if wanted and registered:
        raise AwsError("InvalidTarget", f"The following targets are not running: {', '.join(sorted(wanted))}")
    return world


READS: dict[str, Read] = {
    "DescribeTargetGroups": _describe_target_groups,
    "DescribeTargetHealth": _describe_target_health,
}
CHANGES: dict[str, Change] = {
    "DeleteTargetGroup": _delete_target_group,
    "DeregisterTargets": _deregister_targets,
    "ModifyTargetGroup": _modify_target_group,
    "RegisterTargets": _register_targets,
}
