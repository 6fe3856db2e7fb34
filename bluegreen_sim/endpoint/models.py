"""botocore's descriptions of the services, loaded once for all sessions."""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader, create_loader
from botocore.model import ServiceModel


@cache
def loader() -> Loader:
    """Reads botocore's data, each file once."""
    return create_loader()


@cache
def service_model(name: str) -> ServiceModel:
    """The model of a service by the name that boto3 knows it by."""
    return ServiceModel(loader().load_service_model(name, "service-2"), service_name=name)
