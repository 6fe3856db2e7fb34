"""Systems Manager: a command runs on the named instances alone, once their agents are online."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ssm.exceptions import SSMException
from moto.ssm.responses import SimpleSystemManagerResponse

from tests.corrections.table import Script, correct, spent

PLUGIN = "aws:runShellScript"


def agents(script: Script, response: Any) -> set[str]:
    """One more look: the ids of the instances whose agents are online."""
    online = set()
    for instance in ec2_backends[response.current_account][response.region].all_instances():
        known = getattr(instance, "agent_online", False)
        if instance.is_running() and (known or spent(instance, script.looks.agent)):
            instance.agent_online = True
            online.add(instance.id)
    return online


@correct(SimpleSystemManagerResponse, "describe_instance_information")
def describe(_original: None, script: Script, response: Any) -> ActionResult:
    """G1: moto has no DescribeInstanceInformation; C6: an agent is unknown until it is online."""
    online = agents(script, response)
    asked = [(each["Key"], each["Values"]) for each in response._get_param("Filters", [])]
    asked += [
        (each["key"], each["valueSet"]) for each in response._get_param("InstanceInformationFilterList", [])
    ]
    for key, values in asked:
        online &= set(values) if key == "InstanceIds" else online
    found = [{"InstanceId": each, "PingStatus": "Online", "PlatformType": "Linux"} for each in sorted(online)]
    return ActionResult({"InstanceInformationList": found})


@correct(SimpleSystemManagerResponse, "send_command")
def send(original: Callable[..., Any], script: Script, response: Any) -> ActionResult:
    """G1, C6: run on exactly the named instances, refused while one's agent is not online."""
    ids = list(response._get_param("InstanceIds", []))
    if not set(ids) <= agents(script, response):
        raise SSMException("InvalidInstanceId", f"Instances {ids} not in a valid state for account")
    told = original(response).result["Command"]
    command = response.ssm_backend.get_command_by_id(told["CommandId"])
    command.instance_ids = ids
    text = "\n".join(command.parameters.get("commands", []))
    command.invocations = []
    for each in ids:
        exit_code, output = script.run_command(text)
        script.commands.append((each, text))
        command.invocations.append(
            command.invocation_response(each, PLUGIN) | {"looks": 0, "ends": exit_code, "writes": output}
        )
    command.status = "Pending"
    return ActionResult({"Command": command.response_object()})


def look(script: Script, invocation: dict[str, Any]) -> dict[str, Any]:
    """One more look at a command on an instance."""
    stage = invocation["looks"] // script.looks.command if script.looks.command else 2
    invocation["looks"] += 1
    ended = stage > 1 and invocation["ends"] is not None
    on_the_way = "InProgress" if stage else "Pending"
    status = ("Failed" if invocation["ends"] else "Success") if ended else on_the_way
    return invocation | {
        "Status": status,
        "StatusDetails": status,
        "ResponseCode": invocation["ends"] if ended else -1,
        "StandardOutputContent": invocation["writes"] if ended else "",
    }


@correct(SimpleSystemManagerResponse, "list_command_invocations")
def list_invocations(_original: None, script: Script, response: Any) -> ActionResult:
    """G1: moto has no ListCommandInvocations; the newest first, outputs with Details only."""
    command_id, instance = response._get_param("CommandId"), response._get_param("InstanceId")
    found = [
        (command, look(script, invocation))
        for command in reversed(response.ssm_backend._commands)
        for invocation in command.invocations
        if command_id in {None, command.command_id} and instance in {None, invocation["InstanceId"]}
    ]
    details = response._get_param("Details")
    return ActionResult(
        {
            "CommandInvocations": [
                {
                    "CommandId": command.command_id,
                    "InstanceId": told["InstanceId"],
                    "Comment": command.comment,
                    "DocumentName": command.document_name,
                    "RequestedDateTime": command.requested_date_time,
                    "Status": told["Status"],
                    "StatusDetails": told["StatusDetails"],
                    "CommandPlugins": [plugin(told)] if details else [],
                }
                for command, told in found
            ]
        }
    )


def plugin(told: dict[str, Any]) -> dict[str, Any]:
    """The one step of a command."""
    return {
        "Name": PLUGIN,
        "Status": told["Status"],
        "StatusDetails": told["StatusDetails"],
        "ResponseCode": told["ResponseCode"],
        "Output": told["StandardOutputContent"],
    }


@correct(SimpleSystemManagerResponse, "get_command_invocation")
def get_invocation(original: Callable[..., Any], script: Script, response: Any) -> ActionResult:
    """G1, C6: Pending, InProgress, then Success or Failed with its exit code and output."""
    original(response)  # raises when there is none
    command = response.ssm_backend.get_command_by_id(response._get_param("CommandId"))
    instance = response._get_param("InstanceId")
    return ActionResult(
        look(script, next(each for each in command.invocations if each["InstanceId"] == instance))
    )
