"""Intent first (S13) and one writer (S12): who may send, and only after what is on record."""

from collections.abc import Callable, Iterable

import pytest
from attrs import define, field

from bluegreen import Deployment, JournalError, LockTaken, MemoryJournal, Plan
from bluegreen.core.commands import Command
from bluegreen.core.observation import Observation, Outcome
from bluegreen.core.state import Ledger, Phase
from bluegreen.journal import codec
from bluegreen.ports import Clock, Holder, Journal, Record
from bluegreen_sim import SimCloud
from tests.crash.boundaries import QUICK, Case, Fuse, Lives, MortalCloud, MortalJournal, expire, whole
from tests.explore.planted import substituted
from tests.scenarios.story import FLEETS, ROUTINGS, assert_replays

pytestmark = pytest.mark.crash

CASES = [Case(routing=routing, fleets=fleets) for routing in ROUTINGS for fleets in FLEETS]
RECORDS = ("look", "lease", "started", "decision", "outcomes")
FREEZING = Case(routing="weighted", fleets="standing", changes={"freeze_scaling": True})


# -------------------------------------------------------------------------------------------- intent first


@define
class FailingJournal:
    """A journal of which one ``put`` fails: the disk is full, or the answer is lost after it was stored."""

    inner: Journal
    at: int
    stored: bool = False
    puts: int = 0
    failed: bool = False

    def put(self, seq: int, record: Record) -> None:
        self.puts += 1
        self.failed = self.puts == self.at
        if not self.failed or self.stored:
            self.inner.put(seq, record)
        if self.failed:
            raise JournalError("no space left on device")

    def records(self, after: int = 0) -> Iterable[Record]:
        return self.inner.records(after)

    def renew(self, holder: Holder) -> None:
        self.inner.renew(holder)

    def holder(self) -> Holder | None:
        return self.inner.holder()


@define
class Witness:
    """A cloud that notes every command, and whether the journal's last decision had announced it."""

    inner: SimCloud
    journal: Journal
    sent: list[Command] = field(factory=list)
    unannounced: list[Command] = field(factory=list)

    @property
    def clock(self) -> Clock:
        return self.inner.clock

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        return self.inner.observe(plan, ledger)

    def apply(self, command: Command) -> Outcome:
        self.sent.append(command)
        last = list(self.journal.records())[-1]
        if last.kind != "decision" or codec.to_json(command) not in _plain(last):
            self.unannounced.append(command)
        return self.inner.apply(command)


def _plain(record: Record) -> list[dict[str, object]]:
    """The commands in a decision, without the tags of their class."""
    return [{k: v for k, v in command.items() if k != "kind"} for command in record.body["commands"]]


def fresh(case: Case) -> SimCloud:
    """A case's world."""
    return SimCloud(case.plan, capacity=2, settings=QUICK, traffic=0)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_command_is_announced_before_it_is_sent(case: Case) -> None:
    """When a command reaches the cloud, the last record in the journal is the decision that names it."""
    journal = MemoryJournal()
    witness = Witness(fresh(case), journal)
    assert Deployment(case.plan, witness, journal=journal).run().ok
    assert len(witness.sent) >= 4
    assert witness.unannounced == []


def test_a_process_that_sends_before_it_records_is_caught() -> None:
    """With decisions that never reach the journal, the witness names the commands that nobody announced."""

    def make(real: Callable[..., Record]) -> Callable[..., Record | None]:
        return lambda log, kind, *args: None if kind == "decision" else real(log, kind, *args)

    journal = MemoryJournal()
    witness = Witness(fresh(CASES[0]), journal)
    with substituted("journal.log:Log.append", make):
        Deployment(CASES[0].plan, witness, journal=journal).run()
    assert witness.unannounced


@pytest.mark.parametrize("stored", [False, True], ids=["refused", "stored-but-unanswered"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_without_a_record_nothing_is_sent(case: Case, stored: bool) -> None:  # noqa: FBT001
    """A put that fails, whichever it is, ends the pass with JournalError; no command reaches the cloud."""
    puts = sum(boundary.startswith("after") for boundary in _records(case))
    for n in range(1, puts + 1):
        memory = MemoryJournal()
        journal = FailingJournal(memory, n, stored)
        witness = Witness(fresh(case), memory)
        deployment = Deployment(case.plan, witness, journal=journal)
        sent = 0
        with pytest.raises(JournalError, match="no space left"):  # noqa: PT012  (it counts on the way)
            for _ in deployment.steps():
                sent = len(witness.sent)
        after = [c for c in witness.sent[sent:] if journal.failed and _pending(memory, c)]
        assert after == [], f"put {n} failed, and yet {after} was sent"
        assert witness.unannounced == []


def _records(case: Case) -> list[str]:
    kinds = ("lease", "started", "decision", "outcomes")
    return [boundary for boundary in whole(case).boundaries if boundary.split()[1] in kinds]


def _pending(journal: Journal, command: Command) -> bool:
    """Whether the journal does not know of any decision that named the command."""
    decisions = [record for record in journal.records() if record.kind == "decision"]
    return all(codec.to_json(command) not in _plain(record) for record in decisions)


@pytest.mark.parametrize("stored", [False, True], ids=["refused", "stored-but-unanswered"])
@pytest.mark.parametrize("loads", [True, False], ids=["another-process", "the-same-process"])
def test_after_the_disk_is_mended_it_goes_on(stored: bool, loads: bool) -> None:  # noqa: FBT001
    """Whether the process begins anew or tries again, the end is the same and the journal replays."""
    case = CASES[0]
    expected = whole(case).end()
    for n in range(1, len(_records(case)) // 2 + 1, 2 - stored):
        lives = Lives(case)
        journal = FailingJournal(lives.journal, n, stored)
        deployment = Deployment(case.plan, lives.cloud, journal=journal)
        with pytest.raises(JournalError):
            deployment.run()
        if loads:
            lives.live()
        else:
            deployment.run()
            lives.deployment = deployment
        assert lives.end() == expected, n
        assert_replays(lives.journal)


# -------------------------------------------------------------------------------------------- one writer


def take_over(lives: Lives) -> Deployment:
    """Another process finds the lease expired, loads the journal, and makes a pass."""
    expire(lives.journal)
    other = Deployment.load(lives.case.plan.service, lives.cloud, lives.journal, holder="other")
    other.advance()
    return other


@pytest.mark.parametrize(
    "boundary", ["after look", "before decision", "after decision", "after command", "before outcomes"]
)
@pytest.mark.parametrize("case", [*CASES, FREEZING], ids=str)
def test_who_has_lost_the_lease_sends_nothing_more(case: Case, boundary: str) -> None:
    """Another process takes over inside a pass; from then on the stale one sends nothing, and it stops.

    Taken over between the check and the wire, one command may still go; that is why the guarded ones are
    right for the successor too (reliability 3.4). Every other moment is held to it.
    """
    for n in _moments(case, boundary):
        lives = Lives(case)
        fuse = Fuse(n, lambda lives=lives: setattr(lives, "other", take_over(lives)))
        stale = Deployment(
            case.plan,
            MortalCloud(lives.cloud, fuse),
            journal=MortalJournal(lives.journal, fuse),
            holder="stale",
        )
        with pytest.raises(LockTaken, match="taken over by a holder with fence 2"):
            stale.run()
        late = [b for b in fuse.passed[n:] if b.startswith("after") and b.split()[1] not in RECORDS]
        assert late == [], f"taken over {fuse.passed[n - 1]} ({n}), and yet sent: {late}"
        lives.deployment = lives.other
        assert lives.other.run().phase is Phase.PROMOTED
        assert_replays(lives.journal)


def _moments(case: Case, boundary: str) -> list[int]:
    """Boundaries of that kind, counted from 1, in passes that send something."""
    passed = whole(case).boundaries
    found = []
    for n, name in enumerate(passed, start=1):
        when, what = name.split()
        kind = f"{when} {'command' if what not in RECORDS else what}"
        upcoming = passed[n : n + 5]
        pause = next((i for i, b in enumerate(upcoming) if b == "after look" and i > 3), len(upcoming))
        sends = any(b.split()[1] not in RECORDS for b in upcoming[:pause])
        if kind == boundary and (sends or boundary in ("after command", "before outcomes")):
            found.append(n)
    return found


def test_a_deployment_that_is_alive_is_not_taken_over() -> None:
    """While the holder shows signs of life nobody else gets the lease, and nothing is disturbed."""
    case = CASES[0]
    lives = Lives(case)
    deployment = Deployment(case.plan, lives.cloud, journal=lives.journal, holder="first")
    deployment.advance()
    other = Deployment.load(case.plan.service, lives.cloud, lives.journal)
    with pytest.raises(LockTaken, match="being deployed by first"):
        other.advance()
    assert deployment.run().phase is Phase.PROMOTED


def test_a_stale_holder_does_not_come_back_by_waiting() -> None:
    """Stopped for longer than its lease (SIGSTOP, a laptop asleep), a holder finds that it lost for good."""
    case = CASES[0]
    lives = Lives(case)
    stale = Deployment(case.plan, lives.cloud, journal=lives.journal, holder="stale")
    for _ in range(5):
        lives.cloud.clock.sleep(stale.advance().wake_at - lives.cloud.clock.now())
    other = take_over(lives)
    records = len(lives.journal.records())
    for _ in range(3):
        with pytest.raises(LockTaken):
            stale.advance()
    assert len(lives.journal.records()) == records
    assert other.run().phase is Phase.PROMOTED


def test_a_refusal_of_the_lease_leaves_the_world_alone() -> None:
    """Whoever does not get the lease has changed nothing."""
    case = CASES[0]
    lives = Lives(case)
    first = Deployment(case.plan, lives.cloud, journal=lives.journal)
    first.advance()
    world = lives.cloud.world
    with pytest.raises(LockTaken):
        Deployment(case.plan.with_image("ami-3"), lives.cloud, journal=lives.journal).advance()
    assert lives.cloud.world is world


def test_what_was_loaded_before_the_lease_was_held_is_read_again() -> None:
    """Two processes load the same deployment; the second goes on from where the first left it."""
    case = CASES[0]
    lives = Lives(case)
    first = Deployment(case.plan, lives.cloud, journal=lives.journal)
    with first:
        first.advance()
    one = Deployment.load(case.plan.service, lives.cloud, lives.journal)
    two = Deployment.load(case.plan.service, lives.cloud, lives.journal)
    for deployment in (one, two):
        with deployment:
            deployment.advance()
            lives.cloud.clock.sleep(5)
    assert_replays(lives.journal)
