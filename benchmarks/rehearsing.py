"""What a call of boto3 costs when the simulated world answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any
from unittest.mock import patch

from attrs import evolve

from bluegreen_sim import SimCloud
from bluegreen_sim.endpoint import names, session
from bluegreen_sim.endpoint.door import Door
from bluegreen_sim.endpoint.wire import Reply
from bluegreen_sim.world import World

from .measure import Section, medians, seconds_a_call, shown
from .worlds import SEED, canary

ROUNDS = 9
CALLS = 50
SIZES = (2, 100)
BLUE = "exercise-group-blue"
ARN = names.target_group_arn("exercise-blue")
PROCESSES = ["AlarmNotification", "ScheduledActions"]
Ask = Callable[[Any], object]
ASKS: dict[str, tuple[str, Ask]] = {
    "DescribeTargetHealth": ("elbv2", lambda client: client.describe_target_health(TargetGroupArn=ARN)),
    "DescribeAutoScalingGroups": ("autoscaling", lambda client: client.describe_auto_scaling_groups()),
    "SuspendProcesses": (
        "autoscaling",
        lambda client: client.suspend_processes(AutoScalingGroupName=BLUE, ScalingProcesses=PROCESSES),
    ),
}


def measure() -> Section:
    """Two questions and a change, with 2 and with 100 instances."""
    found = {size: _measured(size) for size in SIZES}
    rows = [[*name, *(shown(found[size][name] * 1e3) for size in SIZES)] for name in found[SIZES[0]]]
    note = (
        "One call of a boto3 client of `bluegreen_sim.endpoint.session(cloud)`, in ms: botocore's own work, "
        "the check of request and answer by its models, and the world. *As before*: nothing has happened "
        "since the last call, as in nearly every pass of a deployment; what was checked and written then is "
        "not again. *New*: every instance is another one than at the call before. *botocore alone*: the "
        "answer is there already, as bytes, so this is the least that a call can cost. "
        f"Times are those of the process. Means of {CALLS} calls, {ROUNDS} interleaved rounds, medians."
    )
    header = ["operation", "answer", *(f"{size} instances, ms" for size in SIZES)]
    return Section("Rehearsing", note, header, rows)


def _measured(size: int) -> dict[tuple[str, str], float]:
    cloud = SimCloud(canary(), capacity=size, seed=SEED, traffic=0)
    aws = session(cloud)
    others = _others(cloud.world)
    subjects: dict[tuple[str, str], Callable[[], float]] = {}
    for name, (service, ask) in ASKS.items():
        client = aws.client(service)
        subjects[name, "as before"] = partial(seconds_a_call, ask, [client] * CALLS)
        if name.startswith("Describe"):
            subjects[name, "new"] = partial(_new, cloud, others, client, ask)
        subjects[name, "botocore alone"] = partial(_alone, client, ask)
    return medians(subjects, ROUNDS)


def _new(cloud: SimCloud, others: Iterator[World], client: Any, ask: Ask) -> float:
    """Seconds a call when each is answered by another world."""

    def asked(world: World) -> None:
        cloud.world = world
        ask(client)

    before = cloud.world
    found = seconds_a_call(asked, [next(others) for _ in range(CALLS)])
    cloud.world = before
    return found


def _others(world: World) -> Iterator[World]:
    """The same world with other instances, again and again."""
    for number in count():
        groups = [
            evolve(group, instances=tuple(evolve(each, id=f"{each.id}-{number}") for each in group.instances))
            for group in world.groups
        ]
        yield world.replaced(groups=tuple(groups))


def _alone(client: Any, ask: Ask) -> float:
    """Seconds a call when the first answer is given to all."""
    answered: list[Reply] = []
    handle = Door.handle

    def again(*asked: Any) -> Reply:
        if not answered:
            answered.append(handle(*asked))
        return answered[0]

    with patch.object(Door, "handle", again):
        ask(client)
        return seconds_a_call(ask, [client] * CALLS)
