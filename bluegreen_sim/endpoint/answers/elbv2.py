"""Elastic Load Balancing v2, answered by the world: one Application Load Balancer with one listener.

Sources: API reference of Elastic Load Balancing, version 2015-12-01, and the ALB user guide.
"""

from __future__ import annotations

from typing import Any

from bluegreen_sim import balancer
from bluegreen_sim.world import Instance, World

from .. import names
from ..asking import Change, Given, NotSimulated, Read, page, paged, tag_dict, tag_list
from ..notes import note, noted, tagged, tags
from ..times import moment
from ..wire import AwsError

HIGHEST_WEIGHT = 999
"""ALB user guide, "Action types for listener rules"."""
PORT = 80
PAGE = 400
NO_MATCH = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}, "Order": 1}

# ------------------------------------------------------------------------------------------ what there is


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


def _describe_load_balancers(world: World, given: Given) -> Given:  # noqa: ARG001
    wanted = [*given.get("LoadBalancerArns", ()), *given.get("Names", ())]
    if any(name not in (names.BALANCER_ARN, names.BALANCER) for name in wanted):
        raise AwsError("LoadBalancerNotFound", f"Load balancers '[{', '.join(wanted)}]' not found")
    balancer_shown = {
        "LoadBalancerArn": names.BALANCER_ARN,
        "DNSName": f"{names.BALANCER}.{names.REGION}.elb.amazonaws.com",
        "CreatedTime": moment(0),
        "LoadBalancerName": names.BALANCER,
        "Scheme": "internet-facing",
        "VpcId": names.NETWORK,
        "State": {"Code": "active"},
        "Type": "application",
        "AvailabilityZones": [{"ZoneName": names.ZONE, "SubnetId": names.SUBNET}],
        "IpAddressType": "ipv4",
    }
    return {"LoadBalancers": [balancer_shown]}


def _describe_listeners(world: World, given: Given) -> Given:
    if given.get("LoadBalancerArn", names.BALANCER_ARN) != names.BALANCER_ARN:
        raise AwsError("LoadBalancerNotFound", f"Load balancer '{given['LoadBalancerArn']}' not found")
    for arn in given.get("ListenerArns", ()):
        _know_listener(arn)
    return {"Listeners": [_listener(world)]}


def _know_listener(arn: str) -> None:
    if arn != names.LISTENER_ARN:
        raise AwsError("ListenerNotFound", f"One or more listeners not found: '{arn}'")


def _listener(world: World) -> Given:
    return {
        "ListenerArn": names.LISTENER_ARN,
        "LoadBalancerArn": names.BALANCER_ARN,
        "Port": PORT,
        "Protocol": "HTTP",
        "DefaultActions": [NO_MATCH] if _priority(world) else _actions(world),
    }


def _describe_rules(world: World, given: Given) -> Given:
    _know_listener(given.get("ListenerArn", names.LISTENER_ARN))
    rules = {rule["RuleArn"]: rule for rule in _rules(world)}
    if missing := [arn for arn in given.get("RuleArns", ()) if arn not in rules]:
        raise AwsError("RuleNotFound", f"One or more rules not found: '{missing[0]}'")
    wanted = [rules[arn] for arn in given.get("RuleArns", rules)]
    return paged("Rules", *_of(page(wanted, given, "PageSize", "Marker", PAGE)))


def _of(found: tuple[list[Any], str | None]) -> tuple[list[Any], str, str | None]:
    return found[0], "NextMarker", found[1]


def _rules(world: World) -> list[Given]:
    priority = _priority(world)
    dividing = {"Actions": _actions(world), "IsDefault": not priority}
    if not priority:
        return [{"RuleArn": names.rule_arn("default"), "Priority": "default", "Conditions": [], **dividing}]
    paths = {"Field": "path-pattern", "Values": ["/*"], "PathPatternConfig": {"Values": ["/*"]}}
    conditions = note(world, "rule", {}).get("conditions", [paths])
    return [
        {"RuleArn": names.rule_arn(priority), "Priority": priority, "Conditions": conditions, **dividing},
        {
            "RuleArn": names.rule_arn("default"),
            "Priority": "default",
            "Conditions": [],
            "Actions": [NO_MATCH],
            "IsDefault": True,
        },
    ]


def _priority(world: World) -> str:
    """Of the rule that divides the traffic; empty when that is the listener's default."""
    return str(note(world, "rule", {}).get("priority", ""))


def with_priority(world: World, priority: int) -> World:
    """The world in which a rule of that priority divides the traffic."""
    return noted(world, "rule", note(world, "rule", {}) | {"priority": str(priority)})


def _actions(world: World) -> list[Given]:
    """The rule's actions: those that were set before the forward, and the forward with today's weights."""
    kept = note(world, "rule", {})
    groups = [
        {"TargetGroupArn": names.target_group_arn(name), "Weight": weight} for name, weight in world.rule
    ]
    forward: Given = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    forward["ForwardConfig"]["TargetGroupStickinessConfig"] = kept.get("stickiness", {"Enabled": False})
    if len(groups) == 1:
        forward["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    before: list[Given] = kept.get("before", [])
    return [*before, forward | {"Order": len(before) + 1}]


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
        _describe_load_balancers(world, {"LoadBalancerArns": [given["LoadBalancerArn"]]})
        found = [shown for shown in found if shown["LoadBalancerArns"]]
    return paged("TargetGroups", *_of(page(found, given, "PageSize", "Marker", PAGE)))


def _target_group(world: World, name: str) -> Given:
    settings = world.settings
    return {
        "TargetGroupArn": names.target_group_arn(name),
        "TargetGroupName": name,
        "Protocol": "HTTP",
        "Port": PORT,
        "VpcId": names.NETWORK,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": _within(5, settings.check_interval_seconds, 300),
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": _within(2, settings.healthy_threshold, 10),
        "UnhealthyThresholdCount": _within(2, settings.unhealthy_threshold, 10),
        "HealthCheckPath": "/",
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [names.BALANCER_ARN] if name in dict(world.rule) else [],
        "TargetType": "instance",
        "ProtocolVersion": "HTTP1",
        "IpAddressType": "ipv4",
    }


def _within(low: int, value: float, high: int) -> int:
    """A setting as AWS can show it; the world's may lie outside what AWS allows."""
    return min(max(low, round(value)), high)


def _describe_target_group_attributes(world: World, given: Given) -> Given:
    find_target_group(world, given["TargetGroupArn"])
    shown = {
        "deregistration_delay.timeout_seconds": f"{world.settings.deregistration_seconds:g}",
        "load_balancing.algorithm.type": "round_robin",
        "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
        "slow_start.duration_seconds": "0",
        "stickiness.enabled": "false",
        "stickiness.type": "lb_cookie",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    }
    return {"Attributes": tag_list(shown)}


def _describe_tags(world: World, given: Given) -> Given:
    shown = [{"ResourceArn": arn, "Tags": tag_list(tags(world, arn))} for arn in given["ResourceArns"]]
    return {"TagDescriptions": shown}


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
        shown = [_health(found[each]) if each in found else _unknown(each) for each in asked]
    else:
        shown = [_health(instance) for instance in found.values()]
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
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.Timeout": "Request timed out",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
}
"""ALB user guide, "Health checks for your target groups"."""


def _health(instance: Instance) -> Given:
    health = {"State": str(instance.target)}
    if reason := balancer.reason(instance):
        health |= {"Reason": reason, "Description": REASONS[reason]}
    return {
        "Target": {"Id": instance.id, "Port": PORT},
        "HealthCheckPort": str(PORT),
        "TargetHealth": health,
    }


def _register_targets(world: World, given: Given) -> tuple[World, Given]:
    return _change_targets(world, given, registered=True), {}


def _deregister_targets(world: World, given: Given) -> tuple[World, Given]:
    return _change_targets(world, given, registered=False), {}


def _change_targets(world: World, given: Given, *, registered: bool) -> World:
    """Targets that are not there are no error when they are taken out (API reference, DeregisterTargets)."""
    name = find_target_group(world, given["TargetGroupArn"])
    wanted = {target["Id"] for target in given["Targets"]}
    for group in world.groups:
        here = {instance.id for instance in group.instances} & wanted
        wanted -= here
        if here and world.home(group.name) == name:
            world = balancer.change_targets(world, group, here, registered=registered)
        elif here and registered:
            raise NotSimulated(f"instances of {group.name} can only be targets of {world.home(group.name)}")
    if wanted and registered:
        raise AwsError("InvalidTarget", f"The following targets are not running: {', '.join(sorted(wanted))}")
    return world


# ------------------------------------------------------------------------------------------------ the rule


def _modify_rule(world: World, given: Given) -> tuple[World, Given]:
    arn = given["RuleArn"]
    if arn not in {rule["RuleArn"] for rule in _rules(world)}:
        raise AwsError("RuleNotFound", f"One or more rules not found: '{arn}'")
    if arn == names.rule_arn("default"):
        raise AwsError("OperationNotPermitted", "Default rule cannot be modified: use ModifyListener")
    if "Conditions" in given:
        world = noted(world, "rule", note(world, "rule", {}) | {"conditions": given["Conditions"]})
    if "Actions" in given:
        world = _with_actions(world, given["Actions"])
    return world, {"Rules": [rule for rule in _rules(world) if rule["RuleArn"] == arn]}


def _modify_listener(world: World, given: Given) -> tuple[World, Given]:
    _know_listener(given["ListenerArn"])
    if extra := set(given) - {"ListenerArn", "DefaultActions"}:
        raise NotSimulated(f"ModifyListener can change DefaultActions only, not {', '.join(sorted(extra))}")
    if "DefaultActions" in given:
        if _priority(world):
            raise NotSimulated("traffic is divided by a rule here, so the default actions cannot change")
        world = _with_actions(world, given["DefaultActions"])
    return world, {"Listeners": [_listener(world)]}


def _with_actions(world: World, actions: list[Given]) -> World:
    """The whole list is replaced (API reference, ModifyRule); what is not the forward is only kept."""
    actions = sorted(actions, key=lambda action: int(action.get("Order", 1)))
    forwards = [action for action in actions if action["Type"] == "forward"]
    if len(forwards) != 1 or actions[-1] is not forwards[0]:
        raise NotSimulated("the last action, and no other, must be a forward")
    weights, stickiness = _forward(world, forwards[0])
    kept = note(world, "rule", {}) | {"before": actions[:-1], "stickiness": stickiness}
    return balancer.set_weights(noted(world, "rule", kept), weights)


def _forward(world: World, action: Given) -> tuple[tuple[tuple[str, int], ...], Given]:
    """Weights and stickiness of a forward (ALB user guide, "Action types for listener rules")."""
    config = action.get("ForwardConfig", {"TargetGroups": [{"TargetGroupArn": action.get("TargetGroupArn")}]})
    listed = config.get("TargetGroups", [])
    if "TargetGroupArn" in action and {action["TargetGroupArn"]} != {g["TargetGroupArn"] for g in listed}:
        raise _invalid("TargetGroupArn and ForwardConfig must name the same target group")
    if not 1 <= len(listed) <= 5:
        raise AwsError("TooManyTargetGroups", "a forward action names 1 to 5 target groups")
    if len(listed) > 1 and any("Weight" not in group for group in listed):
        raise _invalid("with several target groups each needs a weight")
    weights = tuple(
        (find_target_group(world, group["TargetGroupArn"]), group.get("Weight", 1)) for group in listed
    )
    if not all(0 <= weight <= HIGHEST_WEIGHT for _, weight in weights):
        raise _invalid(f"weights must be 0 to {HIGHEST_WEIGHT}")
    order = list(dict(world.rule))
    if {name for name, _ in weights} == set(order):
        weights = tuple(sorted(weights, key=lambda pair: order.index(pair[0])))
    stickiness = config.get("TargetGroupStickinessConfig", {"Enabled": False})
    if stickiness.get("Enabled"):
        raise NotSimulated("stickiness between target groups is not simulated")
    return weights, stickiness


def _invalid(why: str) -> AwsError:
    return AwsError("InvalidLoadBalancerAction", why)


def _add_tags(world: World, given: Given) -> tuple[World, Given]:
    for arn in given["ResourceArns"]:
        world = tagged(world, arn, tag_dict(given["Tags"]))
    return world, {}


READS: dict[str, Read] = {
    "DescribeListeners": _describe_listeners,
    "DescribeLoadBalancers": _describe_load_balancers,
    "DescribeRules": _describe_rules,
    "DescribeTags": _describe_tags,
    "DescribeTargetGroupAttributes": _describe_target_group_attributes,
    "DescribeTargetGroups": _describe_target_groups,
    "DescribeTargetHealth": _describe_target_health,
}
CHANGES: dict[str, Change] = {
    "AddTags": _add_tags,
    "DeregisterTargets": _deregister_targets,
    "ModifyListener": _modify_listener,
    "ModifyRule": _modify_rule,
    "RegisterTargets": _register_targets,
}
