"""``bluegreen undo``: a new deployment, back onto what was live before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import click

from bluegreen.journal.history import stories
from bluegreen.journal.undo import back

from .deploy import carry_out, lock_option, wish_of
from .exits import OF_A_DEPLOYMENT, Exit
from .options import (
    Command,
    account_journal_options,
    json_option,
    plan_file,
    set_option,
    verbose_option,
)
from .output import Output
from .planning import Forecast


@click.command(cls=Command, codes=OF_A_DEPLOYMENT, short_help="Deploy what was live before.")
@plan_file
@click.option("--to", metavar="ID", help="Back to what this promoted deployment has brought; see `history`.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; do nothing.")
@set_option
@lock_option
@account_journal_options
@verbose_option
@json_option
@click.pass_obj
def undo(
    output: Output,
    /,
    file: Path,
    sets: tuple[str, ...],
    state: Path | None,
    *,
    to: str | None,
    dry_run: bool,
    verbose: bool,
    **options: Any,
) -> int:
    """Bring back what was live before the last promoted deployment of the service in FILE.

    A new deployment onto the launch template version that was live then, by the strategy and through every
    gate that FILE asks for. Said again after that, it leads forward again. A deployment that has not ended
    is called off by `abort` instead.
    """
    unsaid = {"image": None, "version": None, "source_version": None, "subnets": ()}
    wish, account = wish_of(file, sets, state, **unsaid, **options)
    way = back(list(stories(wish.folder.journal())), wish.written.service, to)
    wish = attrs.evolve(wish, version=way.plan.number)
    output.note(f"back to {way.reason}: {wish.again}")
    if not dry_run:
        return carry_out(wish, account, output, verbose=verbose)
    forecast = Forecast(wish.plan, None)
    for line, style in forecast.lines():
        output.say(line, style)
    output.result("bluegreen.plan/1", forecast.data())
    return Exit.DONE


COMMANDS = (undo,)
