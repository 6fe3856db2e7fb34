"""EC2: instances and images take looks on their way, and a client token starts one instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.responses.general import General
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import Base64EncodedString

from tests.corrections.table import Looks, Script, correct, once, spent

ON_THE_WAY: dict[str, tuple[str, int, Callable[[Looks], int]]] = {
    "pending": ("running", 16, lambda looks: looks.running),
    "stopping": ("stopped", 80, lambda looks: looks.stopping),
    "shutting-down": ("terminated", 48, lambda looks: looks.ending),
}
CODES = {"pending": 0, "shutting-down": 32, "stopping": 64}


def put(instance: Any, state: str) -> None:
    """Put an instance on its way."""
    instance._state.name, instance._state.code, instance.looks_seen = state, CODES[state], 0


@correct(InstanceResponse, "run_instances")
def run(original: Callable[..., Any], _script: Script, response: Any) -> Any:
    """G1, C4: one start for a client token, C2: pending at first."""
    slot = once(response.ec2_backend, "RunInstances", dict(response.params))
    if "answer" not in slot:
        slot["answer"] = original(response)
        for instance in slot["answer"].result.instances:
            put(instance, "pending")
    elif all(each.state in {"shutting-down", "terminated"} for each in slot["answer"].result.instances):
        raise EC2ClientError(
            "IdempotentInstanceTerminated", "The instance of this client token was terminated"
        )
    return slot["answer"]


@correct(InstanceResponse, "stop_instances")
def stop(original: Callable[..., Any], _script: Script, response: Any) -> Any:
    """G1, C2: stopping, then stopped."""
    return turn(original, response, "stopping", {"pending", "running"})


@correct(InstanceResponse, "terminate_instances")
def terminate(original: Callable[..., Any], _script: Script, response: Any) -> Any:
    """G1, C2: shutting-down, then terminated; C4: to repeat it is harmless."""
    return turn(original, response, "shutting-down", {"pending", "running", "stopping", "stopped"})


def turn(original: Callable[..., Any], response: Any, state: str, before: set[str]) -> Any:
    """Let moto do it, and then show those that it changed on their way, the others as they were."""
    asked = response.ec2_backend.get_multi_instances_by_id(response._get_param("InstanceIds", []))
    were = {instance.id: (instance.state, instance.state_code) for instance in asked}
    answer = original(response)
    for instance in asked:
        if were[instance.id][0] in before:
            put(instance, state)
        else:
            instance._state.name, instance._state.code = were[instance.id]
    return answer


@correct(InstanceResponse, "describe_instances")
def describe(original: Callable[..., Any], script: Script, response: Any) -> Any:
    """C2: one more look at every instance that is on its way."""
    for instance in response.ec2_backend.all_instances():
        if instance.state in ON_THE_WAY:
            state, code, looks = ON_THE_WAY[instance.state]
            if spent(instance, looks(script.looks)):
                instance._state.name, instance._state.code = state, code
    return original(response)


@correct(InstanceResponse, "describe_instance_status")
def describe_status(original: Callable[..., Any], script: Script, response: Any) -> Any:
    """C2: a running instance's checks are initializing at first, then ok, or impaired as scripted."""
    answer = original(response)
    for instance in answer.result["InstanceStatuses"]:
        if instance.is_running() and getattr(instance, "checks", None) in {None, "initializing"}:
            broken = instance.image_id in script.impaired_images
            over = spent(instance, script.looks.status)
            instance.checks = ("impaired" if broken else "ok") if over else "initializing"
    return answer


@correct(Instance, "instance_status")
def instance_status(original: Callable[..., Any], _script: Script, instance: Any) -> dict[str, Any]:
    """C2: the status of an instance's checks is what it was last found to be."""
    return original(instance) | (
        {"Status": getattr(instance, "checks", "initializing")} if instance.is_running() else {}
    )


@correct(General, "get_console_output")
def console(original: Callable[..., Any], script: Script, response: Any) -> Any:
    """C2: what the instance wrote, as scripted."""
    answer = original(response)
    answer.result["Output"] = Base64EncodedString.from_raw_string(script.console)
    return answer


# ------------------------------------------------------------------------------------------------ images


@correct(AmisResponse, "create_image")
def create_image(original: Callable[..., Any], _script: Script, response: Any) -> Any:
    """G1, C1: a taken name is refused; the snapshots are tagged too; pending at first."""
    name = response._get_param("Name")
    taken = [image.id for image in response.ec2_backend.amis.values() if image.name == name]
    if taken:
        text = f"AMI name {name} is already in use by AMI {taken[0]}"
        raise EC2ClientError("InvalidAMIName.Duplicate", text)
    specifications = response._get_param("TagSpecifications", [])
    response.params["TagSpecifications"] = [
        each for each in specifications if each["ResourceType"] != "snapshot"
    ]
    answer = original(response)
    image = response.ec2_backend.amis[answer.result["ImageId"]]
    image.state = "pending"
    for each in specifications:
        if each["ResourceType"] == "snapshot":
            image.ebs_snapshot.add_tags({tag["Key"]: tag["Value"] for tag in each["Tags"]})
    return answer


@correct(AmisResponse, "describe_images")
def describe_images(original: Callable[..., Any], script: Script, response: Any) -> Any:
    """C1: pending becomes available, or failed as scripted."""
    for image in response.ec2_backend.amis.values():
        if image.state == "pending" and spent(image, script.looks.image):
            image.state = "failed" if image.name in script.failing_images else "available"
    return original(response)
