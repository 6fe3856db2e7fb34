"""As much CBOR (RFC 8949) as AWS speaks: no indefinite lengths going out, both kinds coming in."""

from __future__ import annotations

import struct
from typing import Any

from attrs import frozen

_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_WIDTHS = ((24, 1), (25, 2), (26, 4), (27, 8))
_BREAK = 0xFF
_EPOCH_TAG = 1


@frozen
class Moment:
    """Seconds since 1970, written with the tag of a time."""

    seconds: float


def encode(value: Any) -> bytes:
    """Bytes of a value made of dicts, lists, texts, bytes, numbers, booleans, None and moments."""
    out = bytearray()
    _put(out, value)
    return bytes(out)


def _put(out: bytearray, value: Any) -> None:
    match value:
        case None | bool():
            out.append(0xF6 if value is None else 0xF5 if value else 0xF4)
        case int():
            _head(out, 0 if value >= 0 else 1, value if value >= 0 else -1 - value)
        case float():
            out += b"\xfb" + struct.pack(">d", value)
        case bytes():
            _head(out, 2, len(value))
            out += value
        case str():
            _head(out, 3, len(value.encode()))
            out += value.encode()
        case list():
            _head(out, 4, len(value))
            for item in value:
                _put(out, item)
        case dict():
            _head(out, 5, len(value))
            for key, item in value.items():
                _put(out, key)
                _put(out, item)
        case Moment(seconds=seconds):
            _head(out, 6, _EPOCH_TAG)
            _put(out, seconds)
        case _:
            raise TypeError(f"CBOR has no {type(value).__name__} here")


def _head(out: bytearray, major: int, count: int) -> None:
    if count < 24:
        out.append(major << 5 | count)
        return
    info, width = next((info, width) for info, width in _WIDTHS if count < 1 << 8 * width)
    out.append(major << 5 | info)
    out += count.to_bytes(width, "big")


def decode(data: bytes) -> Any:
    """The one value that the bytes hold.

    Raises:
        ValueError: If they hold none, or more.
    """
    reader = _Reader(data)
    value = reader.item()
    if reader.at != len(data):
        raise ValueError("bytes after the end of the CBOR value")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        if len(taken) < count:
            raise ValueError("the CBOR value is cut off")
        self.at += count
        return taken

    def item(self) -> Any:
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        match major:
            case 0:
                return self.count(info)
            case 1:
                return -1 - self.count(info)
            case 2:
                return b"".join(self.chunks(info))
            case 3:
                return b"".join(self.chunks(info)).decode()
            case 4:
                return [self.item() for _ in self.each(info)]
            case 5:
                return {self.item(): self.item() for _ in self.each(info)}
            case 6:
                if self.count(info) != _EPOCH_TAG:
                    raise ValueError("of CBOR's tags only times are known here")
                return self.item()
        if info in _FLOATS:
            form, width = _FLOATS[info]
            return struct.unpack(form, self.take(width))[0]
        if info not in _SIMPLE:
            raise ValueError(f"no CBOR value begins with {first}")
        return _SIMPLE[info]

    def count(self, info: int) -> int:
        if info < 24:
            return info
        width = dict(_WIDTHS).get(info)
        if width is None:
            raise ValueError(f"no CBOR length is written as {info}")
        return int.from_bytes(self.take(width), "big")

    def each(self, info: int) -> Any:
        """One round for every item of a list or map, whether or not their number was told."""
        if info != 31:
            yield from range(self.count(info))
            return
        while self.data[self.at : self.at + 1] != bytes([_BREAK]):
            yield None
        self.at += 1

    def chunks(self, info: int) -> Any:
        if info != 31:
            yield self.take(self.count(info))
            return
        for _ in self.each(info):
            yield self.take(self.count(self.take(1)[0] & 31))
