"""What EC2 Auto Scaling can be asked for single instances, and an instance refresh.

Sources: API reference of EC2 Auto Scaling, version 2011-01-01, and the user guide.
"""

from __future__ import annotations

from bluegreen_sim.groups import membership
from bluegreen_sim.world import Group, Instance, World

from .. import names
from ..asking import Change, Given, NotSimulated, Read
from ..notes import note, noted
from ..times import moment
from ..wire import AwsError
from .autoscaling_activities import ending
from .autoscaling_reads import find_group

USER = "instance was taken out of service in response to a user request"


def _found(world: World, name: str) -> tuple[Group, Instance]:
    for group in world.groups:
        for instance in group.instances:
            if instance.id == name:
                return group, instance
    raise AwsError("ValidationError", f"Instance Id not found - No managed instance found for {name}")


def _terminate_instance(world: World, given: Given) -> tuple[World, Given]:
    """It drains first; unless the wanted size goes down with it, another takes its place (user guide)."""
    name = given["InstanceId"]
    group, _ = _found(world, name)
    lower = int(given["ShouldDecrementDesiredCapacity"])
    world = membership.end_instance(world, group, name, lower=lower)
    return world, {"Activity": ending(*_found(world, name), cause=USER)}


def _set_instance_health(world: World, given: Given) -> tuple[World, Given]:
    name, said = given["InstanceId"], given["HealthStatus"]
    if said not in ("Healthy", "Unhealthy"):
        raise AwsError("ValidationError", f"HealthStatus is Healthy or Unhealthy, not {said}")
    group, _ = _found(world, name)
    heed = given.get("ShouldRespectGracePeriod", True)
    return membership.set_health(world, group, name, healthy=said == "Healthy", heed_grace=heed), {}


def _set_instance_protection(world: World, given: Given) -> tuple[World, Given]:
    group, ids = given["AutoScalingGroupName"], given["InstanceIds"]
    return membership.protect(world, group, ids, protected=given["ProtectedFromScaleIn"]), {}


def _attach_instances(world: World, given: Given) -> tuple[World, Given]:
    return membership.attach_instances(world, given["AutoScalingGroupName"], given["InstanceIds"]), {}


def _detach_instances(world: World, given: Given) -> tuple[World, Given]:
    name, ids = given["AutoScalingGroupName"], given["InstanceIds"]
    lower = given["ShouldDecrementDesiredCapacity"]
    changed = membership.detach_instances(world, name, ids, lower=lower)
    return changed, {"Activities": _activities(world, name, "Detaching EC2 instance", ids)}


def _enter_standby(world: World, given: Given) -> tuple[World, Given]:
    name, ids = given["AutoScalingGroupName"], given["InstanceIds"]
    lower = given["ShouldDecrementDesiredCapacity"]
    changed = membership.enter_standby(world, name, ids, lower=lower)
    return changed, {"Activities": _activities(world, name, "Moving EC2 instance to Standby", ids)}


def _exit_standby(world: World, given: Given) -> tuple[World, Given]:
    name, ids = given["AutoScalingGroupName"], given["InstanceIds"]
    changed = membership.exit_standby(world, name, ids)
    return changed, {"Activities": _activities(world, name, "Moving EC2 instance out of Standby", ids)}


def _activities(world: World, group: str, words: str, ids: list[str]) -> list[Given]:
    return [
        {
            "ActivityId": names.digest(f"{words} {name} {world.now}", 32),
            "AutoScalingGroupName": group,
            "Description": f"{words}: {name}",
            "Cause": USER,
            "StartTime": moment(world.now),
            "StatusCode": "InProgress",
            "Progress": 50,
            "Details": "{}",
        }
        for name in ids
    ]


# -------------------------------------------------------------------------------------------------- refresh


def _start_instance_refresh(world: World, given: Given) -> tuple[World, Given]:
    if unknown := sorted(given.keys() - {"AutoScalingGroupName", "Strategy"}):
        raise NotSimulated(f"of an instance refresh, {', '.join(unknown)} is not simulated")
    if given.get("Strategy", "Rolling") != "Rolling":
        raise NotSimulated("an instance refresh is Rolling here")
    name = given["AutoScalingGroupName"]
    world = membership.start_refresh(world, name)
    kept = note(world, f"refreshes {name}", [])
    begun = {"id": names.digest(f"refresh {name} {len(kept)}", 32), "at": world.now}
    return noted(world, f"refreshes {name}", [*kept, begun]), {"InstanceRefreshId": begun["id"]}


def _cancel_instance_refresh(world: World, given: Given) -> tuple[World, Given]:
    name = given["AutoScalingGroupName"]
    world = membership.cancel_refresh(world, name)
    kept = note(world, f"refreshes {name}", [{"id": _somebodys(name), "at": 0}])
    kept[-1]["cancelled"] = True
    return noted(world, f"refreshes {name}", kept), {"InstanceRefreshId": kept[-1]["id"]}


def _somebodys(name: str) -> str:
    """The id of a refresh that was not started through this door."""
    return names.digest(f"refresh {name}", 32)


def _describe_instance_refreshes(world: World, given: Given) -> Given:
    group = find_group(world, given["AutoScalingGroupName"])
    left = sum(each.standing.stale and each.staying for each in group.instances)
    kept = note(world, f"refreshes {group.name}", [])
    if left and not kept:
        kept = [{"id": _somebodys(group.name), "at": 0}]
    shown = []
    for number, refresh in enumerate(kept):
        going = number == len(kept) - 1 and left > 0
        status = "InProgress" if going else "Cancelled" if "cancelled" in refresh else "Successful"
        shown.append(
            {
                "InstanceRefreshId": refresh["id"],
                "AutoScalingGroupName": group.name,
                "Status": status,
                "StartTime": moment(refresh["at"]),
                "InstancesToUpdate": left if going else 0,
            }
        )
    return {"InstanceRefreshes": shown[::-1]}


READS: dict[str, Read] = {"DescribeInstanceRefreshes": _describe_instance_refreshes}
CHANGES: dict[str, Change] = {
    "AttachInstances": _attach_instances,
    "CancelInstanceRefresh": _cancel_instance_refresh,
    "DetachInstances": _detach_instances,
    "EnterStandby": _enter_standby,
    "ExitStandby": _exit_standby,
    "SetInstanceHealth": _set_instance_health,
    "SetInstanceProtection": _set_instance_protection,
    "StartInstanceRefresh": _start_instance_refresh,
    "TerminateInstanceInAutoScalingGroup": _terminate_instance,
}
