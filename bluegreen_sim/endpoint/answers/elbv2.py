"""Elastic Load Balancing v2, answered by the world: one Application Load Balancer with one listener.

Where the world has a rule for test requests it has another listener, whose default rule that is.

Sources: API reference of Elastic Load Balancing, version 2015-12-01, and the ALB user guide.
"""

from __future__ import annotations

from collections.abc import Iterator

from bluegreen_sim.balancing import balancer
from bluegreen_sim.balancing.routing import Rule
from bluegreen_sim.world import World

from .. import names
from ..asking import Change, Given, NotSimulated, Read, page, paged, tag_dict, tag_list
from ..notes import note, noted, tagged, tags
from ..times import moment
from ..wire import AwsError
from .elbv2_groups import PAGE, PORT, find_target_group, know_balancer, next_page

INVALID = "InvalidLoadBalancerAction"
TEST_PORT = 8080
MOST_GROUPS = 5
"""In a forward action (ALB user guide, "Quotas")."""
"""ALB user guide, "Action types for listener rules"."""
OFF: Given = {"Enabled": False}
NO_MATCH = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}, "Order": 1}

# ------------------------------------------------------------------------------------------ what there is


def _describe_load_balancers(world: World, given: Given) -> Given:
    wanted = [*given.get("LoadBalancerArns", ()), *given.get("Names", ())]
    know_balancer(*wanted)
    balancer_shown = {
        "LoadBalancerArn": names.BALANCER_ARN,
        "DNSName": f"{names.BALANCER}.{names.REGION}.elb.amazonaws.com",
        "CreatedTime": moment(0),
        "LoadBalancerName": names.BALANCER,
        "Scheme": "internet-facing",
        "VpcId": names.NETWORK,
        "State": {"Code": "active"},
        "Type": "application",
        "AvailabilityZones": [
            {"ZoneName": names.zone(zone), "SubnetId": names.subnet(zone)} for zone in world.settings.enabled
        ],
        "IpAddressType": "ipv4",
    }
    return {"LoadBalancers": [balancer_shown]}


def _describe_listeners(world: World, given: Given) -> Given:
    know_balancer(given.get("LoadBalancerArn", names.BALANCER_ARN))
    listeners = {each["ListenerArn"]: each for each in _listeners(world)}
    for arn in given.get("ListenerArns", ()):
        _know_listener(world, arn)
    return {"Listeners": [listeners[arn] for arn in given.get("ListenerArns", listeners)]}


def _know_listener(world: World, arn: str) -> None:
    if arn not in {each["ListenerArn"] for each in _listeners(world)}:
        raise AwsError("ListenerNotFound", f"One or more listeners not found: '{arn}'")


def _listeners(world: World) -> list[Given]:
    of_balancer: Given = {"LoadBalancerArn": names.BALANCER_ARN, "Protocol": "HTTP"}
    actions = [NO_MATCH] if _priority(world) else _actions(world)
    found = [of_balancer | {"ListenerArn": names.LISTENER_ARN, "Port": PORT, "DefaultActions": actions}]
    if world.test_rule:
        test = {"ListenerArn": names.TEST_LISTENER_ARN, "Port": TEST_PORT}
        found.append(of_balancer | test | {"DefaultActions": [_forwarding(world.test_rule, OFF)]})
    return found


def _describe_rules(world: World, given: Given) -> Given:
    listener = given.get("ListenerArn")
    if listener:
        _know_listener(world, listener)
    found = (_test_rules if listener == names.TEST_LISTENER_ARN else _rules)(world)
    rules = {rule["RuleArn"]: rule for rule in (found if listener else [*found, *_test_rules(world)])}
    if missing := [arn for arn in given.get("RuleArns", ()) if arn not in rules]:
        raise AwsError("RuleNotFound", f"One or more rules not found: '{missing[0]}'")
    wanted = [rules[arn] for arn in given.get("RuleArns", rules)]
    return paged("Rules", *next_page(page(wanted, given, "PageSize", "Marker", PAGE)))


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


def _test_rules(world: World) -> list[Given]:
    """The one rule of the listener for test requests."""
    default: Given = {"Priority": "default", "Conditions": [], "IsDefault": True}
    arn, actions = names.rule_arn("default", names.TEST_LISTENER_ARN), [_forwarding(world.test_rule, OFF)]
    return [default | {"RuleArn": arn, "Actions": actions}] if world.test_rule else []


def _priority(world: World) -> str:
    """Of the rule that divides the traffic; empty when that is the listener's default."""
    return str(note(world, "rule", {}).get("priority", ""))


def with_priority(world: World, priority: int) -> World:
    """The world in which a rule of that priority divides the traffic."""
    return noted(world, "rule", note(world, "rule", {}) | {"priority": str(priority)})


def _actions(world: World) -> list[Given]:
    """The rule's actions: those that were set before the forward, and the forward with today's weights."""
    kept = note(world, "rule", {})
    before: list[Given] = kept.get("before", [])
    return [*before, _forwarding(world.rule, _stickiness(world)) | {"Order": len(before) + 1}]


def _forwarding(rule: Rule, stickiness: Given) -> Given:
    groups = [{"TargetGroupArn": names.target_group_arn(name), "Weight": weight} for name, weight in rule]
    config = {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}
    alone = {"TargetGroupArn": groups[0]["TargetGroupArn"]} if len(groups) == 1 else {}
    return {"Type": "forward", "ForwardConfig": config, "Order": 1} | alone


def _describe_tags(world: World, given: Given) -> Given:
    shown = [{"ResourceArn": arn, "Tags": tag_list(tags(world, arn))} for arn in given["ResourceArns"]]
    return {"TagDescriptions": shown}


# ------------------------------------------------------------------------------------------------ the rule


def _modify_rule(world: World, given: Given) -> tuple[World, Given]:
    arn = given["RuleArn"]
    if arn not in {rule["RuleArn"] for rule in _rules(world)}:
        raise AwsError("RuleNotFound", f"One or more rules not found: '{arn}'")
    if _is_default(arn):
        raise AwsError("OperationNotPermitted", "Default rule cannot be modified: use ModifyListener")
    if "Conditions" in given:
        world = noted(world, "rule", note(world, "rule", {}) | {"conditions": given["Conditions"]})
    if "Actions" in given:
        world = _with_actions(world, given["Actions"])
    return world, {"Rules": [rule for rule in _rules(world) if rule["RuleArn"] == arn]}


def _is_default(arn: str) -> bool:
    return arn == names.rule_arn("default")


def _modify_listener(world: World, given: Given) -> tuple[World, Given]:
    _know_listener(world, arn := given["ListenerArn"])
    if extra := set(given) - {"ListenerArn", "DefaultActions"}:
        raise NotSimulated(f"ModifyListener can change DefaultActions only, not {', '.join(sorted(extra))}")
    if "DefaultActions" in given and arn == names.TEST_LISTENER_ARN:
        world = _with_test_actions(world, given["DefaultActions"])
    elif "DefaultActions" in given:
        if _priority(world):
            raise NotSimulated("traffic is divided by a rule here, so the default actions cannot change")
        world = _with_actions(world, given["DefaultActions"])
    return world, {"Listeners": [each for each in _listeners(world) if each["ListenerArn"] == arn]}


def _with_test_actions(world: World, actions: list[Given]) -> World:
    if [action["Type"] for action in actions] != ["forward"]:
        raise NotSimulated("the test listener does nothing but forward")
    weights = _forward(world, actions[0], OFF)
    if dict(weights).keys() != dict(world.test_rule).keys():
        raise NotSimulated("the test listener divides between both target groups")
    return world.replaced(test_rule=weights)


def _with_actions(world: World, actions: list[Given]) -> World:
    """The whole list is replaced (API reference, ModifyRule); what is not the forward is only kept."""
    actions = sorted(actions, key=lambda action: int(action.get("Order", 1)))
    forwards = [action for action in actions if action["Type"] == "forward"]
    if len(forwards) != 1 or actions[-1] is not forwards[0]:
        raise NotSimulated("the last action, and no other, must be a forward")
    weights = _forward(world, forwards[0], _stickiness(world))
    kept = note(world, "rule", {}) | {"before": actions[:-1]}
    return balancer.set_weights(noted(world, "rule", kept), weights)


def _stickiness(world: World) -> Given:
    seconds = world.settings.group_stickiness_seconds
    return {"Enabled": True, "DurationSeconds": seconds} if seconds else OFF


def _forward(world: World, action: Given, stickiness: Given) -> Rule:
    """Weights of a forward (ALB user guide, "Action types for listener rules")."""
    config = action.get("ForwardConfig", {"TargetGroups": [{"TargetGroupArn": action.get("TargetGroupArn")}]})
    listed = config.get("TargetGroups", [])
    for code, why in _unfit(action, listed):
        raise AwsError(code, why)
    weights = tuple(
        (find_target_group(world, group["TargetGroupArn"]), group.get("Weight", 1)) for group in listed
    )
    order = list(dict(world.rule))
    if {name for name, _ in weights} == set(order):
        weights = tuple(sorted(weights, key=lambda pair: order.index(pair[0])))
    asked = config.get("TargetGroupStickinessConfig", {})
    if (asked if asked.get("Enabled") else OFF) != stickiness:
        raise NotSimulated("the stickiness of target groups cannot be changed here: give Settings")
    return weights


def _unfit(action: Given, listed: list[Given]) -> Iterator[tuple[str, str]]:
    """Code and words of what AWS would not take in a forward."""
    if "TargetGroupArn" in action and {action["TargetGroupArn"]} != {g["TargetGroupArn"] for g in listed}:
        yield INVALID, "TargetGroupArn and ForwardConfig must name the same target group"
    if not 1 <= len(listed) <= MOST_GROUPS:
        yield "TooManyTargetGroups", f"a forward action names 1 to {MOST_GROUPS} target groups"
    if len(listed) > 1 and any("Weight" not in group for group in listed):
        yield INVALID, "with several target groups each needs a weight"
    if not all(0 <= group.get("Weight", 1) <= balancer.HIGHEST_WEIGHT for group in listed):
        yield INVALID, f"weights must be 0 to {balancer.HIGHEST_WEIGHT}"


def _add_tags(world: World, given: Given) -> tuple[World, Given]:
    for arn in given["ResourceArns"]:
        world = tagged(world, arn, tag_dict(given["Tags"]))
    return world, {}


READS: dict[str, Read] = {
    "DescribeListeners": _describe_listeners,
    "DescribeLoadBalancers": _describe_load_balancers,
    "DescribeRules": _describe_rules,
    "DescribeTags": _describe_tags,
}
CHANGES: dict[str, Change] = {
    "AddTags": _add_tags,
    "ModifyListener": _modify_listener,
    "ModifyRule": _modify_rule,
}
