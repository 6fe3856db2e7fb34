"""Checks that must look outside: HTTP probes, metrics, windows and the user's own hooks.

What they read goes into the observation, so a decision can be replayed without asking anybody again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from .core.errors import Fault, PlanError
from .core.gates import Alarm, Hook, MetricGate, Probe, Window
from .core.observation import GateReading, Health, Observation, Reading
from .core.plan import Plan
from .core.state import State
from .core.text import escaped
from .core.view import gates_asked
from .metrics import DETAIL_LIMIT, measured, no_data, told
from .ports import Gate, Measure

if TYPE_CHECKING:
    from socket import socket

Fetch = Callable[[str], tuple[int, bytes | str]]
"""GETs a URL: its status and body. Raises whatever it likes when there is no answer."""

BODY_LIMIT = 64 * 1024
"""Bytes of a body that are read and looked at."""

SILENCES = 3
"""Requests without an answer after which a probe asks no more: it has failed, and a pass must not hang."""


# -------------------------------------------------------------------------------------------------- asking


def http_get(url: str, *, timeout_seconds: float = 5) -> tuple[int, bytes]:
    """GET a URL once, from nobody but its host: no redirect is followed, no proxy asked.

    Args:
        url: An http or https URL; certificates are verified.
        timeout_seconds: How long the whole exchange may take after the connection stands, and before
            that, how long each attempt to connect.

    Returns:
        The status, and at most ``BODY_LIMIT`` bytes of the body.

    Raises:
        OSError: If there was no answer; ``TimeoutError`` if it was not complete in time.
        http.client.HTTPException: If it was not HTTP.
        ValueError: If the URL names no host or a wrong port.
    """
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(f"no host in {url!r}")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    scheme = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(scheme(parts.hostname, parts.port, timeout=timeout_seconds)) as connection:
        connection.connect()
        with _cut_after(connection.sock, timeout_seconds) as late:
            try:
                connection.request("GET", target, headers={"User-Agent": "bluegreen", "Connection": "close"})
                with connection.getresponse() as response:
                    answer = response.status, response.read(BODY_LIMIT)
                if not late():
                    return answer
            except (OSError, HTTPException, ValueError):
                if not late():
                    raise
    raise TimeoutError(f"no complete answer within {timeout_seconds:g} s")


@contextmanager
def _cut_after(wire: socket, seconds: float) -> Iterator[Callable[[], bool]]:
    """Shut a connection down when its time is up; yields whether it was.

    A socket's own time-out starts anew with every byte, so a server that drips would never meet it.
    """
    from socket import SHUT_RDWR, socket
    from threading import Event, Timer

    late = Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):  # closed meanwhile
            socket.shutdown(wire, SHUT_RDWR)  # not wire.shutdown: TLS would forget its state under the reader

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield late.is_set
    finally:
        timer.cancel()


@frozen(kw_only=True)
class ProbeResult:
    """What a probe's requests brought.

    Args:
        statuses: How many answers had each status.
        versions: How many answers came from each version, as ``HttpProbe.version_pattern`` reads it.
        failures: What was wrong: a few short sentences, each different.
    """

    statuses: Mapping[int, int]
    versions: Mapping[str, int]
    failures: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether something was asked and all was answered rightly."""
        return bool(self.statuses) and not self.failures

    def __str__(self) -> str:
        """One sentence with the counts."""
        answers = ", ".join(f"{count} × {status}" for status, count in sorted(self.statuses.items()))
        versions = ", ".join(f"{name} {count}" for name, count in sorted(self.versions.items())[:5])
        return "; ".join(filter(None, [*self.failures[:3], f"answers: {answers or 'none'}", versions]))


def _pattern(_: object, attribute: Any, value: str | None) -> None:
    try:
        re.compile(value or "")
    except (re.error, TypeError) as error:
        fault = Fault(attribute.name, value, f"must be a regular expression: {error}")
        raise PlanError([fault]) from None


@frozen
class HttpProbe:
    """An HTTP request, repeated: of the balancer's name, or of each green instance directly.

    It serves as the gate of its plan's ``Probe`` and by itself: ``HttpProbe(probe).ask()``.

    Args:
        probe: What to ask and what to expect. ``{instance}`` in its URL stands for an instance's id, so
            the URL must make a name of it that resolves where this runs, such as EC2's resource names
            (``http://{instance}.eu-west-1.compute.internal/``); else give a ``fetch`` that knows better.
        fetch: What asks; None is real HTTP, see ``http_get``.
        version_pattern: Regular expression whose first group (or whole, without one) is the version
            that a body tells.

    Raises:
        PlanError: If ``version_pattern`` is no regular expression.
    """

    probe: Probe
    fetch: Fetch | None = field(default=None, kw_only=True)
    version_pattern: str | None = field(default=None, kw_only=True, validator=_pattern)

    @property
    def direct(self) -> bool:
        """Whether each instance is asked, not the balancer."""
        return "{instance}" in self.probe.url

    def ask(self, instances: Sequence[str] = ()) -> ProbeResult:
        """Ask ``probe.requests`` times in turn, and each instance at least once.

        Args:
            instances: Ids for ``{instance}``; with a URL that names none they are not used.
        """
        url = self.probe.url
        urls = [url.replace("{instance}", name) for name in instances] if self.direct else [url]
        statuses: Counter[int] = Counter()
        versions: Counter[str] = Counter()
        failures: Counter[str] = Counter()
        silences = 0
        for url in islice(cycle(urls), max(self.probe.requests, len(urls))):
            try:
                status, body = (self.fetch or http_get)(url)
                text = _text(body)
            except Exception as error:  # noqa: BLE001 - whatever kept the answer away is the answer
                failures[f"no answer from {url}: {escaped(told(error), 200)}"] += 1
                silences += 1
                if silences == SILENCES:
                    break
                continue
            statuses[status] += 1
            versions.update(self._version(text))
            failures.update(f"{url} {wrong}" for wrong in self._wrong(status, text))
        sentences = [f"{what} ({count} ×)" if count > 1 else what for what, count in failures.most_common(10)]
        return ProbeResult(statuses=dict(statuses), versions=dict(versions), failures=tuple(sentences))

    def _wrong(self, status: int, text: str) -> Iterator[str]:
        if status != self.probe.status:
            yield f"answered {status}, not {self.probe.status}"
        elif self.probe.body is not None and not re.search(self.probe.body, text):
            yield f"answered without {self.probe.body!r} in the body"

    def _version(self, text: str) -> Iterator[str]:
        if self.version_pattern is not None and (found := re.search(self.version_pattern, text)):
            version = found[1] if found.re.groups else found[0]
            if version is not None:
                yield escaped(version, 80)

    def read(self, plan: Plan, observation: Observation, green: str | None = None) -> GateReading:
        """Ask now, and judge.

        An instance on its way out is not asked. One without a verdict yet may still be booting: what it
        does wrong makes the reading ``PENDING``, and the phase's deadline decides.

        Args:
            plan: Unused; what every gate is given.
            observation: Where the instances are found.
            green: Name of the group whose instances are asked for ``{instance}``.
        """
        del plan
        if not self.direct:
            result = self.ask()
            return self._reading(Reading.PASS if result.ok else Reading.FAIL, str(result))
        fleet = observation.fleet(green)
        if fleet is None:
            return self._reading(Reading.NO_DATA, "the green group could not be read")
        there = [target for target in fleet.targets if target.health is not Health.DRAINING]
        judged = [target.id for target in there if target.health is not Health.INITIAL]
        young = [target.id for target in there if target.health is Health.INITIAL]
        results = [self.ask(ids) for ids in (judged, young) if ids]
        if not results:
            return self._reading(Reading.NO_DATA, "there is no green instance to ask")
        if all(result.ok for result in results):
            return self._reading(Reading.PASS, "; ".join(map(str, results)))
        if judged and not results[0].ok:
            return self._reading(Reading.FAIL, str(results[0]))
        return self._reading(Reading.PENDING, f"instances without a verdict yet: {results[-1]}")

    def _reading(self, reading: Reading, detail: str) -> GateReading:
        return GateReading(name=self.probe.name, reading=reading, detail=detail[:DETAIL_LIMIT])


def _text(body: bytes | str) -> str:
    return body[:BODY_LIMIT] if isinstance(body, str) else bytes(body[:BODY_LIMIT]).decode(errors="replace")


# --------------------------------------------------------------------------------------------------- hooks

WORDS = {"SUCCEEDED": Reading.PASS, "FAILED": Reading.FAIL, "IN_PROGRESS": Reading.PENDING}
"""What an ECS deployment's lifecycle hook may answer (ECS developer guide, "Lifecycle hooks")."""

Answer = bool | str | GateReading


@frozen
class HookGate:
    """A check of the user's own, as a gate.

    Args:
        name: Name of the plan's ``Hook``.
        function: Called with plan and observation. It answers with True or False, with one of ECS's
            words ``"SUCCEEDED"``, ``"FAILED"`` and ``"IN_PROGRESS"``, or with a ``GateReading``. Anything
            else, and an exception, is ``NO_DATA``: never a pass.
    """

    name: str
    function: Callable[[Plan, Observation], Answer]

    def read(self, plan: Plan, observation: Observation) -> GateReading:
        """Call the function, and take its answer."""
        return _caught(self.name, lambda: self._answer(self.function(plan, observation)))

    def _answer(self, answer: object) -> GateReading:
        match answer:
            case GateReading():
                return answer
            case bool():
                return GateReading(name=self.name, reading=Reading.PASS if answer else Reading.FAIL)
            case str() if answer in WORDS:
                return GateReading(name=self.name, reading=WORDS[answer], detail=answer)
        words = ", ".join(WORDS)
        return no_data(self.name, f"answered {answer}, not True, False, a GateReading or one of {words}")


def _caught(name: str, read: Callable[[], GateReading]) -> GateReading:
    """A reading under the plan's name for it; an exception has nothing to judge by."""
    try:
        found = evolve(read(), name=name, last_red=None)  # only an alarm that the cloud reads has been red
        if type(found.reading) is Reading and type(found.detail) is str:  # what a journal can hold
            return found
        return no_data(name, f"answered with {found}, which is no reading with a text")
    except Exception as error:  # noqa: BLE001 - a check that breaks says nothing, and stops nothing
        return no_data(name, told(error))


# ---------------------------------------------------------------------------------------------- all of them


def check_gates(plan: Plan, gates: Mapping[str, Gate]) -> None:
    """Refuse checks that are not those that the plan asks for.

    Args:
        plan: Its hooks need one each; probes, metrics and windows may have one.
        gates: The checks that the user gave, by name.

    Raises:
        PlanError: With every fault.
    """
    if not isinstance(gates, Mapping):
        raise PlanError([Fault("gates", gates, "must be checks by name, such as {'smoke': check}")])
    if faults := list(_faults(plan, gates)):
        raise PlanError(faults)


def _faults(plan: Plan, gates: Mapping[str, Gate]) -> Iterator[Fault]:
    named = {gate.name: gate for gate in plan.gates}
    for name, given in gates.items():
        if name not in named:
            known = f"only {', '.join(map(repr, named))}" if named else "none"
            yield Fault(f"gates[{name!r}]", given, f"must be called as a gate of the plan, which has {known}")
        elif isinstance(named[name], Alarm):
            yield Fault(f"gates[{name!r}]", given, "must be left out: alarms are read by the cloud")
        elif isinstance(given, type) or not callable(getattr(given, "read", None)):
            made = f"bluegreen.HookGate({name!r}, function)"
            yield Fault(f"gates[{name!r}]", given, f"must have read(plan, observation), as {made} has")
    for name, gate in named.items():
        if isinstance(gate, Hook) and name not in gates:
            made = f"{{{name!r}: bluegreen.HookGate({name!r}, function)}}"
            yield Fault(f"gates[{name!r}]", None, f"must be given, the plan has this hook: gates={made}")


def readings(
    plan: Plan,
    observation: Observation,
    state: State,
    gates: Mapping[str, Gate],
    *,
    fetch: Fetch | None = None,
    measure: Measure | None = None,
    epoch: float | None = 0.0,
    between: Callable[[], object] = lambda: None,
) -> tuple[GateReading, ...]:
    """Ask the plan's metrics, probes, hooks and windows whose turn it is; alarms are read by the cloud.

    Args:
        plan: Names them; whose turn it is is the rule of ``core.view.gates_asked``.
        observation: What was seen in this pass.
        state: Where the deployment stands, and with which groups.
        gates: The checks that the user gave, by name, a hook's among them; others are asked as the plan says.
        fetch: What asks for probes; None is real HTTP.
        measure: What measures; None: nothing does, and a metric has no data.
        epoch: Unix time of the observation's second 0; None: there is no calendar, and windows are open.
        between: Called before each gate; an answer may take its time.
    """
    if not plan.gates:
        return ()
    green = state.green
    asked = [gate for gate in gates_asked(plan, state) if not isinstance(gate, Alarm)]
    metrics = [gate for gate in asked if isinstance(gate, MetricGate) and gate.name not in gates]
    read = measured(metrics, green, state.blue, measure) if metrics else {}
    found = []
    for named in asked:
        between()
        gate = gates.get(named.name)
        if gate is not None:
            found.append(_caught(named.name, partial(_read, gate, plan, observation, green)))
            continue
        match named:
            case MetricGate():
                found.append(read[named.name])
            case Probe():
                probe = HttpProbe(named, fetch=fetch)
                found.append(_caught(named.name, partial(_read, probe, plan, observation, green)))
            case Window():
                found.append(_shown(named, observation.at, epoch))
    return tuple(found)


def _shown(window: Window, at: float, epoch: float | None) -> GateReading:
    if epoch is None:
        return GateReading(name=window.name, reading=Reading.PASS, detail="no calendar here: taken as open")
    from .windows import read

    return read(window, at + epoch)


def _read(gate: Gate, plan: Plan, observation: Observation, green: str | None) -> GateReading:
    if isinstance(gate, HttpProbe):
        return gate.read(plan, observation, green)
    return gate.read(plan, observation)
