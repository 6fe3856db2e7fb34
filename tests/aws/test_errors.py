"""Every error that AWS declares has its class, and so has all that botocore raises."""

from __future__ import annotations

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.model import OperationModel

from bluegreen.aws.errors import classify, of_code, words
from bluegreen.core.observation import ErrorClass, Result
from tests.aws.operations import called, mutates

E = ErrorClass

# EC2 declares no errors in its model. These are of its list "Error codes for the Amazon EC2 API".
EC2_CODES = {
    "AuthFailure": E.IDENTITY,
    "Blocked": E.IDENTITY,
    "DependencyViolation": E.IN_USE,
    "IdempotentParameterMismatch": E.BUG,
    "IdempotentInstanceTerminated": E.BUG,
    "IncorrectInstanceState": E.BUSY,
    "InsufficientInstanceCapacity": E.NO_CAPACITY,
    "InstanceLimitExceeded": E.NO_CAPACITY,
    "InvalidAMIID.Malformed": E.ABSENT,
    "InvalidAMIID.NotFound": E.ABSENT,
    "InvalidAMIID.Unavailable": E.ABSENT,
    "InvalidAMIName.Duplicate": E.CONFLICT,
    "InvalidInstanceID.NotFound": E.ABSENT,
    "InvalidLaunchTemplateId.NotFound": E.ABSENT,
    "InvalidLaunchTemplateId.VersionNotFound": E.ABSENT,
    "InvalidLaunchTemplateName.AlreadyExistsException": E.CONFLICT,
    "InvalidLaunchTemplateName.NotFoundException": E.ABSENT,
    "InvalidSnapshot.InUse": E.IN_USE,
    "InvalidSubnetID.NotFound": E.ABSENT,
    "OperationNotPermitted": E.IN_USE,
    "RequestExpired": E.IDENTITY,
    "RequestLimitExceeded": E.THROTTLED,
    "TooManyTags": E.NO_CAPACITY,
    "UnauthorizedOperation": E.IDENTITY,
    "VcpuLimitExceeded": E.NO_CAPACITY,
}

COMMON = {  # of every service: the API references' "Common errors", and what field reports add
    ("AccessDenied", 403): E.IDENTITY,
    ("AccessDeniedException", 400): E.IDENTITY,
    ("ExpiredToken", 403): E.IDENTITY,
    ("ExpiredTokenException", 400): E.IDENTITY,
    ("IncompleteSignature", 400): E.IDENTITY,
    ("InternalFailure", 500): E.LOST,
    ("InvalidClientTokenId", 403): E.IDENTITY,
    ("OptInRequired", 403): E.IDENTITY,
    ("RateExceeded", 400): E.THROTTLED,
    ("RequestExpired", 400): E.IDENTITY,
    ("ServiceUnavailable", 503): E.LOST,
    ("SignatureDoesNotMatch", 403): E.IDENTITY,
    ("SomethingNew", 400): E.UNCLASSIFIED,
    ("SomethingNew", 429): E.THROTTLED,
    ("SomethingNew", 502): E.LOST,
    ("Throttling", 400): E.THROTTLED,
    ("ThrottlingException", 400): E.THROTTLED,
    ("ValidationError", 400): E.UNCLASSIFIED,
}


def test_operations_are_found_at_all() -> None:
    """The search for operations finds those that every deployment needs, and knows which change things."""
    found = {operation.name: mutates(operation.name) for _, operation in called()}
    assert found["DescribeTargetHealth"] is False
    assert found["ModifyRule"] is True
    assert found["CreateLaunchTemplateVersion"] is True
    assert len(found) > 20


@pytest.mark.parametrize(
    ("service", "operation"), called(), ids=lambda value: getattr(value, "name", str(value))
)
def test_what_a_model_declares_is_classified(service: str, operation: OperationModel) -> None:
    """No error that botocore's model declares for an operation we call is left unclassified."""
    left = [
        f"{service} {operation.name}: {code} ({status})"
        for shape in operation.error_shapes
        for error in [shape.metadata.get("error", {})]
        for code, status in [(error.get("code", shape.name), error.get("httpStatusCode", 400))]
        if of_code(code, status) is E.UNCLASSIFIED
    ]
    assert not left


@pytest.mark.parametrize(("code", "kind"), EC2_CODES.items())
def test_ec2_codes_are_classified(code: str, kind: ErrorClass) -> None:
    """EC2's documented codes are of the class that says what may be done about them."""
    assert of_code(code) is kind


@pytest.mark.parametrize(("said", "kind"), COMMON.items())
def test_common_errors_are_classified(said: tuple[str, int], kind: ErrorClass) -> None:
    """What any service may answer is classified by code, then by status; the rest stays unclassified."""
    assert of_code(*said) is kind


def test_a_missing_group_is_told_by_its_message() -> None:
    """Auto Scaling says `ValidationError` of a missing group too; only the message tells."""
    assert of_code("ValidationError", 400, "AutoScalingGroup name not found - web") is E.ABSENT


def _built(cls: type[Exception]) -> Exception:
    """An exception of botocore with whatever its message wants."""
    wanted = {"error", "endpoint_url", "report", "msg", "provider", "cred_var", "proxy_url", "error_msg"}
    wanted |= {"actual_bytes", "expected_bytes", "name", "unknown_param", "operation", "choices", "message"}
    return cls(**dict.fromkeys(wanted, "x"))


@pytest.mark.parametrize(
    ("cls", "kind", "result"),
    [
        (boto.ConnectTimeoutError, E.NOT_SENT, Result.NOT_APPLIED),
        (boto.EndpointConnectionError, E.NOT_SENT, Result.NOT_APPLIED),
        (boto.NoCredentialsError, E.NOT_SENT, Result.NOT_APPLIED),
        (boto.CredentialRetrievalError, E.NOT_SENT, Result.NOT_APPLIED),
        (boto.ConnectionClosedError, E.LOST, Result.UNKNOWN),
        (boto.ReadTimeoutError, E.LOST, Result.UNKNOWN),
        (boto.ResponseStreamingError, E.LOST, Result.UNKNOWN),
        (boto.IncompleteReadError, E.LOST, Result.UNKNOWN),
        (boto.SSLError, E.LOST, Result.UNKNOWN),
        (boto.ParamValidationError, E.BUG, Result.REFUSED),
        (boto.InvalidConfigError, E.UNCLASSIFIED, Result.REFUSED),
    ],
)
def test_what_botocore_raises_is_classified(cls: type[Exception], kind: ErrorClass, result: Result) -> None:
    """An exception of botocore's own says whether the request left: no, perhaps, or it never should."""
    assert classify(_built(cls)) is kind
    assert kind.result is result


def test_the_words_of_an_error_fit_on_a_line() -> None:
    """Whatever AWS answers, what is kept of it is one line of bounded length."""
    error = ClientError({"Error": {"Code": "Odd", "Message": "a\nb\x1b[31m" + "x" * 9_000}}, "DescribeX")
    said = words(error)
    assert said.startswith("Odd: a\\nb\\x1b[31m")
    assert len(said) <= 500
    assert said.isprintable()
