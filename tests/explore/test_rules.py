"""A machine of rules: passes, reboots, external scaling and all that goes wrong, as a program to be read.

Where a script of bytes is for volume, this is for people: a failing run is a short program of named rules.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bluegreen import Deployment, MemoryJournal, Operator
from bluegreen.core.observation import Observation
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase, State, Step
from bluegreen.strategies import canary
from bluegreen_sim import SimCloud
from bluegreen_sim.engine import with_faults
from bluegreen_sim.faults import (
    BlindLook,
    Dies,
    Fault,
    LaunchFails,
    LostAnswer,
    RefusedCall,
    Rescale,
    Sick,
    StaleLook,
    for_groups,
)
from bluegreen_sim.oracle import wrong_end
from tests.crash.boundaries import expire
from tests.explore.properties import Pass, violations
from tests.explore.small import QUICK, ROUTINGS, small_plan
from tests.scenarios.story import assert_replays

COLOURS = st.sampled_from(("green", "blue"))


class Deploying(RuleBasedStateMachine):
    """One deployment on one simulated cloud, by whichever process, with whatever happens to it."""

    @initialize(
        routing=st.sampled_from(ROUTINGS),
        fleets=st.sampled_from(("standing", "replace")),
        capacity=st.integers(1, 3),
        rungs=st.booleans(),
    )
    def begin(self, routing: object, fleets: str, capacity: int, rungs: bool) -> None:  # noqa: FBT001
        strategy = canary(34 if rungs else 50, 5, last_bake_seconds=5, keep_blue_seconds=5)
        self.plan: Plan = small_plan(routing, fleets=fleets, strategy=strategy)
        self.cloud = SimCloud(self.plan, capacity=capacity, traffic=0, settings=QUICK)
        self.start = self.cloud.world
        self.journal = MemoryJournal()
        self.operator = Operator(self.journal, self.plan.service)
        self.deployment = Deployment(self.plan, self.cloud, journal=self.journal, listeners=[self])
        self.before: State | None = None
        self.wrong: list[str] = []
        self.resized = False

    def stepped(self, step: Step, look: Observation) -> None:
        """Hold a pass to every property; this is the deployment's ``Listener``."""
        if self.before is not None:
            sent = self.deployment._outcomes
            self.wrong += violations([Pass(self.plan, self.before, look, step, sent)])
        self.before = step.state

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        return self.before.phase if self.before else Phase.PREFLIGHT

    def happens(self, *faults: Fault) -> None:
        """Something goes wrong; times and numbers count from now."""
        named = tuple(for_groups(fault, self.cloud.blue, self.cloud.green) for fault in faults)
        self.cloud.world = with_faults(self.cloud.world, named)

    # ------------------------------------------------------------------------------------------- rules

    @precondition(lambda self: not self.phase.ended)
    @rule(passes=st.integers(1, 5))
    def passes(self, passes: int) -> None:
        for _ in range(passes):
            if not self.phase.ended:
                step = self.deployment.advance()
                self.cloud.clock.sleep(step.wake_at - self.cloud.clock.now())

    @precondition(lambda self: self.before is not None)
    @rule(absent=st.sampled_from((0, 15, 600)))
    def reboot(self, absent: int) -> None:
        self.cloud.clock.sleep(absent)
        expire(self.journal)
        self.deployment = Deployment.load(
            self.plan.service, self.cloud, self.journal, listeners=[self], holder="another"
        )

    @rule(colour=COLOURS, delta=st.sampled_from((1, -1)))
    def external_scale(self, colour: str, delta: int) -> None:
        self.resized = True
        self.happens(Rescale(colour, delta, 0))

    @rule(colour=COLOURS, recovers=st.none() | st.just(20))
    def sick(self, colour: str, recovers: int | None) -> None:
        self.happens(Sick(colour, 0, for_seconds=recovers))

    @rule(colour=COLOURS)
    def dies(self, colour: str) -> None:
        self.happens(Dies(colour, 0))

    @rule(applied=st.booleans())
    def answer_lost(self, applied: bool) -> None:  # noqa: FBT001
        self.happens(LostAnswer(1, applied))

    @rule(error=st.sampled_from(("throttled", "busy", "not-sent", "in-use", "no-capacity", "identity")))
    def refused(self, error: str) -> None:
        self.happens(RefusedCall(1, error))

    @rule(age=st.integers(1, 3))
    def stale(self, age: int) -> None:
        self.happens(StaleLook(1, age))

    @rule()
    def blind(self) -> None:
        self.happens(BlindLook(1))

    @rule(times=st.integers(1, 3))
    def no_capacity(self, times: int) -> None:
        self.happens(LaunchFails(times))

    @precondition(lambda self: self.before is not None and not self.phase.ended)
    @rule(act=st.sampled_from(("pause", "resume", "abort")))
    def operator_says(self, act: str) -> None:
        getattr(self.operator, act)()

    # -------------------------------------------------------------------------------------- what holds

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert not getattr(self, "wrong", None), self.wrong[:3]

    def teardown(self) -> None:
        """Left alone, and resumed where it waits for a person, it ends; the end is right, and replays."""
        if not hasattr(self, "plan"):
            return
        for _ in range(60):
            if self.phase.ended:
                break
            if self.before is not None and (self.before.paused or self.phase is Phase.HALTED):
                self.operator.resume()
            self.passes(20)
        self.nothing_is_wrong()
        state = self.before
        assert state is not None
        if state.phase.ended:
            assert not list(wrong_end(self.plan, self.start, self.cloud.world, state, resized=self.resized))
        assert_replays(self.journal)


Deploying.TestCase.settings = settings(max_examples=30, stateful_step_count=30)
TestDeploying = Deploying.TestCase
