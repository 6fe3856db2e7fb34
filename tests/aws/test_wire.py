"""At the wire: one send for each intent, and the same end whatever becomes of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bluegreen.core.state import Phase
from tests.aws.operations import called, mutates
from tests.aws.wire import DISTURBANCES, SCENES, rows, undisturbed

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract

SENT_BY = {
    "weights": (
        "CreateLaunchTemplateVersion ModifyListener ResumeProcesses SuspendProcesses UpdateAutoScalingGroup"
    ),
    "shared": "AttachLoadBalancerTargetGroups DetachLoadBalancerTargetGroups",
    "rule of its own": "ModifyRule",
    "first release": "CreateAutoScalingGroup",
    "first release, broken": "DeleteAutoScalingGroup",
    "image build": "CreateImage RunInstances SendCommand StopInstances TerminateInstances",
}
"""Each operation, in the first scene that sends it."""

CELLS = [(scene, operation) for scene, operations in SENT_BY.items() for operation in operations.split()]

# Sent by `destroy` and `cleanup`, whose tests are tests/contract/test_owned.py; by builds over SSH
# (tests/aws/test_ssh.py), the journal in S3 (tests/contract/test_s3_journal.py) and those who are told
# (tests/aws/test_telling.py); for what a replaced group has besides its settings (tests/aws/test_copying.py,
# tests/aws/test_giving_back.py); and for a group that was attached through the other family of calls, which
# moto does not have.
ELSEWHERE = {
    "CreateTags",
    "DeleteLaunchTemplateVersions",
    "DeleteSnapshot",
    "DeleteVolume",
    "DeleteWarmPool",
    "DeregisterImage",
    "DetachTrafficSources",
    "EnableMetricsCollection",
    "Publish",
    "PutEvents",
    "PutNotificationConfiguration",
    "PutObject",
    "PutScalingPolicy",
    "PutScheduledUpdateGroupAction",
    "PutWarmPool",
    "SetInstanceProtection",
}


def test_every_operation_is_disturbed(moto: MotoServer) -> None:
    """The table below has every operation that changes something, each where it is really sent."""
    sent = {scene: set(undisturbed(moto, scene).sent) for scene in SCENES}
    for scene, operation in CELLS:
        assert operation in sent[scene]
    listed = {operation for _, operation in CELLS}
    assert listed == set().union(*sent.values())
    ours = {operation.name for _, operation in called() if mutates(operation.name)}
    assert ours == listed | ELSEWHERE


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "operation"), CELLS)
def test_one_intent_is_one_send(scene: str, operation: str, moto: MotoServer) -> None:
    """Throttled, refused, lost, late or cut off: sent once, and it ends as if nothing had been."""
    wrong = [str(row) for row in rows(moto, scene, operation) if not row.right]
    assert not wrong, "\n".join(wrong)


def test_only_the_image_differs(moto: MotoServer) -> None:
    """The version that a deployment makes differs from its source in ``ImageId`` alone."""
    ran = undisturbed(moto, "weights")
    assert ran.picture["versions"] == {1: {}, 2: {"ImageId": "ami-0beta"}}


def test_the_ends_are_those_that_are_meant(moto: MotoServer) -> None:
    """Undisturbed, each scene ends as its name says, with one version, one green group or one image made."""
    ends = {scene: undisturbed(moto, scene) for scene in SCENES}
    assert {scene: ran.end for scene, ran in ends.items()} == {
        "weights": Phase.PROMOTED.value,
        "shared": Phase.PROMOTED.value,
        "rule of its own": Phase.PROMOTED.value,
        "first release": Phase.PROMOTED.value,
        "first release, broken": Phase.ROLLED_BACK.value,
        "image build": "done",
    }
    assert all(ran.right for ran in ends.values())
    assert ends["weights"].picture["groups"]["exercise-group-blue"]["instances"] == []
    assert ends["weights"].picture["groups"]["exercise-group-green"]["instances"] == ["2", "2"]
    assert ends["weights"].picture["weights"] == [[0, 100]]
    assert [*ends["first release"].picture["groups"]] == ["exercise-group-green"]
    assert ends["first release, broken"].picture["groups"] == {}
    assert ends["image build"].picture["images"] == ["exercise-v2"]
    assert ends["image build"].picture["alive"] == Counter({"running": 2})
    assert len(DISTURBANCES) == 7
