"""Removing what is ours: look, do what is missing, look again, until nothing is left or nothing more can be.

What is used by something else waits until that is gone, so the order follows from what was seen: a group
first loses its instances, then goes; then the template versions that it named; then the images of those; then
their snapshots. What is used by something that stays, stays. Run again after any end, it goes on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from ...core.errors import BlueGreenError
from ...core.observation import ErrorClass
from .. import fleets
from ..errors import AwsError, Refused, classify, words
from ..routing import Raw
from ..templates import VERSIONS_A_CALL
from .items import DEFAULT_VERSION, Owned
from .look import Sight, look

if TYPE_CHECKING:
    from ...ports import Clock
    from ..clients import Clients, Services

POLL_SECONDS = 5

_AGAIN = frozenset(
    {ErrorClass.ABSENT, ErrorClass.BUSY, ErrorClass.LOST, ErrorClass.NOT_SENT, ErrorClass.THROTTLED}
)
"""After these a look tells whether it is to be asked again."""

_HELD_FOR_A_MOMENT = ("group", "volume", "image", "snapshot")
"""Kinds of which AWS says that they are in use for a while after they are not; an instance is protected."""


@frozen
class Removed:
    """One happening of a removal.

    Args:
        item: What it happened to.
        what: ``asked``: a request was sent. ``waits``: something must end first. ``again``: a request did
            not come through, and is repeated. ``gone``: it was looked for and not seen. The end of the
            others: ``kept``, for something that stays needs it; ``failed``; ``left`` at the deadline.
        detail: The sentence, without the item's name.
    """

    item: Owned
    what: Literal["asked", "waits", "again", "gone", "kept", "failed", "left"]
    detail: str = ""


def remove(
    clients: Clients,
    items: Iterable[Owned],
    clock: Clock,
    *,
    template: str | None = None,
    deadline_seconds: float = 1800,
) -> Iterator[Removed]:
    """Remove things of ours; nothing is sent before the first ``next``.

    Groups are emptied first, so their instances leave their balancer as it is set to drain them, and are
    never deleted by force.

    Args:
        clients: Where; each request that changes something is sent once.
        items: What to remove, as ``inventory`` shows it. Instances in a group leave with the group.
        clock: Tells the time, and sleeps between looks.
        template: Name of the plan's launch template, for the looks; see ``inventory``.
        deadline_seconds: How long to wait in all.

    Yields:
        What happened, as it happens: of each item ``waits`` at every look, and one end.

    Raises:
        BlueGreenError: If AWS does not let it be seen what is there.
    """
    work = _Work(clients, items, template)
    until = clock.now() + deadline_seconds
    while True:
        sight = work.look()
        if sight is not None:
            yield from work.gone(sight)
            active = work.active()
            if not active:
                yield from work.stay()
                return
            if clock.now() >= until:
                yield from work.give_up(active, deadline_seconds)
                yield from work.stay()
                return
            yield from work.advance(sight, active)
        elif clock.now() >= until:
            raise BlueGreenError(f"for {deadline_seconds:g} s it cannot be seen what is left: {work.blind}")
        clock.sleep(POLL_SECONDS)


class _Work:
    """What is to be removed, and what became of it so far."""

    def __init__(self, clients: Clients, items: Iterable[Owned], template: str | None) -> None:
        self.pending = {item.name: item for item in items}
        self.blind = ""
        self._clients = clients
        self._template = template
        self._failed: dict[str, str] = {}
        self._unled = {item.name for item in self.pending.values() if not item.led_to_by}
        services = {item.service for item in self.pending.values()}
        self._service = services.pop() if len(services) == 1 else None
        self._templates = {
            item.id.rpartition(":")[0] for item in self.pending.values() if item.kind == "template-version"
        }

    def look(self) -> Sight | None:
        """Look at everything; None when AWS does not answer just now."""
        try:
            return look(self._clients.read, self._service, self._template, templates=self._templates)
        except AwsError as error:
            if classify(error) not in _AGAIN:
                raise BlueGreenError(f"it cannot be seen what is ours here: {words(error)}") from None
            self.blind = words(error)
            return None

    # --------------------------------------------------------------------------------------------- deciding

    def gone(self, sight: Sight) -> Iterator[Removed]:
        """What is there no more."""
        seen = {item.name: item for item in sight.owned}
        for name in [name for name in self.pending if name not in seen]:
            yield Removed(self.pending.pop(name), "gone", "is gone")
        self.pending = {name: seen[name] for name in self.pending}

    def active(self) -> dict[str, Owned]:
        """What can still go: not failed, and used by nothing but what can go itself."""
        found = {name: item for name, item in self.pending.items() if name not in self._failed}
        while True:
            staying = [name for name, item in found.items() if not set(item.used_by) <= set(found)]
            if not staying:
                return found
            for name in staying:
                del found[name]

    def advance(self, sight: Sight, active: Mapping[str, Owned]) -> Iterator[Removed]:
        """Ask for what is missing; each thing that nothing uses any more is one request, at the most."""
        kinds = defaultdict(list)
        for item in active.values():
            if not item.used_by:
                kinds[item.kind].append(item)
        for kind, items in kinds.items():
            if kind == "template-version":
                yield from self._delete_versions(items)
            else:
                for item in items:
                    yield from self._one(item, sight)

    def stay(self) -> Iterator[Removed]:
        """What will not go, and why."""
        active = self.active()
        for name, item in self.pending.items():
            if name in self._failed:
                yield Removed(item, "failed", self._failed[name])
            elif name not in active:
                yield Removed(item, "kept", _why_kept(item))

    def give_up(self, active: Mapping[str, Owned], seconds: float) -> Iterator[Removed]:
        """What would have gone, given time."""
        for item in active.values():
            yield Removed(item, "left", f"is still there after {seconds:g} s: {item.state}, {item.detail}")

    # ----------------------------------------------------------------------------------------------- acting

    def _one(self, item: Owned, sight: Sight) -> Iterator[Removed]:
        """The next request for one thing, or what it waits for."""
        write = self._clients.write
        if item.name in self._unled and item.led_to_by:
            self._failed[item.name] = f"is kept: rule {', '.join(item.led_to_by)} leads to it by now"
            return
        try:
            yield (
                _empty_and_delete(write, item, sight.groups[item.id])
                if item.kind == "group"
                else _delete(write, item)
            )
        except Refused as no:
            self._failed[item.name] = str(no)
        except AwsError as error:
            yield from self._met(item, error)

    def _met(self, item: Owned, error: Exception) -> Iterator[Removed]:
        """What an error means for one thing; the others go on."""
        kind = classify(error)
        moment = kind is ErrorClass.IN_USE and item.kind in _HELD_FOR_A_MOMENT
        if kind in _AGAIN or moment:
            yield Removed(item, "again", f"did not go yet: {words(error)}")
        else:
            self._failed[item.name] = f"cannot be removed: {words(error)}"

    def _delete_versions(self, items: list[Owned]) -> Iterator[Removed]:
        """One request for each template; it tells of each version by itself what became of it."""
        by_template: dict[str, dict[str, Owned]] = defaultdict(dict)
        for item in items:
            template, _, number = item.id.rpartition(":")
            by_template[template][number] = item
        for template, versions in by_template.items():
            some = dict(islice(versions.items(), VERSIONS_A_CALL))
            try:
                answer = self._clients.write.ec2.delete_launch_template_versions(
                    LaunchTemplateName=template, Versions=list(some)
                )
            except AwsError as error:
                for item in some.values():
                    yield from self._met(item, error)
                continue
            for refused in answer.get("UnsuccessfullyDeletedLaunchTemplateVersions", ()):
                left = some.pop(str(refused.get("VersionNumber")), None)
                why = refused.get("ResponseError", {})
                if left and not str(why.get("Code")).endswith("DoesNotExist"):
                    self._failed[left.name] = f"cannot be removed: {why.get('Code')}: {why.get('Message')}"
            for item in some.values():
                yield Removed(item, "asked", "is being deleted")


def _why_kept(item: Owned) -> str:
    users = [user for user in item.used_by if user != DEFAULT_VERSION]
    if not users:
        return "is kept: it is the default version of its template, so make another one the default first"
    return f"is kept: {', '.join(users)} {'uses' if len(users) == 1 else 'use'} it"


def _delete(write: Services, item: Owned) -> Removed:
    """Ask for the end of what nothing uses."""
    match item.kind:
        case "instance" if item.state == "shutting-down":
            return Removed(item, "waits", "shuts down")
        case "instance":
            write.ec2.terminate_instances(InstanceIds=[item.id])
            return Removed(item, "asked", "is being terminated")
        case "volume":
            write.ec2.delete_volume(VolumeId=item.id)
        case "image":
            write.ec2.deregister_image(ImageId=item.id)
            return Removed(item, "asked", "is being deregistered")
        case _:
            write.ec2.delete_snapshot(SnapshotId=item.id)
    return Removed(item, "asked", "is being deleted")


def _empty_and_delete(write: Services, item: Owned, group: Raw) -> Removed:
    """The next request for a group: no size, no protection, no instance, no group; each read back first.

    Raises:
        Refused: If something stands in the way that a person put there on purpose.
    """
    name, members = item.id, fleets.instances(group)
    asg = write.autoscaling
    if group.get("Status"):
        return Removed(item, "waits", f"is being deleted ({group['Status']})")
    if why := _in_the_way(group):
        raise Refused(ErrorClass.IN_USE, why)
    if (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) != (0, 0, 0):
        asg.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=0, MaxSize=0, DesiredCapacity=0)
        return Removed(item, "asked", f"is emptied: minimum, maximum and wanted size 0, {len(members)} leave")
    if some := fleets.protected(group, 0):
        asg.set_instance_protection(AutoScalingGroupName=name, InstanceIds=some, ProtectedFromScaleIn=False)
        return Removed(item, "asked", f"gives up the scale-in protection of {', '.join(some)}")
    if members:
        states = Counter(each["LifecycleState"] for each in members)
        told = ", ".join([f"{count} {state}" for state, count in sorted(states.items())])
        return Removed(item, "waits", f"waits until its instances have left: {told}")
    asg.delete_auto_scaling_group(
        AutoScalingGroupName=name
    )  # never by force: that would not wait for draining
    return Removed(item, "asked", "is empty, and is being deleted")


def _in_the_way(group: Raw) -> str | None:
    """What makes it impossible to empty or delete a group, and is not ours to take away."""
    if group.get("DeletionProtection") == "prevent-all-deletion":
        return "cannot be removed: it is protected from deletion, so take its DeletionProtection away first"
    if group.get("WarmPoolConfiguration"):
        return "cannot be removed: it has a warm pool, so delete that first"
    if "Terminate" in fleets.suspended(group):
        return "cannot be removed: its process Terminate is suspended, so resume that first"
    return None
