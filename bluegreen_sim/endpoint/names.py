"""ARNs and ids: functions of names, so that the same world is spelt in the same way."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from uuid import UUID

ACCOUNT = "123456789012"
REGION = "us-east-1"
NETWORK = "vpc-0simulated"
BALANCER = "simulated"
INSTANCE_TYPE = "t3.micro"


def zone(number: int) -> str:
    """The name of a zone."""
    return REGION + chr(ord("a") + number)


def subnet(number: int) -> str:
    """The subnet of a zone."""
    return f"subnet-{number}simulated"


_ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:"


@lru_cache(maxsize=4096)
def digest(text: str, length: int = 16) -> str:
    """Hexadecimal digits that stand for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


@lru_cache(maxsize=4096)
def group_arn(name: str, token: str = "") -> str:
    """An Auto Scaling group's; of a namesake made by somebody else it differs, as it does at AWS."""
    uuid = UUID(digest(f"{name} {token}", 32))
    return f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:{uuid}:autoScalingGroupName/{name}"


def target_group_arn(name: str) -> str:
    """A target group's."""
    return f"{_ELB}targetgroup/{name}/{digest(name)}"


def target_group_name(arn: str) -> str | None:
    """The name in a target group's ARN; None when it is the ARN of no target group that can exist."""
    name = arn.removeprefix(f"{_ELB}targetgroup/").partition("/")[0]
    return name if target_group_arn(name) == arn else None


BALANCER_ARN = f"{_ELB}loadbalancer/app/{BALANCER}/{digest(BALANCER)}"
LISTENER_ARN = f"{_ELB}listener/app/{BALANCER}/{digest(BALANCER)}/{digest('listener')}"


TEST_LISTENER_ARN = f"{_ELB}listener/app/{BALANCER}/{digest(BALANCER)}/{digest('test listener')}"


def rule_arn(priority: str, listener: str = LISTENER_ARN) -> str:
    """A rule's, by its priority or ``default``, and by its listener's."""
    return f"{listener.replace(':listener/', ':listener-rule/')}/{digest(priority)}"


def template_id(name: str) -> str:
    """A launch template's id."""
    return f"lt-0{digest(name)}"


def snapshot_id(image: str) -> str:
    """The snapshot of an image's root volume."""
    return f"snap-0{digest(image)}"


def alarm_arn(name: str) -> str:
    """An alarm's."""
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"
