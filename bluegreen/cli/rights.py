"""``bluegreen policy``: the IAM policies that bluegreen needs, as JSON; nobody is asked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from bluegreen import read_plan

from .exits import Exit
from .options import Command, journal_option, json_option, optional_plan_file
from .output import Output

LEVELS = ("observe", "shift", "manage")
"""As in ``bluegreen.aws.rights``, which would load boto3 for each ``--help``."""


def _account(_context: click.Context, _option: click.Parameter, text: str) -> str:
    if not re.fullmatch(r"[0-9]{12}|\*", text):
        raise click.BadParameter(f"{text!r} is no account's number of 12 digits")
    return text


def _names(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Names of roles with their paths: of an ARN, what a role's ARN ends with."""
    names = tuple([re.sub(r"arn:[a-z-]+:iam::[0-9]{12}:role/", "", text) for text in texts])
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_+=,.@/*-]+", name):
            raise click.BadParameter(f"{name!r} is no name or ARN of a role")
    return names


def _arn(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        if not re.match(r"arn:[a-z-]+:(sns|events):", text):
            raise click.BadParameter(f"{text!r} is no ARN of an SNS topic or an EventBridge bus")
    return texts


@click.command(cls=Command, short_help="Print an IAM policy with the rights that it takes.")
@click.argument("level", type=click.Choice(LEVELS))
@optional_plan_file
@click.option(
    "--account", metavar="ID", default="*", callback=_account, help="The account's number.  [default: any]"
)
@click.option("--region", metavar="REGION", default="*", help="The Region.  [default: any of `aws`]")
@click.option(
    "--role",
    "roles",
    metavar="NAME",
    multiple=True,
    callback=_names,
    help="The role of the instance profile that the launch template names; may be given again.  "
    "[default: any]",
)
@click.option(
    "--notify",
    "notified",
    metavar="ARN",
    multiple=True,
    callback=_arn,
    help="An SNS topic or EventBridge bus that a listener tells; may be given again.",
)
@journal_option
@json_option
@click.pass_obj
def policy(output: Output, /, level: str, file: Path | None, roles: tuple[str, ...], **scope: Any) -> int:
    """Print the IAM policy with the rights of a level; each has those before it.

    `observe` looks: list, status, history. `shift` adds what writes a team's journal, for approve, pause,
    resume, abort and unlock; and what moves users between groups that stand, which no command does alone.
    `manage` deploys, builds images and cleans up.

    With FILE it is limited to what the plan names by ARN or name; what only an id leads to (launch templates,
    listeners unless the plan has their ARN, instances, images, snapshots, volumes) and, without FILE,
    groups too, to what bears the tag bluegreen:service.
    """
    from bluegreen.aws.policy import MANAGED_POLICY_SIZE, Scope, size
    from bluegreen.aws.policy import policy as of

    plan = read_plan(file) if file else None
    document = of(level, Scope(plan=plan, roles=roles or ("*",), **scope))  # type: ignore[arg-type]  # a Choice
    for line in json.dumps(document, indent=2).splitlines():
        output.say(line)
    if (characters := size(document)) > MANAGED_POLICY_SIZE:
        output.note(
            f"{characters} characters are more than a managed policy may have ({MANAGED_POLICY_SIZE}): embed "
            "it in its role, which may have 10240"
        )
    output.result("bluegreen.policy/1", {"level": level, "policy": document})
    return Exit.DONE


COMMANDS = (policy,)
