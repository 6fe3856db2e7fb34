"""The program: its commands, and how what they raise becomes a line and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from bluegreen.core.errors import BlueGreenError, Fault, LockTaken, PlanError
from bluegreen.planfile import PlanFileError
from bluegreen.redaction import redact_logs

from .exits import Exit, of_error
from .output import Output, clean


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bluegreen", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Log on stderr what the libraries do; secrets are left out.")
@click.pass_context
def program(context: click.Context, /, *, debug: bool) -> None:
    """Replace a live fleet of EC2 instances without dropping a request.

    Rehearse a release with `demo`, `plan`, `check` and `simulate`: they work on the built-in simulator, with
    no account and no network. `image build`, `deploy`, `undo`, `list`, `cleanup` and `destroy` work on AWS,
    with your credentials; `status`, `history`, `approve`, `pause`, `resume`, `abort` and `unlock` on the
    journal of either.

    Completion for your shell: eval "$(_BLUEGREEN_COMPLETE=bash_source bluegreen)", or zsh_source,
    fish_source.
    """
    redact_logs()
    if debug:
        handler, root = logging.StreamHandler(), logging.getLogger()
        handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        context.call_on_close(lambda: root.removeHandler(handler))
        context.call_on_close(lambda: root.setLevel(level))


class _OneLine(logging.Formatter):
    """Records as lines on which nothing acts on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return clean(super().format(record))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit code.

    Args:
        arguments: What stands after the program's name; None takes the process's own.
    """
    from . import check, demo, deploy, image, operate, owned, planning, rights, simulate, status, undo

    modules = (demo, planning, check, simulate, image, deploy, undo, status, operate, owned, rights)
    for module in modules:
        for command in module.COMMANDS:
            program.add_command(command)
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Looked for by hand: a usage fault must be told in JSON too, and then click has parsed nothing.
    output = Output(json="--json" in arguments)
    try:
        code = _guarded(arguments, output)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough. Python would complain when it flushes stdout at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.ERROR
    return code


def _guarded(arguments: list[str], output: Output) -> int:
    """Run the program; every error that is expected becomes a line on stderr and a code."""
    try:
        code = program.main(arguments, prog_name="bluegreen", standalone_mode=False, obj=output)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.USAGE
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "bluegreen"
        output.fault("usage", f"{where}: {error.format_message()}", f"Try '{where} --help'.")
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        output.fault("interrupted", "bluegreen: interrupted")
        return Exit.INTERRUPTED
    except PlanFileError as error:
        # The lines are those of a compiler, so that editors find the place: no prefix.
        output.fault("plan", *str(error).splitlines(), faults=[_fault(fault) for fault in error.faults])
        return Exit.USAGE
    except PlanError as error:
        lines = [f"bluegreen: {fault}" for fault in error.faults]
        output.fault("plan", *lines, faults=[_fault(fault) for fault in error.faults])
        return Exit.USAGE
    except BlueGreenError as error:
        code, word = of_error(error)
        output.fault(word, f"bluegreen: {error}", **_lock(error))
        return code
    except BrokenPipeError:
        raise
    except OSError as error:
        output.fault("system", f"bluegreen: {error}")
        return Exit.ERROR
    return int(code or 0)


def _lock(error: BlueGreenError) -> dict[str, Any]:
    """Who holds the lock that is taken, for programs; times in seconds since 1970."""
    if not isinstance(error, LockTaken) or error.by is None:
        return {}
    return {"lock": {"holder": error.by, "fence": error.fence, "since": error.since, "until": error.until}}


def _fault(fault: Fault) -> dict[str, Any]:
    """A fault for programs; a value that JSON cannot hold, or that is long, stands in the message only."""
    data: dict[str, Any] = {"message": str(fault), "path": fault.path, "remedy": fault.remedy}
    if place := getattr(fault, "place", None):
        data |= {"file": getattr(fault, "file", ""), "line": place.line, "column": place.column}
    value = fault.value
    small = isinstance(value, int | float) and abs(value) < 2**53  # True and False are ints
    if value is None or small or (isinstance(value, str) and len(value) <= 200):
        data["value"] = value
    return data
