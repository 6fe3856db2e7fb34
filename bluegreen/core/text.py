"""Text that came from outside: it may hold anything, and ends up on one line."""

from __future__ import annotations


def escaped(text: str, limit: int) -> str:
    """The text on one line, control characters escaped.

    Args:
        text: Anything.
        limit: How many characters to keep: the first ones, or with a negative limit the last ones.
    """
    line = repr(text)[1:-1]
    return line[limit:] if limit < 0 else line[:limit]
