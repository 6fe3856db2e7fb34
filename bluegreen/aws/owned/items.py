"""What is ours in an account, and what of it nobody needs any more.

Ours is what bears the tag ``bluegreen:service``: groups that a first release made, with their instances;
build instances with their volumes; the images that builds made, with their snapshots. Template versions have
no tags, so they are ours by their description. A group of yours is yours: it is neither listed nor deleted,
unless you give it the tag ``bluegreen:service`` with the service's name as value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Literal, get_args

from attrs import frozen

from ...core.errors import BlueGreenError
from ..errors import AwsError, words

if TYPE_CHECKING:
    from ..clients import Clients

Kind = Literal["group", "instance", "volume", "template-version", "image", "snapshot"]
KINDS: tuple[Kind, ...] = get_args(Kind)

DEFAULT_VERSION = "its template, as the default version"
"""A user of a template version, as ``Owned.used_by`` names it."""

FAILED_IMAGE = ("failed", "error", "invalid")
"""States of an image from which nothing can be started, now or later."""


@frozen(kw_only=True)
class Owned:
    """Something in the account that is ours.

    Args:
        kind: What it is.
        id: Its name or id; of a template version the template's name, a colon and its number.
        service: Whose it is.
        made_by: ``deployment …`` or ``build …`` with its token; empty when somebody else made it.
        detail: What is in it or what it is of, for people.
        state: How it is, in AWS's word.
        used_by: What needs it: the names of other things, as ``name`` gives them.
        led_to_by: Of a group: ARNs of the rules that lead requests to it.
        since: When it was made, in seconds since 1970; None when AWS does not say.
    """

    kind: Kind
    id: str
    service: str
    made_by: str = ""
    detail: str = ""
    state: str = ""
    used_by: tuple[str, ...] = ()
    led_to_by: tuple[str, ...] = ()
    since: float | None = None

    @property
    def name(self) -> str:
        """Kind and id, by which it is known among all others."""
        return f"{self.kind} {self.id}"

    @property
    def token(self) -> str:
        """The id of the deployment or build that made it."""
        return self.made_by.rpartition(" ")[2]


@frozen
class Leftover:
    """Something of ours that nobody needs any more.

    Args:
        item: What it is.
        why: Why it is not needed, as half a sentence.
    """

    item: Owned
    why: str


def inventory(clients: Clients, service: str | None = None, template: str | None = None) -> tuple[Owned, ...]:
    """Look for all that is ours.

    Args:
        clients: Where to look; nothing is changed.
        service: Of which service; None is all of them.
        template: Name of the plan's launch template. With it, template versions are looked for there and in
            the templates that any Auto Scaling group names; without it, in all templates of the Region.

    Raises:
        BlueGreenError: If AWS does not let it be seen. Part of an answer is never taken for the whole.
    """
    from .look import look

    try:
        return look(clients.read, service, template).owned
    except AwsError as error:
        raise BlueGreenError(f"it cannot be seen what is ours here: {words(error)}") from None


def leftovers(
    owned: Iterable[Owned],
    *,
    now: float,
    older_than_hours: float,
    ended: Collection[str] = (),
    unfinished: Collection[str] = (),
    abandoned: Collection[str] = (),
) -> Iterator[Leftover]:
    """What nobody needs any more. Never an image that can be started from, never a group that may serve.

    What is young is left alone, for its build or deployment may be run from another machine just now; only
    of a deployment that is known to have ended is it taken at once.

    Args:
        owned: What is ours.
        now: The time, in seconds since 1970.
        older_than_hours: What is younger is left alone.
        ended: Ids of deployments that are known to have ended.
        unfinished: Ids of deployments that are known not to have.
        abandoned: Ids of ended deployments of which it is known that no group that they made is live. Such a
            group is left over if no rule leads to it, and if all deployments that made a group are known.
    """
    owned = list(owned)
    groups = _abandoned_groups(owned, ended, abandoned)
    yield from [Leftover(item, "its deployment has ended, and no rule leads to it") for item in groups]
    for item in owned:
        why = _why_left(item, {group.name for group in groups})
        if why is None or item.token in unfinished:
            continue
        if item.token in ended:
            yield Leftover(item, why)
        elif item.since is not None and now - item.since >= older_than_hours * 3600:
            yield Leftover(item, f"{why}, and it is older than {older_than_hours:g} hours")


def _abandoned_groups(
    owned: Iterable[Owned], ended: Collection[str], abandoned: Collection[str]
) -> list[Owned]:
    """Of a deployment that is not known nobody can say what it is about to do with the groups."""
    made = [item for item in owned if item.kind == "group" and item.made_by]
    if not all(item.token in ended for item in made):
        return []
    return [item for item in made if item.token in abandoned and not item.led_to_by]


def _why_left(item: Owned, going: Collection[str]) -> str | None:
    """Why a thing is not needed, its age aside; None when it is, or may be."""
    of_build = item.made_by.startswith("build ")
    match item.kind:
        case "instance" if of_build and not item.used_by:
            return "an image build left it"
        case "volume" if of_build and not item.used_by:
            return "it is attached to no instance"
        case "template-version" if set(item.used_by) <= set(going):
            return "no group names it, and it is not the default version"
        case "image" if item.state in FAILED_IMAGE and not item.used_by:
            return f"its state is {item.state}"
        case "snapshot" if of_build and not item.used_by:
            return "no image has it"
    return None
