"""``bluegreen image build``: an image with the new code, made on a build instance on AWS."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from attrs import define, field

from bluegreen import ImageBuild, read_plan
from bluegreen.image import BuildPhase, BuildStep
from bluegreen.ports import Builder

from .exits import Exit
from .options import Command, F, account_options, json_option, plan_file
from .output import Output
from .running import building
from .stopping import Stopped, Waking, stopping
from .telling import clock

if TYPE_CHECKING:
    from bluegreen.aws import Account


@click.group(short_help="Make images.")
def image() -> None:
    """Make the images that are deployed."""


def _seconds(name: str, words: str) -> Callable[[Any], Any]:
    """An option for one of a build's deadlines."""
    default = attrs.fields_dict(ImageBuild)[name].default
    kind = click.IntRange(1, 30 * 86_400)
    option = f"--{name.replace('_', '-')}"
    return click.option(option, metavar="S", type=kind, default=default, show_default=True, help=words)


def ssh_options(function: F) -> F:
    """The options that say how the build instance is reached by SSH: ``ssh``, ``ssh_user`` and so on."""
    file = click.Path(dir_okay=False, path_type=Path)
    for option in (
        click.option(
            "--ssh-port", metavar="N", type=click.IntRange(1, 65535), help="Its port.  [default: 22]"
        ),
        click.option(
            "--ssh-host", metavar="HOST", help="Where it is, if not at its own address: the end of a tunnel."
        ),
        click.option(
            "--ssh-private",
            is_flag=True,
            default=None,
            help="By its private address though it has a public one.",
        ),
        click.option(
            "--ssh-known-hosts",
            metavar="FILE",
            type=file,
            help="The host keys that are accepted.  [default: those that it wrote on its console]",
        ),
        click.option(
            "--ssh-key",
            "ssh_key_file",
            metavar="FILE",
            type=file,
            help="The private key.  [default: those of the agent and of ~/.ssh]",
        ),
        click.option(
            "--ssh-user", metavar="NAME", help="Whom to log in as.  [default: as the image's name tells]"
        ),
        click.option(
            "--ssh",
            is_flag=True,
            help="Run the commands by SSH; so does any other option of SSH.  [default: by Systems Manager]",
        ),
    ):
        function = option(function)
    return function


@image.command("build", cls=Command, codes=(Exit.TERMINATED,), short_help="Make an image on AWS.")
@plan_file
@click.option(
    "--command",
    "commands",
    metavar="TEXT",
    multiple=True,
    required=True,
    help="A shell command that brings the new code; may be given again. Each runs in a shell of its own, so "
    "say 'cd /srv/app && git checkout v2' in one.",
)
@click.option(
    "--revision", metavar="R", help="What is built, for people: a commit or a tag. Part of the default name."
)
@click.option(
    "--name", metavar="NAME", help="The image's name.  [default: made of service, revision, digest]"
)
@click.option(
    "--template-version",
    "version",
    metavar="N",
    type=click.IntRange(1, 2**31),
    help="The launch template version to start from.  [default: the template's default version]",
)
@click.option(
    "--subnet", metavar="ID", help="Where the build instance is started.  [default: as the template says]"
)
@ssh_options
@_seconds("command_seconds", "How long each command may take.")
@_seconds("image_seconds", "How long the image may take to become available.")
@account_options
@json_option
@click.pass_obj
def build(
    output: Output,
    /,
    file: Path,
    subnet: str | None,
    *,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    **options: Any,
) -> int:
    """Make an image for the service in FILE.

    An instance is started from the plan's launch template, runs the commands by Systems Manager or by SSH,
    is stopped and made an image of, and goes away. The commands run as root, in their order; each must end
    with 0.

    Nothing is made twice: the same command goes on with a build that was left half-way, and finds the
    image of one that has ended.
    """
    plan = read_plan(file)
    by_ssh = options.pop("ssh")
    said = {key: options.pop(key) for key in [*options] if key.startswith("ssh_")}
    reached = {key.removeprefix("ssh_"): value for key, value in said.items() if value is not None}
    wanted = ImageBuild(
        service=plan.service,
        launch_template=plan.launch_template,
        **{key: value for key, value in options.items() if value is not None},
    )
    from bluegreen.aws import Account, AwsBuilder, Ssh

    ssh = Ssh(**reached) if by_ssh or reached else None

    account = Account.open(profile=profile, region=region, endpoint_url=endpoint_url)
    with stopping() as stopped:
        builder = AwsBuilder(
            account.session, endpoint_url=endpoint_url, subnet=subnet, clock=Waking(stopped), ssh=ssh
        )
        with closing(builder):
            making = Making(wanted, output)
            making.follow(builder, stopped)
    leading = {"--profile": profile, "--region": region, "--endpoint-url": endpoint_url}
    words = [word for name, value in leading.items() if value is not None for word in (name, value)]
    return making.end(account, ["bluegreen", "deploy", str(file)], words)


@define
class Making:
    """An image build as it goes on.

    Args:
        wanted: What is wanted.
        output: Where the lines go.
    """

    wanted: ImageBuild
    output: Output
    lines: list[dict[str, Any]] = field(factory=list, init=False)
    last: BuildStep | None = field(default=None, init=False)
    stopped: Exit | None = field(default=None, init=False)

    def follow(self, builder: Builder, stopped: Callable[[], Exit | None]) -> None:
        """Pass after pass, until it ends or somebody asks to stop."""
        started = builder.clock.now()
        with suppress(Stopped):
            for step, phase, happened in building(self.wanted, builder):
                self.last = step
                if happened:
                    second = builder.clock.now() - started
                    self.lines.append({"second": second, "phase": phase.value, "reason": step.reason})
                    self.output.say(f"{clock(second)}  {phase.value:<8}  {step.reason}")
                if stopped() is not None:
                    break
        self.stopped = stopped()

    def end(self, account: Account, deploy: list[str], options: list[str]) -> Exit:
        """The summary and the object. Returns the exit code.

        Args:
            account: Where it was built.
            deploy: The words of the next command.
            options: Those that lead to the account.
        """
        assert self.last is not None, "a build has at least one pass"
        state, wanted = self.last.state, self.wanted
        ok = state.phase is BuildPhase.DONE
        code, following = Exit.DONE, None
        reason = state.failure or (f"image {state.image} is available" if ok else self.last.reason)
        if ok:
            following = shlex.join([*deploy, "--image", str(state.image), *options])
            self.output.say(f"{wanted.name}: {reason}")
            self.output.say(f"deploy it: {following}")
        elif state.phase.ended:
            code = Exit.ERROR
            self.output.say(f"{wanted.name}: no image: {reason}")
        else:
            code = self.stopped or Exit.ERROR
            self.output.say(f"{wanted.name}: stopped in {state.phase.value}: {reason}")
            self.output.say("the same command goes on")
        for left in state.leftovers:
            self.output.say(f"left over: {left}")
        self.output.result(
            "bluegreen.image/1",
            {
                "service": wanted.service,
                "account": account.id,
                "region": account.region,
                "ok": ok,
                "image": state.image if ok else None,
                "name": wanted.name,
                "revision": wanted.revision,
                "launch_template": wanted.launch_template,
                "template_version": wanted.version,
                "phase": state.phase.value,
                "reason": reason,
                "instance": state.instance,
                "leftovers": state.leftovers,
                "next": following,
                "steps": self.lines,
                "exit_code": int(code),
            },
        )
        return code


COMMANDS = (image,)
