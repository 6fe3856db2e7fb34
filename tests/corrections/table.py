"""What the corrections of moto share: how one is written, how all are applied, and what tests may script."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from attrs import Factory, define, frozen
from moto.ec2.exceptions import EC2ClientError


@define(kw_only=True)
class Looks:
    """How often something is shown on its way before it is where it goes; 0: it is there at the first look.

    What is counted are answers of one operation, not seconds, so a test is exact whatever its speed.

    Args:
        pending: ``Pending`` of a group's new instance (DescribeAutoScalingGroups).
        initial: ``initial`` of a new target (DescribeTargetHealth of its target group).
        draining: ``draining`` of a target that leaves (the same).
        terminating: ``Terminating`` of an instance behind no target group (DescribeAutoScalingGroups).
        running: ``pending`` of an instance started by RunInstances (DescribeInstances).
        stopping: ``stopping`` (DescribeInstances).
        ending: ``shutting-down`` after TerminateInstances (DescribeInstances).
        status: ``initializing`` of a running instance (DescribeInstanceStatus).
        image: ``pending`` of a new image (DescribeImages).
        agent: How long a running instance's agent is unknown (DescribeInstanceInformation, or a refused
            SendCommand).
        command: Each of ``Pending`` and ``InProgress`` (ListCommandInvocations, GetCommandInvocation).
    """

    pending: int = 1
    initial: int = 1
    draining: int = 2
    terminating: int = 1
    running: int = 1
    stopping: int = 1
    ending: int = 1
    status: int = 1
    image: int = 1
    agent: int = 1
    command: int = 1


def well(text: str) -> tuple[int | None, str]:
    """What a command does unless a test says otherwise: nothing, and well."""
    return 0, f"ran {text}"


@define
class Script:
    """What a test may say of the world behind the server; ``MotoServer.reset`` makes a new one.

    Args:
        looks: How long things take, in looks.
        broken_images: Targets started from these are never healthy.
        sick: Ids of instances that are unhealthy as targets, from now on.
        impaired_images: Instances started from these end their status checks ``impaired``.
        failing_images: Names of images that end ``failed``.
        launch_failures: Groups that launch nothing for the next n answers of DescribeAutoScalingGroups
            (``math.inf``: never), each of which adds a Failed activity.
        launch_words: Why; None: there is no capacity.
        run_command: Gives a shell command's exit code (None: it never ends) and output.
        commands: Every (instance, command) that was run, in order.
        console: What every instance wrote on its console.
        refreshes: The states of groups' instance refreshes, the newest first.
    """

    looks: Looks = Factory(Looks)
    broken_images: set[str] = Factory(set)
    sick: set[str] = Factory(set)
    impaired_images: set[str] = Factory(set)
    failing_images: set[str] = Factory(set)
    launch_failures: dict[str, float] = Factory(dict)
    launch_words: str | None = None
    run_command: Callable[[str], tuple[int | None, str]] = well
    commands: list[tuple[str, str]] = Factory(list)
    console: str = ""
    refreshes: dict[str, list[str]] = Factory(dict)

    def fail_launches(self, group: str, looks: float = math.inf) -> None:
        """Let a group launch nothing for so many looks."""
        self.launch_failures[group] = looks


def spent(thing: Any, looks: int) -> bool:
    """Count one more look at ``thing``; whether it was shown as it is often enough before."""
    seen = getattr(thing, "looks_seen", 0)
    thing.looks_seen = 0 if seen >= looks else seen + 1
    return seen >= looks


def once(backend: Any, asked: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """The slot of a request's client token: empty the first time, and then as it was filled.

    Another request with the same token is refused. Without a token every slot is new.
    """
    token = fields.get("ClientToken")
    sent = repr(sorted((name, repr(value)) for name, value in fields.items() if name != "ClientToken"))
    if token is None:
        return {}
    tokens = backend.__dict__.setdefault("client_tokens", {})
    slot = tokens.setdefault((asked, token), {"sent": sent})
    if slot["sent"] != sent:
        raise EC2ClientError(
            "IdempotentParameterMismatch", f"Client token {token} was used with other parameters"
        )
    return slot


@frozen
class Correction:
    """One attribute of moto, and what stands in its place.

    ``function`` is called with moto's own attribute, the script, and whatever the caller gave.
    """

    owner: type
    attribute: str
    function: Callable[..., Any]


CORRECTIONS: list[Correction] = []


def correct(owner: type, attribute: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put the decorated function in the place of ``owner.attribute``."""

    def note(function: Callable[..., Any]) -> Callable[..., Any]:
        CORRECTIONS.append(Correction(owner, attribute, function))
        return function

    return note


@contextmanager
def applied(script: Callable[[], Script]) -> Iterator[None]:
    """Moto as corrected; as it was at the end."""
    with ExitStack() as stack:
        for row in CORRECTIONS:
            original = inspect.getattr_static(row.owner, row.attribute, None)
            stack.enter_context(
                patch.object(row.owner, row.attribute, _bound(row, original, script), create=original is None)
            )
        yield


def _bound(row: Correction, original: Any, script: Callable[[], Script]) -> Any:
    inner = original.fget if isinstance(original, property) else original

    def corrected(this: Any, *args: Any, **kwargs: Any) -> Any:
        return row.function(inner, script(), this, *args, **kwargs)

    return property(corrected) if isinstance(original, property) else corrected
