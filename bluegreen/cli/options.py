"""What the commands share: their class, and the arguments and options that several of them take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from .exits import Exit

F = TypeVar("F", bound=Callable[..., Any])


class Command(click.Command):
    """A command whose ``--help`` ends with its exit codes.

    Args:
        codes: The codes it can end with, besides those of every command.
    """

    def __init__(self, *args: Any, codes: Sequence[Exit] = (), **kwargs: Any) -> None:
        """Keep the codes; everything else is click's."""
        super().__init__(*args, **kwargs)
        self.codes = sorted({Exit.DONE, Exit.ERROR, *codes, Exit.USAGE, Exit.INTERRUPTED})

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the codes below the options."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), code.meaning) for code in self.codes])


json_option = click.option(
    "--json",
    "_json",
    is_flag=True,
    expose_value=False,  # read once for all commands, in app.py
    help="Print one JSON object on stdout; progress goes to stderr.",
)

plan_file = click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)

optional_plan_file = click.argument(
    "file", metavar="[FILE]", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)

image_option = click.option(
    "--image", metavar="IMAGE", help="Deploy this image instead of the one in the file."
)

state_option = click.option(
    "--state",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where world and journal are kept.  [default: .bluegreen/SERVICE beside FILE]",
)

report_option = click.option(
    "--report",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write an HTML report as well.",
)
