"""Whether credentials lead where the plan means and may do what it takes, asked before anything is changed.

EC2 says what it would allow when a request is a dry run (EC2 API reference, ``DryRun``); Auto Scaling and
Elastic Load Balancing have no such thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ..core.observation import ErrorClass
from ..core.plan import Plan, WeightedTargetGroups
from .clients import Clients
from .errors import AwsError, classify, code_of, words

WOULD_HAVE_WORKED = "DryRunOperation"


def problems(clients: Clients, plan: Plan, account: str | None) -> Iterator[str]:
    """What stands in the plan's way, one sentence each.

    What cannot be asked is no problem yet: the look that goes with it tells of an AWS that does not answer.

    Args:
        clients: Whose credentials are asked.
        plan: What is to be done.
        account: The account that they must lead to; None does not ask.
    """
    yield from place_problems(clients, plan, account)
    for action, ask in _dry_runs(clients, plan).items():
        try:
            ask()
        except AwsError as error:
            if code_of(error) != WOULD_HAVE_WORKED and classify(error) is ErrorClass.IDENTITY:
                remedy = "`bluegreen policy manage` prints what it takes"
                yield f"{action} would be refused ({words(error)}): {remedy}"


def _dry_runs(clients: Clients, plan: Plan) -> Mapping[str, Callable[[], Any]]:
    """What EC2 can be asked without effect, by action: to make the version, and to launch from it."""
    ec2, template = clients.write.ec2, plan.launch_template
    launch = partial(ec2.run_instances, DryRun=True, MinCount=1, MaxCount=1)
    if (image := plan.image) is None:
        number = str(plan.number)
        return {
            "ec2:RunInstances": lambda: launch(
                LaunchTemplate={"LaunchTemplateName": template, "Version": number}
            )
        }
    source = str(plan.source_version or "$Default")
    return {
        "ec2:CreateLaunchTemplateVersion": lambda: ec2.create_launch_template_version(
            DryRun=True,
            LaunchTemplateName=template,
            SourceVersion=source,
            LaunchTemplateData={"ImageId": image},
        ),
        "ec2:RunInstances": lambda: launch(
            ImageId=image, LaunchTemplate={"LaunchTemplateName": template, "Version": source}
        ),
    }


def place_problems(clients: Clients, plan: Plan, account: str | None) -> Iterator[str]:
    """The account and Region, if somebody said which they must be: the caller, or the plan's ARN."""
    routing = plan.routing
    named = routing.listener if isinstance(routing, WeightedTargetGroups) else None
    region = None
    if named and named.startswith("arn:") and named.count(":") >= 5:
        region, owner = named.split(":")[3:5]
        account = account or owner
    ours = clients.session.region_name
    if region and region != ours:
        remedy = f"say --region {region}"
        yield f"routing.listener is in {region}, but the credentials lead to {ours}: {remedy}"
    if account:
        try:
            found = clients.read.sts.get_caller_identity()["Account"]
        except AwsError:
            return
        if found != account:
            yield f"the credentials lead to account {found}, not to {account}: take others"
