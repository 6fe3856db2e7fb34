"""``AwsBuilder``: image builds on an EC2 instance, its commands by Systems Manager or by SSH.

The instance is started from a launch template, which gives it what commands need to reach it: see
``remote.py`` and ``ssh.py``. It is in no Auto Scaling group: a group would replace it when it is stopped.
"""

from __future__ import annotations

from collections import Counter
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

from ..clock import SystemClock
from ..core.observation import ErrorClass, Result
from ..ports import (
    BuildCommand,
    BuildLook,
    BuildOutcome,
    CreateImage,
    ImageState,
    RunCommand,
    StartInstance,
    StopInstance,
    TerminateInstance,
)
from .clients import Clients
from .errors import AwsError, Refused, classify, code_of, words
from .names import BUILD_TAG, DONE_TAG, tag_list, tags
from .remote import Remote, SystemsManager
from .routing import Raw
from .ssh import Ssh, SshRemote

if TYPE_CHECKING:
    import boto3

    from ..ports import Clock

_IMAGE_STATES: dict[str, ImageState] = {
    "pending": "pending",
    "transient": "pending",
    "available": "available",
}


class AwsBuilder:
    """Builds images in the account and Region of a boto3 session.

    Args:
        session: A boto3 session; None makes one from the environment.
        endpoint_url: Where all services are, for tests and private clouds; None is AWS.
        subnet: Where the build instance is started; None leaves it to the template, or to the default VPC.
        call_seconds: How long one answer may take.
        clock: Time; the system's by default.
        ssh: How the instance is reached by SSH; None lets Systems Manager run the commands.

    Attributes:
        clock: The time that looks are stamped with.
        clients: boto3 clients, for reading and for writing.
        remote: How commands get onto the instance.

    Raises:
        MissingExtra: If SSH is asked for and the extra ``ssh`` is not installed.
        PlanError: If the key or the known hosts cannot be read.
    """

    def __init__(
        self,
        session: boto3.Session | None = None,
        *,
        endpoint_url: str | None = None,
        subnet: str | None = None,
        call_seconds: float = 20,
        clock: Clock | None = None,
        ssh: Ssh | None = None,
    ) -> None:
        """Make no call yet."""
        self.clients = Clients(session, endpoint_url=endpoint_url, call_seconds=call_seconds)
        self.clock: Clock = clock or SystemClock()
        self.remote: Remote = SshRemote(self.clients, ssh) if ssh else SystemsManager(self.clients)
        self._subnet = subnet
        self._seen: Raw | None = None
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
        self._seen = instance
        seen: dict[str, Any] = {
            "instance": instance["InstanceId"],
            "instance_state": instance["State"]["Name"],
        }
        if seen["instance_state"] not in ("running", "stopping", "stopped"):
            return seen
        reached = self.remote.look(instance, token)
        # A list that lags behind may show the second command and not the first.
        indices = takewhile(reached.runs.__contains__, count())
        return seen | {
            "ready": reached.ready,
            "runs": tuple([reached.runs[index] for index in indices]),
            "obstacle": reached.obstacle,
            "hopeless": reached.hopeless,
        }

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
                self.remote.run(command)
            case StopInstance():
                self._stop(command)
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

    def _stop(self, command: StopInstance) -> None:
        """Stop it; where nobody could tell then what has run on it, it bears that as a tag first."""
        ec2, instance = self.clients.write.ec2, command.instance
        seen = self._seen if self._seen and self._seen["InstanceId"] == instance else {}
        if self.remote.forgets and DONE_TAG not in tags(seen.get("Tags", ())):
            ec2.create_tags(Resources=[instance], Tags=tag_list(done=str(command.done)))
        else:
            ec2.stop_instances(InstanceIds=[instance])

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
