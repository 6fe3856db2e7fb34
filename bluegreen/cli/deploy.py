"""``bluegreen deploy``: a plan, carried out on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import attrs
import click
from attrs import frozen

from bluegreen import read_plan
from bluegreen.core.errors import Fault, PlanError
from bluegreen.core.plan import Hook, Plan

from .exits import OF_A_DEPLOYMENT
from .folder import Folder
from .options import (
    Command,
    account_options,
    account_state_option,
    image_option,
    json_option,
    plan_file,
    set_option,
    verbose_option,
    version_option,
)
from .output import Output
from .running import Run
from .stopping import Waking, stopping
from .wish import Wish, unfinished

if TYPE_CHECKING:
    from bluegreen.aws import Account


@frozen(kw_only=True)
class Release(Wish):
    """A deployment that is asked for on AWS.

    Args:
        source_version: The launch template version that the new one is made from; None when not said.
        subnets: Where a first release creates its group.
        profile: What ``--profile`` said.
        region: What ``--region`` said.
        endpoint_url: What ``--endpoint-url`` said.
    """

    verb: ClassVar[str] = "deploy"

    source_version: int | None
    subnets: tuple[str, ...]
    profile: str | None
    region: str | None
    endpoint_url: str | None

    @property
    def plan(self) -> Plan:
        """What is wanted, all options considered."""
        plan, source = super().plan, self.source_version
        return plan if source is None else attrs.evolve(plan, source_version=source)

    def options(self) -> Iterator[tuple[str, object]]:
        """The options that say what is wanted and where."""
        yield from super().options()
        yield "--source-version", self.source_version
        yield from (("--subnet", subnet) for subnet in self.subnets)
        yield "--profile", self.profile
        yield "--region", self.region
        yield "--endpoint-url", self.endpoint_url

    def alike(self, plan: Plan) -> Iterator[Self]:
        """The same wish with the options that may make it one for this plan, the clearest first."""
        for source in (None, plan.source_version):
            for other in super().alike(plan):
                yield attrs.evolve(other, source_version=source)


@click.command(cls=Command, codes=OF_A_DEPLOYMENT, short_help="Carry a plan out on AWS.")
@plan_file
@image_option
@version_option
@click.option(
    "--source-version",
    metavar="N",
    type=click.IntRange(1, 2**31),
    help="The launch template version that the new one is made from.  "
    "[default: the file's, else the live one]",
)
@set_option
@click.option(
    "--subnet",
    "subnets",
    metavar="ID",
    multiple=True,
    help="Where the very first release creates its group; may be given again.  "
    "[default: where the other group or the load balancer is]",
)
@account_options
@account_state_option
@verbose_option
@json_option
@click.pass_obj
def deploy(
    output: Output,
    /,
    file: Path,
    sets: tuple[str, ...],
    state: Path | None,
    *,
    verbose: bool,
    **options: Any,
) -> int:
    """Carry out the plan in FILE on AWS.

    Everything that is decided is in the journal before it is done. A deployment that has not ended is
    continued: after a crash, a signal or a halt, say the same again. While a person is awaited, it waits.

    A line for each pass in which something happened: the time since the start, the phase, the percent of
    the requests that blue/green get, what was decided and why.
    """
    plan = read_plan(file, overrides=sets)
    check_hooks(plan, file)
    from bluegreen.aws import Account, AwsCloud

    account = Account.open(**{name: options[name] for name in ("profile", "region", "endpoint_url")})
    folder = Folder.of_account(file, plan.service, state, account=account.id, region=account.region)
    wish = Release(file=file, written=plan, sets=sets, state=state, folder=folder, **options)
    with stopping() as stopped:
        cloud = AwsCloud(account.session, endpoint_url=account.endpoint_url, subnets=wish.subnets)
        with closing(cloud):
            run = _begin(wish, account, cloud, Waking(stopped), output)
            run.follow(stopped, verbose=verbose)
    last = run.told[-1].step.state
    return run.end(more={"account": account.id, "region": account.region, "template_version": last.version})


def check_hooks(plan: Plan, file: Path) -> None:
    """Make sure that the plan asks for no check that only a program can give.

    Raises:
        PlanError: If it does.
    """
    if hooks := [gate.name for gate in plan.gates if isinstance(gate, Hook)]:
        remedy = (
            f"{file} asks for checks of your own ({', '.join(hooks)}), which a command line has not: give "
            "them to bluegreen.Deployment(plan, cloud, journal=..., gates=...), or take these hooks out. "
            "Nothing was done"
        )
        raise PlanError([Fault("", hooks[0], remedy)])


def _begin(wish: Release, account: Account, cloud: Any, clock: Waking, output: Output) -> Run:
    """The deployment that is wanted, or the same one where it was left. Changes nothing if it is another."""
    story = unfinished(wish, wish.folder.journal())
    wish.folder.claim(account.id, account.region)
    journal = wish.folder.journal()
    return Run.of(wish, cloud, journal, output, continued=story is not None, clock=clock)


COMMANDS = (deploy,)
