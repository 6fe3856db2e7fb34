"""Token buckets: how often an account may call.

Sources: ELB user guide, "API request throttling"; EC2 developer guide, "API throttling". The size of Auto
Scaling's shared bucket is undocumented; it is taken to be like ELB's. Of the other services no figures are
known, and they are not limited.
"""

from __future__ import annotations

from attrs import Factory, define, frozen


@frozen
class Bucket:
    """So many calls at once, and so many more a second."""

    name: str
    capacity: int
    per_second: int


_ELB_ALL = Bucket("elbv2: all", 40, 10)
_ELB_READS = Bucket("elbv2: reads", 40, 10)
_ELB_CHANGES = Bucket("elbv2: changes", 20, 3)
_ELB_TARGETS = Bucket("elbv2: targets", 20, 4)
_AUTOSCALING = Bucket("autoscaling", 40, 10)
_EC2 = {
    "CreateLaunchTemplateVersion": (100, 5),
    "CreateTags": (100, 10),
    "DeregisterImage": (100, 5),
    "RunInstances": (5, 2),
    "TerminateInstances": (100, 5),
}


def buckets(service: str, operation: str, *, read: bool) -> tuple[Bucket, ...]:
    """Those from which a call takes a token each."""
    if service == "autoscaling":
        return (_AUTOSCALING,)
    if service == "elbv2":
        if read:
            return (_ELB_ALL, _ELB_READS)
        by_hand = operation in ("RegisterTargets", "DeregisterTargets")
        return (_ELB_ALL, _ELB_TARGETS if by_hand else _ELB_CHANGES)
    if service == "ec2":
        capacity, per_second = _EC2.get(operation, (100, 20) if read else (50, 5))
        return (Bucket(f"ec2: {operation}", capacity, per_second),)
    return ()


@define
class Limits:
    """How full the buckets of an account are: by name, tokens in thousandths, and when that was.

    Worlds may share one. Their times should go together: for a call from the past nothing has been refilled.
    """

    _levels: dict[str, tuple[int, int]] = Factory(dict)

    def take(self, service: str, operation: str, now_ms: int, *, read: bool) -> bool:
        """Whether a call may be made now; if so, its tokens are gone."""
        wanted = buckets(service, operation, read=read)
        levels = {bucket.name: self._level(bucket, now_ms) for bucket in wanted}
        if any(level < 1000 for level in levels.values()):
            return False
        for name, level in levels.items():
            self._levels[name] = (level - 1000, max(now_ms, self._levels.get(name, (0, 0))[1]))
        return True

    def _level(self, bucket: Bucket, now_ms: int) -> int:
        level, at = self._levels.get(bucket.name, (bucket.capacity * 1000, now_ms))
        return min(bucket.capacity * 1000, level + max(0, now_ms - at) * bucket.per_second)
