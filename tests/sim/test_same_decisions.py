"""The AWS adapter on the simulator decides as the simulator alone does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bluegreen import Deployment, MemoryJournal, Plan
from bluegreen.aws import AwsBuilder, AwsCloud, routing
from bluegreen.aws import clients as aws_clients
from bluegreen.core.observation import Delays, ErrorClass
from bluegreen.image import ImageBuild
from bluegreen.ports import Cloud, Listener
from bluegreen_sim import (
    Choices,
    Denied,
    Gone,
    LateCall,
    LostAnswer,
    RefusedCall,
    SimCloud,
    StaleLook,
    testing,
    tutorial,
)
from bluegreen_sim.endpoint import session
from bluegreen_sim.endpoint.answers import READS
from bluegreen_sim.endpoint.refusals import refusal

SCENARIOS = 200


def decisions(plan: Plan, cloud: Cloud, *listeners: Listener) -> list[tuple[Any, ...]]:
    """Time, phase, kind of reason and commands of every pass."""
    steps = Deployment(plan, cloud, journal=MemoryJournal(), listeners=listeners).steps()
    return [(step.state.at, step.state.phase, step.signal, step.commands) for step in steps]


@pytest.mark.slow
@pytest.mark.property
@settings(max_examples=SCENARIOS)
@given(data=st.data())
def test_both_clouds_decide_the_same(data: st.DataObject) -> None:
    """Random plans, worlds and faults lead through the same passes, whether boto3 is in between or not.

    After a stale look the adapter leaves out a write that is done already, which is then no call: where calls
    are counted for a fault besides, the two need not agree. What is denied has one name at each door. Only
    words of AWS's tell that a launch is not worth waiting for.
    """
    plan = data.draw(testing.plans(fleets=st.just("standing")))
    faults = data.draw(testing.faults(plan) | testing.tolerable())
    kinds = {type(getattr(fault, "fault", fault)) for fault in faults}
    assume(not (StaleLook in kinds and kinds & {LateCall, LostAnswer, RefusedCall}))
    assume(not kinds & {Denied, Gone})
    given_world: dict[str, Any] = {
        "capacity": data.draw(st.integers(1, 4)),
        "live": data.draw(st.sampled_from((0, 1))),
        "settings": data.draw(testing.settings(quick=True)),
    }
    script = data.draw(st.binary(max_size=64))
    direct, wired = (
        SimCloud(plan, traffic=0, faults=faults, choices=Choices.from_bytes(script), **given_world)
        for _ in range(2)
    )
    with pytest.MonkeyPatch.context() as patch:
        # botocore would read again, and a blind look would be none.
        patch.setattr(aws_clients, "READ_ATTEMPTS", 1)
        # On AWS deadlines wait for the balancer's own delays; a rehearsal's are those of its plan.
        patch.setattr(routing, "delays", lambda *_: Delays())
        # Behind boto3 a world hears of phases only if it is told.
        through = decisions(plan, AwsCloud(session(wired), clock=wired.clock), wired.timeline)
        assert through == decisions(plan, direct)
    assert wired.world.key() == direct.world.key()


@pytest.mark.parametrize("kind", ErrorClass)
def test_a_refusal_keeps_its_class_through_boto3(kind: ErrorClass) -> None:
    """What the world calls an error, the adapter calls the same, wherever the service has a word for it."""
    from bluegreen.aws.errors import of_code

    found = {
        of_code(error.code, error.status or 400, error.message)
        for service in READS
        for error in [refusal(service, kind.value, "not found" if kind is ErrorClass.ABSENT else "no")]
        if error.code != "SomethingElse"
    }
    assert found <= {kind}


@pytest.mark.parametrize("commands", [("git pull", "make install"), ("git pull", "exit 3"), ("false",)])
def test_both_builders_build_the_same(commands: tuple[str, ...]) -> None:
    """An image build passes the same phases at the same times, ends alike, and leaves the same images."""
    build = ImageBuild(service="exercise", launch_template="exercise-launch-template", commands=commands)
    (_, direct), (_, wired) = tutorial(), tutorial()
    expected = build.run(direct.builder)
    found = build.run(AwsBuilder(session(wired), clock=wired.clock))
    assert [step.state for step in found.steps] == [step.state for step in expected.steps]
    assert (found.image, found.reason, found.leftovers) == (expected.image, expected.reason, ())
    assert wired.world.images == direct.world.images
    assert wired.build_instances == ()
