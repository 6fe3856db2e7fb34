"""What the core may ask for: a closed set of absolute wishes in neutral words.

Absolute means that repeating one is harmless: ``size = 4``, never "two more". Every command names the
group it touches, so that a reader of the journal needs nothing else.
"""

from __future__ import annotations

from attrs import frozen

from .text import counted


@frozen(kw_only=True)
class PrepareVersion:
    """Make a template version from ``source`` with only the image changed.

    ``token`` is a function of the deployment: the same token must give the same version again.
    """

    template: str
    source: int
    image: str
    token: str


@frozen(kw_only=True)
class CreateFleet:
    """Create a group with the settings of the group ``like``, at the given version and sizes.

    ``like`` is None for the very first release. ``token`` says whose it is.
    """

    fleet: str
    like: str | None
    version: int
    min: int
    max: int
    size: int
    token: str


@frozen(kw_only=True)
class SetVersion:
    """Point a standing group at a template version."""

    fleet: str
    version: int


@frozen(kw_only=True)
class SetBounds:
    """Set a group's smallest and largest size; its wanted size stays unless the bounds move it."""

    fleet: str
    min: int
    max: int


@frozen(kw_only=True)
class SetSize:
    """Set a group's wanted size together with its bounds, in one call."""

    fleet: str
    size: int
    min: int
    max: int


@frozen(kw_only=True)
class SetShares:
    """Set the weights with which the balancer divides requests: (group, weight) for both groups."""

    weights: tuple[tuple[str, int], ...]


@frozen(kw_only=True)
class SetTestShares:
    """Set the weights with which the plan's test rules divide test requests; see ``SetShares``."""

    weights: tuple[tuple[str, int], ...]


@frozen(kw_only=True)
class Attach:
    """Put a group's instances, and all later ones, behind the shared target group."""

    fleet: str


@frozen(kw_only=True)
class Detach:
    """Take a group's instances out of the shared target group; they go on running."""

    fleet: str


@frozen(kw_only=True)
class Freeze:
    """Suspend a group's own scaling, or let it go on (``frozen = False``)."""

    fleet: str
    frozen: bool


@frozen(kw_only=True)
class CopySetting:
    """Give a group one of the things of the group ``like`` that it could not be created with.

    ``setting`` is one of the words in which the cloud says what the group lacks.
    """

    fleet: str
    like: str
    setting: str


@frozen(kw_only=True)
class DeleteFleet:
    """Delete an empty group."""

    fleet: str


Command = (
    PrepareVersion
    | CreateFleet
    | SetVersion
    | SetBounds
    | SetSize
    | SetShares
    | SetTestShares
    | Attach
    | Detach
    | Freeze
    | CopySetting
    | DeleteFleet
)

COMMANDS: tuple[type, ...] = (
    PrepareVersion,
    CreateFleet,
    SetVersion,
    SetBounds,
    SetSize,
    SetShares,
    SetTestShares,
    Attach,
    Detach,
    Freeze,
    CopySetting,
    DeleteFleet,
)


def describe(command: Command) -> str:
    """The command as a short clause for people."""
    match command:
        case PrepareVersion(template=template, source=source, image=image):
            return f"make a version of {template} from {source} with image {image}"
        case CreateFleet(fleet=fleet, size=size, version=version):
            return f"create {fleet} with {counted(size, 'instance')} of version {version}"
        case SetVersion(fleet=fleet, version=version):
            return f"point {fleet} at version {version}"
        case SetBounds(fleet=fleet, min=low, max=high):
            return f"keep {fleet} between {low} and {high}"
        case SetSize(fleet=fleet, size=size):
            return f"size of {fleet} to {size}"
        case SetShares(weights=weights) | SetTestShares(weights=weights):
            what = "weights" if isinstance(command, SetShares) else "test weights"
            return f"{what} " + ", ".join(f"{fleet} {weight}" for fleet, weight in weights)
        case Attach(fleet=fleet):
            return f"attach {fleet}"
        case Detach(fleet=fleet):
            return f"detach {fleet}"
        case Freeze(fleet=fleet, frozen=frozen_):
            return f"{'suspend' if frozen_ else 'resume'} the scaling of {fleet}"
        case CopySetting(fleet=fleet, like=like, setting=setting):
            return f"give {fleet} the {setting} of {like}"
        case DeleteFleet(fleet=fleet):
            return f"delete {fleet}"
