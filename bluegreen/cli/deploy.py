"""``bluegreen deploy``: a plan, carried out on AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args

import attrs
import click
from attrs import field, frozen

from bluegreen import Operator, read_plan
from bluegreen.core.errors import Fault, PlanError
from bluegreen.core.gates import Hook
from bluegreen.core.plan import Plan
from bluegreen.journal.history import last
from bluegreen.journal.log import Log
from bluegreen.locking import LockPolicy, take
from bluegreen.ports import Cloud

from .exits import OF_A_DEPLOYMENT, Exit
from .options import (
    Command,
    account_journal_options,
    image_option,
    json_option,
    plan_file,
    set_option,
    verbose_option,
    version_option,
)
from .output import Output
from .running import Run
from .shared import home_in
from .stopping import Stopped, Waking, stopping
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
        journal: What ``--journal`` said.
        lock: What to do while another process deploys the service.
    """

    verb: ClassVar[str] = "deploy"

    source_version: int | None
    subnets: tuple[str, ...]
    profile: str | None
    region: str | None
    endpoint_url: str | None
    journal: str | None
    lock: LockPolicy

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
        yield "--journal", self.journal

    def alike(self, plan: Plan) -> Iterator[Self]:
        """The same wish with the options that may make it one for this plan, the clearest first."""
        for source in (None, plan.source_version):
            for other in super().alike(plan):
                yield attrs.evolve(other, source_version=source)


lock_option = click.option(
    "--lock",
    type=click.Choice(get_args(LockPolicy)),
    default="fail",
    show_default=True,
    help="While another process deploys the service: fail, wait for it in the queue, or supersede its "
    "deployment: ask it to turn back, and wait.",
)


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
@lock_option
@account_journal_options
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
    return carry_out(*wish_of(file, sets, state, **options), output, verbose=verbose)


def wish_of(file: Path, sets: tuple[str, ...], state: Path | None, **options: Any) -> tuple[Release, Account]:
    """The deployment that the options ask for, and where; nothing is changed.

    Raises:
        BlueGreenError: If the plan or the options cannot be, or the credentials lead nowhere.
    """
    plan = read_plan(file, overrides=sets)
    check_hooks(plan, file)
    from bluegreen.aws import Account

    said = {name: options[name] for name in ("profile", "region", "endpoint_url")}
    account = Account.open(**said)
    home = home_in(account, file, plan.service, state=state, journal=options["journal"], said=said)
    return Release(file=file, written=plan, sets=sets, state=state, folder=home, **options), account


def carry_out(wish: Release, account: Account, output: Output, *, verbose: bool) -> int:
    """Carry a deployment out, or go on with it. Returns the exit code.

    Args:
        wish: The deployment.
        account: Where.
        output: Where the lines go.
        verbose: Whether a pass in which nothing happened has a line as well.
    """
    from bluegreen.aws import AwsCloud

    run = None
    with stopping() as stopped:
        cloud = AwsCloud(account.session, endpoint_url=account.endpoint_url, subnets=wish.subnets)
        turn = Turn(wish, cloud, output, stopped, verbose=verbose)
        with closing(cloud), suppress(Stopped):
            run = turn.begin(account)
            run.follow(stopped, verbose=verbose)
    if run is None or not run.told:
        words = f"bluegreen: stopped while waiting to deploy {wish.plan.service}: {turn.left()}"
        output.fault("waiting", words)
        return stopped() or Exit.ERROR
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


@frozen
class Turn:
    """How a release gets its turn.

    Args:
        wish: The release.
        cloud: Where.
        output: Where the lines go.
        stopped: Tells with which code to leave; None as long as nobody asked.
        verbose: Whether a pass in which nothing happened has a line as well.
    """

    wish: Release
    cloud: Cloud
    output: Output
    stopped: Callable[[], Exit | None]
    verbose: bool = field(kw_only=True)

    def begin(self, account: Account) -> Run:
        """The deployment that is wanted, or the same one where it was left. Changes nothing if it is another.

        Raises:
            Unfinished: If another one has not ended, and nobody runs it.
            Stopped: If somebody asked to stop while it waited.
        """
        wish = self.wish
        if wish.lock != "fail":
            self._wait()
        story = unfinished(wish, wish.folder.journal())
        wish.folder.claim(account.id, account.region)
        return self._run(wish, continued=story is not None)

    def _run(self, wish: Release, *, continued: bool) -> Run:
        options = {"clock": Waking(self.stopped), "lock": wish.lock}
        return Run.of(wish, self.cloud, wish.folder.journal(), self.output, continued=continued, **options)

    def _wait(self) -> None:
        """Until nobody deploys the service; what is superseded and was left by a dead process goes back."""
        journal, service = self.wish.folder.journal(), self.wish.plan.service
        log, story = Log(journal, service), last(journal, service)
        ours = story.state.ledger.deployment_id if story and story.plan == self.wish.plan else None
        take(
            log, self.wish.lock, Waking(self.stopped), ours=ours, waits=lambda who: self.output.note(f"{who}")
        )
        log.release()
        story = last(journal, service)
        if self.wish.lock != "supersede" or story is None or story.state.phase.ended:
            return
        if story.plan != self.wish.plan:
            self.output.note(f"turning {story.state.ledger.deployment_id} back")
            Operator(journal, service, by=log.name).abort("superseded by another deployment")
            self._run(self.wish, continued=True).follow(self.stopped, verbose=self.verbose)
            if self.stopped():
                raise Stopped

    def left(self) -> str:
        """What a release leaves behind that never got its turn."""
        journal, service = self.wish.folder.journal(), self.wish.plan.service
        story, name = last(journal, service), Log(journal, service).name
        if story is None or not any(record.body["by"] == name for record in story.requests):
            return "nothing was done"
        asked = (
            f"{story.state.ledger.deployment_id} was asked to turn back, and is in {story.state.phase.value}"
        )
        return f"{asked}; go on: {self.wish.again} --lock supersede"


COMMANDS = (deploy,)
