"""What AWS tells of a group that was given up."""

from __future__ import annotations

from contextlib import closing

import pytest

from bluegreen import Deadlines, Deployment
from bluegreen.aws import AwsCloud
from bluegreen.aws.evidence import ACTIVITIES, LONGEST
from bluegreen.core.evidence import Console
from bluegreen.core.state import Phase
from tests.contract.providers import Hands, plan_for
from tests.moto_account import lay_out
from tests.moto_server import MotoServer
from tests.proxy import Proxy, Refuse

pytestmark = pytest.mark.contract

QUICK = Deadlines(scale_up_seconds=60)


@pytest.mark.parametrize("routing", ["weighted", "shared"])
def test_a_failed_deployment_leaves_activities_and_consoles(routing: str, moto: MotoServer) -> None:
    """Asked before green goes: AWS's words for its activities, the last lines that its instances wrote."""
    lay_out(moto, routing)  # type: ignore[arg-type]
    plan = plan_for(routing, deadlines=QUICK, console_lines=2)
    moto.script.broken_images.add(str(plan.image))
    moto.script.impaired_images.add(str(plan.image))
    moto.script.console = "booting\r\nfetching\x1b[31m\r\n\r\nno module named app\r\n"
    with closing(AwsCloud(moto.session(), endpoint_url=moto.url, clock=Hands())) as cloud:
        result = Deployment(plan, cloud).run()
    assert result.phase is Phase.ROLLED_BACK
    found = result.evidence
    assert found is not None
    assert all("unhealthy (" in target for target in found.targets)
    assert found.unread == ()
    lines = {console.lines for console in found.consoles}
    assert lines == {(r"fetching\x1b[31m", "no module named app")}
    named = [target.partition(":")[0] for target in found.targets]
    assert sorted(console.instance for console in found.consoles) == sorted(named)
    calls = moto.operations()
    assert calls.count("GetConsoleOutput") == len(named)
    assert calls.index("GetConsoleOutput") < len(calls) - calls[::-1].index("UpdateAutoScalingGroup")


def test_failed_launches_are_told_in_the_words_of_aws(moto: MotoServer) -> None:
    """Activities are told the newest first, a few of them, on one line each and no longer than a line."""
    account = lay_out(moto)
    moto.script.fail_launches(account.groups[1])
    with closing(AwsCloud(moto.session(), endpoint_url=moto.url, clock=Hands())) as cloud:
        result = Deployment(plan_for("weighted", deadlines=QUICK), cloud).run()
    assert result.evidence is not None
    told = result.evidence.activities
    assert 0 < len(told) <= ACTIVITIES
    assert all("Failed: Launching" in line and len(line) <= LONGEST for line in told)
    assert result.evidence.consoles == ()
    assert "GetConsoleOutput" not in moto.operations()


def test_what_cannot_be_read_is_named(moto: MotoServer) -> None:
    """Each part that AWS does not tell is named with its reason; the others are there."""
    account = lay_out(moto)
    with Proxy(moto.url) as proxy:
        cloud = AwsCloud(moto.session(), endpoint_url=proxy.url, clock=Hands())
        with closing(cloud):
            first = cloud.evidence(account.groups[0], ("i-0gone",), 5)
            denied = Refuse("AccessDenied", 403)
            proxy.plan = lambda call: denied if call.operation == "DescribeScalingActivities" else None
            second = cloud.evidence(account.groups[0], (), 5)
    (said,) = first.unread
    assert said.startswith("console of i-0gone (InvalidInstanceID.NotFound")
    assert second.unread[0].startswith("activities (")


def test_an_instance_that_wrote_nothing_has_no_lines(moto: MotoServer) -> None:
    """A console that is still empty is told as such."""
    account = lay_out(moto)
    (name, *_) = [
        each["InstanceId"]
        for each in moto.client("autoscaling").describe_auto_scaling_instances()["AutoScalingInstances"]
    ]
    with closing(AwsCloud(moto.session(), endpoint_url=moto.url, clock=Hands())) as cloud:
        assert cloud.evidence(account.groups[0], (name,), 5).consoles == (Console(name, ()),)
