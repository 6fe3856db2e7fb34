"""What AWS and botocore raise, in the closed set of classes that the core can tell apart.

Codes are those of botocore's models and of the API references' lists of common errors. What stands nowhere
here is ``UNCLASSIFIED``, and a deployment that meets it halts: unknown is not harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ..core.observation import ErrorClass
from ..core.text import escaped, redacted

AwsError = (ClientError, BotoCoreError, ResponseParserError, KeyError)
"""All that a call to AWS raises: on purpose, or because an answer has not what every such answer has.

Of half a JSON answer, and of XML that is not AWS's, botocore makes an empty one or raises ``KeyError``. So
members that every whole answer has are read by ``answer["…"]``, never by ``get``: missing is not empty.
"""

K = TypeVar("K")
V = TypeVar("V")


class Noted(dict[K, V]):
    """What we noted ourselves: a key that is not in it is a mistake of ours, and must not pass for AWS's."""

    def __missing__(self, key: K) -> V:
        raise LookupError(f"{key!r} was not noted")


class Refused(Exception):
    """What is not sent, or turned out not to be possible.

    Args:
        error: Its class.
        detail: Why.
    """

    def __init__(self, error: ErrorClass, detail: str) -> None:
        super().__init__(detail)
        self.error = error


T = TypeVar("T")
DETAIL_LIMIT = 500
"""Characters of an error's own words that are kept; they are written into the journal."""

_BY_CLASS: Mapping[ErrorClass, str] = {
    ErrorClass.THROTTLED: """
        EC2ThrottledException KMSThrottling RateExceeded RequestLimitExceeded RequestThrottled
        RequestThrottledException SlowDown ThrottledException Throttling ThrottlingException
        TooManyRequestsException
    """,
    ErrorClass.BUSY: """
        ConditionalRequestConflict IncorrectInstanceState InstanceRefreshInProgress InvalidInstanceId
        PriorRequestNotComplete ResourceContention ScalingActivityInProgress TrustStoreNotReady
    """,
    ErrorClass.LOST: """
        InternalError InternalException InternalFailure InternalServerError ServiceUnavailable Unavailable
    """,
    ErrorClass.CONFLICT: """
        AlreadyExists DuplicateListener DuplicateLoadBalancerName DuplicateTargetGroupName PreconditionFailed
        InvalidAMIName.Duplicate InvalidLaunchTemplateName.AlreadyExistsException PriorityInUse
    """,
    ErrorClass.ABSENT: """
        AllocationIdNotFound AvailabilityZoneNotSupported CertificateNotFound InvalidDocument
        InvalidDocumentVersion InvocationDoesNotExist NoSuchBucket NoSuchKey ResourceNotFound RuleNotFound
        SSLPolicyNotFound SubnetNotFound TrustStoreNotFound
    """,
    ErrorClass.IN_USE: """
        DependencyViolation InvalidSnapshot.InUse OperationNotPermitted ResourceInUse VolumeInUse
    """,
    ErrorClass.NO_CAPACITY: """
        LimitExceededException MaxSpotInstanceCountExceeded ServiceLinkedRoleFailure
        TargetGroupAssociationLimit
    """,
    ErrorClass.IDENTITY: """
        AccessDenied AccessDeniedException AuthFailure AuthorizationError Blocked ExpiredToken
        ExpiredTokenException IncompleteSignature InvalidAccessKeyId InvalidClientTokenId InvalidSecurity
        InvalidToken KMSAccessDenied KMSDisabled KMSInvalidState KMSOptInRequired MissingAuthenticationToken
        NotAuthorized OptInRequired RequestExpired SignatureDoesNotMatch UnauthorizedOperation
        UnrecognizedClientException
    """,
    ErrorClass.BUG: """
        ALPNPolicyNotSupported DuplicateDocumentContent DuplicateInstanceId EncryptionTypeMismatch
        EndpointDisabled IdempotentInstanceTerminated IdempotentParameterMismatch
        IncompatibleProtocols InvalidCommandId InvalidConfigurationRequest InvalidFilterKey
        InvalidInstanceInformationFilterValue InvalidLoadBalancerAction InvalidNextToken
        InvalidNotificationConfig InvalidObjectState InvalidOutputFolder InvalidParameter
        InvalidParameters InvalidPluginName InvalidRequest InvalidRole InvalidScheme InvalidTarget
        InvalidWriteOffset MaxDocumentSizeExceeded ParameterNotFound ParameterValueInvalid
        PlatformApplicationDisabled UnsupportedPlatformType UnsupportedProtocol ValidationException
    """,
}
_CLASS_OF = {code: kind for kind, codes in _BY_CLASS.items() for code in codes.split()}

_BY_SUFFIX = (
    # EC2 says what is not there as InvalidAMIID.NotFound, …VersionNotFound, …NotFoundException.
    ("NotFound", ErrorClass.ABSENT),
    ("NotFoundException", ErrorClass.ABSENT),
    (".Unavailable", ErrorClass.ABSENT),
    (".Malformed", ErrorClass.ABSENT),
    ("ThrottledException", ErrorClass.THROTTLED),
    ("LimitExceeded", ErrorClass.NO_CAPACITY),
)

# The first row whose class the exception is of.
_BY_EXCEPTION: tuple[tuple[type[Exception], ErrorClass], ...] = (
    (boto.ParamValidationError, ErrorClass.BUG),
    (boto.UnknownParameterError, ErrorClass.BUG),
    (boto.EndpointConnectionError, ErrorClass.NOT_SENT),
    (boto.ConnectTimeoutError, ErrorClass.NOT_SENT),
    (boto.ProxyConnectionError, ErrorClass.NOT_SENT),
    (boto.NoCredentialsError, ErrorClass.NOT_SENT),
    (boto.PartialCredentialsError, ErrorClass.NOT_SENT),
    (boto.CredentialRetrievalError, ErrorClass.NOT_SENT),
    (boto.TokenRetrievalError, ErrorClass.NOT_SENT),
    (boto.SSOError, ErrorClass.IDENTITY),
    (boto.HTTPClientError, ErrorClass.LOST),  # closed, timed out, cut off: it may have been carried out
    (boto.ConnectionError, ErrorClass.LOST),  # TLS that broke, when is not said
    (boto.IncompleteReadError, ErrorClass.LOST),
    (ResponseParserError, ErrorClass.LOST),
    (KeyError, ErrorClass.LOST),
)


def code_of(error: Exception) -> str:
    """AWS's error code; of an error that AWS did not send, the name of its class."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__


def of_code(code: str, status: int = 400, message: str = "") -> ErrorClass:
    """The class of an error that AWS sent.

    Args:
        code: Its code.
        status: The HTTP status it came with.
        message: Its words; Auto Scaling tells some errors apart by nothing else.
    """
    if code in _CLASS_OF:
        return _CLASS_OF[code]
    if code == "ValidationError" and "not found" in message:
        return ErrorClass.ABSENT
    if code == "ValidationError" and "not part of Auto Scaling group" in message:
        return ErrorClass.BUSY  # one instance that left since the look makes a call for all of them fail
    for suffix, kind in _BY_SUFFIX:
        if code.endswith(suffix):
            return kind
    if code.startswith(("TooMany", "Insufficient")):
        return ErrorClass.NO_CAPACITY
    if status == 429:
        return ErrorClass.THROTTLED
    return ErrorClass.LOST if status >= 500 else ErrorClass.UNCLASSIFIED


def classify(error: Exception) -> ErrorClass:
    """The class of anything that a call raised."""
    if isinstance(error, ClientError):
        response: Any = error.response
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
        return of_code(code_of(error), status, str(response.get("Error", {}).get("Message", "")))
    for cls, kind in _BY_EXCEPTION:
        if isinstance(error, cls):
            return kind
    return ErrorClass.UNCLASSIFIED


def words(error: Exception) -> str:
    """The error for people, on one line, without what looks like a secret: code and message.

    What is raised with these words is raised ``from None``: the error itself quotes all that AWS said.
    """
    text = str(error)
    if isinstance(error, KeyError):
        text = f"an answer without {text}"
    if isinstance(error, ResponseParserError):
        text = "an answer that cannot be parsed"  # it quotes the whole answer
    if isinstance(error, ClientError):
        text = f"{code_of(error)}: {error.response.get('Error', {}).get('Message', '')}"
    return escaped(redacted(text), DETAIL_LIMIT)


def if_there(read: Callable[[], list[T]]) -> list[T]:
    """What is read; empty where EC2 says, by an error, that it does not know the name or the id."""
    try:
        return read()
    except AwsError as error:
        if classify(error) is ErrorClass.ABSENT:
            return []
        raise
