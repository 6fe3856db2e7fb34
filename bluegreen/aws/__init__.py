"""bluegreen on Amazon Web Services: the only part that knows boto3."""

from .account import Account
from .builder import AwsBuilder
from .cloud import AwsCloud
from .journal import S3Journal
from .ssh import Ssh
from .telling import EventBridgeListener, SnsListener

__all__ = [
    "Account",
    "AwsBuilder",
    "AwsCloud",
    "EventBridgeListener",
    "S3Journal",
    "SnsListener",
    "Ssh",
]
