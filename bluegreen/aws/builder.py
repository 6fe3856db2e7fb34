"""``AwsBuilder``: image builds on an EC2 instance, its commands by Systems Manager's Run Command.

The instance is started from a launch template, so it has the profile that lets its agent talk to Systems
Manager (Systems Manager user guide, "Configure instance permissions"), or no command ever reaches it. It is
in no Auto Scaling group: a group would replace it when it is stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

from ..clock import SystemClock
from ..core.observation import ErrorClass, Result
from ..ports import (
    BuildCommand,
    BuildLook,
    BuildOutcome,
    CommandRun,
    CreateImage,
    ImageState,
    RunCommand,
    StartInstance,
    StopInstance,
    TerminateInstance,
)
from .clients import Clients
from .errors import AwsError, Refused, classify, code_of, words
from .names import BUILD_TAG, tag_list, tags
from .routing import Raw

if TYPE_CHECKING:
    import boto3

    from ..ports import Clock

DELIVERY_SECONDS = 600
LONGEST_COMMAND_SECONDS = 172_800
"""Systems Manager, document AWS-RunShellScript: executionTimeout is at most 48 hours."""
OUTPUT_BYTES = 2_000
"""ListCommandInvocations shows the first 2,500 characters, and the end of an output is what tells."""

_IMAGE_STATES: dict[str, ImageState] = {
    "pending": "pending",
    "transient": "pending",
    "available": "available",
}

ONCE = """\
d=/run/bluegreen-{token}-{index}
if mkdir "$d"; then
(
{text}
) >"$d/output" 2>&1
echo $? >"$d/ending" && mv "$d/ending" "$d/ended"
fi
[ -d "$d" ] || exit 125
while [ ! -e "$d/ended" ]; do sleep 1; done
tail -c {bytes} "$d/output"
exit "$(cat "$d/ended")"
"""
"""A command that runs once however often it is sent, for SendCommand has no token. What it remembers lies in
``/run``, in memory, so it does not get into the image."""


class AwsBuilder:
    """Builds images in the account and Region of a boto3 session.

    Args:
        session: A boto3 session; None makes one from the environment.
        endpoint_url: Where all services are, for tests and private clouds; None is AWS.
        subnet: Where the build instance is started; None leaves it to the template, or to the default VPC.
        call_seconds: How long one answer may take.
        clock: Time; the system's by default.

    Attributes:
        clock: The time that looks are stamped with.
        clients: boto3 clients, for reading and for writing.
    """

    def __init__(
        self,
        session: boto3.Session | None = None,
        *,
        endpoint_url: str | None = None,
        subnet: str | None = None,
        call_seconds: float = 20,
        clock: Clock | None = None,
    ) -> None:
        """Make no call yet."""
        self.clients = Clients(session, endpoint_url=endpoint_url, call_seconds=call_seconds)
        self.clock: Clock = clock or SystemClock()
        self._subnet = subnet
        self._ended: Counter[str] = Counter()

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        self.clients.close()

    # ---------------------------------------------------------------------------------------------- looking

    def look(self, token: str, name: str) -> BuildLook:
        """Look for the instance that bears the token, its commands, and the image of that name."""
        seen: dict[str, Any] = {"at": self.clock.now()}
        try:
            seen |= self._seen_instance(token) | self._seen_image(token, name)
        except AwsError as error:
            seen["unread"] = (words(error),)
        return BuildLook(**seen)

    def _seen_instance(self, token: str) -> dict[str, Any]:
        instance = self._instance(token)
        if instance is None:
            return {}
        name, state = instance["InstanceId"], instance["State"]["Name"]
        seen: dict[str, Any] = {"instance": name, "instance_state": state}
        if state in ("running", "stopping", "stopped"):
            runs = self._runs(name, token)
            # A list that lags behind may show the second command and not the first.
            seen["runs"] = tuple([runs[index] for index in takewhile(runs.__contains__, count())])
        if state == "running":
            seen["ready"] = any(each.get("PingStatus") == "Online" for each in self._agents(name))
        return seen

    def _agents(self, instance: str) -> list[Raw]:
        """What Systems Manager knows of the instance's agent: one entry, or none while it is unknown."""
        pages = self.clients.read.ssm.get_paginator("describe_instance_information").paginate(
            Filters=[{"Key": "InstanceIds", "Values": [instance]}]
        )
        return _known(each for page in pages for each in page["InstanceInformationList"])

    def _instance(self, token: str) -> Raw | None:
        """The instance that lives, else the one that was started last of those that can still be seen."""
        pages = self.clients.read.ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": f"tag:{BUILD_TAG}", "Values": [token]}]
        )
        found: list[Raw] = [i for page in pages for r in page["Reservations"] for i in r["Instances"]]
        ending = (
            "terminated",
            "shutting-down",
        )  # the later in this list the better; all others are better still
        found.sort(
            key=lambda i: (
                ending.index(i["State"]["Name"]) if i["State"]["Name"] in ending else len(ending),
                i["LaunchTime"],
            )
        )
        return found[-1] if found else None

    def _runs(self, instance: str, token: str) -> dict[int, CommandRun]:
        """The build's commands that were sent to the instance, by index; of one sent twice the first."""
        pages = self.clients.read.ssm.get_paginator("list_command_invocations").paginate(
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
                found[int(index)] = (sent, _run(invocation))
        return {index: run for index, (_, run) in found.items()}

    def _seen_image(self, token: str, name: str) -> dict[str, Any]:
        image = self._image(name)
        if image is None:
            return {}
        return {
            "image": image["ImageId"],
            "image_state": _IMAGE_STATES.get(image["State"], "failed"),
            "foreign": tags(image.get("Tags", ())).get(BUILD_TAG) != token,
        }

    def _image(self, name: str) -> Raw | None:
        answer = self.clients.read.ec2.describe_images(
            Owners=["self"], Filters=[{"Name": "name", "Values": [name]}], IncludeDisabled=True
        )
        return next(iter(answer["Images"]), None)

    # ----------------------------------------------------------------------------------------------- acting

    def apply(self, command: BuildCommand) -> BuildOutcome:
        """Carry out one command: one request that changes something is sent, once, or none."""
        try:
            self._carry_out(command)
        except Refused as no:
            return BuildOutcome(result=no.error.result, error=no.error, detail=str(no))
        except AwsError as error:
            kind = classify(error)
            return BuildOutcome(result=kind.result, error=kind, detail=words(error))
        return BuildOutcome(result=Result.APPLIED)

    def _carry_out(self, command: BuildCommand) -> None:
        ec2 = self.clients.write.ec2
        match command:
            case StartInstance():
                self._start(command)
            case RunCommand():
                self._run(command)
            case StopInstance(instance=instance):
                ec2.stop_instances(InstanceIds=[instance])
            case CreateImage():
                self._create_image(command)
            case TerminateInstance(instance=instance):
                ec2.terminate_instances(InstanceIds=[instance])

    def _start(self, command: StartInstance) -> None:
        marks = tag_list(service=command.service, build=command.token)
        marks.append({"Key": "Name", "Value": f"build of {command.name}"})
        where: dict[str, Any] = {} if self._subnet is None else {"SubnetId": self._subnet}
        ended = self._ended[command.request]
        try:
            self.clients.write.ec2.run_instances(
                LaunchTemplate={
                    "LaunchTemplateName": command.launch_template,
                    "Version": "$Default" if command.version is None else str(command.version),
                },
                MinCount=1,
                MaxCount=1,
                ClientToken=f"{command.request}-{ended}" if ended else command.request,
                TagSpecifications=[
                    {"ResourceType": "instance", "Tags": marks},
                    {"ResourceType": "volume", "Tags": marks},
                ],
                **where,
            )
        except AwsError as error:
            if code_of(error) == "IdempotentInstanceTerminated":
                # The instance of an earlier run, ended so long ago that it cannot be seen any more. The next
                # token gives one that lives, should a run in between have started it, or a new one.
                self._ended[command.request] += 1
                raise Refused(
                    ErrorClass.BUSY, f"{words(error)}: asking again under the next token"
                ) from error
            raise

    def _run(self, command: RunCommand) -> None:
        if command.index in self._runs(command.instance, command.token):
            return
        script = ONCE.format(token=command.token, index=command.index, text=command.text, bytes=OUTPUT_BYTES)
        self.clients.write.ssm.send_command(
            InstanceIds=[command.instance],
            DocumentName="AWS-RunShellScript",
            Comment=f"{command.token}:{command.index}",
            TimeoutSeconds=DELIVERY_SECONDS,
            Parameters={
                "commands": script.split("\n"),
                "executionTimeout": [str(max(1, min(command.seconds, LONGEST_COMMAND_SECONDS)))],
            },
        )

    def _create_image(self, command: CreateImage) -> None:
        marks = tag_list(service=command.service, build=command.token)
        try:
            self.clients.write.ec2.create_image(
                InstanceId=command.instance,
                Name=command.name,
                TagSpecifications=[
                    {"ResourceType": "image", "Tags": marks},
                    {"ResourceType": "snapshot", "Tags": marks},
                ],
            )
        except AwsError as error:
            if code_of(error) != "InvalidAMIName.Duplicate":
                raise
            image = self._image(command.name)
            if image is None:
                raise Refused(ErrorClass.LOST, f"{words(error)}; and it cannot be seen yet") from error
            if tags(image.get("Tags", ())).get(BUILD_TAG) != command.token:
                raise Refused(ErrorClass.CONFLICT, words(error)) from error


def _known(entries: Iterator[Raw]) -> list[Raw]:
    """All entries; none of an instance whose agent does not run, or has not told of itself yet."""
    try:
        return list(entries)
    except AwsError as error:
        if code_of(error) == "InvalidInstanceId":
            return []
        raise


def _run(invocation: Raw) -> CommandRun:
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
