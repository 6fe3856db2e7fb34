"""bluegreen on Amazon Web Services: the only part that knows boto3."""

from .account import Account
from .builder import AwsBuilder
from .cloud import AwsCloud

__all__ = ["Account", "AwsBuilder", "AwsCloud"]
