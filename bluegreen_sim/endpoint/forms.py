"""The older wire of AWS: a form in, XML out; protocols ``query`` and ``ec2`` of botocore's models.

How names and lists are spelt is told in the Smithy specification, "AWS query protocol" and "AWS EC2 query
protocol".
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

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
    found = {}
    for name, member in shape.members.items():
        node = tree.get(_sent_name(member, name, ec2=ec2))
        if node is not None:
            found[name] = _value(node, member, ec2=ec2)
    return found


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
    out = [f"<{model.name}Response>"]
    shape = model.output_shape
    wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
    if ec2:
        out.append(f"<requestId>{request_id}</requestId>")
    if wrapper:
        out.append(f"<{wrapper}>")
    if shape is not None:
        _members(out, result, shape)
    if wrapper:
        out.append(f"</{wrapper}>")
    if not ec2:
        out.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>")
    out.append(f"</{model.name}Response>")
    return "".join(out).encode()


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


def _members(out: list[str], value: Mapping[str, Any], shape: StructureShape) -> None:
    members = shape.members
    for name, given in value.items():
        member = members[name]
        _element(out, member.serialization.get("name", name), given, member)


def _element(out: list[str], name: str, value: Any, shape: Shape) -> None:
    if isinstance(shape, ListShape):
        item = shape.member.serialization.get("name")
        if shape.serialization.get("flattened"):
            for each in value:
                _element(out, item or name, each, shape.member)
            return
        out.append(f"<{name}>")
        for each in value:
            _element(out, item or "member", each, shape.member)
        out.append(f"</{name}>")
    elif isinstance(shape, StructureShape):
        out.append(f"<{name}>")
        _members(out, value, shape)
        out.append(f"</{name}>")
    elif isinstance(shape, MapShape):
        flat = shape.serialization.get("flattened")
        out.append("" if flat else f"<{name}>")
        for key, each in value.items():
            out.append(f"<{name if flat else 'entry'}>")
            _element(out, shape.key.serialization.get("name", "key"), key, shape.key)
            _element(out, shape.value.serialization.get("name", "value"), each, shape.value)
            out.append(f"</{name if flat else 'entry'}>")
        out.append("" if flat else f"</{name}>")
    else:
        out.append(f"<{name}>{_text(value, shape)}</{name}>")


def _text(value: Any, shape: Shape) -> str:
    match shape.type_name:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return stamp(value, shape.serialization.get("timestampFormat", "iso8601"))
        case "blob":
            return b64encode(value).decode()
        case "string":
            # A bare carriage return would be read back as a line feed.
            return escape(value).replace("\r", "&#13;")
    return str(value)


def stamp(seconds: float, form: str) -> str:
    """A moment as text in the form that a model asks for."""
    return {"iso8601": iso, "rfc822": rfc822}.get(form.lower(), str)(seconds)
