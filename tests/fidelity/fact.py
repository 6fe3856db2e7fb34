"""A fact about AWS, how the simulator keeps it, and how it is switched off to see that its test notices."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from attrs import define, field, frozen

_SITE = "https://docs.aws.amazon.com/"
_ALB = f"{_SITE}elasticloadbalancing/latest/application/"
_ELB = f"{_SITE}elasticloadbalancing/latest/"
_ASG = f"{_SITE}autoscaling/ec2/userguide/"
_CLOUDWATCH = f"{_SITE}AmazonCloudWatch/latest/monitoring/"

PAGES = {
    "alb target groups": f"{_ALB}load-balancer-target-groups.html",
    "alb attributes": f"{_ALB}edit-target-group-attributes.html",
    "alb health checks": f"{_ALB}target-group-health-checks.html",
    "alb actions": f"{_ALB}rule-action-types.html",
    "alb rules": f"{_ALB}listener-rules.html",
    "alb registering": f"{_ALB}target-group-register-targets.html",
    "alb troubleshooting": f"{_ALB}load-balancer-troubleshooting.html",
    "alb quotas": f"{_ALB}load-balancer-limits.html",
    "alb metrics": f"{_ALB}load-balancer-cloudwatch-metrics.html",
    "elb how": f"{_ELB}userguide/how-elastic-load-balancing-works.html",
    "elb api": f"{_ELB}APIReference/Welcome.html",
    "asg lifecycle": f"{_ASG}ec2-auto-scaling-lifecycle.html",
    "asg health": f"{_ASG}health-checks-overview.html",
    "asg grace": f"{_ASG}health-check-grace-period.html",
    "asg attachment": f"{_ASG}load-balancer-status.html",
    "asg suspending": f"{_ASG}as-suspend-resume-processes.html",
    "asg suspended": f"{_ASG}understand-how-suspending-processes-affects-other-processes.html",
    "asg hooks": f"{_ASG}lifecycle-hooks.html",
    "asg hook flow": f"{_ASG}lifecycle-hooks-overview.html",
    "asg termination": f"{_ASG}ec2-auto-scaling-termination-policies.html",
    "asg zones": f"{_ASG}auto-scaling-benefits.html",
    "asg protection": f"{_ASG}ec2-auto-scaling-instance-protection.html",
    "asg cooldowns": f"{_ASG}ec2-auto-scaling-scaling-cooldowns.html",
    "asg warm-up": f"{_ASG}ec2-auto-scaling-default-instance-warmup.html",
    "asg manual": f"{_ASG}ec2-auto-scaling-scaling-manually.html",
    "asg limits": f"{_ASG}asg-capacity-limits.html",
    "asg quotas": f"{_ASG}ec2-auto-scaling-quotas.html",
    "asg deletion": f"{_ASG}as-process-shutdown.html",
    "asg detaching": f"{_ASG}ec2-auto-scaling-detach-attach-instances.html",
    "asg standby": f"{_ASG}as-enter-exit-standby.html",
    "asg graceful": f"{_ASG}gracefully-handle-instance-termination.html",
    "asg refresh": f"{_ASG}understand-instance-refresh-default-values.html",
    "asg permissions": f"{_ASG}ec2-auto-scaling-launch-template-permissions.html",
    "asg troubleshooting": f"{_ASG}CHAP_Troubleshooting.html",
    "asg launch failures": f"{_ASG}ts-as-instancelaunchfailure.html",
    "asg balancer failures": f"{_ASG}ts-as-loadbalancer.html",
    "asg api": f"{_SITE}autoscaling/ec2/APIReference/Welcome.html",
    "ec2 images": f"{_SITE}AWSEC2/latest/UserGuide/creating-an-ami-ebs.html",
    "ec2 templates": f"{_SITE}AWSEC2/latest/UserGuide/launch-template-restrictions.html",
    "ec2 launches": f"{_SITE}AWSEC2/latest/UserGuide/troubleshooting-launch.html",
    "alarm evaluation": f"{_CLOUDWATCH}alarm-evaluation.html",
    "missing data": f"{_CLOUDWATCH}alarms-and-missing-data.html",
    "undocumented": "",
}
"""The pages that facts come from, by a short name; an undocumented one has none."""

How = Literal["exact", "parameter", "not modelled"]


@define
class Off:
    """A rule of the simulator, put out of force.

    Args:
        where: ``module:name`` or ``module:Class.name`` below ``bluegreen_sim.``: a function, a method, a
            property or a constant.
        wrong: Makes of the real one what stands there instead.
    """

    where: str
    wrong: Callable[[Any], Any]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Without the rule.

        Raises:
            KeyError: If the place is gone.
        """
        module, _, path = self.where.partition(":")
        *owners, name = path.split(".")
        owner = sys.modules[f"bluegreen_sim.{module}"]
        for part in owners:
            owner = vars(owner)[part]
        real = vars(owner)[name]
        wrong = self.wrong(real)
        if owners:
            setattr(owner, name, wrong)
        else:
            _bind(real, wrong)
        try:
            yield
        finally:
            if owners:
                setattr(owner, name, real)
            else:
                _bind(wrong, real)  # also where it was imported from in the meantime


def _bind(old: object, new: object) -> None:
    """Put a value in the place of another wherever a module has it under a name, alone or in a tuple."""
    for loaded, module in list(sys.modules.items()):
        if loaded.partition(".")[0] not in ("bluegreen", "bluegreen_sim", "tests"):
            continue
        for name, value in list(vars(module).items()):
            if value is old:
                setattr(module, name, new)
            elif isinstance(value, tuple) and any(part is old for part in value):
                setattr(module, name, tuple(new if part is old else part for part in value))


def answering(value: Any) -> Callable[[Any], Any]:
    """In the place of a function, one that always returns this."""
    return lambda _: lambda *_given, **_named: value


@frozen(kw_only=True)
class Fact:
    """What AWS does, and what the simulator makes of it.

    Args:
        id: Section and number, such as ``A6.2``; facts of a section are numbered from 1.
        says: The fact, in one sentence.
        page: Where AWS says so, a key of ``PAGES``.
        how: ``exact``; ``parameter``, where AWS is silent or lets one choose; or ``not modelled``.
        by: The parameters that set it.
        why: Why it is not modelled; or what was assumed.
        test: ``file::function`` of the test that fails when the rule is off.
        off: How it is switched off.
    """

    id: str
    says: str
    page: str
    how: How = "exact"
    by: str = ""
    why: str = ""
    test: str = ""
    off: Off | None = field(default=None, eq=False)
