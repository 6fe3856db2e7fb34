"""What the commands share: their class, and the arguments and options that several of them take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from bluegreen.core.errors import JournalError

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

version_option = click.option(
    "--template-version",
    "version",
    metavar="N",
    type=click.IntRange(1, 2**31),
    help="Deploy this version of the launch template, which is there already, instead of an image.",
)

set_option = click.option(
    "--set",
    "sets",
    metavar="KEY=VALUE",
    multiple=True,
    help="A value in place of the one in the file, such as strategy.bake_seconds=30, in TOML's syntax; "
    "may be given again.",
)

verbose_option = click.option("--verbose", "-v", is_flag=True, help="A line for every pass.")


class _Folder(click.Path):
    """A folder, by its whole path: what is named "." has neighbours too, and can be moved aside."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not value:
            self.fail("'' is no folder: name one, or leave the option out", param, ctx)
        return super().convert(value, param, ctx)


def _state(words: str) -> Callable[[F], F]:
    kind = _Folder(file_okay=False, path_type=Path, resolve_path=True)
    return click.option("--state", metavar="DIR", type=kind, help=words)


state_option = _state("Where world and journal are kept.  [default: .bluegreen/SERVICE beside FILE]")
account_state_option = _state(
    "Where the journal is kept.  [default: .bluegreen/SERVICE@ACCOUNT-REGION beside FILE]"
)
any_state_option = _state(
    "Where the journal is kept.  [default: where `deploy` put it, else `simulate`, beside FILE]"
)


def _bucket(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    if text is not None:
        from bluegreen.aws.journal import place

        try:
            place(f"{text.rstrip('/')}/service")
        except JournalError:
            raise click.BadParameter(f"{text!r} is no place in S3 such as s3://bucket/prefix") from None
    return text


journal_option = click.option(
    "--journal",
    metavar="URL",
    envvar="BLUEGREEN_JOURNAL",
    callback=_bucket,
    help="Where a team keeps its journals, s3://BUCKET/PREFIX; --state goes before it.  "
    "[default: $BLUEGREEN_JOURNAL, else a folder]",
)

report_option = click.option(
    "--report",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write an HTML report as well.",
)


def _url(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit("http://localhost" if text is None else text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.BadParameter(f"{text!r} is no URL such as http://127.0.0.1:5000")
    if parts.username is not None or parts.query:
        raise click.BadParameter("a user name, a password or a query in it would be shown: leave them out")
    return text


def account_options(function: F) -> F:
    """The options that lead to an AWS account: ``profile``, ``region``, ``endpoint_url``."""
    for option in (
        click.option(
            "--endpoint-url",
            metavar="URL",
            callback=_url,
            help="Where all AWS services are, for tests and private clouds.",
        ),
        click.option(
            "--region", metavar="REGION", help="The AWS Region.  [default: as the AWS tools find it]"
        ),
        click.option("--profile", metavar="NAME", help="A profile of the shared AWS configuration files."),
    ):
        function = option(function)
    return function


def journal_options(function: F) -> F:
    """The options that lead to any journal: a folder, or the place of a team and the account it needs."""
    return any_state_option(journal_option(account_options(function)))


def account_journal_options(function: F) -> F:
    """The options that lead to the journal of an account, and to the account."""
    return account_state_option(journal_option(account_options(function)))
