"""Where the balancer divides requests: the rule that names both target groups, its weights, their change.

A rule is written whole, and AWS has no conditional write (API reference, ModifyRule): what is not ours in it
is taken from a fresh read and put back as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..core.observation import Delays
from ..core.plan import Plan, SharedTargetGroup, WeightedTargetGroups

if TYPE_CHECKING:
    from .clients import Services

Raw = Mapping[str, Any]
"""A structure as boto3 gives it."""


class NotThere(Exception):
    """What the plan names cannot be found; the sentence says what, and what to do."""


@frozen
class TargetGroup:
    """A target group that the plan names.

    Args:
        name: Its name.
        arn: Its ARN.
        balancers: ARNs of the load balancers that send to it.
        kind: What its targets are: ``instance``, ``ip``, ``lambda`` or ``alb``.
        check_seconds: How long health checks take to call a target healthy again.
    """

    name: str
    arn: str
    balancers: tuple[str, ...]
    kind: str
    check_seconds: int = 0


def pairs_of(plan: Plan) -> tuple[tuple[str, str], ...]:
    """The target group of each of the plan's groups, in their order; several pairs where they are."""
    match plan.routing:
        case SharedTargetGroup(target_group=name):
            return ((name, name),)
        case WeightedTargetGroups() as routing:
            return routing.pairs


def target_groups(read: Services, plan: Plan) -> dict[str, TargetGroup]:
    """The plan's target groups, by name.

    Raises:
        NotThere: If one does not exist.
    """
    wanted = sorted({name for pair in pairs_of(plan) for name in pair})
    found: dict[str, TargetGroup] = {}
    # By one name a call: with several, AWS says of a missing one only that one is missing.
    for name in wanted:
        try:
            answer = read.elbv2.describe_target_groups(Names=[name])["TargetGroups"]
        except read.elbv2.exceptions.TargetGroupNotFoundException:
            answer = []
        for raw in answer:
            balancers = tuple(raw.get("LoadBalancerArns", ()))
            check = raw.get("HealthCheckIntervalSeconds", 0) * raw.get("HealthyThresholdCount", 0)
            found[name] = TargetGroup(
                name, raw["TargetGroupArn"], balancers, raw.get("TargetType", ""), check_seconds=check
            )
    if missing := [name for name in wanted if name not in found]:
        raise NotThere(f"target group {' and '.join(missing)} does not exist: create it, or correct routing")
    return found


# ------------------------------------------------------------------------------------------------- finding


def find_rules(read: Services, plan: Plan, groups: Mapping[str, TargetGroup]) -> tuple[str, ...]:
    """ARNs of the rules that forward to both target groups, over all listeners, or of the one that is named.

    Raises:
        NotThere: If there is none.
    """
    assert isinstance(plan.routing, WeightedTargetGroups), "only weights are divided by a rule"
    named = plan.routing.listener
    if named is not None and ":listener/" not in named and ":listener-rule/" not in named:
        raise NotThere(
            f"routing.listener {named!r} is no ARN of a listener or of a rule: give one, or leave it out"
        )
    rules = [rule for rule in _rules(read, groups) if not _of_tests(rule, plan)]
    if named is not None:
        rules = [rule for rule in rules if named in (rule["RuleArn"], listener_of(rule))]
    found: list[str] = []
    for pair in pairs_of(plan):
        arns = {groups[name].arn for name in pair}
        some = [str(rule["RuleArn"]) for rule in rules if _forward(rule, arns) is not None]
        if not some:
            both = " and ".join(sorted(pair))
            raise NotThere(
                f"no rule{f' of {named}' if named else ''} forwards to both {both}: name both in one forward "
                "action, one of them with weight 0"
            )
        found += some
    return tuple(found)


def _of_tests(rule: Raw, plan: Plan) -> bool:
    """Whether the plan leads test requests by this rule, or by the listener whose default rule it is."""
    named = rule["RuleArn"] in plan.test_rules
    return named or bool(rule.get("IsDefault") and listener_of(rule) in plan.test_rules)


def find_test_rules(read: Services, plan: Plan, groups: Mapping[str, TargetGroup]) -> tuple[str, ...]:
    """ARNs of the plan's test rules.

    Raises:
        NotThere: If one is not there, or does not forward to both target groups of a pair.
    """
    rules = [rule for rule in _rules(read, groups) if _of_tests(rule, plan)]
    there = {each for rule in rules for each in (str(rule["RuleArn"]), listener_of(rule))}
    if missing := [named for named in plan.test_rules if named not in there]:
        raise NotThere(
            f"test rule {' and '.join(missing)} is of no load balancer of the target groups: make it, or "
            "correct test_rules"
        )
    pairs = [{groups[name].arn for name in pair} for pair in pairs_of(plan)]
    if half := [rule["RuleArn"] for rule in rules if not any(_forward(rule, pair) for pair in pairs)]:
        raise NotThere(
            f"test rule {' and '.join(half)} does not forward to both target groups of a pair: name both in "
            "one forward action"
        )
    return tuple([str(rule["RuleArn"]) for rule in rules])


def divided(rule: Raw, plan: Plan, groups: Mapping[str, TargetGroup]) -> dict[str, tuple[str, int]]:
    """(ARN of its target group, weight) of each of the plan's groups, as a rule divides between them.

    Raises:
        NotThere: If the rule does not divide between a pair of the plan's target groups any more.
    """
    for pair in pairs_of(plan):
        arns = [groups[name].arn for name in pair]
        if _forward(rule, set(arns)) is not None:
            found = weights(rule, set(arns))
            return {name: (arn, found[arn]) for name, arn in zip(plan.groups, arns, strict=True)}
    raise NotThere(f"rule {rule['RuleArn']} forwards to both target groups no more")


def problems(
    read: Services,
    arns: Sequence[str],
    test_arns: Sequence[str],
    plan: Plan,
    groups: Mapping[str, TargetGroup],
) -> Iterator[str]:
    """Why shifting these rules would not shift all users, one sentence each.

    Args:
        read: Clients that only read.
        arns: The rules that are to be shifted.
        test_arns: The plan's test rules, as far as they were found.
        plan: Whose they are.
        groups: The plan's target groups, by name.
    """
    names = {group.arn: name for name, group in groups.items()}
    rules = _rules(read, groups)
    for alike in (arns, test_arns):
        shown = [
            [weight for _, weight in divided(rule, plan, groups).values()]
            for rule in rules
            if rule["RuleArn"] in alike
        ]
        if any(each != shown[0] for each in shown):
            yield f"the rules {', '.join(alike)} divide by different weights: give all of them the same"
    for rule in rules:
        arn = rule["RuleArn"]
        if _of_tests(rule, plan):
            yield from _test_problems(rule, names)
            continue
        for action in rule.get("Actions", ()):
            led = [(other, weight) for other, weight in sorted(_led(action).items()) if weight]
            if arn not in arns:
                for other in [other for other, _ in led if other in names]:
                    yield f"rule {arn} leads to {names[other]} too, unshifted: let it redirect"
                continue
            for other in [other for other, _ in led if other not in names]:
                yield f"the rule leads to {other} too, by a weight of its own: set that to 0"


def _test_problems(rule: Raw, names: Mapping[str, str]) -> Iterator[str]:
    """Why test requests would not all come to green by this rule."""
    arn = rule["RuleArn"]
    for action in rule.get("Actions", ()):
        led = [other for other, weight in sorted(_led(action).items()) if weight]
        for other in [other for other in led if other not in names]:
            yield f"test rule {arn} leads to {other} too, by a weight of its own: set that to 0"
        if action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {}).get("Enabled"):
            yield f"test rule {arn} keeps clients on one target group: turn its stickiness off"


def delays(read: Services, arns: Sequence[str], groups: Mapping[str, TargetGroup]) -> Delays:
    """What the balancer makes everybody wait for.

    Args:
        read: Clients that only read.
        arns: The rules that are shifted; none behind a shared target group.
        groups: The plan's target groups, by name.
    """
    drain = warm = 0
    for group in groups.values():
        answer = read.elbv2.describe_target_group_attributes(TargetGroupArn=group.arn)
        found = {each["Key"]: each["Value"] for each in answer["Attributes"] if "Value" in each}
        drain = max(drain, int(float(found.get("deregistration_delay.timeout_seconds", 0))))
        warm = max(warm, group.check_seconds + int(found.get("slow_start.duration_seconds", 0)))
    configs = [
        action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {})
        for rule in (read_rules(read, arns) if arns else ())
        for action in rule["Actions"]
    ]
    # AWS keeps a client where its cookie says, whatever the weights say since (ALB user guide, "Rule
    # actions"); when that group is empty, it gets errors until the cookie ends.
    sticky = max([each.get("DurationSeconds", 0) for each in configs if each.get("Enabled")], default=0)
    return Delays(drain_seconds=drain, sticky_seconds=sticky, warm_seconds=warm)


def leading(read: Services, arns: Collection[str]) -> dict[str, list[str]]:
    """ARNs of the rules that lead requests to target groups, with any weight, by the target group's ARN.

    Args:
        read: Clients that only read.
        arns: The target groups.
    """
    pages = read.elbv2.get_paginator("describe_target_groups").paginate() if arns else ()
    groups = {
        raw["TargetGroupArn"]: TargetGroup(
            raw["TargetGroupName"], raw["TargetGroupArn"], tuple(raw.get("LoadBalancerArns", ())), ""
        )
        for page in pages
        for raw in page["TargetGroups"]
        if raw["TargetGroupArn"] in arns
    }
    found: dict[str, list[str]] = {arn: [] for arn in arns}
    for rule in _rules(read, groups):
        for action in rule.get("Actions", ()):
            for arn in [arn for arn, weight in _led(action).items() if weight and arn in found]:
                found[arn].append(rule["RuleArn"])
    return found


def _rules(read: Services, groups: Mapping[str, TargetGroup]) -> list[Raw]:
    """Every rule of the balancers that send to the target groups."""
    listeners = [
        listener["ListenerArn"]
        for balancer in sorted({arn for group in groups.values() for arn in group.balancers})
        for page in read.elbv2.get_paginator("describe_listeners").paginate(LoadBalancerArn=balancer)
        for listener in page["Listeners"]
    ]
    return [
        rule
        for listener in listeners
        for page in read.elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener)
        for rule in page["Rules"]
    ]


def _led(action: Raw) -> dict[str, int]:
    """Weight by target group ARN of a forward action; one alone has all the weight there is."""
    tuples = action.get("ForwardConfig", {}).get("TargetGroups", ())
    # With several groups a weight is required of each (ALB user guide, "Rule actions").
    found = {each["TargetGroupArn"]: each.get("Weight", 1) for each in tuples}
    return found or ({action["TargetGroupArn"]: 1} if "TargetGroupArn" in action else {})


def listener_of(rule: Raw) -> str:
    """The ARN of the listener that a rule is of; it is part of the rule's own."""
    return str(rule["RuleArn"]).replace(":listener-rule/", ":listener/").rpartition("/")[0]


def _forward(rule: Raw, arns: set[str]) -> Raw | None:
    """The rule's forward action, if it names all these target groups."""
    for action in rule.get("Actions", ()):
        if arns <= set(_led(action)):
            return action  # type: ignore[no-any-return]
    return None


# ------------------------------------------------------------------------------------------------- weights


def read_rules(read: Services, arns: Sequence[str]) -> list[Raw]:
    """The rules as they are now, in this order.

    Raises:
        NotThere: If one is gone.
    """
    found: dict[str, Raw] = {
        rule["RuleArn"]: rule for rule in read.elbv2.describe_rules(RuleArns=list(arns))["Rules"]
    }
    for arn in arns:
        if arn not in found:
            raise NotThere(f"rule {arn} is gone")
    return [found[arn] for arn in arns]


def weights(rule: Raw, arns: set[str]) -> dict[str, int]:
    """Weight by ARN, of target groups between which the rule divides."""
    action = _forward(rule, arns)
    assert action is not None, "asked of a rule that divides between them"
    return {arn: weight for arn, weight in _led(action).items() if arn in arns}


def rewritten(rule: Raw, wanted: Mapping[str, int]) -> list[Any]:
    """The rule's actions with these weights; everything else as it is, ready to be written.

    Args:
        rule: The rule as it was read.
        wanted: Weight by target group ARN.
    """
    return [_writable(action, wanted) for action in rule["Actions"]]


def _writable(action: Raw, wanted: Mapping[str, int]) -> dict[str, Any]:
    written = dict(action)
    if "AuthenticateOidcConfig" in action:
        # A secret cannot be read; that it stays must be said (API reference, AuthenticateOidcActionConfig).
        kept = {k: v for k, v in action["AuthenticateOidcConfig"].items() if k != "ClientSecret"}
        written["AuthenticateOidcConfig"] = {**kept, "UseExistingClientSecret": True}
    config = action.get("ForwardConfig", {})
    tuples = config.get("TargetGroups", ())
    if set(wanted) <= {each["TargetGroupArn"] for each in tuples}:
        written.pop("TargetGroupArn", None)  # with a ForwardConfig of several groups it must be absent
        written["ForwardConfig"] = {
            **config,
            "TargetGroups": [
                {**each, "Weight": wanted.get(each["TargetGroupArn"], each.get("Weight", 1))}
                for each in tuples
            ],
        }
    return written


def write_rule(write: Services, rule: Raw, actions: list[Any]) -> None:
    """Write a rule's actions. A default rule has no conditions and is changed through its listener."""
    if rule.get("IsDefault"):
        write.elbv2.modify_listener(ListenerArn=listener_of(rule), DefaultActions=actions)
    else:
        write.elbv2.modify_rule(RuleArn=str(rule["RuleArn"]), Actions=actions)
