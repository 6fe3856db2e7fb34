"""What goes over the wire: every request that changes something, disturbed in every way, and what came of it.

``python -m tests.aws.wire`` prints the table: for each operation and each disturbance how often it was
asked for, how often it was sent, and how the whole ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Literal

import attrs
from attrs import frozen

from bluegreen import Deadlines, Deployment, ImageBuild, MemoryJournal, strategies
from bluegreen.aws import AwsBuilder, AwsCloud
from bluegreen.aws.names import BUILD_TAG
from bluegreen.core.observation import Result
from bluegreen.journal import codec
from tests.contract.providers import NEXT, Hands, plan_for
from tests.moto_account import TEMPLATE, lay_out
from tests.moto_server import MotoServer
from tests.proxy import Action, Call, Delay, Proxy, Refuse, Reset, Truncate, throttle

IMPATIENT_SECONDS = 0.5

DISTURBANCES: dict[str, Action] = {
    "throttled": throttle(),
    "500, not applied": Refuse("InternalFailure", 500),
    "503, not applied": Refuse("ServiceUnavailable", 503),
    "503, applied": Refuse("ServiceUnavailable", 503, forward=True),
    "reset, applied": Reset(),
    "late, applied": Delay(2 * IMPATIENT_SECONDS),
    "cut off, applied": Truncate(),
}


@frozen
class Ran:
    """How one run went.

    Args:
        end: Its last phase.
        asked: How often a change was asked for: the intents in the journal.
        sent: How often each operation that changes something was sent.
        picture: The account at the end, without ids and times.
    """

    end: str
    asked: int
    sent: Counter[str]
    picture: dict[str, Any]

    @property
    def right(self) -> bool:
        """Whether each intent was sent once."""
        return self.asked == self.sent.total()


Scene = Callable[[MotoServer, str, float], tuple[str, int]]
"""Runs against a URL, each answer awaited so many seconds; its end, and how often it asked for a change."""


def _deploy(
    routing: Literal["weighted", "shared"],
    *,
    live: int | None = 0,
    rule: Literal["default", "path"] = "default",
    spoiled: bool = False,
    **changes: Any,
) -> Scene:
    def scene(moto: MotoServer, url: str, call_seconds: float) -> tuple[str, int]:
        lay_out(moto, routing, live=live, groups_exist=live is not None, rule=rule)
        if spoiled:
            moto.script.broken_images.add(NEXT)
        plan = plan_for(routing, strategy=strategies.all_at_once(10), **changes)
        journal = MemoryJournal()
        cloud = AwsCloud(moto.session(), endpoint_url=url, call_seconds=call_seconds, clock=Hands())
        with closing(cloud):
            result = Deployment(plan, cloud, journal=journal).run()
        asked = [
            outcome
            for record in journal.records()
            if record.kind == "outcomes"
            for outcome in codec.read_outcomes(record.body)
            if outcome.result is not Result.WITHHELD
        ]
        return result.phase.value, len(asked)

    return scene


def _build(moto: MotoServer, url: str, call_seconds: float) -> tuple[str, int]:
    lay_out(moto)
    build = ImageBuild(
        service="exercise", launch_template=TEMPLATE, commands=("true", "uname"), name="exercise-v2"
    )
    builder = AwsBuilder(moto.session(), endpoint_url=url, call_seconds=call_seconds, clock=Hands())
    with closing(builder):
        result = build.run(builder)
    return result.steps[-1].state.phase.value, sum(step.command is not None for step in result.steps)


SCENES: dict[str, Scene] = {
    "weights": _deploy("weighted", freeze_scaling=True),
    "shared": _deploy("shared"),
    "rule of its own": _deploy("weighted", rule="path"),
    "first release": _deploy("weighted", live=None),
    "first release, broken": _deploy(
        "weighted", live=None, spoiled=True, deadlines=Deadlines(scale_up_seconds=60)
    ),
    "image build": _build,
}


def run(
    moto: MotoServer, scene: str, disturb: Callable[[Call], Action | None], *, impatient: bool = False
) -> Ran:
    """One run of a scene in a new account, through a proxy."""
    moto.reset()
    with Proxy(moto.url) as proxy:
        proxy.plan = disturb
        end, asked = SCENES[scene](moto, proxy.url, IMPATIENT_SECONDS if impatient else 20)
        sent = Counter(row.operation for row in proxy.log if row.mutating)
    return Ran(end, asked, sent, picture(moto))


_undisturbed: dict[str, Ran] = {}


def undisturbed(moto: MotoServer, scene: str) -> Ran:
    """A run in which nothing goes wrong; one tells all, since each is as the first."""
    if scene not in _undisturbed:
        _undisturbed[scene] = run(moto, scene, lambda _: None)
    return _undisturbed[scene]


def disturbed(moto: MotoServer, scene: str, operation: str, action: Action) -> Ran:
    """A run in which the first request of an operation is disturbed."""
    left = iter([action])

    def disturb(call: Call) -> Action | None:
        return next(left, None) if call.operation == operation else None

    return run(moto, scene, disturb, impatient=isinstance(action, Delay))


def picture(moto: MotoServer) -> dict[str, Any]:
    """The account as it stands, without ids and times."""
    ec2, asg, elbv2 = (moto.client(name) for name in ("ec2", "autoscaling", "elbv2"))
    versions = ec2.describe_launch_template_versions(LaunchTemplateName=TEMPLATE)["LaunchTemplateVersions"]
    versions.sort(key=lambda version: version["VersionNumber"])
    first = versions[0]["LaunchTemplateData"]
    groups = asg.describe_auto_scaling_groups()["AutoScalingGroups"]
    rules = [
        rule
        for balancer in elbv2.describe_load_balancers()["LoadBalancers"]
        for listener in elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    ]
    alive = [
        instance["State"]["Name"]
        for page in ec2.get_paginator("describe_instances").paginate()
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        if instance["State"]["Name"] != "terminated"
    ]
    built = ec2.describe_images(Filters=[{"Name": "tag-key", "Values": [BUILD_TAG]}])
    return {
        "versions": {v["VersionNumber"]: changed(v["LaunchTemplateData"], first) for v in versions},
        "groups": {
            group["AutoScalingGroupName"]: {
                "sizes": [group[key] for key in ("MinSize", "MaxSize", "DesiredCapacity")],
                "version": group["LaunchTemplate"]["Version"],
                "target groups": len(group["TargetGroupARNs"]),
                "suspended": sorted(each["ProcessName"] for each in group["SuspendedProcesses"]),
                "instances": sorted(each["LaunchTemplate"]["Version"] for each in group["Instances"]),
            }
            for group in groups
        },
        "weights": [
            [each.get("Weight") for each in action.get("ForwardConfig", {}).get("TargetGroups", ())]
            for rule in rules
            for action in rule["Actions"]
        ],
        "images": [image["Name"] for image in built["Images"]],
        "alive": Counter(alive),
        "commands": len(moto.script.commands),
    }


def changed(data: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """What of a template version's data is not as in another one."""
    return {key: data.get(key) for key in data.keys() | source.keys() if data.get(key) != source.get(key)}


@frozen
class Row:
    """One line of the table."""

    scene: str
    operation: str
    disturbance: str
    ran: Ran
    undisturbed: Ran

    @property
    def right(self) -> bool:
        """Whether it ended as if nothing had happened, each intent sent once."""
        return self.ran.right and (self.ran.end, self.ran.picture) == (
            self.undisturbed.end,
            self.undisturbed.picture,
        )

    def __str__(self) -> str:
        """Scene, operation, disturbance, intents, sends, end."""
        sends, verdict = self.ran.sent.total(), "right" if self.right else "WRONG"
        return (
            f"{self.scene:22} {self.operation:32} {self.disturbance:17} "
            f"{self.ran.asked:3} asked {sends:3} sent  {self.ran.end:12} {verdict}"
        )


def rows(moto: MotoServer, scene: str, operation: str) -> Iterator[Row]:
    """One operation, disturbed in every way."""
    quiet = undisturbed(moto, scene)
    for name, action in DISTURBANCES.items():
        ran = disturbed(moto, scene, operation, attrs.evolve(action))
        yield Row(scene, operation, name, ran, quiet)


if __name__ == "__main__":
    from tests.aws.test_wire import CELLS

    with MotoServer() as server:
        for cell in CELLS:
            for row in rows(server, *cell):
                print(row, flush=True)
