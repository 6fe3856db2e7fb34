"""How commands get onto a build instance: the script that runs each once, and Systems Manager's Run Command.

Systems Manager reaches an instance whose profile lets its agent talk to it (Systems Manager user guide,
"Configure instance permissions"). The other way is ``ssh.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from attrs import Factory, frozen

from ..ports import CommandRun, RunCommand
from .clients import Clients
from .errors import AwsError, code_of
from .routing import Raw

DELIVERY_SECONDS = 600
LONGEST_COMMAND_SECONDS = 172_800
"""Systems Manager, document AWS-RunShellScript: executionTimeout is at most 48 hours."""
OUTPUT_BYTES = 2_000
"""ListCommandInvocations shows the first 2,500 characters, and the end of an output is what tells."""

_RUN = """\
d=/run/bluegreen-{token}-{index}
if mkdir "$d"; then {{
(
{text}
) >"$d/output" 2>&1
echo $? >"$d/ending" && tail -c {bytes} "$d/output" >"$d/told" && mv "$d/ending" "$d/ended"
}} {how}
fi
[ -d "$d" ] || exit 125
"""
_WAIT = """\
while [ ! -e "$d/ended" ]; do sleep 1; done
cat "$d/told"
exit "$(cat "$d/ended")"
"""
_DETACHED = "</dev/null >/dev/null 2>&1 &"


def once(command: RunCommand) -> str:
    """A script that runs a command once however often it is sent, waits for its end, and ends as it did.

    What it remembers lies in ``/run``, in memory, so it does not get into the image.
    """
    return _run(command, "") + _WAIT


def begun(command: RunCommand) -> str:
    """The same, but it does not wait."""
    return "trap '' HUP\n" + _run(command, _DETACHED)


def _run(command: RunCommand, how: str) -> str:
    return _RUN.format(
        token=command.token, index=command.index, text=command.text, bytes=OUTPUT_BYTES, how=how
    )


@frozen(kw_only=True)
class Reached:
    """What a look at a build instance found.

    Args:
        ready: Whether it takes commands now.
        runs: The build's commands that were begun on it, by index.
        obstacle: Why it takes none, for people.
        hopeless: Whether waiting cannot help.
    """

    ready: bool = False
    runs: Mapping[int, CommandRun] = Factory(dict)
    obstacle: str = ""
    hopeless: bool = False


class Remote(Protocol):
    """A way to run commands on a build instance, as root."""

    forgets: ClassVar[bool]
    """Whether what has run on an instance cannot be seen once it is stopped."""

    def look(self, instance: Raw, token: str) -> Reached:
        """Whether a running or stopped instance takes commands, and how those of a build stand."""

    def run(self, command: RunCommand) -> None:
        """Begin a command; at most once, however often it is asked."""


class SystemsManager:
    """Systems Manager's Run Command.

    Args:
        clients: boto3 clients.
    """

    forgets: ClassVar[bool] = False

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def look(self, instance: Raw, token: str) -> Reached:
        """What Systems Manager lists."""
        name = instance["InstanceId"]
        runs = self.runs(name, token)
        running = instance["State"]["Name"] == "running"
        ready = running and any(each.get("PingStatus") == "Online" for each in self._agents(name))
        return Reached(ready=ready, runs=runs)

    def run(self, command: RunCommand) -> None:
        """Send a command, unless it is listed already."""
        if command.index in self.runs(command.instance, command.token):
            return
        self._clients.write.ssm.send_command(
            InstanceIds=[command.instance],
            DocumentName="AWS-RunShellScript",
            Comment=f"{command.token}:{command.index}",
            TimeoutSeconds=DELIVERY_SECONDS,
            Parameters={
                "commands": once(command).split("\n"),
                "executionTimeout": [str(max(1, min(command.seconds, LONGEST_COMMAND_SECONDS)))],
            },
        )

    def _agents(self, instance: str) -> list[Raw]:
        """What Systems Manager knows of the instance's agent: one entry, or none while it is unknown."""
        pages = self._clients.read.ssm.get_paginator("describe_instance_information").paginate(
            Filters=[{"Key": "InstanceIds", "Values": [instance]}]
        )
        return _known(each for page in pages for each in page["InstanceInformationList"])

    def runs(self, instance: str, token: str) -> dict[int, CommandRun]:
        """The build's commands that were sent to the instance, by index; of one sent twice the first."""
        pages = self._clients.read.ssm.get_paginator("list_command_invocations").paginate(
            InstanceId=instance, Details=True
        )
        found: dict[int, tuple[Any, CommandRun]] = {}
        for invocation in _known(each for page in pages for each in page["CommandInvocations"]):
            whose, _, index = invocation.get("Comment", "").rpartition(":")
            if whose != token or not index.isdigit():
                continue
            sent = invocation.get("RequestedDateTime")
            before = found.get(int(index))
            if before is None or (sent is not None and sent < before[0]):
                found[int(index)] = (sent, ended(invocation))
        return {index: run for index, (_, run) in found.items()}


def _known(entries: Iterator[Raw]) -> list[Raw]:
    """All entries; none of an instance whose agent does not run, or has not told of itself yet."""
    try:
        return list(entries)
    except AwsError as error:
        if code_of(error) == "InvalidInstanceId":
            return []
        raise


def ended(invocation: Raw) -> CommandRun:
    """How an invocation stands. What did not end by itself did not end well."""
    status = invocation["Status"]
    if status in ("Pending", "InProgress", "Delayed", "Cancelling"):
        return CommandRun()
    plugins: Sequence[Raw] = invocation.get("CommandPlugins", ())
    output = "".join(str(plugin.get("Output", "")) for plugin in plugins)
    if status == "Success":
        return CommandRun(exit_code=0, output=output)
    code = next((plugin["ResponseCode"] for plugin in plugins if plugin.get("ResponseCode")), -1)
    details = invocation.get("StatusDetails", status)
    return CommandRun(exit_code=code, output=output if details == "Failed" else f"{output}\n{details}")
