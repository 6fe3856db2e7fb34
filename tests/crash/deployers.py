"""Two processes that deploy the same service on one world and one journal, in any order of their steps.

Each runs in a thread of its own, but only one at a time: at every boundary of a pass the turn may go to the
other one. So an order of steps is a value, and the same value is the same run.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Semaphore, Thread

from attrs import define, field

from bluegreen import Deployment, JournalError, LockTaken, Plan, Unfinished
from bluegreen.core.commands import Command
from bluegreen.core.observation import Observation, Outcome
from bluegreen.core.state import Ledger
from bluegreen.journal.history import last
from bluegreen.ports import Clock, Holder, Record
from tests.crash.boundaries import Case, End, Lives, expire

Turn = tuple[int, bool]
"""After so many boundaries the other one goes on; and whether the lease of the first is over by then."""


@define(eq=False)
class Process:
    """One of the two: a journal and a cloud that hand the turn over, and the thread that uses them.

    Attributes:
        fence: Its newest; 0 before it holds the lease.
        in_hand: Whether it was superseded between the check of the lease and the wire.
        said: How it ended, or why it could not go on.
    """

    name: str
    stage: Stage
    fence: int = 0
    in_hand: bool = False
    said: str = ""
    turn: Semaphore = field(factory=lambda: Semaphore(0))
    thread: Thread = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.thread = Thread(target=self._run, name=self.name, daemon=True)

    def _run(self) -> None:
        self.turn.acquire()
        try:
            self._deploy()
        except BaseException as error:  # noqa: BLE001  (whatever it is, the test must hear of it, not hang)
            self.stage.failures.append(error)
        self.stage.over(self)

    def _deploy(self) -> None:
        lives = self.stage.lives
        service = lives.case.plan.service
        while not self.said:
            story = last(lives.journal, service)
            try:
                deployment = (
                    Deployment(lives.case.plan, self, journal=self, holder=self.name)
                    if story is None
                    else Deployment.load(service, self, self, holder=self.name)
                )
                result = deployment.run()
            except (LockTaken, JournalError, Unfinished) as error:
                self.stage.lost.append(f"{self.name}: {error}")
                self.stage.wait(self)
            else:
                self.said = result.phase.value
                lives.deployment = deployment

    # --------------------------------------------------------------------------------- what it works with

    @property
    def clock(self) -> Clock:
        return self.stage.lives.cloud.clock

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        seen = self.stage.lives.cloud.observe(plan, ledger)
        self.stage.boundary(self)
        return seen

    def apply(self, command: Command) -> Outcome:
        if self.stage.fence > self.fence:
            self.stage.wrong.append(f"{self.name} sends {command} with fence {self.fence}")
        before = self.stage.fence
        self.stage.boundary(self)  # checked, and not yet on the wire
        self.in_hand = self.stage.fence > before
        self.stage.late += self.in_hand
        outcome = self.stage.lives.cloud.apply(command)
        self.stage.boundary(self)
        return outcome

    def put(self, seq: int, record: Record) -> None:
        self.stage.boundary(self)
        self.stage.lives.journal.put(seq, record)
        if record.kind == "lease":
            self.fence = record.fence
        self.stage.boundary(self)

    def records(self, after: int = 0) -> Iterable[Record]:
        return self.stage.lives.journal.records(after)

    def renew(self, holder: Holder) -> None:
        self.stage.lives.journal.renew(holder)

    def holder(self) -> Holder | None:
        return self.stage.lives.journal.holder()


class Stage:
    """A world, a journal, two processes, and whose turn it is.

    Attributes:
        wrong: What nobody may do.
        lost: Who was told that it has lost, and in which words.
        late: Commands that were sent by somebody who was superseded after the check.
        came_to: What it had come to when the first of the two ended; the other may still have such a command
            in hand, and nobody can say when it will be sent.
    """

    def __init__(self, case: Case, turns: Iterable[Turn]) -> None:
        self.lives = Lives(case)
        self.turns = list(turns)
        self.left = self.turns.pop(0) if self.turns else None
        self.processes = [Process("first", self), Process("second", self)]
        self.wrong: list[str] = []
        self.lost: list[str] = []
        self.late = 0
        self.failures: list[BaseException] = []
        self.came_to: End | None = None
        self._done = Semaphore(0)

    @property
    def fence(self) -> int:
        """The highest on record."""
        return max((r.fence for r in self.lives.journal.records() if r.kind == "lease"), default=0)

    def play(self) -> Stage:
        """Until both have ended."""
        for process in self.processes:
            process.thread.start()
        self.processes[0].turn.release()
        assert self._done.acquire(timeout=60), "nobody goes on"
        for process in self.processes:
            process.thread.join(timeout=60)
        if self.failures:
            raise self.failures[0]
        return self

    def boundary(self, process: Process) -> None:
        """Perhaps the other one goes on here."""
        if self.left is None:
            return
        gap, over = self.left
        if gap:
            self.left = gap - 1, over
            return
        self.left = self.turns.pop(0) if self.turns else None
        if over:
            expire(self.lives.journal)
        self._hand_over(process)

    def wait(self, process: Process) -> None:
        """Who does not get the lease lets the other one go on; when that one is gone, its lease is over."""
        other = self._other(process)
        if other.said:
            expire(self.lives.journal)
        else:
            self._hand_over(process)

    def over(self, process: Process) -> None:
        """One has ended; the other goes on."""
        process.said = process.said or "failed"
        if self.came_to is None and not self.failures:
            self.came_to = self.lives.end()
        other = self._other(process)
        (self._done if other.said else other.turn).release()

    def _hand_over(self, process: Process) -> None:
        other = self._other(process)
        if not other.said:
            other.turn.release()
            process.turn.acquire()

    def _other(self, process: Process) -> Process:
        first, second = self.processes
        return second if process is first else first
