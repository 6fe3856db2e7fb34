"""What a call of boto3 costs when the simulated world answers it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from bluegreen_sim import SimCloud
from bluegreen_sim.endpoint import names, session

from .measure import Section, medians, seconds_a_call, shown
from .worlds import SEED, canary

ROUNDS = 9
CALLS = 50
SIZES = (2, 100)
Ask = Callable[[Any], object]
OWN = {
    "AutoScalingGroupName": "exercise-group-blue",
    "ScalingProcesses": ["AlarmNotification", "ScheduledActions"],
}


def measure() -> Section:
    """Two questions and a change, with 2 and with 100 instances."""
    arn = names.target_group_arn("exercise-blue")
    calls: dict[str, tuple[str, Ask]] = {
        "DescribeTargetHealth": ("elbv2", lambda client: client.describe_target_health(TargetGroupArn=arn)),
        "DescribeAutoScalingGroups": ("autoscaling", lambda client: client.describe_auto_scaling_groups()),
        "SuspendProcesses": ("autoscaling", lambda client: client.suspend_processes(**OWN)),
    }
    found = {size: _measured(calls, size) for size in SIZES}
    rows = [[name, *(shown(found[size][name] * 1e3) for size in SIZES)] for name in calls]
    note = (
        "One call of a boto3 client of `bluegreen_sim.endpoint.session(cloud)`, in ms: botocore's own work, "
        "the check of request and answer by its models, and the world. "
        f"Times are those of the process. Means of {CALLS} calls, {ROUNDS} interleaved rounds, medians."
    )
    return Section("Rehearsing", note, ["operation", *(f"{size} instances, ms" for size in SIZES)], rows)


def _measured(calls: dict[str, tuple[str, Ask]], size: int) -> dict[str, float]:
    aws = session(SimCloud(canary(), capacity=size, seed=SEED, traffic=0))
    clients = {service: aws.client(service) for service, _ in calls.values()}
    return medians(
        {
            name: partial(seconds_a_call, ask, [clients[service]] * CALLS)
            for name, (service, ask) in calls.items()
        },
        ROUNDS,
    )
