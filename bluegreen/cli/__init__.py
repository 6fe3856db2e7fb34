"""The command line: the only part of bluegreen that prints."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``bluegreen``; returns the exit code.

    Args:
        arguments: What stands after the program's name; None takes the process's own.
    """
    try:
        import click  # noqa: F401  (only to see whether the extra is there)
    except ImportError:
        import sys

        from bluegreen.core.errors import MissingExtra

        print(f"bluegreen: {MissingExtra('the command line', 'cli')}", file=sys.stderr)
        return 1
    from .app import run

    return run(arguments)
