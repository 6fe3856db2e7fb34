"""The newer wire of AWS: one document each way; protocols ``json`` and ``rpc-v2-cbor`` of the models."""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from . import cbor
from .forms import stamp
from .times import from_text, plain


def load(body: bytes, shape: StructureShape | None, *, binary: bool) -> dict[str, Any]:
    """What a document asks for, as the operation's input.

    Raises:
        ValueError: If it is not what the model wants.
    """
    if shape is None or not body:
        return {}
    document = cbor.decode(body) if binary else json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("the document is no map")  # noqa: TRY004  # of what was sent, not of a type
    found: dict[str, Any] = _read(document, shape, binary=binary)
    return found


def dump(value: Mapping[str, Any], shape: StructureShape | None, *, binary: bool) -> bytes:
    """The document of an operation's output.

    Raises:
        KeyError: If it has a key that the model does not know.
    """
    return written(_shown(value, shape, binary=binary) if shape is not None else {}, binary=binary)


def written(document: dict[str, Any], *, binary: bool) -> bytes:
    """A document as bytes."""
    return cbor.encode(document) if binary else json.dumps(document, separators=(",", ":")).encode()


def _name(shape: Shape, name: str) -> str:
    return str(shape.serialization.get("name", name))


def _read(value: Any, shape: Shape, *, binary: bool) -> Any:
    if isinstance(shape, StructureShape):
        if shape.is_document_type:
            return value
        sent = {_name(member, name): (name, member) for name, member in shape.members.items()}
        known = {name: given for name, given in value.items() if given is not None and name in sent}
        return {sent[name][0]: _read(given, sent[name][1], binary=binary) for name, given in known.items()}
    if isinstance(shape, ListShape):
        return [_read(item, shape.member, binary=binary) for item in value]
    if isinstance(shape, MapShape):
        return {key: _read(item, shape.value, binary=binary) for key, item in value.items()}
    match shape.type_name:
        case "blob":
            return value if binary else b64decode(value)
        case "timestamp":
            return from_text(value) if isinstance(value, str) else plain(value)
        case "float" | "double":
            return float(value)
    return value


def _shown(value: Any, shape: Shape, *, binary: bool) -> Any:
    if isinstance(shape, StructureShape):
        if shape.is_document_type:
            return value
        members = shape.members
        return {
            _name(members[name], name): _shown(each, members[name], binary=binary)
            for name, each in value.items()
        }
    if isinstance(shape, ListShape):
        return [_shown(item, shape.member, binary=binary) for item in value]
    if isinstance(shape, MapShape):
        return {key: _shown(item, shape.value, binary=binary) for key, item in value.items()}
    match shape.type_name:
        case "blob":
            return value if binary else b64encode(value).decode()
        case "timestamp":
            if binary:
                return cbor.Moment(value)
            form = shape.serialization.get("timestampFormat")
            return stamp(value, form) if form and form != "unixTimestamp" else value
        case "float" | "double":
            number = float(value)
            return number if binary or math.isfinite(number) else _SPECIAL[str(number)]
    return value


_SPECIAL = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
