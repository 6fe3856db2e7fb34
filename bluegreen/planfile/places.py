"""Texts of plan files to plain data, with the line and column of every key and value.

No parser of the standard library tells where a value stood. So a text is read twice: by the real
parser, which decides what it means, and by a small scanner, which only notes places and may assume
that the parser was content.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from attrs import Factory, frozen

from bluegreen.core.checks import bare
from bluegreen.core.errors import MissingExtra

MAX_BYTES = 2**20
MAX_YAML_BYTES = 2**16
"""A YAML parser in Python takes a minute for what TOML's reads in seconds."""

MAX_DEPTH = 32
MAX_NUMBER = 200
"""Characters of a number. Python refuses to print integers of more than 4,300 digits."""


class Place(NamedTuple):
    """Line and column, from 1; (0, 0) when unknown. ``said`` is what was said instead of the file's text."""

    line: int
    column: int
    said: str = ""


class Unreadable(Exception):
    """A text is not what its format asks for.

    Args:
        place: Where.
        remedy: What is wrong and what would be right.
    """

    def __init__(self, place: Place, remedy: str) -> None:
        """Keep both."""
        super().__init__(remedy)
        self.place = place
        self.remedy = remedy


@frozen
class Places:
    """Where things stand, by path (``strategy.rungs[1].percent``; empty for the whole).

    Args:
        keys: Where the key begins.
        values: Where the value begins; of a table its header.
    """

    keys: dict[str, Place] = Factory(dict)
    values: dict[str, Place] = Factory(dict)

    def key(self, path: str) -> Place:
        """The place of a key, or of the nearest thing around it."""
        return self.keys.get(path) or self.value(path)

    def value(self, path: str) -> Place:
        """The place of a value, or of the nearest thing around it."""
        while path and path not in self.values:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.values.get(path, Place(0, 0))


def below(parent: str, key: str) -> str:
    """The path of a key in the table at ``parent``; two different keys never have one path."""
    plain = key if re.fullmatch(r"[\w-]+", key) else repr(key)
    return f"{parent}.{plain}" if parent else plain


def check_text(text: str) -> None:
    """Refuse a text that is too large, or was no UTF-8: what could not be decoded is a lone surrogate.

    Raises:
        Unreadable: Says which.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Unreadable(Place(1, 1), "larger than 1 MiB; no plan is")
    if stray := re.search("[\ud800-\udfff]", text):
        before = text[: stray.start()].split("\n")
        raise Unreadable(Place(len(before), len(before[-1]) + 1), "must be UTF-8")


# ------------------------------------------------------------------------------------------- TOML, JSON

# One alphabet serves both. What is left open at the end of a line or text is a token too: a scanner
# that went back and tried again would need quadratic time for a hostile text.
_TOKEN = re.compile(
    r'''(?P<string>"""(?:\\.|[^\\])*?(?:"{3,5}|\Z)|\'\'\'.*?(?:'{3,5}|\Z)|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?)'''
    r"""|(?P<comment>\#[^\n]*)|(?P<mark>[\[\]{},=:\n])|(?P<bare>[^\s\[\]{},=:"'\#]+)""",
    re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class _Scanner:
    """Notes the places of a TOML or JSON text that its parser has accepted."""

    def __init__(self, text: str) -> None:
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.tokens = [
            _Token(match.lastgroup or "", match[0], match.start())
            for match in _TOKEN.finditer(text)
            if match.lastgroup != "comment"
        ]
        self.next = 0
        self.places = Places(values={"": Place(1, 1)})
        self.twice: list[str] = []
        self.last_index: dict[str, int] = {}

    def place(self, at: int) -> Place:
        line = bisect_right(self.starts, at)
        return Place(line, at - self.starts[line - 1] + 1)

    def check_bounds(self) -> None:
        """Refuse what a parser would need too long, or too much stack, to refuse itself."""
        depth = parts = 0
        for kind, text, at in self.tokens:
            if kind == "mark":
                depth += (text in "[{") - (text in "]}")
                parts = 0
            elif kind == "bare":
                parts += text.count(".")
                if text[0] in "+-0123456789" and len(text) > MAX_NUMBER:
                    raise Unreadable(self.place(at), f"a number may have at most {MAX_NUMBER} characters")
            if max(depth, parts) > MAX_DEPTH:
                raise Unreadable(self.place(at), f"nested more than {MAX_DEPTH} deep")

    def toml(self) -> Places:
        """Table headers and pairs, to the end of the text."""
        table = ""
        while self.next < len(self.tokens):
            if self.seen("\n"):
                continue
            at = self.tokens[self.next].at
            if self.seen("["):
                table = self.header(at)
            else:
                self.pair(table)
        return self.places

    def json(self) -> Places:
        """One value."""
        self.value("")
        return self.places

    def seen(self, mark: str) -> bool:
        """Whether the next token is ``mark``; if so, step over it."""
        token = self.tokens[self.next]
        found = token.kind == "mark" and token.text == mark
        self.next += found
        return found

    def header(self, at: int) -> str:
        """A table's header after its first bracket; the path of the table it opens."""
        many = self.seen("[")
        *outer, name = self.key_parts()
        path = ""
        for part in outer:
            path = self.current(below(path, part))
            self.places.values.setdefault(path, self.place(at))
        path = below(path, name)
        if many:
            self.last_index[path] = self.last_index.get(path, -1) + 1
            self.places.values.setdefault(path, self.place(at))
        path = self.current(path)
        self.places.keys[path] = self.places.values[path] = self.place(at)
        self.seen("]")
        _ = many and self.seen("]")
        return path

    def current(self, path: str) -> str:
        """The last element, if ``path`` is an array of tables."""
        return f"{path}[{self.last_index[path]}]" if path in self.last_index else path

    def key_parts(self) -> list[str]:
        """The parts of a dotted key."""
        parts = []
        while (token := self.tokens[self.next]).kind != "mark":
            self.next += 1
            if token.kind == "string":
                parts.append(_unquoted(token.text))
            else:
                parts += filter(None, token.text.split("."))
        return parts

    def pair(self, path: str) -> None:
        """A key, its mark and its value."""
        at = self.place(self.tokens[self.next].at)
        parts = self.key_parts()
        for part in parts:
            self.places.values.setdefault(path, at)
            path = below(path, part)
        if path in self.places.keys:
            self.twice.append(path)
        self.places.keys[path] = at
        self.next += 1
        self.value(path)

    def value(self, path: str) -> None:
        """Whatever follows a mark."""
        self.skip_lines()
        self.places.values[path] = self.place(self.tokens[self.next].at)
        if self.seen("{"):
            while not self.closed("}"):
                self.pair(path)
        elif self.seen("["):
            index = 0
            while not self.closed("]"):
                self.value(f"{path}[{index}]")
                index += 1
        else:  # dates and times are several tokens
            while self.next < len(self.tokens) and self.tokens[self.next].text not in ",]}\n":
                self.next += 1

    def closed(self, mark: str) -> bool:
        """Whether a table or array ends here; else step over what stands between its elements."""
        self.skip_lines()
        while self.seen(","):
            self.skip_lines()
        return self.seen(mark)

    def skip_lines(self) -> None:
        while self.seen("\n"):
            pass


def _unquoted(token: str) -> str:
    import json

    if token[0] == "'":
        return token.strip("'")
    try:
        return str(json.loads(token, strict=False))
    except ValueError:  # an escape that only TOML has
        return token[1:-1]


def from_toml(text: str) -> tuple[Any, Places]:
    """Data and places of a TOML text.

    Raises:
        Unreadable: If it is no TOML, or beyond the bounds.
    """
    import tomllib

    scanner = _Scanner(text)
    scanner.check_bounds()
    try:
        data = tomllib.loads(text)
    except ValueError as error:  # also a date such as 2024-13-45
        words, _, where = str(error).partition(" (at ")
        found = re.search(r"line (\d+), column (\d+)", where)
        place = Place(int(found[1]), int(found[2])) if found else scanner.place(len(text))
        raise Unreadable(place, f"not valid TOML: {words}") from None
    return data, scanner.toml()


def from_json(text: str) -> tuple[Any, Places]:
    """Data and places of a JSON text.

    Raises:
        Unreadable: If it is no JSON, has a key twice, or is beyond the bounds.
    """
    import json

    scanner = _Scanner(text)
    scanner.check_bounds()
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(Place(error.lineno, error.colno), f"not valid JSON: {error.msg}") from None
    places = scanner.json()
    for path in scanner.twice:
        raise Unreadable(places.key(path), f"{path!r} stands here for the second time")
    return data, places


# ------------------------------------------------------------------------------------------------- YAML


def from_yaml(text: str) -> tuple[Any, Places]:
    """Data and places of a YAML 1.2 text.

    Raises:
        Unreadable: If it is no YAML, has a key twice, an alias or a tag, or is beyond the bounds.
        MissingExtra: If ruamel.yaml is not installed.
    """
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError
    except ImportError:
        raise MissingExtra("a plan file in YAML", "yaml") from None

    if len(text.encode()) > MAX_YAML_BYTES:
        raise Unreadable(Place(1, 1), "larger than 64 KiB; a plan of that size is better written in TOML")
    try:
        _check_events(YAML(typ="safe", pure=True).parse(text))
        places = Places(values={"": Place(1, 1)})
        return _plain(YAML(typ="rt").load(text), "", places), places
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _from_zero(mark.line, mark.column) if mark else Place(1, 1)
        raise Unreadable(place, f"not valid YAML: {error.problem}") from None
    except (YAMLError, ValueError) as error:
        raise Unreadable(Place(1, 1), f"not valid YAML: {str(error).splitlines()[0]}") from None


def _from_zero(line: int, column: int) -> Place:
    return Place(line + 1, column + 1)


def _check_events(events: Iterator[Any]) -> None:
    """An alias can make 324 bytes into millions of values; a tag can ask for any class."""
    depth = 0
    for event in events:
        kind = type(event).__name__
        depth += kind.endswith(("MappingStartEvent", "SequenceStartEvent"))
        depth -= kind.endswith(("MappingEndEvent", "SequenceEndEvent"))
        place = _from_zero(event.start_mark.line, event.start_mark.column)
        if kind == "AliasEvent" or getattr(event, "anchor", None) is not None:
            raise Unreadable(place, "anchors and aliases are not read; write the value out")
        if getattr(event, "tag", None) is not None:
            raise Unreadable(place, "tags are not read; write a plain value")
        if kind == "ScalarEvent" and event.style is None and event.value == "<<":
            raise Unreadable(place, "merge keys (<<) are not read; write the keys out")
        if depth > MAX_DEPTH:
            raise Unreadable(place, f"nested more than {MAX_DEPTH} deep")
        number = kind == "ScalarEvent" and event.style is None and re.match(r"[-+]?\d", event.value)
        if number and len(event.value) > MAX_NUMBER:
            raise Unreadable(place, f"a number may have at most {MAX_NUMBER} characters")


def _plain(node: Any, path: str, places: Places) -> Any:
    """A loaded node without ruamel's own classes."""
    marks: Any = getattr(node, "lc", None)
    if isinstance(node, dict):
        for key in node:
            places.keys[below(path, str(key))] = _from_zero(*marks.key(key))
            places.values[below(path, str(key))] = _from_zero(*marks.value(key))
        return {key: _plain(value, below(path, str(key)), places) for key, value in node.items()}
    if isinstance(node, list):
        for index in range(len(node)):
            places.values[f"{path}[{index}]"] = _from_zero(*marks.item(index))
        return [_plain(value, f"{path}[{index}]", places) for index, value in enumerate(node)]
    return bare(node)
