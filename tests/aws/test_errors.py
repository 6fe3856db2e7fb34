"""Every error that AWS declares has its class, and so has all that botocore raises."""

from __future__ import annotations

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError

from bluegreen.aws.errors import AwsError, classify, of_code, words
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
    "InternalError": E.LOST,
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
    "Unavailable": E.LOST,
    "UnauthorizedOperation": E.IDENTITY,
    "VcpuLimitExceeded": E.NO_CAPACITY,
    "VolumeInUse": E.IN_USE,
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
    ("SlowDown", 503): E.THROTTLED,
    ("SomeNewThrottledException", 400): E.THROTTLED,
    ("SomethingNew", 400): E.UNCLASSIFIED,
    ("SomethingNew", 429): E.THROTTLED,
    ("SomethingNew", 500): E.LOST,
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


def test_what_is_missing_in_auto_scaling_is_told_by_its_message() -> None:
    """It says `ValidationError` of a missing group and of an instance that left, too; the message tells."""
    assert of_code("ValidationError", 400, "AutoScalingGroup name not found - web") is E.ABSENT
    assert of_code("SomethingNew", 400, "not found") is E.UNCLASSIFIED
    assert of_code("ValidationError", 400, "The instance i-1 is not part of Auto Scaling group web") is E.BUSY


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        ("ValidationError", "AutoScalingGroup name not found - web", 400, E.ABSENT),
        ("SomethingNew", "", 400, E.UNCLASSIFIED),
        ("SomethingNew", "", 500, E.LOST),
        ("SomethingNew", "", None, E.UNCLASSIFIED),
    ],
)
def test_an_answer_is_classified_by_all_it_says(
    code: str, message: str, status: int | None, kind: ErrorClass
) -> None:
    """Code, message and HTTP status of an answer all count; one without a status is not called lost."""
    metadata = {} if status is None else {"ResponseMetadata": {"HTTPStatusCode": status}}
    error = ClientError({"Error": {"Code": code, "Message": message}, **metadata}, "DescribeX")  # type: ignore[arg-type]
    assert classify(error) is kind


@pytest.mark.parametrize("error", [KeyError("Rules"), ResponseParserError("no XML")])
def test_half_an_answer_is_a_lost_one(error: Exception) -> None:
    """An answer that cannot be read leaves open whether the request was carried out."""
    assert isinstance(error, AwsError)
    assert classify(error) is E.LOST
    assert words(KeyError("Rules")) == "an answer without 'Rules'"


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
        (boto.PartialCredentialsError, E.NOT_SENT, Result.NOT_APPLIED),
        (boto.ProxyConnectionError, E.NOT_SENT, Result.NOT_APPLIED),
        (boto.TokenRetrievalError, E.NOT_SENT, Result.NOT_APPLIED),
        (boto.SSOTokenLoadError, E.IDENTITY, Result.REFUSED),
        (boto.ConnectionClosedError, E.LOST, Result.UNKNOWN),
        (boto.ReadTimeoutError, E.LOST, Result.UNKNOWN),
        (boto.ResponseStreamingError, E.LOST, Result.UNKNOWN),
        (boto.IncompleteReadError, E.LOST, Result.UNKNOWN),
        (boto.SSLError, E.LOST, Result.UNKNOWN),
        (boto.ParamValidationError, E.BUG, Result.REFUSED),
        (boto.UnknownParameterError, E.BUG, Result.REFUSED),
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
