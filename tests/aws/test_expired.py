"""Credentials that expire in the middle of a bake: nothing is sent, and the state says why."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bluegreen import Deployment, MemoryJournal, Operator, strategies
from bluegreen.aws import AwsCloud
from bluegreen.core.state import Phase
from tests.contract.providers import Hands, plan_for
from tests.moto_account import lay_out
from tests.proxy import Call, Proxy, Refuse
from tests.scenarios.story import assert_replays

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract


def baking(deployment: Deployment, clock: Hands) -> None:
    """Run until the first rung bakes."""
    while (step := deployment.advance()).state.phase is not Phase.BAKE:
        clock.sleep(step.wake_at - clock.now())


@pytest.mark.parametrize("code", ["ExpiredToken", "RequestExpired", "InvalidClientTokenId"])
def test_expired_in_the_bake(code: str, moto: MotoServer) -> None:
    """From then on nothing is sent and each pass says why, down to ``halted``; renewed, it is promoted."""
    lay_out(moto, "weighted")
    plan = plan_for("weighted", strategy=strategies.canary(10, 60, last_bake_seconds=10))
    clock, journal = Hands(), MemoryJournal()
    with (
        Proxy(moto.url) as proxy,
        closing(AwsCloud(moto.session(), endpoint_url=proxy.url, clock=clock)) as cloud,
    ):
        deployment = Deployment(plan, cloud, journal=journal)
        baking(deployment, clock)
        sent = len(proxy.sent())
        proxy.plan = lambda _: Refuse(
            code, 403, words="The security token included in the request is expired"
        )
        for step in deployment.steps():
            assert f"{code}: The security token included in the request is expired" in step.reason
            assert not step.commands
        assert step.state.phase is Phase.HALTED
        assert len(proxy.sent()) == sent
        proxy.plan = lambda _: None
        Operator(journal, "exercise").resume()
        assert deployment.run().phase is Phase.PROMOTED
    assert_replays(journal)


def test_expired_between_the_look_and_the_command(moto: MotoServer) -> None:
    """A change that is refused for its credentials halts with the code, and is not sent again."""
    lay_out(moto, "weighted")
    clock = Hands()
    with (
        Proxy(moto.url) as proxy,
        closing(AwsCloud(moto.session(), endpoint_url=proxy.url, clock=clock)) as cloud,
    ):

        def expire(call: Call) -> Refuse | None:
            return Refuse("ExpiredToken", 403) if call.operation == "ModifyListener" else None

        proxy.plan = expire
        result = Deployment(plan_for("weighted"), cloud, journal=MemoryJournal()).run()
        asked = [row.operation for row in proxy.log if row.operation == "ModifyListener"]
    assert result.phase is Phase.HALTED
    assert "ExpiredToken" in result.reason
    assert asked == ["ModifyListener"]
