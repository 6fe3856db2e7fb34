"""Numbers that bound a deployment, and how long each of its phases may take."""

from __future__ import annotations

from attrs import frozen

from .checks import Validated, checked, seconds, whole


@frozen(kw_only=True)
class Limits(Validated):
    """Numbers that bound a deployment.

    Args:
        poll_seconds: Time between two looks.
        proof_looks: Looks in a row in which an instance must be healthy before it counts as proven.
        proof_seconds: Time that these looks must span.
        settle_seconds: How long weights that were written may take to reach every node of the balancer: the
            group that loses its users is kept whole for so long, and tests by rules of their own begin then;
            and a group that was created to be seen: a way back looks for it for so long. AWS documents no
            figure.
        blind_grace_seconds: How long past a deadline an unreadable world is waited for.
        rewrites: How often a setting that another actor changes is written again before a person
            is asked.

    Raises:
        PlanError: With every fault.
    """

    poll_seconds: int = checked(whole(1, 3600, "seconds"), default=5)
    proof_looks: int = checked(whole(1, 100), default=2)
    proof_seconds: int = checked(seconds, default=5)
    settle_seconds: int = checked(seconds, default=15)
    blind_grace_seconds: int = checked(seconds, default=120)
    rewrites: int = checked(whole(0, 100), default=3)


@frozen(kw_only=True)
class Deadlines(Validated):
    """How long each phase may take, in seconds on the deployment's own clock.

    Those of ``bake`` and ``keep_blue`` run after the time that the strategy asks for.

    Raises:
        PlanError: With every fault.
    """

    preflight_seconds: int = checked(seconds, default=120)
    scale_up_seconds: int = checked(seconds, default=900)
    test_traffic_seconds: int = checked(seconds, default=300)
    shift_seconds: int = checked(seconds, default=600)
    bake_seconds: int = checked(seconds, default=300)
    keep_blue_seconds: int = checked(seconds, default=300)
    drain_seconds: int = checked(seconds, default=1800)
    clean_up_seconds: int = checked(seconds, default=600)
    roll_back_seconds: int = checked(seconds, default=900)
    discard_seconds: int = checked(seconds, default=1800)
