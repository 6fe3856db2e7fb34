"""The loop around the pure core: observe, step, record, guard, apply. It decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Self

import attrs

from .core.commands import Command
from .core.errors import BlueGreenError, NothingToLoad, Unfinished
from .core.evidence import Evidence
from .core.invariants import broken_by_command
from .core.machine import initial, step
from .core.observation import Observation, Outcome, Request
from .core.observation import Result as Became
from .core.plan import Plan
from .core.predicates import guarded
from .core.state import FORWARD, Phase, State, Step
from .gates import check_gates, readings
from .journal import MemoryJournal, codec
from .journal.history import Story, last
from .journal.log import SIGN_SECONDS, Log
from .locking import LockPolicy, check, take
from .logs import heard, logger
from .ports import Clock, Cloud, Gate, Journal, Listener
from .result import Result
from .witness import gather


def carry_out(
    plan: Plan,
    state: State,
    observation: Observation,
    commands: Iterable[Command],
    cloud: Cloud,
    *,
    permit: Callable[[], None] = lambda: None,
) -> tuple[Outcome, ...]:
    """Send commands in order; stop at the first that is not applied.

    Right before a command that moves users or removes something the guard takes its own look and checks
    every promise against it; what breaks one is withheld, and that is an outcome too.

    Args:
        plan: What is wanted.
        state: The state that was decided.
        observation: The look it was decided on.
        commands: What to send.
        cloud: Where to.
        permit: Raises if this process may no longer send; asked last, right before each command.
    """
    outcomes: list[Outcome] = []
    for command in commands:
        look = cloud.observe(plan, state.ledger) if guarded(command, observation) else observation
        broken = broken_by_command(plan, state, look, command)
        if broken is None:
            permit()
            outcome = cloud.apply(command)
        else:
            agreed = not look.unread and (look.fleets, look.shares) == (
                observation.fleets,
                observation.shares,
            )
            outcome = Outcome(
                command=command,
                result=Became.WITHHELD,
                invariant=broken.id,
                agreed=agreed,
                detail=broken.sentence,
            )
        outcomes.append(outcome)
        if outcome.result is not Became.APPLIED:
            break
    return tuple(outcomes)


class Deployment:
    """One deployment of one plan; ``advance`` is one pass, ``run`` repeats it to the end.

    Args:
        plan: What is wanted.
        cloud: Where the fleets are.
        journal: Where every decision is recorded before it is acted on. A simulator may do without: a
            journal in memory is made.
        clock: Time; the cloud's own by default.
        gates: Checks by name: one for each ``Hook`` of the plan, and any that replace others but alarms.
        listeners: Told after each pass. A simulator's timeline always is: it wants to know the phases.
        holder: Who deploys, for people.
        lock: What to do while another process deploys the service: ``fail``, ``queue`` or ``supersede``.

    Raises:
        BlueGreenError: If a real cloud is given without a journal, or ``lock`` is none of the three.
        PlanError: If ``gates`` are not those that the plan asks for; with every fault.
    """

    def __init__(
        self,
        plan: Plan,
        cloud: Cloud,
        *,
        journal: Journal | None = None,
        clock: Clock | None = None,
        gates: Mapping[str, Gate] | None = None,
        listeners: Iterable[Listener] = (),
        holder: str | None = None,
        lock: LockPolicy = "fail",
    ) -> None:
        check(lock)
        self.plan = plan
        self.cloud = cloud
        self.clock = clock or cloud.clock
        if journal is None:
            if not self._nobody_comes():
                raise BlueGreenError(
                    "a deployment on a real cloud needs a journal, or a crash forgets it: "
                    "journal=bluegreen.SqliteJournal(path)"
                )
            journal = MemoryJournal()
        self.state: State | None = None
        self.history: list[Step] = []
        check_gates(plan, gates or {})
        self._gates = dict(gates or {})
        # What a cloud may offer besides: somebody of its own who wants to know.
        own = getattr(cloud, "listener", None)
        told = tuple(listeners)
        self._listeners = told if own is None or any(own is each for each in told) else (own, *told)
        self._log = Log(journal, plan.service, name=holder)
        self._lock = lock
        self._outcomes: tuple[Outcome, ...] = ()
        self._requests: list[Request] = []
        self._started: float | None = None
        self._id: str | None = None
        self._last: tuple[Observation, Step] | None = None
        self._turned: Observation | None = None
        self._evidence: Evidence | None = None

    @classmethod
    def load(cls, service: str, cloud: Cloud, journal: Journal, **options: Any) -> Deployment:
        """Go on with the service's last deployment, as if nothing had happened.

        Args:
            service: The service's name.
            cloud: Where the fleets are.
            journal: The journal that holds it.
            options: As for ``Deployment``: clock, gates, listeners, holder, lock.

        Raises:
            NothingToLoad: If the journal has none.
            JournalDamaged: If a record is not what was written.
            JournalTooNew: If a newer bluegreen wrote it.
            PlanError: If ``gates`` are not those that its plan asks for.
        """
        story = last(journal, service)
        if story is None:
            raise NothingToLoad(f"the journal holds no deployment of {service}")
        loaded = cls(story.plan, cloud, journal=journal, **options)
        loaded._go_on_from(story)
        return loaded

    # ---------------------------------------------------------------------------------------- one pass

    def advance(self) -> Step:
        """One pass: observe, decide, record the intent, check the lease, send, record what became of it.

        Raises:
            LockTaken: If another holder deploys the service and ``lock`` is ``fail``, or it took over.
            Unfinished: If the service has a deployment that has not ended.
            JournalError: If the journal cannot be written; then nothing was sent.
        """
        state = self._begin()
        observation = self._look(state)
        decided = step(self.plan, state, observation)
        deployment_id = state.ledger.deployment_id
        self._log.append("decision", partial(codec.decision, observation, decided, self._last), deployment_id)
        self.state, self._outcomes = decided.state, ()
        self._last = (observation, decided)
        if decided.state.phase is Phase.ROLL_BACK and self._turned is None:
            self._turned = observation
        if decided.state.phase is Phase.DISCARD and self._evidence is None:
            # Users are on blue again, and nothing of green is removed yet.
            self._evidence = gather(
                self.plan,
                decided.state,
                self._turned or observation,
                ask=getattr(self.cloud, "evidence", None),
            )
            self._log.append("evidence", codec.evidence(self._evidence), deployment_id)
        if decided.commands:
            self._outcomes = carry_out(
                self.plan, decided.state, observation, decided.commands, self.cloud, permit=self._log.check
            )
            self._log.append("outcomes", partial(codec.outcomes, self._outcomes), deployment_id)
        self.history.append(decided)
        if decided.state.phase.ended:
            self.release()
        else:
            self._log.renew()
        self._tell(decided, observation)
        return decided

    def steps(self) -> Iterator[Step]:
        """Pass after pass, sleeping until each is due.

        Stops at an end, in ``halted``, and where only a person can help and, on a simulator's clock, none
        can come.
        """
        try:
            while True:
                decided = self.advance()
                yield decided
                if self._resting(decided.state):
                    return
                self._sleep(decided.wake_at - self.clock.now())
        finally:
            self.release()

    def run(self) -> Result:
        """All of ``steps``.

        Raises:
            LockTaken: If another holder deploys the service, or took over.
            JournalError: If the journal is damaged or cannot be written.
        """
        for _ in self.steps():
            pass
        return self.result()

    def release(self) -> None:
        """Let another process go on at once. ``steps`` and ``run`` do so when they return.

        For engines that call ``advance`` from a new process each time, or wait themselves for longer than a
        lease lasts: meanwhile nothing shows life. Leaving ``with deployment:`` does the same.
        """
        self._log.release()

    def __enter__(self) -> Self:
        """Hold the lease for as long as the block lasts."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release the lease."""
        self.release()

    def result(self) -> Result:
        """How the deployment stands now.

        Raises:
            NothingToLoad: Before the first pass.
        """
        if self.state is None or not self.history:
            raise NothingToLoad("the deployment has not begun")
        state = self.state
        return Result(
            phase=state.phase,
            ok=state.phase is Phase.PROMOTED,
            reason=self._reason(state.phase),
            deployment_id=state.ledger.deployment_id,
            started=self._started if self._started is not None else state.at,
            ended=state.at,
            leftovers=state.leftovers,
            history=tuple(self.history),
            evidence=self._evidence,
        )

    # ----------------------------------------------------------------------------------------- details

    def _reason(self, phase: Phase) -> str:
        """Why it stands where it stands: of a way back, why it turned, not that it arrived."""
        sought = Phase.ROLL_BACK if phase is Phase.ROLLED_BACK else phase
        if not phase.ended:
            return self.history[-1].reason
        return next(s.reason for s in self.history if s.state.phase is sought)

    def _nobody_comes(self) -> bool:
        return bool(getattr(self.clock, "virtual", False))

    def _resting(self, state: State) -> bool:
        if state.phase.ended or state.phase is Phase.HALTED:
            return True
        held = state.awaiting or (state.paused and state.phase in (Phase.PREFLIGHT, *FORWARD))
        return held and self._nobody_comes() and not self._new_requests(state)

    def _sleep(self, seconds: float) -> None:
        """Show life meanwhile; on a simulator's clock nobody comes while we sleep."""
        while seconds > SIGN_SECONDS and not self._nobody_comes():
            self.clock.sleep(SIGN_SECONDS)
            self._log.renew()
            seconds -= SIGN_SECONDS
        self.clock.sleep(seconds)

    def _begin(self) -> State:
        """The state to go on from; the first time, the lease and the record of the start."""
        held = bool(self._log.fence)
        if not held:
            # On a simulator's clock nobody lets go while we wait.
            take(self._log, "fail" if self._nobody_comes() else self._lock, self.clock, ours=self._id)
        if self.state is not None and held and not self._log.uncertain:
            return self.state
        # What was read before the lease was held, or before a put failed, may be out of date.
        self._log.settle()
        before = last(self._log.journal, self.plan.service)
        if before is not None and before.state.ledger.deployment_id == self._id:
            return self._go_on_from(before)
        if before is not None and not before.state.phase.ended:
            self.release()
            raise Unfinished(
                f"{before.state.ledger.deployment_id} has not ended (it is in {before.state.phase.value}): "
                "go on with Deployment.load, or abort it"
            )
        number = 1 if before is None else before.number + 1
        started = self.clock.now()
        self._id = _deployment_id(self.plan, number, started)
        self._last = None
        first = initial(self._id, started)
        self._started = first.at
        self._log.append("started", partial(codec.started, self.plan, first), self._id)
        self.state = first
        return first

    def _go_on_from(self, story: Story) -> State:
        self.state = story.state
        self.history = list(story.steps)
        self._outcomes = story.outcomes
        self._started = story.started
        self._turned, self._evidence = story.turned, story.evidence
        self._id = story.state.ledger.deployment_id
        self._last = (story.looks[-1], story.steps[-1]) if story.steps else None
        return story.state

    def _look(self, state: State) -> Observation:
        """What the cloud shows, and what only the loop knows."""
        seen = self.cloud.observe(self.plan, state.ledger)
        gates = readings(
            self.plan,
            seen,
            state,
            self._gates,
            # What a cloud may offer besides: a simulator answers probes itself, and has no calendar.
            fetch=getattr(self.cloud, "fetch", None),
            measure=getattr(self.cloud, "measure", None),
            epoch=getattr(self.cloud, "epoch", 0.0),
            between=self._log.renew,
        )
        requests = self._new_requests(state)
        if not (gates or requests or self._outcomes):
            return seen
        return attrs.evolve(seen, gates=seen.gates + gates, requests=requests, outcomes=self._outcomes)

    def _new_requests(self, state: State) -> tuple[Request, ...]:
        for record in self._log.catch_up():
            if record.kind == "request" and record.deployment_id == state.ledger.deployment_id:
                self._requests.append(codec.read_request(record.seq, record.body))
        self._requests = [request for request in self._requests if request.seq > state.seen]
        return tuple(self._requests)

    def _tell(self, decided: Step, observation: Observation) -> None:
        if heard():
            logger().info("step", reason=decided.reason, **self._fields(decided))
        for listener in self._listeners:
            try:
                listener.stepped(decided, observation)
            except Exception as error:  # noqa: BLE001  (somebody else's code must not stop a deployment)
                broken = {"listener": type(listener).__name__, "error": str(error)}
                logger().warning("listener failed", **broken, **self._fields(decided))

    def _fields(self, decided: Step) -> dict[str, str]:
        return {"service": self.plan.service, "phase": decided.state.phase.value, "signal": decided.signal}


def _deployment_id(plan: Plan, number: int, started: float) -> str:
    """Unique in the log by its number, and by its digest should the log be lost.

    It is recorded before anything is made under its name, so a crash never leads to a second one.
    """
    made_of = f"{plan.service}\0{plan.image or plan.version}\0{plan.groups}\0{started!r}"
    digest = hashlib.blake2b(made_of.encode(), digest_size=4).hexdigest()
    return f"{plan.service}-{number}-{digest}"
