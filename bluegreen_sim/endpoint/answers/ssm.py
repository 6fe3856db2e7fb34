"""Systems Manager's Run Command, answered by the world: a command is done at once.

Sources: API reference of Systems Manager, version 2014-11-06; user guide, "Understanding command statuses".
"""

from __future__ import annotations

from uuid import UUID

from bluegreen_sim.groups import builds
from bluegreen_sim.world import World

from .. import names
from ..asking import Change, Given, NotSimulated, Read, page, paged
from ..notes import all_about, note, noted
from ..times import moment
from ..wire import AwsError
from .ec2_instances import machines

DOCUMENT = "AWS-RunShellScript"
PLUGIN = "aws:runShellScript"


def _describe_instance_information(world: World, given: Given) -> Given:
    """Running instances: their agents answer as soon as they run."""
    found = [
        machine.id for machine in machines(world) if machine.state == "running" and machine.checks == "ok"
    ]
    listed = [{"key": each["Key"], "valueSet": each["Values"]} for each in given.get("Filters", ())]
    for wanted in [*listed, *given.get("InstanceInformationFilterList", ())]:
        if wanted["key"] != "InstanceIds":
            raise NotSimulated(f"the filter {wanted['key']!r} is not simulated")
        found = [name for name in found if name in wanted["valueSet"]]
    some, following = page(found, given, "MaxResults", "NextToken", 50)
    shown = [
        {
            "InstanceId": name,
            "PingStatus": "Online",
            "LastPingDateTime": moment(world.now),
            "PlatformType": "Linux",
            "ResourceType": "EC2Instance",
        }
        for name in some
    ]
    return paged("InstanceInformationList", shown, "NextToken", following)


def _send_command(world: World, given: Given) -> tuple[World, Given]:
    """Sent twice, it runs twice: there is no client token."""
    if given["DocumentName"] != DOCUMENT:
        raise AwsError("InvalidDocument", f"Document with name {given['DocumentName']} does not exist.")
    if "Targets" in given or len(given.get("InstanceIds", ())) != 1:
        raise NotSimulated("a command goes to one instance, named by its id")
    name = given["InstanceIds"][0]
    build = next((build for build in world.builds if build.id == name), None)
    if build is None or build.state != "running":
        raise AwsError(
            "InvalidInstanceId", f"Instances [[{name}]] not in a valid state for account {names.ACCOUNT}"
        )
    script = "\n".join(given.get("Parameters", {}).get("commands", ()))
    world = builds.run_command(world, name, len(build.runs), script)
    code, output = builds.find_build(world, name).runs[-1]
    command = str(UUID(names.digest(f"{name} {len(build.runs)}", 32)))
    kept = {
        "instance": name,
        "code": code,
        "output": output,
        "at": world.now,
        "comment": given.get("Comment", ""),
        "parameters": given["Parameters"],
    }
    return noted(world, f"command {command}", kept), {"Command": _command(command, kept)}


def _command(command: str, kept: Given) -> Given:
    """As SendCommand answers: nothing has run yet."""
    return {
        "CommandId": command,
        "DocumentName": DOCUMENT,
        "Comment": kept["comment"],
        "InstanceIds": [kept["instance"]],
        "Parameters": kept["parameters"],
        "RequestedDateTime": moment(kept["at"]),
        "Status": "Pending",
        "StatusDetails": "Pending",
        "TargetCount": 1,
    }


def _list_command_invocations(world: World, given: Given) -> Given:
    if given.get("Filters"):
        raise NotSimulated("filters of ListCommandInvocations are not simulated")
    some, following = page(_sent(world, given), given, "MaxResults", "NextToken", 50)
    details = given.get("Details", False)
    shown = [_invocation(command, kept, details=details) for command, kept in some]
    return paged("CommandInvocations", shown, "NextToken", following)


def _list_commands(world: World, given: Given) -> Given:
    if given.get("Filters"):
        raise NotSimulated("filters of ListCommands are not simulated")
    some, following = page(_sent(world, given), given, "MaxResults", "NextToken", 50)
    shown = [
        _command(command, kept) | {"Status": _status(kept), "StatusDetails": _status(kept)}
        for command, kept in some
    ]
    return paged("Commands", shown, "NextToken", following)


def _sent(world: World, given: Given) -> list[tuple[str, Given]]:
    """(id, note) of the commands that were sent, as far as they are asked for."""
    return [
        (command, kept)
        for command, kept in all_about(world, "command")
        if given.get("CommandId", command) == command
        and given.get("InstanceId", kept["instance"]) == kept["instance"]
    ]


def _invocation(command: str, kept: Given, *, details: bool) -> Given:
    ended = {"Status": _status(kept), "StatusDetails": _status(kept)}
    plugin = {
        **ended,
        "Name": PLUGIN,
        "ResponseCode": kept["code"],
        "ResponseStartDateTime": moment(kept["at"]),
        "ResponseFinishDateTime": moment(kept["at"]),
        "Output": kept["output"],
    }
    return {
        **ended,
        "CommandId": command,
        "InstanceId": kept["instance"],
        "Comment": kept["comment"],
        "DocumentName": DOCUMENT,
        "RequestedDateTime": moment(kept["at"]),
        "CommandPlugins": [plugin] if details else [],
    }


def _status(kept: Given) -> str:
    """Success means that the exit code was 0, and nothing else."""
    return "Failed" if kept["code"] else "Success"


def _get_command_invocation(world: World, given: Given) -> Given:
    kept = note(world, f"command {given['CommandId']}")
    if kept is None or kept["instance"] != given["InstanceId"]:
        raise AwsError("InvocationDoesNotExist", "There is no such command on this instance.")
    return {
        "CommandId": given["CommandId"],
        "InstanceId": kept["instance"],
        "Comment": kept["comment"],
        "DocumentName": DOCUMENT,
        "PluginName": PLUGIN,
        "ResponseCode": kept["code"],
        "Status": _status(kept),
        "StatusDetails": _status(kept),
        "StandardOutputContent": kept["output"],
        "StandardErrorContent": "",
    }


READS: dict[str, Read] = {
    "DescribeInstanceInformation": _describe_instance_information,
    "GetCommandInvocation": _get_command_invocation,
    "ListCommandInvocations": _list_command_invocations,
    "ListCommands": _list_commands,
}
CHANGES: dict[str, Change] = {"SendCommand": _send_command}
