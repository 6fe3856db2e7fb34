"""Every operation of AWS that bluegreen calls, found in its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import botocore.session
from botocore import xform_name
from botocore.model import OperationModel, ServiceModel

from tests.architecture.source import inside, read

SERVICES = ("autoscaling", "cloudwatch", "ec2", "elbv2", "events", "s3", "sns", "ssm", "sts")
READING = ("Describe", "Get", "List")


@cache
def models() -> dict[str, ServiceModel]:
    """botocore's model of each service."""
    session = botocore.session.Session()
    return {service: session.get_service_model(service) for service in SERVICES}


@cache
def called() -> tuple[tuple[str, OperationModel], ...]:
    """(service, operation) of each call and each paginator in bluegreen/aws, in order of their names.

    Two services have a method of one name, and only one of them is called.
    """
    names = set(_names())
    return tuple(
        (service, model.operation_model(operation))
        for service, model in models().items()
        for operation in model.operation_names
        if xform_name(operation) in names and (service, operation) != ("autoscaling", "DescribeLoadBalancers")
    )


def _names() -> Iterator[str]:
    for module in read("bluegreen").values():
        if not inside(module.name, "bluegreen.aws"):
            continue
        for call in ast.walk(module.tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            yield call.func.attr
            if call.func.attr == "get_paginator" and isinstance(call.args[0], ast.Constant):
                yield str(call.args[0].value)


def mutates(operation: str) -> bool:
    """Whether an operation changes anything."""
    return not operation.startswith(READING)
