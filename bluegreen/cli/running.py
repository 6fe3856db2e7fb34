"""Running a deployment or an image build: pass by pass, a line for each that matters, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import attrs
from attrs import define, field

from bluegreen import Deployment, ImageBuild, Result
from bluegreen.core.state import Phase, State
from bluegreen.image import BuildPhase, BuildStep
from bluegreen.ports import Builder, Cloud, Journal

from .exits import Exit, of_phase
from .output import Output
from .stopping import Stopped
from .telling import STYLES, Told, Watcher, awaited, turned_back
from .wish import Wish


def passes(
    deployment: Deployment,
    watcher: Watcher,
    origin: float | None = None,
    after: Callable[[], None] | None = None,
) -> Iterator[Told]:
    """Run a deployment, pass by pass.

    Args:
        deployment: What to run; ``watcher`` is one of its listeners.
        watcher: Keeps what was seen.
        origin: The time from which seconds are counted; None counts from the deployment's start.
        after: Called after each pass, before anybody hears of it.
    """
    before, started = deployment.state, None
    for step in deployment.steps():
        if after:
            after()
        assert watcher.look is not None, "it listens"
        started = deployment.result().started if started is None else started
        yield Told(
            plan=deployment.plan,
            step=step,
            look=watcher.look,
            before=before,
            origin=started if origin is None else origin,
            started=started,
        )
        before = step.state


@define(kw_only=True)
class Run:
    """A deployment that is wanted, begun or continued.

    Args:
        wish: What is wanted.
        deployment: The deployment.
        watcher: Keeps its looks.
        output: Where the lines go.
        origin: The time from which seconds are counted; None counts from the deployment's start.
        continued: Whether an earlier process began it.
        told: Its passes in this process.
        stopped: With which code to leave before the end, when a signal asked for it.
    """

    wish: Wish
    deployment: Deployment
    watcher: Watcher
    output: Output
    origin: float | None = None
    continued: bool = False
    told: list[Told] = field(factory=list, init=False)
    stopped: Exit | None = field(default=None, init=False)

    @classmethod
    def of(
        cls, wish: Wish, cloud: Cloud, journal: Journal, output: Output, *, continued: bool, **options: Any
    ) -> Run:
        """The deployment that is wanted, new, or the same one where it was left.

        Args:
            wish: What is wanted.
            cloud: Where.
            journal: What holds it.
            output: Where the lines go.
            continued: Whether an earlier process began it.
            options: As for ``Deployment``: clock, gates.
        """
        watcher = Watcher()
        options["listeners"] = [watcher]
        if continued:
            deployment = Deployment.load(wish.plan.service, cloud, journal, **options)
        else:
            deployment = Deployment(wish.plan, cloud, journal=journal, **options)
        return cls(wish=wish, deployment=deployment, watcher=watcher, output=output, continued=continued)

    def follow(
        self, stopped: Callable[[], Exit | None], after: Callable[[], None] | None = None, *, verbose: bool
    ) -> None:
        """Pass after pass, until it rests or somebody asks to stop.

        Args:
            stopped: Tells with which code to leave; None as long as nobody asked.
            after: Called after each pass, before anybody hears of it.
            verbose: Whether a pass in which nothing happened has a line as well.
        """
        with suppress(Stopped):
            for one in passes(self.deployment, self.watcher, self.origin, after):
                if self.continued and one.before and not self.told:
                    name, phase = one.before.ledger.deployment_id, one.before.phase.value
                    self.output.note(f"going on with {name}, in {phase}")
                self.told.append(one)
                if verbose or one.happened:
                    self.output.say(str(one), STYLES.get(one.phase, ""))
                if stopped() is not None:
                    break
                self._ask(one.before, one.step.state)
        self.stopped = stopped()

    def _ask(self, before: State | None, now: State) -> None:
        """Tell who watches what they may say, when it is their turn and this process waits for it."""
        said = self.wish.person(now)
        news = before is None or said != self.wish.person(before)
        if self.wish.waits and said and news and now.phase is not Phase.HALTED:
            self.output.note(f"awaits {awaited(self.deployment.plan, now)}; {said}")

    def end(self, lines: Sequence[str] = (), more: Mapping[str, Any] | None = None) -> Exit:
        """The summary and the object. Returns the exit code.

        Args:
            lines: What else the summary says.
            more: What else the object has.
        """
        result, plan, state = self.deployment.result(), self.deployment.plan, self.told[-1].step.state
        rests = result.phase.ended or result.phase is Phase.HALTED or self.stopped is None
        code = of_phase(result.phase) if rests or self.stopped is None else self.stopped
        for line in self._summary(result, lines):
            self.output.say(line)
        if not result.phase.ended:
            self.output.say(f"awaits {awaited(plan, state)}; {self.wish.go_on(state)}")
        self.output.result(
            f"bluegreen.{self.wish.verb}/1",
            {
                "service": plan.service,
                "deployment_id": result.deployment_id,
                "phase": result.phase.value,
                "ok": result.ok,
                "reason": result.reason,
                "because": turned_back(result.history),
                "awaits": awaited(plan, state),
                "image": plan.image,
                "version": plan.number,
                "groups": {"blue": state.blue, "green": state.green},
                "started": result.started,
                "ended": result.ended,
                "leftovers": result.leftovers,
                "evidence": None if result.evidence is None else attrs.asdict(result.evidence),
                "steps": [one.data() for one in self.told if one.happened],
                "exit_code": int(code),
                **(more or {}),
            },
        )
        return code

    def _summary(self, result: Result, lines: Sequence[str]) -> Iterator[str]:
        service = self.deployment.plan.service
        yield f"{service}: {result.phase.value} ({result.deployment_id}): {result.reason}"
        if (why := turned_back(result.history)) and why != result.reason:
            yield f"because: {why}"
        yield from lines
        for left in result.leftovers:
            yield f"left over: {left}"
        if result.evidence is not None:
            yield f"what green left behind: {self.wish.operate('status')}"


def building(build: ImageBuild, builder: Builder) -> Iterator[tuple[BuildStep, BuildPhase, bool]]:
    """Build an image, pass by pass.

    Args:
        build: What is wanted.
        builder: Where to build.

    Yields:
        The pass, the phase before it, and whether it was more than another look.
    """
    phase = BuildPhase.START
    for step in build.steps(builder):
        yield step, phase, step.command is not None or step.state.phase is not phase
        phase = step.state.phase
