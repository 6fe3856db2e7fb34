"""What to do while another process deploys the service: give up, wait, or ask it to turn back.

========== =============================================================================================
fail       the default: an error that says who holds the service
queue      wait until it is free; who comes first then is not ordered
supersede  ask the deployment that is under way to turn back, then wait. It turns back by its own rules: after
           the commit it goes on to its end
========== =============================================================================================

Nobody takes the service from a process that shows signs of life but a person, by ``Operator.unlock``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from .core.errors import BlueGreenError, LockTaken, NothingToLoad
from .journal.history import last
from .journal.log import Log
from .operator import Operator
from .ports import Clock

LockPolicy = Literal["fail", "queue", "supersede"]

WAIT_SECONDS = 5.0
"""How long to wait before asking again."""


def check(policy: str) -> None:
    """Refuse what is no policy.

    Raises:
        BlueGreenError: If it is none.
    """
    if policy not in get_args(LockPolicy):
        raise BlueGreenError(f"lock: {policy!r}: must be one of {', '.join(get_args(LockPolicy))}")


def take(
    log: Log,
    policy: LockPolicy,
    clock: Clock,
    *,
    ours: str | None,
    waits: Callable[[LockTaken], None] = lambda _: None,
) -> None:
    """Become the one who may deploy.

    Args:
        log: Whose lease.
        policy: What to do while somebody else holds it.
        clock: What to wait by.
        ours: The deployment that is to go on; it is never asked to turn back.
        waits: Told once, before the first wait, who is waited for.

    Raises:
        LockTaken: If somebody else holds it and the policy is ``fail``.
    """
    asked = waited = False
    first: int | None = None  # the fence of who held it when we came
    while True:
        try:
            log.take()
        except LockTaken as taken:
            if policy == "fail":
                raise
            if not waited:
                waits(taken)
            waited, first = True, first or taken.fence
            # Only what was under way when we came: who comes after us is newer.
            if policy == "supersede" and not asked and taken.fence == first:
                asked = _turn_back(log, ours)
        else:
            return
        clock.sleep(WAIT_SECONDS)


def _turn_back(log: Log, ours: str | None) -> bool:
    """Ask the deployment that is under way to turn back; whether there is one to be asked."""
    story = last(log.journal, log.service)
    if story is None or story.state.ledger.deployment_id == ours:
        return False
    try:
        Operator(log.journal, log.service, by=log.name).abort("superseded by another deployment")
    except NothingToLoad:
        return False
    return True
