"""The way back to what was live before: a new deployment, by what the journal tells of the old ones."""

from __future__ import annotations

from attrs import frozen

from ..core.errors import JournalError, NothingToUndo, Unfinished
from ..core.plan import Plan
from ..core.state import Phase
from ..ports import Journal
from .history import Story, stories


@frozen
class Back:
    """A way back.

    Args:
        plan: The plan of what is live, with the version that was live before in place of what it deploys.
        reason: Which version that is, and how it is known: one clause for people.
    """

    plan: Plan
    reason: str


def previous(journal: Journal, service: str, *, to: str | None = None) -> Plan:
    """The plan of a deployment that brings back what was live before.

    That is the template version that the last promoted deployment found on blue, whoever had brought it
    there. Said again after that, it leads forward again.

    Args:
        journal: The service's journal.
        service: The service's name.
        to: Id of a promoted deployment whose version is wanted instead.

    Raises:
        Unfinished: If a deployment has not ended: abort that one.
        NothingToUndo: If the journal tells of no other version that was live, or not of this one.
        JournalError: If the journal is another service's, or cannot be read.
    """
    told = list(stories(journal))
    if told and not told[-1].state.phase.ended:
        name, phase = told[-1].state.ledger.deployment_id, told[-1].state.phase.value
        raise Unfinished(f"{name} has not ended (it is in {phase}): abort it, and blue stays live")
    return back(told, service, to).plan


def back(told: list[Story], service: str, to: str | None) -> Back:
    """The way back; a deployment that has not ended is left out of account.

    Args:
        told: All deployments of a journal, oldest first.
        service: See ``previous``, as for ``to`` and the errors but ``Unfinished``.
        to: See there.
    """
    if told and told[0].plan.service != service:
        raise JournalError(f"this is the journal of {told[0].plan.service}, not of {service}")
    promoted = [story for story in told if story.state.phase is Phase.PROMOTED]
    if not promoted:
        raise NothingToUndo(f"no deployment of {service} was promoted yet")
    live = promoted[-1]
    if to is not None:
        return _named(live, promoted, told, to)
    template, now = live.plan.launch_template, live.state.version
    for story in reversed(promoted):
        number, name = _replaced(story), story.state.ledger.deployment_id
        if number is None or story.plan.launch_template != template:
            break
        if number != now:
            return Back(live.plan.with_version(number), f"version {number}, which {name} replaced")
    raise NothingToUndo(f"the journal tells of no version of {template} that was live before version {now}")


def _replaced(story: Story) -> int | None:
    """The version that blue ran when the deployment began; None when there was no blue."""
    seen = (look.fleet(story.state.blue) for look in story.looks)
    return next((fleet.version for fleet in seen if fleet is not None and fleet.desired), None)


def _named(live: Story, promoted: list[Story], told: list[Story], name: str) -> Back:
    """The version that the deployment of that id has brought."""
    ids = [story.state.ledger.deployment_id for story in promoted]
    if name not in ids:
        ended = next((s.state.phase.value for s in told if s.state.ledger.deployment_id == name), None)
        why = f"{name} ended {ended}: it was never live" if ended else f"the journal tells of no {name}"
        raise NothingToUndo(f"{why}; promoted were {', '.join(ids)}")
    story = promoted[ids.index(name)]
    number, template = story.state.version, live.plan.launch_template
    if number is None or story.plan.launch_template != template:
        raise NothingToUndo(f"{name} brought a version of {story.plan.launch_template}, not of {template}")
    if number == live.state.version:
        raise NothingToUndo(f"version {number} of {template}, which {name} brought, is live already")
    return Back(live.plan.with_version(number), f"version {number}, which {name} brought")
