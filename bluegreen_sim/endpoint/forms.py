"""The older wire of AWS: a form in, XML out; protocols ``query`` and ``ec2`` of botocore's models.

How names and lists are spelt is told in the Smithy specification, "AWS query protocol" and "AWS EC2 query
protocol".
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from .memory import by_value
from .times import from_text, iso, rfc822

# XML 1.0, "Characters".
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# ------------------------------------------------------------------------------------------- a form comes in


def fields(body: bytes) -> dict[str, str]:
    """The fields of a form as they were sent, percent signs resolved."""
    return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body)))


def parameters(sent: Mapping[str, str], shape: StructureShape | None, *, ec2: bool) -> dict[str, Any]:
    """What a form asks for, as the operation's input.

    Raises:
        ValueError: If a field is not what the model wants there.
    """
    tree: dict[str, Any] = {}
    for path, text in sent.items():
        *above, last = path.split(".")
        node = tree
        for name in above:
            node = node.setdefault(name, {})
        node[last] = text
    return _structure(tree, shape, ec2=ec2) if shape is not None else {}


def _structure(tree: Mapping[str, Any], shape: StructureShape, *, ec2: bool) -> dict[str, Any]:
    return {
        name: _value(tree[sent], member, ec2=ec2) for sent, name, member in _sent(shape, ec2) if sent in tree
    }


@cache
def _sent(shape: StructureShape, ec2: bool) -> list[tuple[str, str, Shape]]:  # noqa: FBT001  # cached by position
    """For each member how it is sent, its name and its shape."""
    return [(_sent_name(member, name, ec2=ec2), name, member) for name, member in shape.members.items()]


def _sent_name(shape: Shape, name: str, *, ec2: bool) -> str:
    named = shape.serialization
    if ec2:
        if "queryName" in named:
            return str(named["queryName"])
        name = named.get("name", name)
        return name[0].upper() + name[1:] if "name" in named else name
    if isinstance(shape, ListShape) and named.get("flattened"):
        return str(shape.member.serialization.get("name", named.get("name", name)))
    return str(named.get("name", name))


def _value(node: Any, shape: Shape, *, ec2: bool) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(node or {}, shape, ec2=ec2)
    if isinstance(shape, ListShape):
        if node and not ec2 and not shape.serialization.get("flattened"):
            node = node[shape.member.serialization.get("name", "member")]
        return [_value(item, shape.member, ec2=ec2) for item in _numbered(node or {})]
    if isinstance(shape, MapShape):
        pairs = node if shape.serialization.get("flattened") else node["entry"]
        key = shape.key.serialization.get("name", "key")
        value = shape.value.serialization.get("name", "value")
        return {pair[key]: _value(pair[value], shape.value, ec2=ec2) for pair in _numbered(pairs)}
    return scalar(node, shape)


def _numbered(node: Mapping[str, Any]) -> Iterator[Any]:
    for number in sorted(node, key=int):
        yield node[number]


def scalar(text: str, shape: Shape) -> Any:
    """A single value from its text."""
    match shape.type_name:
        case "integer" | "long":
            return int(text)
        case "float" | "double":
            return float(text)
        case "boolean":
            if text not in ("true", "false"):
                raise ValueError(f"{text!r} is neither true nor false")
            return text == "true"
        case "timestamp":
            return from_text(text)
        case "blob":
            return b64decode(text)
    if _UNWRITABLE.search(text):
        raise ValueError(f"{text!r} has characters that XML cannot carry back")
    return text


# ---------------------------------------------------------------------------------------------- XML goes out


def answer(model: OperationModel, result: Mapping[str, Any], request_id: str, *, ec2: bool) -> bytes:
    """The XML of an operation's output.

    Raises:
        KeyError: If the result has a key that the model does not know.
    """
    name, shape = f"{model.name}Response", model.output_shape
    content = _content(result, shape)
    if ec2:
        return f"<{name}><requestId>{request_id}</requestId>{content}</{name}>".encode()
    if shape is not None and (wrapper := shape.serialization.get("resultWrapper")):
        content = f"<{wrapper}>{content}</{wrapper}>"
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return f"<{name}>{content}{metadata}</{name}>".encode()


@by_value
def _content(result: Mapping[str, Any], shape: Shape | None) -> str:
    return _members(shape)(result) if isinstance(shape, StructureShape) else ""


def error(code: str, message: str, request_id: str, *, sender: bool, ec2: bool) -> bytes:
    """The XML of an error; ``sender`` says whose fault it is."""
    said = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if ec2:
        return (
            f"<Response><Errors><Error>{said}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        ).encode()
    kind = "Sender" if sender else "Receiver"
    return (
        f"<ErrorResponse><Error><Type>{kind}</Type>{said}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()


Write = Callable[[Any], str]
"""The XML of a value."""


class _Elements(dict[str, Write]):
    """How a structure's members are written, each found out when first needed: shapes may hold themselves."""

    def __init__(self, shape: StructureShape) -> None:
        super().__init__()
        self.shapes = shape.members

    def __missing__(self, name: str) -> Write:
        shape = self.shapes[name]
        self[name] = made = _element(shape, shape.serialization.get("name", name))
        return made


@cache
def _members(shape: StructureShape) -> Write:
    elements = _Elements(shape)
    return lambda value: "".join([elements[name](given) for name, given in value.items()])


@cache
def _element(shape: Shape, name: str) -> Write:
    """How a shape's values are written as elements of that name; found out once, as the checks are."""
    if isinstance(shape, ListShape):
        return _list(shape, name)
    if isinstance(shape, MapShape):
        return _map(shape, name)
    text = _members(shape) if isinstance(shape, StructureShape) else _text(shape)

    def write(value: Any) -> str:
        return f"<{name}>{text(value)}</{name}>"

    return lru_cache(maxsize=4096)(write) if shape.type_name in ("string", "timestamp") else write


def _list(shape: ListShape, name: str) -> Write:
    item = shape.member.serialization.get("name")
    flat = shape.serialization.get("flattened")
    opening, closing = ("", "") if flat else (f"<{name}>", f"</{name}>")
    named = item or (name if flat else "member")

    def write(value: Sequence[Any]) -> str:
        return f"{opening}{''.join(map(_element(shape.member, named), value))}{closing}"

    return write


def _map(shape: MapShape, name: str) -> Write:
    flat = shape.serialization.get("flattened")
    opening, closing = ("", "") if flat else (f"<{name}>", f"</{name}>")
    entry = name if flat else "entry"

    def write(value: Mapping[str, Any]) -> str:
        key = _element(shape.key, shape.key.serialization.get("name", "key"))
        one = _element(shape.value, shape.value.serialization.get("name", "value"))
        entries = [f"<{entry}>{key(name)}{one(each)}</{entry}>" for name, each in value.items()]
        return f"{opening}{''.join(entries)}{closing}"

    return write


def _text(shape: Shape) -> Callable[[Any], str]:
    match shape.type_name:
        case "boolean":
            return lambda value: "true" if value else "false"
        case "timestamp":
            form = shape.serialization.get("timestampFormat", "iso8601")
            return lambda value: stamp(value, form)
        case "blob":
            return lambda value: b64encode(value).decode()
        case "string":
            return _escaped
    return str


def _escaped(text: str) -> str:
    # A bare carriage return would be read back as a line feed.
    return escape(text).replace("\r", "&#13;")


def stamp(seconds: float, form: str) -> str:
    """A moment as text in the form that a model asks for."""
    return {"iso8601": iso, "rfc822": rfc822}.get(form.lower(), str)(seconds)
