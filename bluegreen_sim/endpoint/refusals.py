"""The code under which each service says what the world says in a word."""

from __future__ import annotations

from .wire import AwsError

_CODES: dict[str, dict[str, str]] = {
    "autoscaling": {
        "absent": "ValidationError",
        "bug": "IdempotentParameterMismatch",
        "busy": "ScalingActivityInProgress",
        "conflict": "AlreadyExists",
        "in-use": "ResourceInUse",
        "no-capacity": "LimitExceeded",
        "not-refreshing": "ActiveInstanceRefreshNotFound",
        "refreshing": "InstanceRefreshInProgress",
        "throttled": "Throttling",
    },
    "cloudwatch": {
        "absent": "ResourceNotFound",
        "bug": "InvalidNextToken",
        "no-capacity": "LimitExceeded",
        "throttled": "Throttling",
    },
    "ec2": {
        "absent": "InvalidInstanceID.NotFound",
        "bug": "IdempotentParameterMismatch",
        "busy": "IncorrectInstanceState",
        "conflict": "InvalidAMIName.Duplicate",
        "identity": "UnauthorizedOperation",
        "in-use": "DependencyViolation",
        "no-capacity": "InsufficientInstanceCapacity",
        "throttled": "RequestLimitExceeded",
    },
    "elbv2": {
        "absent": "TargetGroupNotFound",
        "bug": "InvalidConfigurationRequest",
        "busy": "PriorRequestNotComplete",
        "conflict": "DuplicateTargetGroupName",
        "in-use": "ResourceInUse",
        "no-capacity": "TooManyTargets",
    },
    "ssm": {
        "absent": "InvocationDoesNotExist",
        "bug": "InvalidParameters",
        "busy": "InvalidInstanceId",
        "identity": "AccessDeniedException",
    },
    "sts": {},
}
_OTHERWISE = {
    "identity": "AccessDenied",
    "throttled": "ThrottlingException",
    "lost": "InternalFailure",
    "unavailable": "ServiceUnavailable",
}
_STATUS = {"identity": 403, "lost": 500, "unavailable": 503}
_INVALID = {
    "cloudwatch": "InvalidParameterValue",
    "ec2": "InvalidParameterValue",
    "ssm": "ValidationException",
}
UNKNOWN = "SomethingElse"
"""For a kind that a service has no word for: a code that no client can know."""


def refusal(service: str, kind: str, detail: str) -> AwsError:
    """The error by which a service says no.

    Args:
        service: Which.
        kind: What it says no for; the keys of the tables above.
        detail: The words.
    """
    code = _CODES[service].get(kind) or _OTHERWISE.get(kind, UNKNOWN)
    if kind == "throttled":
        detail = "Rate exceeded" if service != "ec2" else "Request limit exceeded."
    return AwsError(code, detail, 503 if code == "RequestLimitExceeded" else _STATUS.get(kind))


def invalid(service: str, detail: str) -> AwsError:
    """The error by which a service says that a request breaks its model."""
    return AwsError(_INVALID.get(service, "ValidationError"), detail)
