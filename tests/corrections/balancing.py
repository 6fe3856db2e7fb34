"""Elastic Load Balancing: a target has a first verdict and an end, and weights have bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from moto.elbv2.exceptions import ELBClientError, TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeAction, FakeHealthStatus, FakeTargetGroup

from tests.corrections.table import Script, correct

MOST_TARGET_GROUPS = 5
HIGHEST_WEIGHT = 999


def leaving(target_group: Any) -> dict[str, dict[str, Any]]:
    """The targets that drain, by id."""
    return target_group.__dict__.setdefault("leaving_targets", {})


@correct(FakeTargetGroup, "register")
def register(
    original: Callable[..., Any], _script: Script, target_group: Any, targets: list[dict[str, Any]]
) -> None:
    """A6: who is registered anew starts without a verdict; who is registered already keeps theirs."""
    fresh = [target for target in targets if target["Id"] not in target_group.targets]
    original(target_group, fresh)
    for target in fresh:
        leaving(target_group).pop(target["Id"], None)


@correct(FakeTargetGroup, "deregister")
def deregister(
    _original: Callable[..., Any], _script: Script, target_group: Any, targets: list[dict[str, Any]]
) -> None:
    """G1, A7: who leaves drains; to deregister what is not registered succeeds."""
    for target in targets:
        if known := target_group.targets.pop(target["Id"], None):
            leaving(target_group)[target["Id"]] = known | {"looks": 0}


@correct(ELBv2Backend, "describe_target_health")
def describe_health(
    original: Callable[..., Any],
    script: Script,
    backend: Any,
    target_group_arn: str,
    targets: list[dict[str, Any]],
) -> list[Any]:
    """G1, A6, A7: initial, then healthy or not; draining, then gone; unused where no rule leads."""
    target_group = backend.target_groups.get(target_group_arn)
    if target_group is None:
        raise TargetGroupNotFoundError
    told = {each.instance_id: each for each in verdicts(script, backend, target_group)}
    asked = [target["Id"] for target in targets] or list(told)
    # Moto tells of those that are not registered.
    return [told.get(each) or original(backend, target_group_arn, [{"Id": each}])[0] for each in asked]


def verdicts(script: Script, backend: Any, target_group: Any) -> Iterator[Any]:
    """One more look at a target group."""
    used = backend._any_listener_using(target_group.arn)
    for each, target in target_group.targets.items():
        instance = backend.ec2_backend.get_instance_by_id(each)
        state, reason = verdict(script, target, instance, used=used)
        yield status(target_group, target, state, reason)
    for each, target in list(leaving(target_group).items()):
        if target["looks"] >= script.looks.draining:
            del leaving(target_group)[each]
            continue
        target["looks"] += 1
        yield status(target_group, target, "draining", "Target.DeregistrationInProgress")


def verdict(script: Script, target: dict[str, Any], instance: Any, *, used: bool) -> tuple[str, str | None]:
    """State and reason of one registered target, counting the look."""
    if not used:
        return "unused", "Target.NotInUse"
    if instance is None or not instance.is_running():
        return "unused", "Target.InvalidState"
    seen = target.setdefault("looks", 0)
    if seen < script.looks.initial:
        target["looks"] += 1
        return "initial", "Elb.InitialHealthChecking" if seen else "Elb.RegistrationInProgress"
    target["looks"] = math.inf  # a verdict was given; what the script says of initial later changes nothing
    if instance.image_id in script.broken_images or instance.id in script.sick:
        return "unhealthy", "Target.FailedHealthChecks"
    return "healthy", None


def status(target_group: Any, target: dict[str, Any], state: str, reason: str | None) -> Any:
    """An entry of the answer."""
    words = {"Target.FailedHealthChecks": "Health checks failed", None: None}
    return FakeHealthStatus(
        target["Id"], target["Port"], target_group.health_check_port, state, reason, words.get(reason, reason)
    )


@correct(ELBv2Backend, "_validate_actions")
def check_actions(original: Callable[..., Any], _script: Script, backend: Any, actions: list[Any]) -> None:
    """G1, A3: at most five target groups, with weights from 0 to 999."""
    original(backend, actions)
    for action in actions:
        shares = action.data.get("ForwardConfig", {}).get("TargetGroups", [])
        if len(shares) > MOST_TARGET_GROUPS:
            raise ELBClientError("ValidationError", "A forward action has at most 5 target groups")
        if not all(0 <= int(each["Weight"]) <= HIGHEST_WEIGHT for each in shares):
            raise ELBClientError("ValidationError", "Target group weight must be between 0 and 999")


@correct(ELBv2Backend, "modify_listener")
def modify_listener(original: Callable[..., Any], _script: Script, backend: Any, *args: Any) -> Any:
    """G1: the default actions' target groups exist."""
    backend._validate_actions([FakeAction(action) for action in args[-1]])
    return original(backend, *args)
