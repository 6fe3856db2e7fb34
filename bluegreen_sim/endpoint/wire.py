"""Requests and responses by botocore's service models: bytes on one side, dicts on the other.

Which protocol is spoken is read from the request, not from the model: CloudWatch understands three, and
clients of different ages choose differently. Moments are whole seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import frozen
from botocore.model import OperationModel, ServiceModel, Shape

from . import documents, forms

Protocol = Literal["query", "ec2", "json", "cbor"]


class Malformed(Exception):
    """The request cannot be read; nothing is known of what it asks."""


class AwsError(Exception):
    """An error as AWS would answer it.

    Args:
        code: Its code, as it stands on the wire.
        message: Its words.
        status: HTTP status; the model's when None, and 400 when the model knows nothing.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        """Keep the code, the words and the status."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@frozen
class Request:
    """A request that was understood."""

    protocol: Protocol
    operation: OperationModel
    parameters: dict[str, Any]


@frozen
class Reply:
    """A response, ready to be sent."""

    status: int
    headers: dict[str, str]
    body: bytes


def read(service: ServiceModel, headers: Mapping[str, Any], body: bytes, path: str = "/") -> Request:
    """What a request asks for.

    Args:
        service: Model of the service that is asked.
        headers: The request's headers; the case of their names does not matter.
        body: Its body, unpacked.
        path: Its path; ``rpc-v2-cbor`` names the operation in it.

    Raises:
        Malformed: If it cannot be understood.
    """
    spelt = {name.lower(): name for name in headers}  # only two are ever read
    form: dict[str, str] = {}
    protocol: Protocol
    try:
        if "smithy-protocol" in spelt and _text(headers[spelt["smithy-protocol"]]) == "rpc-v2-cbor":
            protocol, name = "cbor", path.rpartition("/operation/")[2]
        elif "x-amz-target" in spelt:
            protocol, name = "json", _text(headers[spelt["x-amz-target"]]).rpartition(".")[2]
        else:
            form = forms.fields(body)
            name = form.pop("Action", "")
            if form.pop("Version", service.api_version) != service.api_version:
                raise Malformed(f"of {service.service_name}, version {service.api_version} is spoken here")
            protocol = "ec2" if service.metadata["protocol"] == "ec2" else "query"
        if name not in service.operation_names:
            raise Malformed(f"{service.service_name} has no operation {name!r}")
        operation = service.operation_model(name)
        shape = operation.input_shape
        if protocol in ("query", "ec2"):
            asked = forms.parameters(form, shape, ec2=protocol == "ec2")
        else:
            asked = documents.load(body, shape, binary=protocol == "cbor")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise Malformed(f"this is no request to {service.service_name}: {error}") from error
    return Request(protocol, operation, asked)


def answered(request: Request, result: Mapping[str, Any], request_id: str) -> Reply:
    """The response to a request.

    Raises:
        KeyError: If the result has a key that the model does not know.
    """
    protocol, model = request.protocol, request.operation
    if protocol in ("query", "ec2"):
        body = forms.answer(model, result, request_id, ec2=protocol == "ec2")
    else:
        body = documents.dump(result, model.output_shape, binary=protocol == "cbor")
    return Reply(200, _headers(protocol, request_id), body)


def failed(service: ServiceModel, protocol: Protocol, error: AwsError, request_id: str) -> Reply:
    """The response that says an error; code and status are the model's, where it knows the error."""
    # The stubs take the code for a number.
    shape: Shape | None = service.shape_for_error_code(error.code)  # type: ignore[arg-type]
    modelled = shape.metadata.get("error", {}) if shape is not None else {}
    status = error.status or modelled.get("httpStatusCode", 400)
    headers = _headers(protocol, request_id)
    if protocol in ("query", "ec2"):
        body = forms.error(error.code, error.message, request_id, sender=status < 500, ec2=protocol == "ec2")
    else:
        if service.is_query_compatible:
            # Clients of a service that once spoke "query" look their exceptions up by the old code.
            headers["x-amzn-query-error"] = f"{error.code};{'Sender' if status < 500 else 'Receiver'}"
        said = {"__type": shape.name if shape is not None else error.code, "message": error.message}
        body = documents.written(said, binary=protocol == "cbor")
    return Reply(status, headers, body)


def _headers(protocol: Protocol, request_id: str) -> dict[str, str]:
    kind = {"json": "application/x-amz-json-1.1", "cbor": "application/cbor"}.get(protocol, "text/xml")
    headers = {"Content-Type": kind, "x-amzn-RequestId": request_id}
    return headers | {"smithy-protocol": "rpc-v2-cbor"} if protocol == "cbor" else headers


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
