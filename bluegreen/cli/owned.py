"""``bluegreen list``, ``cleanup`` and ``destroy``: what is ours in the account, and how it goes away."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from attrs import frozen

from bluegreen import read_plan
from bluegreen.clock import SystemClock
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase
from bluegreen.journal.history import Story, stories

from .exits import Exit
from .options import (
    Command,
    account_journal_options,
    account_options,
    json_option,
    optional_plan_file,
    plan_file,
)
from .output import Output
from .shared import home_in
from .stopping import Stopped, Waking, stopping

if TYPE_CHECKING:
    from bluegreen.aws import Account
    from bluegreen.aws.clients import Clients
    from bluegreen.aws.owned import Owned, Removed


@click.command("list", cls=Command, short_help="List what is ours in the account.")
@optional_plan_file
@account_options
@json_option
@click.pass_obj
def list_(output: Output, /, *, file: Path | None, **options: str | None) -> int:
    """List what is ours in the account: what bears the tag bluegreen:service, and our template versions.

    With FILE it is that of its service, else that of all services. Template versions are looked for in all
    launch templates of the Region; with FILE, in its own and in those that Auto Scaling groups name.
    """
    plan = read_plan(file) if file else None
    with _place(plan, options) as place:
        found = place.inventory()
    _show(output, found)
    if not found:
        output.say(f"Nothing of {plan.service if plan else 'bluegreen'} is in {place}.")
    output.result("bluegreen.list/1", place.data | {"items": [_data(item) for item in found]})
    return Exit.DONE


@click.command(cls=Command, codes=(Exit.TERMINATED,), short_help="Remove what nobody needs any more.")
@plan_file
@click.option("--yes", is_flag=True, help="Remove it without asking.")
@click.option(
    "--older-than-hours",
    metavar="HOURS",
    type=click.FloatRange(min=0),
    default=6,
    show_default=True,
    help="Leave alone what is younger, unless its deployment is known to have ended.",
)
@account_journal_options
@json_option
@click.pass_obj
def cleanup(
    output: Output,
    /,
    *,
    file: Path,
    state: Path | None,
    journal: str | None,
    yes: bool,
    older_than_hours: float,
    **options: str | None,
) -> int:
    """Remove what no build and no deployment of FILE's service needs any more.

    That is: instances and volumes that image builds left, template versions that no group names and no
    instance runs, failed images, and snapshots without an image; with fleets = "replace" groups that an
    ended deployment made and that no rule leads to. Never the group of the last promoted deployment, never
    an image that is available. Without a terminal and without --yes it only says what it would remove.
    """
    from bluegreen.aws.owned import leftovers

    plan = read_plan(file)
    with _place(plan, options) as place:
        told = place.deployments(file, state, journal)
        known = {name: story.state.phase.ended for name, story in told.items()}
        found = list(
            leftovers(
                place.inventory(),
                now=SystemClock().now(),
                older_than_hours=older_than_hours,
                ended={name for name, ended in known.items() if ended},
                unfinished={name for name, ended in known.items() if not ended},
                abandoned=abandoned(plan, told),
            )
        )
        items = [one.item for one in found]
        _show(output, items, [one.why for one in found])
        code, ends = Exit.DONE, Ends()
        if not found:
            output.say(f"Nothing is left over of {plan.service}.")
        elif yes or _may(output):
            code, ends = _remove(output, place, items)
            code = code or (Exit.ERROR if ends.left else Exit.DONE)
    said = [_data(one.item) | {"why": one.why} for one in found]
    output.result("bluegreen.cleanup/1", place.data | {"items": said} | ends.data)
    return code


@click.command(
    cls=Command,
    codes=(Exit.REFUSED, Exit.TERMINATED),
    short_help="Remove all that is ours of a service, its live group too.",
)
@plan_file
@click.option("--confirm", metavar="SERVICE", help="The service's name, instead of typing it when asked.")
@click.option("--force", is_flag=True, help="Also while a deployment of it has not ended.")
@click.option(
    "--deadline-seconds",
    metavar="SECONDS",
    type=click.IntRange(min=0),
    default=1800,
    show_default=True,
    help="How long to wait until all is gone.",
)
@account_journal_options
@json_option
@click.pass_obj
def destroy(
    output: Output,
    /,
    *,
    file: Path,
    state: Path | None,
    journal: str | None,
    confirm: str | None,
    force: bool,
    deadline_seconds: int,
    **options: str | None,
) -> int:
    """Remove all that is ours of FILE's service: groups, instances, template versions, images, snapshots.

    The group that serves goes too. Connections are drained as its target group is set to do it. A group that
    you made yourself stays, with the template version and image that it names, unless you gave it the tag
    bluegreen:service with the service's name. Everything is shown first, and the name must be typed.
    """
    plan = read_plan(file)
    _check_confirmed(confirm, plan.service)
    with _place(plan, options) as place:
        known = {} if force else place.deployments(file, state, journal)
        if running := [name for name, story in known.items() if not story.state.phase.ended]:
            way = "let it go on, or abort it, or say --force"
            output.fault("unfinished", f"bluegreen: {running[-1]} has not ended: {way}")
            return Exit.REFUSED
        found = place.inventory()
        _show(output, found)
        if found and confirm is None and not _typed(output, place):
            output.fault("unconfirmed", "bluegreen: not confirmed: nothing was changed")
            return Exit.REFUSED
        code, ends = _remove(output, place, found, deadline_seconds)
        if not code:
            ends = attrs.evolve(ends, left=ends.still(place.inventory()))
            code = _last_word(output, ends, plan.service)
    output.result("bluegreen.destroy/1", place.data | ends.data)
    return code


# ------------------------------------------------------------------------------------------------- around it


@frozen
class Place:
    """Where the commands look.

    Args:
        account: The account and Region.
        clients: Clients of it.
        plan: Whose things; None is everybody's.
    """

    account: Account
    clients: Clients
    plan: Plan | None

    def __str__(self) -> str:
        """The account and Region, for people."""
        return f"account {self.account.id}, {self.account.region}"

    @property
    def data(self) -> dict[str, Any]:
        """The same for programs."""
        data = {"account": self.account.id, "region": self.account.region}
        return data | {"service": self.plan.service if self.plan else None}

    def inventory(self) -> tuple[Owned, ...]:
        """Look for all that is ours."""
        from bluegreen.aws.owned import inventory

        if self.plan is None:
            return inventory(self.clients)
        return inventory(self.clients, self.plan.service, self.plan.launch_template)

    def deployments(self, file: Path, state: Path | None, journal: str | None) -> dict[str, Story]:
        """The deployments that the journal knows, oldest first, by id."""
        assert self.plan is not None, "it was read from the file"
        folder = home_in(self.account, file, self.plan.service, state=state, journal=journal, said={})
        return {story.state.ledger.deployment_id: story for story in stories(folder.journal())}


def abandoned(plan: Plan, told: Mapping[str, Story]) -> set[str]:
    """Ids of deployments of which no group can be live: another one has replaced it, or it was given up.

    Of standing groups the idle one is the next green, and while a deployment has not ended nobody knows.

    Args:
        plan: What is to be deployed next.
        told: The journal's deployments by id, oldest first.
    """
    promoted = [story for story in told.values() if story.state.phase is Phase.PROMOTED]
    standing = "standing" in (plan.fleets, *(story.plan.fleets for story in promoted[-1:]))
    if standing or not all(story.state.phase.ended for story in told.values()):
        return set()
    return set(told) - {story.state.ledger.deployment_id for story in promoted[-1:]}


@contextmanager
def _place(plan: Plan | None, options: Mapping[str, str | None]) -> Iterator[Place]:
    """Where the account options lead."""
    from bluegreen.aws import Account
    from bluegreen.aws.clients import Clients

    account = Account.open(**options)
    with closing(Clients(account.session, endpoint_url=account.endpoint_url)) as clients:
        yield Place(account, clients, plan)


def _check_confirmed(confirm: str | None, service: str) -> None:
    """Find out what is wrong with the command line before anything is looked at.

    Raises:
        UsageError: If the name is not the service's, or nobody can be asked for it.
    """
    if confirm is not None and confirm != service:
        raise click.UsageError(f"--confirm says {confirm!r}, but the service is {service!r}")
    if confirm is None and not sys.stdin.isatty():
        raise click.UsageError(f"there is no terminal to ask on: say --confirm {service}")


def _typed(output: Output, place: Place) -> bool:
    """Whether a person at the terminal types the service's name."""
    assert place.plan is not None, "it was read from the file"
    service = place.plan.service
    output.note(f"All of this goes away from {place}, and cannot be brought back.")
    output.note(f"Type the service's name, {service}, to remove it:")
    return sys.stdin.readline().strip() == service


def _may(output: Output) -> bool:
    """Whether leftovers may be removed; without a terminal nobody can be asked."""
    if not sys.stdin.isatty():
        output.say("Nothing was removed: say --yes to remove this.")
        return False
    output.note("Type yes to remove this:")
    if sys.stdin.readline().strip() == "yes":
        return True
    output.say("Nothing was removed.")
    return False


# -------------------------------------------------------------------------------------------------- removing


@frozen
class Ends:
    """What became of things.

    Args:
        removed: What is gone.
        left: What is not, each with the reason.
    """

    removed: tuple[Owned, ...] = ()
    left: tuple[tuple[Owned, str], ...] = ()

    def still(self, seen: Iterable[Owned]) -> tuple[tuple[Owned, str], ...]:
        """What a fresh look has seen, with the reasons that are known."""
        whys = {item.name: why for item, why in self.left}
        return tuple([(item, whys.get(item.name, "came while the rest went")) for item in seen])

    @property
    def data(self) -> dict[str, Any]:
        """The same for programs."""
        left = [_data(item) | {"why": why} for item, why in self.left]
        return {"removed": [_data(item) for item in self.removed], "left": left}


def _remove(
    output: Output, place: Place, items: Iterable[Owned], deadline_seconds: float = 1800
) -> tuple[Exit, Ends]:
    """Remove things, telling each happening once; the code is that of a stop, if there was one."""
    from bluegreen.aws.owned import remove

    ends: list[Removed] = []
    told: dict[str, str] = {}
    template = place.plan.launch_template if place.plan else None
    code = Exit.DONE
    with stopping() as stopped:
        happenings = remove(
            place.clients, items, Waking(stopped), template=template, deadline_seconds=deadline_seconds
        )
        try:
            for each in happenings:
                if told.get(each.item.name) != each.detail:
                    told[each.item.name] = each.detail
                    output.say(f"{each.item.name} {each.detail}")
                if each.what not in ("asked", "waits", "again"):
                    ends.append(each)
                if asked := stopped():
                    code = asked
                    break
        except Stopped:
            code = stopped() or Exit.INTERRUPTED
    if code:
        output.note("bluegreen: stopped; the same command goes on")
    gone = tuple([end.item for end in ends if end.what == "gone"])
    return code, Ends(gone, tuple([(end.item, end.detail) for end in ends if end.what != "gone"]))


def _last_word(output: Output, ends: Ends, service: str) -> Exit:
    """What the fresh look at the end has seen."""
    if not ends.left:
        output.say(f"Nothing of {service} is left.", "green")
        return Exit.DONE
    count = len(ends.left)
    output.say(f"Of {service} {count} {'thing is' if count == 1 else 'things are'} left:", "red")
    _show(output, [item for item, _ in ends.left], [why for _, why in ends.left])
    return Exit.ERROR


# --------------------------------------------------------------------------------------------------- showing


def _show(output: Output, items: Sequence[Owned], whys: Sequence[str] = ()) -> None:
    """One line for each thing, in columns; the last one is what uses it, or why it is spoken of."""
    rows = [
        (item.kind, item.id, item.service, item.made_by or "not by us", item.state, item.detail)
        for item in items
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    whys = whys or [f"used by {', '.join(item.used_by)}" if item.used_by else "" for item in items]
    for row, why in zip(rows, whys, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        output.say("  ".join([*cells, why]).rstrip())


def _data(item: Owned) -> dict[str, Any]:
    return attrs.asdict(item)


COMMANDS = (list_, cleanup, destroy)
