"""How an image build goes on: phases, the table, and ``step``, which is pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from bluegreen.core.observation import ErrorClass, Result
from bluegreen.core.text import counted, escaped
from bluegreen.ports import (
    BuildCommand,
    BuildLook,
    CreateImage,
    RunCommand,
    StartInstance,
    StopInstance,
    TerminateInstance,
)

if TYPE_CHECKING:
    from .build import ImageBuild

OUTPUT_LIMIT = 500
"""Characters of a failed command's output that are shown."""


class BuildPhase(Enum):
    """Where a build stands."""

    START = "start"
    """The build instance runs and takes commands."""
    RUN = "run"
    """The commands run on it, one after the other."""
    STOP = "stop"
    """It stops, so that the image is of a file system at rest."""
    CREATE = "create"
    """The image is asked for."""
    WAIT = "wait"
    """The image becomes available."""
    CLEAN_UP = "clean_up"
    """The instance goes away, whether the build went well or not."""
    DONE = "done"
    """End: the image is available."""
    FAILED = "failed"
    """End: there is no image."""

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self in (BuildPhase.DONE, BuildPhase.FAILED)


class BuildSignal(Enum):
    """The one word in which a look answers a phase."""

    FOUND = "found"
    """The image is there already, and it is ours: nothing is left to make."""
    REACHED = "reached"
    """What the phase wants to see is there."""
    NOT_YET = "not_yet"
    """It may still come."""
    LATE = "late"
    """The phase's deadline has passed."""
    BROKEN = "broken"
    """It cannot come any more. In ``clean_up``: all is done that can be, and the build failed before."""


P, S = BuildPhase, BuildSignal
_GIVE_UP = {S.LATE: P.CLEAN_UP, S.BROKEN: P.CLEAN_UP}
_NEVER = dict.fromkeys(S)

TRANSITIONS: Mapping[BuildPhase, Mapping[BuildSignal, BuildPhase | None]] = {
    P.START: {**_GIVE_UP, S.FOUND: P.WAIT, S.REACHED: P.RUN, S.NOT_YET: P.START},
    P.RUN: {**_GIVE_UP, S.FOUND: P.WAIT, S.REACHED: P.STOP, S.NOT_YET: P.RUN},
    P.STOP: {**_GIVE_UP, S.FOUND: P.WAIT, S.REACHED: P.CREATE, S.NOT_YET: P.STOP},
    P.CREATE: {**_GIVE_UP, S.FOUND: P.WAIT, S.REACHED: None, S.NOT_YET: P.CREATE},
    P.WAIT: {**_GIVE_UP, S.FOUND: None, S.REACHED: P.CLEAN_UP, S.NOT_YET: P.WAIT},
    P.CLEAN_UP: {**_NEVER, S.REACHED: P.DONE, S.NOT_YET: P.CLEAN_UP, S.BROKEN: P.FAILED},
    P.DONE: _NEVER,
    P.FAILED: _NEVER,
}
"""Total over phase × signal; None stands for what can never occur."""


@frozen(kw_only=True)
class BuildState:
    """Where a build stands; what ``step`` folds over.

    Args:
        since: When the phase, or in ``run`` the current command, began; in seconds.
        phase: Where the build stands.
        before: An instance of an earlier run of this build, which ended before this run asked for one.
        asked: Whether an instance was asked for and may have been started.
        instance: The build instance, once seen.
        done: How many commands have ended well.
        image: The image, once seen.
        failure: Why there will be no image.
        leftovers: What was made and could not be removed or finished.
    """

    since: float
    phase: BuildPhase = BuildPhase.START
    before: str | None = None
    asked: bool = False
    instance: str | None = None
    done: int = 0
    image: str | None = None
    failure: str | None = None
    leftovers: tuple[str, ...] = ()


@frozen
class BuildStep:
    """What one pass decided.

    Args:
        state: Where the build stands now.
        command: What to ask of the builder, if anything.
        reason: One sentence for people.
    """

    state: BuildState
    command: BuildCommand | None
    reason: str

    def __str__(self) -> str:
        """One line: phase and reason."""
        return f"{self.state.phase.value}: {self.reason}"


# ------------------------------------------------------------------------------------------------- deciding


@frozen
class _View:
    """How a look answers a phase, and what to ask for if the answer is ``NOT_YET``."""

    signal: BuildSignal
    reason: str
    command: BuildCommand | None = None


def step(build: ImageBuild, state: BuildState, look: BuildLook) -> BuildStep:
    """One pass: where the build stands after this look, and what to ask for.

    A pass that changes the phase asks for nothing.

    Args:
        build: What is wanted.
        state: Where it stood, not at an end.
        look: What is seen now.
    """
    state, look = _noted(state, look)
    view = _answer(build, state, look)
    phase = TRANSITIONS[state.phase][view.signal]
    if phase is None:
        raise AssertionError(f"{view.signal} can never occur in {state.phase}")
    if phase is state.phase:
        return BuildStep(state, view.command, view.reason)
    if phase is P.CLEAN_UP and view.signal is not S.REACHED:
        state = evolve(state, failure=view.reason)
    if phase.ended:
        state = evolve(state, leftovers=tuple(_leftovers(build, state, look)))
    return BuildStep(evolve(state, phase=phase, since=look.at), None, view.reason)


def _noted(state: BuildState, look: BuildLook) -> tuple[BuildState, BuildLook]:
    """The state with what the look adds to it, and the look without what belongs to an earlier run."""
    if state.phase is P.START and look.outcome and look.outcome.result in (Result.APPLIED, Result.UNKNOWN):
        state = evolve(state, asked=True)
    if look.unread:
        return state, look
    if state.phase is P.START and not state.asked and look.instance_state == "terminated":
        # It ended before this run asked for any: it makes way for a new one.
        state = evolve(state, before=look.instance, instance=None, done=0)
    if look.instance == state.before:
        look = evolve(look, instance=None, instance_state=None, ready=False, runs=())
    # A look may be older than the one before it: what has ended well once stays so.
    done = max(state.done, sum(run.exit_code == 0 for run in look.runs))
    state = evolve(
        state,
        instance=look.instance or state.instance,
        image=state.image if look.foreign else look.image or state.image,
        done=done,
        since=look.at if state.phase is P.RUN and done > state.done else state.since,
    )
    return state, look


def _gone(look: BuildLook) -> bool:
    return look.instance_state in ("shutting-down", "terminated")


def _answer(build: ImageBuild, state: BuildState, look: BuildLook) -> _View:
    """What the phase sees; then, if that is not enough, whether it can or may still come."""
    if look.unread:
        view = _View(S.NOT_YET, f"could not read {', '.join(look.unread)}")
    elif look.image and state.phase in _MAKING:
        view = _made(look)
    elif look.hopeless and state.phase in (P.START, P.RUN):
        view = _View(S.BROKEN, f"no command reaches {look.instance}: {look.obstacle}")
    else:
        view = PICTURES[state.phase](build, state, look)
    if view.signal is not S.NOT_YET:
        return view
    reason, hopeless = view.reason, False
    if (outcome := look.outcome) and outcome.result is not Result.APPLIED:
        hopeless = outcome.error is not None and (
            # What an instance is started from does not appear by waiting; the instance itself may.
            outcome.error.hopeless or (state.phase is P.START and outcome.error is ErrorClass.ABSENT)
        )
        words = (outcome.result.value, outcome.error and outcome.error.value, escaped(outcome.detail, 200))
        reason += f" (last command: {', '.join(filter(None, words))})"
    limit = build.deadline(state.phase)
    late = look.at - state.since >= limit
    if late:
        reason += f"; deadline of {limit} s passed"
    if not hopeless and not late:
        return evolve(view, reason=reason)
    if state.phase is P.CLEAN_UP:
        return _View(_ended(state), reason)
    return _View(S.BROKEN if hopeless else S.LATE, reason)


def _ended(state: BuildState) -> BuildSignal:
    """All is done in ``clean_up`` that can be."""
    return S.BROKEN if state.failure else S.REACHED


def _leftovers(build: ImageBuild, state: BuildState, look: BuildLook) -> Iterator[str]:
    if state.instance and (look.unread or look.instance_state not in (None, "terminated")):
        yield f"instance {state.instance}"
    if state.asked and state.instance is None:
        yield f"perhaps an instance marked {build.token}: it was asked for and never seen"
    if state.image and state.failure:
        yield f"image {state.image} ({build.name}): not available"


# ------------------------------------------------------------------------------------------------- pictures


_MAKING = (P.START, P.RUN, P.STOP, P.CREATE)


def _made(look: BuildLook) -> _View:
    """While the image is not made yet: one of its name that is not ours ends the build, ours shortens it."""
    if look.foreign:
        return _View(S.BROKEN, f"the name is taken by image {look.image}, which this build did not make")
    return _View(S.FOUND, f"image {look.image} is there")


def _start(build: ImageBuild, state: BuildState, look: BuildLook) -> _View:
    if look.instance is None:
        start = StartInstance(
            service=build.service,
            name=build.name,
            launch_template=build.launch_template,
            version=build.version,
            token=build.token,
            # EC2 answers a request that it knows with the instance of then, also when that has ended.
            request=build.token if state.before is None else f"{build.token}-{state.before}",
        )
        return _View(S.NOT_YET, f"starting a build instance from {build.launch_template}", start)
    here = f"{look.instance} is {look.instance_state}"
    match look.instance_state:
        case "running" if look.ready:
            return _View(S.REACHED, f"{look.instance} takes commands")
        case "stopping" | "stopped" if state.done >= len(build.commands):
            return _View(S.REACHED, f"{here} and has run all commands")
        case "pending" | "running":
            why = f" ({look.obstacle})" if look.obstacle else ""
            return _View(S.NOT_YET, f"{here} and takes no commands yet{why}")
        case "shutting-down" if not state.asked:
            return _View(S.NOT_YET, f"{here}, from an earlier run")
    return _View(S.BROKEN, f"{here} before its commands have run")


def _run(build: ImageBuild, state: BuildState, look: BuildLook) -> _View:
    total = len(build.commands)
    for i, (text, run) in enumerate(zip(build.commands, look.runs, strict=False), start=1):
        if run.exit_code is None:
            return _View(S.NOT_YET, f"command {i} of {total} runs on {state.instance}: {escaped(text, 80)}")
        if run.exit_code:
            return _View(
                S.BROKEN,
                f"command {i} of {total} ended with exit code {run.exit_code}: {escaped(text, 80)}; "
                f"its output ends: {escaped(run.output.rstrip(), -OUTPUT_LIMIT)}",
            )
    if state.done >= total:
        return _View(
            S.REACHED, "the command ended well" if total == 1 else f"all {total} commands ended well"
        )
    if _gone(look) or look.instance_state in ("stopping", "stopped"):
        done = f"{state.done} of {counted(total, 'command')} done"
        return _View(S.BROKEN, f"{state.instance} is {look.instance_state}, {done}")
    text = build.commands[state.done]
    command = RunCommand(
        instance=str(state.instance),
        token=build.token,
        index=state.done,
        text=text,
        seconds=build.command_seconds,
    )
    return _View(S.NOT_YET, f"command {state.done + 1} of {total}: {escaped(text, 80)}", command)


def _stop(_build: ImageBuild, state: BuildState, look: BuildLook) -> _View:
    if _gone(look):
        return _lost(state, look)
    if look.instance_state == "stopped":
        return _View(S.REACHED, f"{state.instance} is stopped")
    command = None if look.instance_state == "stopping" else _stopping(state)
    return _View(S.NOT_YET, f"stopping {state.instance}", command)


def _stopping(state: BuildState) -> StopInstance:
    return StopInstance(instance=str(state.instance), done=state.done)


def _create(build: ImageBuild, state: BuildState, look: BuildLook) -> _View:
    if _gone(look):
        return _lost(state, look)
    reason = f"making image {build.name} of {state.instance}"
    if look.instance_state != "stopped":
        # An old look, from before it stopped. EC2 would restart a running instance to make its image.
        return _View(S.NOT_YET, reason)
    token, instance = build.token, str(state.instance)
    return _View(
        S.NOT_YET,
        reason,
        CreateImage(service=build.service, instance=instance, name=build.name, token=token),
    )


def _lost(state: BuildState, look: BuildLook) -> _View:
    return _View(S.BROKEN, f"{state.instance} is {look.instance_state} before its image was made")


def _wait(build: ImageBuild, state: BuildState, look: BuildLook) -> _View:
    match None if look.foreign else look.image_state:
        case "available":
            return _View(S.REACHED, f"image {state.image} is available")
        case "failed":
            return _View(S.BROKEN, f"image {state.image} failed: remove it before this build runs again")
    return _View(S.NOT_YET, f"image {state.image} ({build.name}) is pending")


def _clean_up(_build: ImageBuild, state: BuildState, look: BuildLook) -> _View:
    if look.instance and look.instance_state != "terminated":
        command = None if _gone(look) else TerminateInstance(instance=look.instance)
        return _View(S.NOT_YET, f"ending {look.instance}", command)
    if state.asked and state.instance is None:
        return _View(S.NOT_YET, "the instance that was asked for may still appear")
    return _View(_ended(state), "no build instance is left")


PICTURES: Mapping[BuildPhase, Callable[[ImageBuild, BuildState, BuildLook], _View]] = {
    P.START: _start,
    P.RUN: _run,
    P.STOP: _stop,
    P.CREATE: _create,
    P.WAIT: _wait,
    P.CLEAN_UP: _clean_up,
}
