"""The loop without a journal: what ``Deployment.advance`` does, as a generator of passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import attrs

from bluegreen.core.machine import initial, step
from bluegreen.core.observation import Observation, Outcome, Request
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase, State
from bluegreen.deployment import carry_out
from bluegreen.gates import readings
from bluegreen.ports import Cloud, Gate
from tests.explore.properties import Pass

Operators = Callable[[State, Observation], tuple[Request, ...]]


def one_pass(
    plan: Plan,
    cloud: Cloud,
    state: State,
    outcomes: tuple[Outcome, ...] = (),
    *,
    requests: tuple[Request, ...] = (),
    gates: Mapping[str, Gate] | None = None,
) -> Pass:
    """Look, decide, send."""
    look = cloud.observe(plan, state.ledger)
    asked = readings(plan, look, state, gates or {}, fetch=getattr(cloud, "fetch", None))
    look = attrs.evolve(look, gates=look.gates + asked, requests=requests, outcomes=outcomes)
    decided = step(plan, state, look)
    sent = carry_out(plan, decided.state, look, decided.commands, cloud) if decided.commands else ()
    return Pass(plan, state, look, decided, sent)


def play(
    plan: Plan,
    cloud: Cloud,
    *,
    state: State | None = None,
    outcomes: tuple[Outcome, ...] = (),
    operators: Operators | None = None,
    gates: Mapping[str, Gate] | None = None,
    most: int = 5_000,
) -> Iterator[Pass]:
    """Pass after pass to an end or to halted; fails if there is none after ``most`` passes.

    ``operators`` is asked at each pass with the state and the last look; what it returns is the next
    look's requests.
    """
    now = state or initial("web-1", cloud.clock.now())
    look: Observation | None = None
    for _ in range(most):
        requests = operators(now, look) if operators and look is not None else ()
        p = one_pass(plan, cloud, now, outcomes, requests=requests, gates=gates)
        yield p
        now, outcomes, look = p.step.state, p.outcomes, p.look
        if now.phase.ended or (now.phase is Phase.HALTED and operators is None):
            return
        cloud.clock.sleep(p.step.wake_at - cloud.clock.now())
    raise AssertionError(f"no end after {most} passes: {now.phase.value}: {p.step.reason}")
