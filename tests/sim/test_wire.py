"""The wire by models: what is written here botocore reads, and what botocore writes is read here."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import urlencode

import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from bluegreen_sim.endpoint import cbor, wire

SPOKEN = [
    ("autoscaling", "query"),
    ("elbv2", "query"),
    ("ec2", "ec2"),
    ("cloudwatch", "smithy-rpc-v2-cbor"),
    ("cloudwatch", "json"),
    ("cloudwatch", "query"),
    ("ssm", "json"),
    ("sts", "query"),
]
OURS = {"smithy-rpc-v2-cbor": "cbor"}
BOTOCORE = botocore.session.Session()
LETTERS = "abcXYZ019 -_.:/é&<>\"'%+=漢\r\n\t"
DEEPEST = 4
ROUNDS = 2


class Nothing(Exception):
    """The form wire cannot carry any value here."""


class Values:
    """Draws values of shapes, as far as a protocol can carry them."""

    def __init__(self, seed: int, *, empty_lists: bool, empty_structures: bool) -> None:
        self.random = Random(seed)
        self.least = 0 if empty_lists else 1
        self.empty_structures = empty_structures

    def draw(self, shape: Shape, depth: int = 0) -> Any:
        match shape:
            case StructureShape():
                return self.structure(shape, depth)
            case ListShape():
                least = max(self.least, int(bool(shape.serialization.get("flattened"))))
                return [self.draw(shape.member, depth + 1) for _ in range(self.random.randint(least, 2))]
            case MapShape():
                return {self.draw(shape.key): self.draw(shape.value, depth + 1) for _ in range(2)}
        return self.scalar(shape)

    def structure(self, shape: StructureShape, depth: int) -> dict[str, Any]:
        names = list(shape.members)
        if depth >= DEEPEST:
            names = [
                n for n in names if not isinstance(shape.members[n], StructureShape | ListShape | MapShape)
            ]
        self.random.shuffle(names)
        found = {}
        for name in names[: 1 if shape.is_tagged_union else 5]:
            try:
                found[name] = self.draw(shape.members[name], depth + 1)
            except Nothing:
                continue
        if depth and not found and not self.empty_structures:
            raise Nothing
        return found

    def scalar(self, shape: Shape) -> Any:
        draw = self.random
        match shape.type_name:
            case "string" | "character":
                return draw.choice(getattr(shape, "enum", ()) or ["".join(draw.choices(LETTERS, k=9))])
            case "integer" | "long":
                return draw.randint(-(2**31), 2**40)
            case "float" | "double":
                return draw.randint(-1000, 1000) / 8
            case "boolean":
                return draw.random() < 0.5
            case "timestamp":
                return dt.datetime.fromtimestamp(draw.randint(0, 2**32), dt.UTC)
            case "blob":
                return draw.randbytes(9)
        raise AssertionError(shape.type_name)


def seconds(value: Any) -> Any:
    """The same value with moments as the simulator writes them."""
    match value:
        case dt.datetime():
            return int(value.timestamp())
        case dict():
            return {key: seconds(each) for key, each in value.items()}
        case list():
            return [seconds(each) for each in value]
    return value


def operations(service: ServiceModel) -> Iterator[OperationModel]:
    for name in service.operation_names:
        yield service.operation_model(name)


def sent(model: OperationModel, protocol: str, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes, str]:
    """Headers, body and path, as botocore sends them."""
    request = create_serializer(protocol, include_validation=False).serialize_to_request(asked, model)
    path = request["url_path"]
    prepared = AWSRequest("POST", f"https://x{path}", request["headers"], request["body"]).prepare()
    body = prepared.body or b""
    return dict(prepared.headers), body.encode() if isinstance(body, str) else body, path


def received(reply: wire.Reply, protocol: str, shape: Shape | None) -> dict[str, Any]:
    """A reply as botocore understands it."""
    response = {"status_code": reply.status, "headers": {k.lower(): v for k, v in reply.headers.items()}}
    parsed: dict[str, Any] = create_parser(protocol).parse({**response, "body": reply.body}, shape)
    return parsed


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_every_request_of_botocore_is_understood(name: str, protocol: str) -> None:
    """What botocore's serialiser writes for any operation is read back as the same parameters."""
    service = BOTOCORE.get_service_model(name)
    values = Values(1, empty_lists=protocol != "ec2", empty_structures=protocol not in ("query", "ec2"))
    for model in operations(service):
        for _ in range(ROUNDS):
            asked = values.draw(model.input_shape) if model.input_shape else {}
            request = wire.read(service, *sent(model, protocol, asked))
            assert request.operation.name == model.name
            assert request.protocol == OURS.get(protocol, protocol)
            assert request.parameters == seconds(asked), model.name


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_botocore_understands_every_reply(name: str, protocol: str) -> None:
    """What is written for any operation's output is read by botocore's parser as the same values."""
    service = BOTOCORE.get_service_model(name)
    values = Values(2, empty_lists=True, empty_structures=True)
    for model in operations(service):
        for _ in range(ROUNDS):
            shape = model.output_shape
            result = seconds(values.draw(shape)) if shape else {}
            request = wire.Request(OURS.get(protocol, protocol), model, {})  # type: ignore[arg-type]
            parsed = seconds(received(wire.answered(request, result, "r-1"), protocol, shape))
            metadata = parsed.pop("ResponseMetadata")
            assert parsed == result, model.name
            assert metadata.get("RequestId", metadata["HTTPHeaders"]["x-amzn-requestid"]) == "r-1"


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_botocore_understands_every_error(name: str, protocol: str) -> None:
    """Every error that the model names comes back with its code, its status and its words."""
    service = BOTOCORE.get_service_model(name)
    for shape in service.error_shapes:
        error = wire.AwsError(shape.error_code, "it says <no> & why")
        reply = wire.failed(service, OURS.get(protocol, protocol), error, "r-1")  # type: ignore[arg-type]
        parsed = received(reply, protocol, None)
        assert parsed["Error"]["Code"] == shape.error_code
        assert parsed["Error"]["Message"] == "it says <no> & why"
        assert parsed["ResponseMetadata"]["HTTPStatusCode"] == reply.status
        assert reply.status == shape.metadata.get("error", {}).get("httpStatusCode", 400)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b""),
        ({}, b"Action=Nonsense"),
        ({}, b"Action=DescribeAlarms&Version=2009-05-15"),
        ({}, b"Action=DescribeAlarms&MaxRecords=many"),
        ({}, b"Action=DescribeAlarms&AlarmNames.member.x=a"),
        ({}, b"Action=DescribeAlarms&AlarmNames=a"),
        ({}, b"\xff\xfe"),
        ({"X-Amz-Target": "GraniteServiceVersion20100801.DescribeAlarms"}, b"{"),
        ({"X-Amz-Target": "GraniteServiceVersion20100801.DescribeAlarms"}, b"[]"),
        ({"smithy-protocol": "rpc-v2-cbor"}, b"\xa1"),
    ],
)
def test_what_is_no_request_is_said_to_be_none(headers: dict[str, str], body: bytes) -> None:
    """Bytes that no client of the service would send raise one error, never another."""
    with pytest.raises(wire.Malformed):
        wire.read(
            BOTOCORE.get_service_model("cloudwatch"), headers, body, "/service/x/operation/DescribeAlarms"
        )


HEADERS = [
    {},
    {"X-Amz-Target": "GraniteServiceVersion20100801.PutMetricAlarm"},
    {"smithy-protocol": "rpc-v2-cbor"},
]
FORM = st.lists(st.sampled_from(["Dimensions", "member", "1", "Name", "Value", "Tags", "0", ""]), max_size=5)
FORMS = st.dictionaries(FORM.map(".".join), st.text(max_size=5), max_size=6)


@pytest.mark.property
@given(
    st.sampled_from(HEADERS),
    st.binary(max_size=40) | FORMS.map(lambda form: urlencode({"Action": "PutMetricAlarm", **form}).encode()),
)
def test_any_bytes_are_a_request_or_said_to_be_none(headers: dict[str, str], body: bytes) -> None:
    """Whatever arrives is read, or refused by the one error for that."""
    with contextlib.suppress(wire.Malformed):
        path = "/service/x/operation/PutMetricAlarm"
        wire.read(BOTOCORE.get_service_model("cloudwatch"), headers, body, path)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"EndTime": 1e999}'])
def test_documents_that_python_cannot_hold_are_refused(body: bytes) -> None:
    """Nesting without end and numbers without bound are no requests."""
    headers = {"X-Amz-Target": "GraniteServiceVersion20100801.GetMetricData"}
    with pytest.raises(wire.Malformed):
        wire.read(BOTOCORE.get_service_model("cloudwatch"), headers, body)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("83010203", [1, 2, 3]),
        ("9f010203ff", [1, 2, 3]),
        ("bf6161016162f5ff", {"a": 1, "b": True}),
        ("7f657374726561646d696e67ff", "streaming"),
        ("3903e7", -1000),
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
        ("c11a514b67b0", 1363896240),
        ("f6", None),
    ],
)
def test_cbor_is_read_as_rfc_8949_shows_it(data: str, value: Any) -> None:
    """Examples of RFC 8949, appendix A, are read as their values."""
    assert cbor.decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize("data", ["", "18", "83", "0101", "c301", "fc", "1c", "ff"])
def test_broken_cbor_is_refused(data: str) -> None:
    """What is cut off, too long or unknown raises one error."""
    with pytest.raises(ValueError, match="CBOR"):
        cbor.decode(bytes.fromhex(data))
