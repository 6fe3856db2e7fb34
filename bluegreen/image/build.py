"""What image is wanted, the loop that builds it, and how that ended."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, field, frozen

from bluegreen.core.checks import (
    DAY,
    Validated,
    checked,
    matching,
    optional,
    service_name,
    template_name,
    whole,
)
from bluegreen.core.errors import BuildFailed
from bluegreen.ports import Builder, BuildOutcome

from .machine import BuildPhase, BuildState, BuildStep, step

_deadline = whole(1, 30 * DAY, "seconds")
_revision = matching(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,47}", "1 to 48 letters, digits or any of '._/-'")
# EC2: 3 to 128 characters, "letters, numbers, ( ) [ ] space . / - ' @ _" (API reference, CreateImage).
_image_name = matching(
    r"[A-Za-z0-9()\[\] ./'@_-]{3,128}", "3 to 128 letters, digits, spaces or any of ()[]./-'@_"
)


def _commands(value: object) -> str | None:
    if not isinstance(value, tuple) or not value or len(value) > 100:
        return "must be a tuple of 1 to 100 shell commands"
    for command in value:
        if not isinstance(command, str) or not command.strip() or "\0" in command or len(command) > 20_000:
            return "each command must be a text of 1 to 20,000 characters, without NUL"
    return None


@frozen(kw_only=True)
class ImageBuild(Validated):
    """An image that is wanted.

    Equal builds are one build: run twice, the second finds the image of the first and makes none. So name
    in ``revision`` or in the commands what is built, never only a branch that moves.

    Args:
        service: What the image is for.
        launch_template: Name of the template that the build instance is started from.
        commands: Shell commands that bring the new code, run in this order; each must end with 0.
        version: Version of the template; None takes its default version.
        revision: What is built, for people: a commit or a tag. Part of the default name.
        name: The image's name, unique in the account and Region; by default made of service, revision
            and a digest of all the above (``attrs.evolve`` keeps the old one).
        start_seconds: How long the instance may take until it runs and takes commands.
        command_seconds: How long each command may take.
        stop_seconds: How long the instance may take to stop.
        image_seconds: How long the image may take to become available: usually minutes, for large
            volumes up to a day (EC2 user guide, "Create an AMI").
        clean_up_seconds: How long the instance may take to go away.
        poll_seconds: Time between two looks.

    Raises:
        PlanError: With every fault.
    """

    service: str = checked(service_name)
    launch_template: str = checked(template_name)
    commands: tuple[str, ...] = checked(_commands)
    version: int | None = checked(optional(whole(1, 2**31)), default=None)
    revision: str | None = checked(optional(_revision), default=None)
    name: str = field(metadata={"check": _image_name})
    start_seconds: int = checked(_deadline, default=600)
    command_seconds: int = checked(_deadline, default=1800)
    stop_seconds: int = checked(_deadline, default=600)
    image_seconds: int = checked(_deadline, default=3600)
    clean_up_seconds: int = checked(_deadline, default=600)
    poll_seconds: int = checked(whole(1, 3600, "seconds"), default=5)

    @name.default
    def _(self) -> str:
        # What is no text has a fault of its own, and must live to have it told.
        texts = [each for each in (self.service, self.revision) if isinstance(each, str) and each]
        return "-".join([*texts, self._digest()[:12]])

    def _digest(self, *more: str) -> str:
        import hashlib
        import json

        made_of = [self.service, self.launch_template, self.version, self.revision, self.commands, *more]
        text = json.dumps(made_of, default=repr, skipkeys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def token(self) -> str:
        """What everything that this build makes is marked with; builds that differ have different ones."""
        return f"bluegreen-{self._digest(self.name)[:24]}"

    def deadline(self, phase: BuildPhase) -> int:
        """How long a phase may last, in seconds; in ``run`` each command has this time."""
        return {
            BuildPhase.START: self.start_seconds,
            BuildPhase.RUN: self.command_seconds,
            BuildPhase.STOP: self.stop_seconds,
            BuildPhase.CREATE: self.image_seconds,
            BuildPhase.WAIT: self.image_seconds,
            BuildPhase.CLEAN_UP: self.clean_up_seconds,
        }[phase]

    def steps(self, builder: Builder) -> Iterator[BuildStep]:
        """Build, yielding after each pass; a build left half-way goes on when it is run again.

        Args:
            builder: Where to build.

        Yields:
            What the pass decided; ``str()`` of it is one line.
        """
        state = BuildState(since=builder.clock.now())
        outcome: BuildOutcome | None = None
        while not state.phase.ended:
            taken = step(self, state, evolve(builder.look(self.token, self.name), outcome=outcome))
            outcome = None if taken.command is None else builder.apply(taken.command)
            yield taken
            if taken.state.phase is state.phase:
                builder.clock.sleep(self.poll_seconds)
            state = taken.state

    def run(self, builder: Builder) -> ImageResult:
        """Build and say how it ended; failing is a result, not an exception.

        Args:
            builder: Where to build.
        """
        steps = tuple(self.steps(builder))
        state = steps[-1].state
        ok = state.phase is BuildPhase.DONE
        return ImageResult(
            image=state.image if ok else None,
            ok=ok,
            reason=state.failure or f"image {state.image} ({self.name}) is available",
            instance=state.instance,
            leftovers=state.leftovers,
            steps=steps,
        )


@frozen(kw_only=True)
class ImageResult:
    """How a build ended.

    Args:
        image: The image's id; None when there is none to use.
        ok: Whether the image is available.
        reason: One sentence for people.
        instance: The build instance, gone by now unless it is among the leftovers.
        leftovers: What was made and could not be removed or finished; for a person to look at.
        steps: What was decided, pass by pass.
    """

    image: str | None
    ok: bool
    reason: str
    instance: str | None
    leftovers: tuple[str, ...]
    steps: tuple[BuildStep, ...] = field(repr=False)

    def raise_unless_built(self) -> str:
        """Return the image's id.

        Raises:
            BuildFailed: With the reason and the leftovers, when there is no image.
        """
        if self.image is None:
            raise BuildFailed("; ".join([self.reason, *(f"left over: {left}" for left in self.leftovers)]))
        return self.image
