"""``AwsCloud``: Auto Scaling groups and an Application Load Balancer, behind bluegreen's ``Cloud`` port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve

from ..clock import SystemClock
from ..core.commands import (
    Attach,
    Command,
    CopySetting,
    CreateFleet,
    DeleteFleet,
    Detach,
    Freeze,
    PrepareVersion,
    SetBounds,
    SetShares,
    SetSize,
    SetTestShares,
    SetVersion,
)
from ..core.errors import BlueGreenError
from ..core.evidence import Evidence
from ..core.gates import MetricGate
from ..core.observation import ErrorClass, Observation, Outcome, Result
from ..core.plan import Plan
from ..core.state import Ledger
from ..core.text import counted
from . import access, copying, fleets, routing, watching
from .clients import Clients
from .errors import AwsError, Noted, Refused, classify, words
from .evidence import evidence
from .looking import Known, Look
from .names import DEPLOYMENT_TAG, description, tag_list, tags

if TYPE_CHECKING:
    import boto3

    from ..ports import Clock, Series


class AwsCloud:
    """The AWS account and Region of a boto3 session.

    Args:
        session: A boto3 session; None makes one from the environment.
        endpoint_url: Where all services are, for tests and private clouds; None is AWS. Endpoints set in
            the environment or in a profile are ignored.
        subnets: Where a first release creates its group. Without them, where the plan's other group is,
            else where the load balancer is.
        account: The account that the credentials must lead to; None does not ask.
        call_seconds: How long one answer may take.
        clock: Time; the system's by default.

    Raises:
        BlueGreenError: If ``subnets`` has anything but ids of subnets.

    Attributes:
        clock: The time that observations are stamped with.
        clients: boto3 clients, for reading and for writing.
    """

    def __init__(
        self,
        session: boto3.Session | None = None,
        *,
        endpoint_url: str | None = None,
        subnets: Iterable[str] = (),
        account: str | None = None,
        call_seconds: float = 20,
        clock: Clock | None = None,
    ) -> None:
        """Make no call yet."""
        self._subnets = tuple(subnets)
        if isinstance(subnets, str) or not all(each.startswith("subnet-") for each in self._subnets):
            raise BlueGreenError(f"subnets: {subnets!r}: must be a list of ids such as ['subnet-0abc']")
        self.clients = Clients(session, endpoint_url=endpoint_url, call_seconds=call_seconds)
        self.clock: Clock = clock or SystemClock()
        self._account = account
        self._known: Known | None = None
        self._denied: tuple[str, ...] | None = None

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        self.clients.close()

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        """Look at all that the plan speaks of."""
        token = ledger.deployment_id
        if self._known is None or (self._known.plan, self._known.token) != (plan, token):
            self._known, self._denied = Known(plan=plan, token=token), None
        seen = Look(self.clients.read, self._known, ledger).observation(self.clock.now())
        if ledger.loans:
            return seen
        if self._denied is None:
            self._denied = tuple(access.problems(self.clients, plan, self._account))
        return evolve(seen, problems=(*seen.problems, *self._denied))

    def measure(self, gates: Sequence[MetricGate], groups: Sequence[str]) -> Mapping[tuple[str, str], Series]:
        """The plan's metrics by (gate, group); see ``bluegreen.ports.Measure``."""
        assert self._known is not None, "a look comes first"
        return watching.measure(self.clients.read, gates, groups, self._known.target_group, self.clock.now())

    def apply(self, command: Command) -> Outcome:
        """Carry out one command: one request that changes something is sent, once, or none."""
        assert self._known is not None, "a look comes first"
        try:
            self._carry_out(command, self._known)
        except Refused as no:
            return Outcome(command=command, result=no.error.result, error=no.error, detail=str(no))
        except routing.NotThere as no:
            return Outcome(
                command=command, result=ErrorClass.ABSENT.result, error=ErrorClass.ABSENT, detail=str(no)
            )
        except AwsError as error:
            kind = classify(error)
            return Outcome(command=command, result=kind.result, error=kind, detail=words(error))
        return Outcome(command=command, result=Result.APPLIED)

    def evidence(self, fleet: str, instances: Sequence[str], lines: int) -> Evidence:
        """What AWS tells of a group, and the last lines of these instances' consoles."""
        return evidence(self.clients.read, fleet, instances, lines)

    def _carry_out(self, command: Command, known: Known) -> None:
        asg = self.clients.write.autoscaling
        match command:
            case PrepareVersion():
                self._prepare(command)
            case CreateFleet():
                self._create(command, known)
            case SetVersion(fleet=name, version=version):
                group, template = known.groups.get(name), known.plan.launch_template
                asg.update_auto_scaling_group(
                    AutoScalingGroupName=name, **fleets.launching(group, template, version)
                )
            case SetBounds(fleet=name, min=low, max=high):
                asg.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=low, MaxSize=high)
            case SetSize(fleet=name, size=size, min=low, max=high):
                self._unprotect(name, size, known)
                # All three together: a minimum alone would raise the wanted size, a maximum lower it.
                asg.update_auto_scaling_group(
                    AutoScalingGroupName=name, MinSize=low, MaxSize=high, DesiredCapacity=size
                )
            case SetShares() | SetTestShares():
                self._divide(command, known)
            case Attach(fleet=name):
                asg.attach_load_balancer_target_groups(
                    AutoScalingGroupName=name, TargetGroupARNs=[known.target_group(name).arn]
                )
            case Detach(fleet=name):
                self._detach(name, known)
            case Freeze(fleet=name, frozen=frozen):
                self._freeze(name, frozen=frozen)
            case CopySetting(fleet=name, like=like, setting=setting):
                copying.give(self.clients.write, name, known.extras[like][setting])
            case DeleteFleet(fleet=name):
                self._delete(name, known)
                known.arns.pop(name, None)

    # ------------------------------------------------------------------------------------------- templates

    def _prepare(self, command: PrepareVersion) -> None:
        """A version of the source with only the image changed.

        The token makes the call repeatable (EC2 developer guide, "Ensuring idempotency"), the description
        lets the next look find the version.
        """
        self.clients.write.ec2.create_launch_template_version(
            LaunchTemplateName=command.template,
            SourceVersion=str(command.source),
            VersionDescription=description(command.token),
            ClientToken=command.token,
            LaunchTemplateData={"ImageId": command.image},
        )

    # ---------------------------------------------------------------------------------------------- groups

    def _create(self, command: CreateFleet, known: Known) -> None:
        like = None
        if command.like is None:
            settings: dict[str, Any] = {"VPCZoneIdentifier": ",".join(self._places(command.fleet, known))}
            marks = []
        else:
            like = known.groups.get(command.like)
            if like is None:
                raise Refused(ErrorClass.ABSENT, f"group {command.like}, to be made like, is gone")
            settings = copying.settings(self.clients.read, like)
            marks = copying.tags(like, command.fleet)
        settings |= fleets.launching(like, known.plan.launch_template, command.version)
        if not known.plan.shared:  # behind a shared target group green is attached once it is proven
            settings["TargetGroupARNs"] = [behind.arn for behind in known.behind(command.fleet)]
        try:
            self.clients.write.autoscaling.create_auto_scaling_group(
                AutoScalingGroupName=command.fleet,
                MinSize=command.min,
                MaxSize=command.max,
                DesiredCapacity=command.size,
                Tags=marks + _marks(command.fleet, known.plan.service, command.token),
                **settings,
            )
        except self.clients.write.autoscaling.exceptions.AlreadyExistsFault as error:
            group = self._group(command.fleet)
            if group is None:
                raise Refused(ErrorClass.LOST, f"{words(error)}; and it cannot be seen yet") from error
            if tags(group.get("Tags", ())).get(DEPLOYMENT_TAG) != command.token:
                raise Refused(ErrorClass.CONFLICT, words(error)) from error

    def _places(self, fleet: str, known: Known) -> list[str]:
        """Subnets for a new group."""
        if self._subnets:
            return list(self._subnets)
        for name, group in known.groups.items():
            if name != fleet and group.get("VPCZoneIdentifier"):
                return str(group["VPCZoneIdentifier"]).split(",")
        balancers = list(known.target_group(fleet).balancers)
        if not balancers:
            raise Refused(
                ErrorClass.ABSENT, f"no subnets for {fleet}: its target group is behind no load balancer"
            )
        answer = self.clients.read.elbv2.describe_load_balancers(LoadBalancerArns=balancers)
        return [
            zone["SubnetId"]
            for balancer in answer["LoadBalancers"]
            for zone in balancer.get("AvailabilityZones", ())
        ]

    def _group(self, name: str) -> Any:
        found = self.clients.read.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return next(iter(found["AutoScalingGroups"]), None)

    def _freeze(self, name: str, *, frozen: bool) -> None:
        asg, processes = self.clients.write.autoscaling, list(fleets.SCALING)
        if frozen:
            asg.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=processes)
        else:
            asg.resume_processes(AutoScalingGroupName=name, ScalingProcesses=processes)

    def _unprotect(self, name: str, size: int, known: Known) -> None:
        """Protected instances survive a smaller size (user guide, "Use instance scale-in protection").

        Those that are to go lose their protection first, and the size follows: one request at a time.
        """
        group = known.groups.get(name)
        if group is not None and (ids := fleets.protected(group, size)):
            self.clients.write.autoscaling.set_instance_protection(
                AutoScalingGroupName=name, InstanceIds=ids, ProtectedFromScaleIn=False
            )
            raise Refused(
                ErrorClass.BUSY, f"{counted(len(ids), 'instance')} of {name} must lose protection first"
            )

    def _delete(self, name: str, known: Known) -> None:
        """Never by force: that would end instances without draining them.

        What keeps a group from deletion goes first, one request at a time: a group that is deleted here was
        made by us, or replaced as its plan says.
        """
        asg, group = self.clients.write.autoscaling, known.groups.get(name, {})
        if group.get("DeletionProtection") == "prevent-all-deletion":
            asg.update_auto_scaling_group(AutoScalingGroupName=name, DeletionProtection="none")
            raise Refused(ErrorClass.BUSY, f"{name} loses its protection from deletion first")
        if pool := group.get("WarmPoolConfiguration"):
            if pool.get("Status") != "PendingDelete":
                asg.delete_warm_pool(AutoScalingGroupName=name)
            raise Refused(ErrorClass.BUSY, f"the warm pool of {name} goes first")
        try:
            self.clients.write.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name)
        except AwsError as error:
            # A missing group has no code of its own: looking is surer than reading the message.
            if classify(error) is not ErrorClass.ABSENT or self._group(name) is not None:
                raise

    # ------------------------------------------------------------------------------------------- balancing

    def _detach(self, name: str, known: Known) -> None:
        arn = known.target_group(name).arn
        asg = self.clients.write.autoscaling
        try:
            if fleets.by_traffic_source(known.groups.get(name, {}), arn):
                asg.detach_traffic_sources(
                    AutoScalingGroupName=name, TrafficSources=[{"Identifier": arn, "Type": "elbv2"}]
                )
            else:
                asg.detach_load_balancer_target_groups(AutoScalingGroupName=name, TargetGroupARNs=[arn])
        except AwsError:
            # What a detached group answers to this is documented nowhere: looking is surer.
            group = self._group(name)
            if group is None or fleets.attached(group, arn):
                raise

    def _divide(self, command: SetShares | SetTestShares, known: Known) -> None:
        tests, wanted = isinstance(command, SetTestShares), Noted(command.weights)
        arns, last = (known.test_rules, known.test_shares) if tests else (known.rules, known.shares)
        if not arns:
            raise Refused(ErrorClass.BUG, "a shared target group has no weights: attach or detach")
        rules = routing.read_rules(self.clients.read, arns)
        shown = {rule["RuleArn"]: known.divided(rule) for rule in rules}
        left = [
            rule
            for rule in rules
            if any(weight != wanted[name] for name, (_, weight) in shown[rule["RuleArn"]].items())
        ]
        if not left:
            return
        if (seen := known.shares_of(rules)) != last:
            raise Refused(ErrorClass.BUSY, f"the weights became {seen} since the last look: looking again")
        by_arn = {arn: wanted[name] for name, (arn, _) in shown[left[0]["RuleArn"]].items()}
        routing.write_rule(self.clients.write, left[0], routing.rewritten(left[0], by_arn))
        if left[1:]:
            raise Refused(ErrorClass.BUSY, f"{len(rules) - len(left) + 1} of {len(rules)} rules are written")


def _marks(fleet: str, service: str, token: str) -> list[Any]:
    """Whose a group is; its instances bear the same."""
    of_group = {"ResourceId": fleet, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    return [of_group | tag for tag in tag_list(service=service, deployment=token)]
