"""What a deployment does while another one is under way: it gives up, waits, or asks it to turn back."""

from __future__ import annotations

import attrs
import pytest
from attrs import define

from bluegreen import (
    BlueGreenError,
    Deployment,
    Hook,
    HookGate,
    Limits,
    LockTaken,
    MemoryJournal,
    Operator,
    Outcome,
    Unfinished,
)
from bluegreen.core.commands import Command
from bluegreen.core.state import Phase
from bluegreen.journal.history import stories
from bluegreen.journal.log import LEASE_SECONDS, Log
from bluegreen.locking import take
from bluegreen_sim import SimCloud
from tests.crash.boundaries import Case
from tests.scenarios.story import assert_replays

CASE = Case(routing="weighted", fleets="standing")


@define
class Turns:
    """A clock for one who waits: while it sleeps, the other deployment makes its passes.

    Args:
        cloud: Where both are.
        other: The other deployment.
        dies: After how many passes the other process ends without a word.
    """

    cloud: SimCloud
    other: Deployment
    dies: int = 1000
    virtual: bool = False
    naps: int = 0

    def now(self) -> float:
        return self.cloud.clock.now()

    def sleep(self, seconds: float) -> None:
        self.naps += 1
        state = self.other.state
        if state is None or state.phase.ended or self.naps > self.dies:
            self.cloud.clock.sleep(seconds)
            return
        self.cloud.clock.sleep(state.wake_at - self.now())
        self.other.advance()


def begun(passes: int) -> tuple[SimCloud, MemoryJournal, Deployment]:
    """A deployment after some passes."""
    cloud, journal = SimCloud(CASE.plan, capacity=2, traffic=0), MemoryJournal()
    deployment = Deployment(CASE.plan, cloud, journal=journal, holder="first")
    for _ in range(passes):
        cloud.clock.sleep(deployment.advance().wake_at - cloud.clock.now())
    return cloud, journal, deployment


def after(cloud: SimCloud, journal: MemoryJournal, first: Deployment, lock: str, **how: int) -> Deployment:
    """The next release, which finds the first one under way."""
    clock = Turns(cloud, first, **how)
    return Deployment(CASE.plan, cloud, journal=journal, clock=clock, lock=lock, holder="second")  # type: ignore[arg-type]


def phases(journal: MemoryJournal) -> list[Phase]:
    """How the deployments of the journal stand."""
    assert_replays(journal)
    return [story.state.phase for story in stories(journal)]


def test_to_fail_says_who_holds_it() -> None:
    """By default the second one is an error with holder, fence, since and until; nothing is disturbed."""
    cloud, journal, first = begun(5)
    with pytest.raises(LockTaken, match="being deployed by first") as caught:
        after(cloud, journal, first, "fail").run()
    taken = caught.value
    assert (taken.by, taken.fence) == ("first", 1)
    assert taken.since is not None
    assert taken.until is not None
    assert 0 <= taken.until - taken.since - LEASE_SECONDS < 30
    assert first.advance().state.phase is not Phase.ROLL_BACK


def test_to_queue_waits_for_the_end() -> None:
    """In the queue the second one begins when the first has been promoted, and is promoted after it."""
    cloud, journal, first = begun(5)
    assert after(cloud, journal, first, "queue").run().phase is Phase.PROMOTED
    assert phases(journal) == [Phase.PROMOTED, Phase.PROMOTED]


def test_to_supersede_turns_the_first_one_back() -> None:
    """Superseded before its commit the first one goes back to blue, says by whom, and the second follows."""
    cloud, journal, first = begun(5)
    assert after(cloud, journal, first, "supersede").run().phase is Phase.PROMOTED
    assert phases(journal) == [Phase.ROLLED_BACK, Phase.PROMOTED]
    assert "superseded by another deployment" in first.result().reason
    (request,) = next(stories(journal)).requests
    assert request.body["by"] == "second"


def test_to_supersede_after_the_commit_only_waits() -> None:
    """What is committed is not called off: it ends promoted, and the second one follows."""
    cloud, journal, first = begun(1)
    while not (first.state and first.state.committed):
        cloud.clock.sleep(first.advance().wake_at - cloud.clock.now())
    assert after(cloud, journal, first, "supersede").run().phase is Phase.PROMOTED
    assert phases(journal) == [Phase.PROMOTED, Phase.PROMOTED]


@pytest.mark.parametrize("lock", ["queue", "supersede"])
def test_what_a_dead_process_left_is_not_jumped_over(lock: str) -> None:
    """Once the lease of a dead process is over, its deployment must be gone on with first."""
    cloud, journal, first = begun(5)
    walls = iter(range(10**6))
    second = after(cloud, journal, first, lock, dies=0)
    second._log._wall = lambda: first._log._wall() + 10 * next(walls)
    with pytest.raises(Unfinished, match=r"go on with Deployment\.load"):
        second.run()


def test_who_goes_on_is_not_asked_to_turn_back() -> None:
    """A deployment that is loaded to supersede waits for the process that runs it, and calls nothing off."""
    cloud, journal, first = begun(5)
    clock = Turns(cloud, first)
    loaded = Deployment.load("web", cloud, journal, clock=clock, lock="supersede")
    assert loaded.run().phase is Phase.PROMOTED
    assert not next(stories(journal)).requests


def test_who_comes_after_us_is_newer_and_is_not_asked_to_turn_back() -> None:
    """Whoever wins the service while we wait is let go on: only who held it when we came is superseded."""
    cloud, journal = SimCloud(CASE.plan, capacity=2, traffic=0), MemoryJournal()
    first, newer = Log(journal, "web", name="first"), Deployment(CASE.plan, cloud, journal=journal)
    first.take()  # and nothing is under way yet, so nothing can be asked to turn back

    class Queue(Turns):
        def sleep(self, seconds: float) -> None:
            first.release()
            if self.other.state is None:
                self.other.advance()
            super().sleep(seconds)

    take(Log(journal, "web", name="second"), "supersede", Queue(cloud, newer), ours=None)
    assert newer.result().ok
    assert phases(journal) == [Phase.PROMOTED]


def test_a_simulator_is_not_waited_for() -> None:
    """On a virtual clock nobody lets go while we wait, so it fails at once."""
    cloud, journal, _ = begun(5)
    with pytest.raises(LockTaken):
        Deployment(CASE.plan, cloud, journal=journal, lock="queue").run()


def test_what_is_no_policy_is_refused() -> None:
    """Another word than the three is an error that names them."""
    with pytest.raises(BlueGreenError, match="lock: 'wait': must be one of fail, queue, supersede"):
        Deployment(CASE.plan, SimCloud(CASE.plan), lock="wait")  # type: ignore[arg-type]


def test_who_says_that_another_is_unfinished_gives_the_lease_back() -> None:
    """The advice of ``Unfinished`` can be followed at once, in the same process."""
    cloud, journal, first = begun(5)
    first.release()
    with pytest.raises(Unfinished, match=r"go on with Deployment\.load"):
        Deployment(CASE.plan, cloud, journal=journal).advance()
    assert Deployment.load("web", cloud, journal).run().phase is Phase.PROMOTED


# ---------------------------------------------------------------------------------------------- signs of life


class Slow(SimCloud):
    """A world whose time passes on the clock of leases too; after each sleep and call a rival knocks."""

    def __init__(self, *, call_seconds: float = 0, **changes: object) -> None:
        super().__init__(attrs.evolve(CASE.plan, **changes), capacity=2, traffic=0)
        self.journal, self.wall, self.call_seconds = MemoryJournal(), 0.0, call_seconds
        self.rivals = 0

    def passes(self, seconds: float) -> None:
        """So much time of the leases' clock, then a rival who wants the service."""
        self.wall += seconds
        with pytest.raises(LockTaken, match="being deployed by first"):
            Log(self.journal, "web", wall=lambda: self.wall).take()
        self.rivals += 1

    def apply(self, command: Command) -> Outcome:
        self.passes(self.call_seconds)
        return super().apply(command)

    def promote(self, **options: object) -> None:
        """One deployment, which nobody takes over."""
        deployment = Deployment(
            self.plan, self, journal=self.journal, clock=Sleeper(self), holder="first", **options
        )  # type: ignore[arg-type]
        deployment._log._wall = lambda: self.wall
        assert deployment.run().phase is Phase.PROMOTED
        assert self.rivals > 5


@define
class Sleeper:
    """The clock of that world."""

    cloud: Slow
    virtual: bool = False

    def now(self) -> float:
        return self.cloud.clock.now()

    def sleep(self, seconds: float) -> None:
        self.cloud.clock.sleep(seconds)
        if seconds > 0:
            self.cloud.passes(seconds)


def test_who_sleeps_for_long_shows_life_meanwhile() -> None:
    """With two minutes between two looks nobody takes a healthy deployment over."""
    Slow(limits=Limits(poll_seconds=120)).promote()


def test_who_is_busy_for_long_shows_life_meanwhile() -> None:
    """Slow checks, one after the other, and slow commands do not make a healthy deployment look dead."""
    names = ("one", "two", "three")
    slow = Slow(call_seconds=50, gates=tuple(Hook(name=name) for name in names))

    def check(*_: object) -> bool:
        slow.passes(50)
        return True

    slow.promote(gates={name: HookGate(name, check) for name in names})


# -------------------------------------------------------------------------------------------------- unlocking


def test_an_unlocked_holder_stops_and_the_next_one_goes_on() -> None:
    """After ``unlock`` the holder's next pass is LockTaken; who loads the deployment ends it at once."""
    cloud, journal, first = begun(5)
    Operator(journal, "web", by="alice").unlock(1)
    with pytest.raises(LockTaken, match="taken over by a holder with fence 2"):
        first.advance()
    assert Deployment.load("web", cloud, journal).run().phase is Phase.PROMOTED
    assert_replays(journal)


@pytest.mark.parametrize("fence", [0, 2, 9])
def test_only_the_fence_that_was_seen_is_unlocked(fence: int) -> None:
    """With another fence than the holder's nothing happens: somebody took over since it was looked at."""
    cloud, journal, first = begun(5)
    before = len(list(journal.records()))
    with pytest.raises(LockTaken, match=rf"has fence 1, not {fence}: look again"):
        Operator(journal, "web").unlock(fence)
    assert len(list(journal.records())) == before
    first.advance()
    del cloud


def test_until_its_first_sign_of_life_the_lease_speaks_for_its_holder() -> None:
    """Between its lease and its first sign of life nobody takes over from a process that has just won."""
    journal = MemoryJournal()
    log = Log(journal, "web", name="first", wall=lambda: 100.0)
    log._sign = lambda _: None  # type: ignore[method-assign]
    log.take()
    assert journal.holder() is None
    with pytest.raises(LockTaken, match="being deployed by first"):
        Log(journal, "web", wall=lambda: 100.0 + LEASE_SECONDS - 1).take()
    Log(journal, "web", wall=lambda: 100.0 + LEASE_SECONDS).take()
