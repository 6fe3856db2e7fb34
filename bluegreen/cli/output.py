"""The one place that prints: results to stdout, all else to stderr, and never a control character."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, TextIO

import attrs
from attrs import define

# What an ASCII locale shows instead; everything else that it cannot say is escaped.
_PLAIN = str.maketrans({"→": "->", "×": "x", "–": "-", "…": "...", "≤": "<=", "✔": "ok", "⚠": "!"})
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(text: str) -> str:
    """The text on one line, without the characters that act on a terminal instead of being seen on it.

    Names, reasons and details come from the world and from journals: whoever can write those could
    otherwise hide a line, or write one in our name. Directional marks and lone surrogates count as well.
    """
    return "".join(
        " " if character in "\t\n\r" else character
        for character in text
        if character in "\t\n\r" or unicodedata.category(character) not in _ACTING
    )


def portable(text: str, encoding: str | None) -> str:
    """The text in characters that the encoding has: a log in an ASCII locale must not end a deployment."""
    encoding = encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text


# All before the last column that begins in the left half of a screen; a sign stands before its text.
_COLUMNS = re.compile(r".{,38}  (?=\S)(?:[-+~!] )?")


def folded(line: str, width: int) -> str:
    """The line as a terminal shows it best: what does not fit goes on beneath where the last column begins.

    A line without columns is left to the terminal, so that a command in it can be copied whole.

    Args:
        line: The line; columns are divided by two spaces or more.
        width: Characters that fit.
    """
    columns = _COLUMNS.match(line)
    if columns is None or len(line) <= width or width < 2 * columns.end():
        return line
    return textwrap.fill(
        line,
        width,
        subsequent_indent=" " * columns.end(),
        break_long_words=False,
        break_on_hyphens=False,
    )


@define
class Output:
    """Where a command's words go.

    Args:
        json: Whether the result is one JSON object, alone on stdout.
    """

    json: bool = False
    told: bool = attrs.field(default=False, init=False)

    def say(self, text: str = "", style: str = "") -> None:
        """A line of the result; with ``--json`` it is progress, and goes to stderr.

        Args:
            text: The line. A line break in it came from outside, and breaks nothing.
            style: Colour on a terminal.
        """
        _write(sys.stderr if self.json else sys.stdout, text, style)

    def note(self, text: str) -> None:
        """A line that is no result: on stderr, whatever the mode."""
        _write(sys.stderr, text)

    def result(self, schema: str, data: Mapping[str, Any]) -> None:
        """With ``--json`` the one object; else nothing, for the lines have said it.

        Args:
            schema: Which form the object has: ``bluegreen.demo/1``.
            data: The object's fields.
        """
        if self.json:
            assert not self.told, "one object and no more"
            self.told = True
            # One line in ASCII: safe in every log. Numbers stay numbers, and there is no NaN in JSON.
            text = json.dumps({"schema": schema, **_seen(data)}, sort_keys=True, allow_nan=False)
            print(text, file=sys.stdout, flush=True)

    def fault(self, word: str, *lines: str, **fields: Any) -> None:
        """An error: on stderr, and with ``--json`` an object too, unless one was told already.

        Args:
            word: Its kind, for programs.
            lines: Its lines, for people.
            fields: What else the object has.
        """
        for line in lines:
            self.note(line)
        if not self.told:
            self.result("bluegreen.error/1", {"error": word, "message": "; ".join(lines), **fields})


def _seen(value: Any) -> Any:
    """JSON-able data with every text cleaned: what is decoded from JSON ends on a terminal too."""
    match value:
        case str():
            return clean(value)
        case Mapping():
            return {clean(str(key)): _seen(item) for key, item in value.items()}
        case bool() | int() | float() | None:
            return value
        case Fraction():
            return float(value)
        case Iterable():
            return [_seen(item) for item in value]
    raise TypeError(f"{value!r} has no JSON form")


def _write(stream: TextIO, text: str, style: str = "") -> None:
    line = portable(clean(text), stream.encoding)
    if stream.isatty():
        line = folded(line, shutil.get_terminal_size().columns)
    if style and stream.isatty():
        _paint(stream, line, style)
    else:
        print(line, file=stream, flush=True)


def _paint(stream: TextIO, line: str, style: str) -> None:
    """A coloured line; rich knows what the terminal can do, and heeds NO_COLOR. It must not cut or wrap."""
    from rich.console import Console
    from rich.text import Text

    Console(file=stream, soft_wrap=True).print(Text(line, style=style, no_wrap=True, overflow="ignore"))
