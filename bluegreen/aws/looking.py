"""One look at an account: all that a pass of a deployment must know, in a fixed number of calls.

Whatever the size of the groups, a pass makes the same calls but for pages. A part that cannot be read is
named in ``Observation.unread``; missing is not zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import attrs
from attrs import define, field

from ..core.gates import Alarm
from ..core.observation import ErrorClass, Fleet, Observation, Shares
from ..core.plan import Plan
from ..core.state import Ledger
from . import copying, fleets, routing, templates, watching
from .copying import Extra
from .errors import AwsError, Noted, classify, if_there, words
from .fleets import Failure
from .names import DEPLOYMENT_TAG, tags
from .routing import NotThere, Raw, TargetGroup
from .watching import Turn

if TYPE_CHECKING:
    from .clients import Services

STATUSES_A_CALL = 100


@define(kw_only=True)
class Known:
    """What one process has found out and need not ask again, of one plan.

    ARNs are kept on purpose: a namesake that was created later has another one, and is not ours.

    Args:
        plan: Whose.
        token: Of the deployment.
        target_groups: By name.
        rules: ARNs of the rules that divide by weights.
        test_rules: Those of the plan's test rules.
        version: The deployment's template version.
        arns: Of the Auto Scaling groups, by name.
        groups: The Auto Scaling groups as they were seen last, by name; absent ones are left out.
        shares: The weights as they were seen last.
        test_shares: Those of the test rules.
        version_at: When it was made for this deployment.
        extras: Of a group that green is made like: what it is given by calls of its own.
        furnished: The groups that have all of it.
        turns: The alarms as they were seen last, by name.
    """

    plan: Plan
    token: str
    target_groups: dict[str, TargetGroup] = field(factory=dict, converter=Noted)
    rules: tuple[str, ...] = ()
    test_rules: tuple[str, ...] = ()
    version: int | None = None
    arns: dict[str, str] = field(factory=dict, converter=Noted)
    groups: dict[str, Raw] = field(factory=dict, converter=Noted)
    shares: Shares | None = None
    test_shares: Shares | None = None
    version_at: datetime | None = None
    extras: dict[str, dict[str, Extra]] = field(factory=dict, converter=Noted)
    furnished: set[str] = field(factory=set)
    turns: dict[str, Turn] = field(factory=dict, converter=Noted)

    def divided(self, rule: Raw) -> dict[str, tuple[str, int]]:
        """(ARN of its target group, weight) of each of the plan's groups, as a rule divides."""
        return routing.divided(rule, self.plan, self.target_groups)

    def shares_of(self, rules: Sequence[Raw]) -> Shares:
        """The same of several rules."""
        found = [self.divided(rule) for rule in rules]
        first, *rest = [tuple([(name, weight) for name, (_, weight) in each.items()]) for each in found]
        return Shares(first, tuple([weights for weights in rest if weights != first]))

    def behind(self, fleet: str) -> tuple[TargetGroup, ...]:
        """The target groups of one of the plan's groups."""
        index = self.plan.groups.index(fleet)
        return tuple([self.target_groups[pair[index]] for pair in routing.pairs_of(self.plan)])

    def target_group(self, fleet: str) -> TargetGroup:
        """The first of them."""
        return self.behind(fleet)[0]


class Look:
    """One look; ``observation`` is what came of it.

    Args:
        read: Clients that only read.
        known: What was found out before; brought up to date.
        ledger: The deployment's; without a loan nothing was changed yet, and the surroundings are checked.
    """

    def __init__(self, read: Services, known: Known, ledger: Ledger) -> None:
        self._read = read
        self._known = known
        self._ledger = ledger
        self._plan = known.plan
        self._unread: list[str] = []
        self._problems: list[str] = []

    def observation(self, at: float) -> Observation:
        """What is seen.

        Args:
            at: The time, in seconds.
        """
        known, plan = self._known, self._plan
        seen: dict[str, Any] = {}
        with self._part("target groups"):
            known.target_groups = known.target_groups or routing.target_groups(self._read, plan)
        if known.target_groups:
            with self._part("fleets"):
                seen["fleets"] = self._fleets()
            if not plan.shared:
                with self._part("shares"):
                    known.shares = None
                    known.shares = seen["shares"] = self._shares()
            if plan.test_rules:
                with self._part("test rules"):
                    known.test_shares = None
                    known.test_shares = seen["test_shares"] = self._test_shares()
        with self._part("template version"):
            if known.version is None:
                known.version, known.version_at = self._version()
        if not self._ledger.loans:
            seen |= self._surroundings(seen.get("fleets", ()))
        alarms = [gate.name for gate in plan.gates if isinstance(gate, Alarm)]
        return Observation(
            at=at,
            version=known.version,
            gates=tuple(watching.alarms(self._read, alarms, known.turns, begun=bool(self._ledger.loans))),
            unread=tuple(self._unread),
            problems=tuple(self._problems),
            **seen,
        )

    @contextmanager
    def _part(self, name: str) -> Iterator[None]:
        """A part of the look: what keeps it from being read is noted, and the others go on.

        Before anything is changed, a thing that is not there is no part of the world that we are blind to:
        it is what the plan says wrongly.
        """
        try:
            yield
        except NotThere as error:
            (self._unread if self._ledger.loans else self._problems).append(str(error))
        except AwsError as error:
            absent = classify(error) is ErrorClass.ABSENT and not self._ledger.loans
            (self._problems if absent else self._unread).append(f"{name} ({words(error)})")

    # -------------------------------------------------------------------------------------------- the parts

    def _version(self) -> tuple[int | None, datetime | None]:
        """The version that is deployed, and when it was made for this deployment; None: not, or by others."""
        plan, read = self._plan, self._read
        if plan.image is not None:
            made = templates.version_of(read, plan.launch_template, plan.image, self._known.token)
            return made or (None, None)
        assert plan.number is not None, "a plan has one of them"
        found = templates.named(read, plan.launch_template, plan.number)
        return None if found is None else plan.number, None

    def _fleets(self) -> tuple[Fleet, ...]:
        known, plan, read = self._known, self._plan, self._read
        pages = read.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
            AutoScalingGroupNames=list(plan.groups)
        )
        groups: dict[str, Raw] = {
            group["AutoScalingGroupName"]: group for page in pages for group in page["AutoScalingGroups"]
        }
        targets = {arn: self._targets(arn) for arn in sorted({g.arn for g in known.target_groups.values()})}
        known.groups = groups
        return tuple([self._fleet(name, groups.get(name), targets) for name in plan.groups])

    def _targets(self, arn: str) -> dict[str, Raw]:
        answer = self._read.elbv2.describe_target_health(TargetGroupArn=arn)
        # An instance that is registered on several ports has a target for each: the worst speaks for it.
        found: list[Raw] = [*answer["TargetHealthDescriptions"]]
        found.sort(key=lambda each: each["TargetHealth"].get("State") != "healthy")
        return {each["Target"]["Id"]: each for each in found}

    def _fleet(self, name: str, group: Raw | None, targets: Mapping[str, Mapping[str, Raw]]) -> Fleet:
        if group is None:
            return Fleet.absent(name)
        if self._known.arns.setdefault(name, group["AutoScalingGroupARN"]) != group["AutoScalingGroupARN"]:
            raise NotThere(f"group {name} was deleted and made anew by somebody else")
        if (
            self._ledger.loan(name, "exists")
            and tags(group.get("Tags", ())).get(DEPLOYMENT_TAG) != self._known.token
        ):
            raise NotThere(f"group {name} exists, and this deployment did not make it")
        arns = [behind.arn for behind in self._known.behind(name)]
        # With weights the balancer checks a group that has no share; else EC2 must speak for who is outside.
        outside = self._plan.shared and not fleets.attached(group, arns[0])
        statuses = self._statuses(fleets.fresh(group)) if outside else None
        worst = fleets.worst([targets[arn] for arn in arns])
        seen = fleets.fleet(group, arns, worst, statuses, self._launch_failure(group))
        if self._ledger.loans and not seen.desired:
            # Who was protected when it came into service stays at size 0, which must be asked for again.
            seen = attrs.evolve(seen, desired=len(fleets.protected(group, 0)))
        return attrs.evolve(seen, lacks=self._lacks(name, group), refreshing=self._refreshing(name))

    def _refreshing(self, name: str) -> bool:
        """Asked for while a start can still be refused; what is started later shows in the instances."""
        if self._ledger.loans:
            return False
        answer = self._read.autoscaling.describe_instance_refreshes(AutoScalingGroupName=name)
        return fleets.refreshing(answer["InstanceRefreshes"])

    def _lacks(self, name: str, group: Raw) -> tuple[str, ...]:
        """What a group that this deployment made has not been given yet of the one that it is like."""
        known, ledger = self._known, self._ledger
        like = next((known.groups.get(other) for other in self._plan.groups if other != name), None)
        made = self._plan.fleets == "replace" and ledger.loan(name, "exists") is not None
        if not made or like is None or name in known.furnished:
            return ()
        other = like["AutoScalingGroupName"]
        if other not in known.extras:
            borrowed = ledger.loan(other, "frozen")
            ours = fleets.SCALING if borrowed is not None and not borrowed.before else ()
            known.extras[other] = Noted(copying.extras(self._read, like, ours))
        wanted = known.extras[other]
        has = copying.extras(self._read, group) if wanted else {}
        if not (missing := tuple([word for word in wanted if word not in has])):
            known.furnished.add(name)
        return missing

    def _statuses(self, names: Iterable[str]) -> dict[str, Raw]:
        found: dict[str, Raw] = {}
        left = iter(names)
        while some := list(islice(left, STATUSES_A_CALL)):
            answer = self._read.ec2.describe_instance_status(InstanceIds=some, IncludeAllInstances=True)
            found |= {each["InstanceId"]: each for each in answer["InstanceStatuses"]}
        return found

    def _launch_failure(self, group: Raw) -> Failure | None:
        """Failed launches show in the activities only; asked for while instances are missing.

        What cannot be read leaves a sentence shorter, and the deadline to decide.
        """
        if len(fleets.instances(group)) >= group["DesiredCapacity"]:
            return None
        try:
            answer = self._read.autoscaling.describe_scaling_activities(
                AutoScalingGroupName=group["AutoScalingGroupName"], MaxRecords=20
            )
            zones = len(group["AvailabilityZones"])
            return fleets.launch_failure(answer["Activities"], self._known.version_at, zones=zones)
        except AwsError:
            return None

    def _shares(self) -> Shares:
        known, read = self._known, self._read
        known.rules = known.rules or routing.find_rules(read, self._plan, known.target_groups)
        return known.shares_of(routing.read_rules(read, known.rules))

    def _test_shares(self) -> Shares | None:
        """None when the rules are gone: no user comes by them, so the deployment is not blind for that."""
        known, read = self._known, self._read
        try:
            known.test_rules = known.test_rules or routing.find_test_rules(
                read, self._plan, known.target_groups
            )
            return known.shares_of(routing.read_rules(read, known.test_rules))
        except NotThere:
            if not self._ledger.loans:
                raise
        except AwsError as error:
            if not self._ledger.loans or classify(error) is not ErrorClass.ABSENT:
                raise
        return None

    def _surroundings(self, seen: Iterable[Fleet]) -> dict[str, Any]:
        """Template and image, and what makes the plan impossible here."""
        known, plan, read = self._known, self._plan, self._read
        found: dict[str, Any] = {}
        with self._part("launch template"):
            found["default_version"] = default = templates.default_version(read, plan.launch_template)
            if default is not None and plan.version is None:
                live = [fleet.version for fleet in seen if fleet.desired and fleet.version]
                sources = [plan.source_version] if plan.source_version else live or [default]
                self._problems += templates.source_problems(read, plan.launch_template, sources)
        with self._part("image"):
            if image := plan.image or self._named_image():
                images = if_there(lambda: read.ec2.describe_images(ImageIds=[image])["Images"])
                found["image"] = bool(images) and images[0].get("State") == "available"
        with self._part("delays"):
            found["delays"] = routing.delays(read, known.rules, known.target_groups)
        if known.rules:
            with self._part("rules"):
                self._problems += routing.problems(
                    read, known.rules, known.test_rules, plan, known.target_groups
                )
        for name, target_group in known.target_groups.items():
            if target_group.kind != "instance":
                self._problems.append(
                    f"target group {name} is of type {target_group.kind!r}: name one of type 'instance'"
                )
        for group in known.groups.values():
            self._problems += fleets.problems(
                group,
                plan.launch_template,
                [behind.arn for behind in known.behind(group["AutoScalingGroupName"])],
                shared=plan.shared,
                freezes=plan.freeze_scaling,
                replaces=plan.fleets == "replace",
            )
            if plan.fleets == "replace":
                with self._part("what is copied"):
                    self._problems += copying.problems(read, group)
        return found

    def _named_image(self) -> str | None:
        """The image that the plan's version names; None when it names none, or not by its id."""
        plan = self._plan
        assert plan.number is not None, "a plan without an image has a version"
        data = templates.named(self._read, plan.launch_template, plan.number)
        if data is None:
            return None
        image: str | None = data.get("ImageId")
        if image is None or not image.startswith("ami-"):
            self._problems.append(
                f"version {plan.number} of {plan.launch_template} names its image by {image or 'nothing'}, "
                "so two launches may differ: make a version that names the image by its id"
            )
            return None
        return image
