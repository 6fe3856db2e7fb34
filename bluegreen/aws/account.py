"""Which account and Region the credentials at hand lead to."""

from __future__ import annotations

import boto3
from attrs import frozen
from botocore import exceptions as boto

from ..core.errors import BlueGreenError
from .clients import Clients
from .errors import AwsError, words


@frozen(kw_only=True)
class Account:
    """An account and Region that answered.

    Args:
        id: The account's number, twelve digits.
        region: The Region's name.
        session: The boto3 session that leads there.
        endpoint_url: Where all services are; None is AWS.
    """

    id: str
    region: str
    session: boto3.Session
    endpoint_url: str | None

    @classmethod
    def open(
        cls, *, profile: str | None = None, region: str | None = None, endpoint_url: str | None = None
    ) -> Account:
        """Find credentials as every AWS tool does, and ask whose they are.

        Args:
            profile: A profile of the shared configuration files; None takes what the environment says.
            region: A Region; None takes what the environment or the profile says.
            endpoint_url: Where all services are; None is AWS.

        Raises:
            BlueGreenError: If there is no such profile, no Region, no such endpoint, or no credentials that
                are valid; or if profile or region are empty, as a variable is that was not set.
        """
        if empty := [f"--{name}" for name, said in (("profile", profile), ("region", region)) if said == ""]:
            raise BlueGreenError(f"{' and '.join(empty)}: '': name one, or leave the option out")
        try:
            session = boto3.Session(profile_name=profile, region_name=region)
        except boto.ProfileNotFound as error:
            raise BlueGreenError(f"{words(error)}: name another one as --profile") from None
        except AwsError as error:
            raise BlueGreenError(f"the AWS configuration cannot be read: {words(error)}") from None
        if session.region_name is None:
            raise BlueGreenError("no AWS Region is known: say --region, or set AWS_DEFAULT_REGION")
        clients = Clients(session, endpoint_url=endpoint_url)
        try:
            identity = clients.read.sts.get_caller_identity()
        except AwsError as error:
            raise BlueGreenError(f"AWS does not say whose these credentials are: {words(error)}") from None
        except ValueError as error:  # botocore's word for a URL that names no host
            raise BlueGreenError(f"{words(error)}: correct --endpoint-url") from None
        finally:
            clients.close()
        return cls(
            id=identity["Account"], region=session.region_name, session=session, endpoint_url=endpoint_url
        )
