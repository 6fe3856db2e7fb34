"""Probes over real HTTP on the loopback, hooks, and which gate is asked when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any

import attrs
import pytest
from attrs import frozen

from bluegreen.core.errors import PlanError
from bluegreen.core.gates import Alarm, Hook, Probe
from bluegreen.core.machine import initial
from bluegreen.core.observation import Fleet, GateReading, Health, Observation, Reading, TargetHealth
from bluegreen.core.plan import Plan, SharedTargetGroup
from bluegreen.core.state import Phase, State
from bluegreen.gates import BODY_LIMIT, HookGate, HttpProbe, check_gates, http_get, readings

Reply = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A web server whose answers a test gives; it counts the requests by path."""

    def __init__(self, port: int, replies: dict[str, Reply], paths: list[str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.replies = replies
        self.paths = paths

    def probe(self, path: str = "/", **fields: Any) -> Probe:
        return Probe(name="front", url=self.url + path, **fields)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Reply:
    """A reply of a status, a body and headers."""

    def reply(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return reply


def in_turn(*replies: Reply) -> Reply:
    """One reply after the other, and again from the first."""
    turns = cycle(replies)

    def reply(request: BaseHTTPRequestHandler) -> None:
        next(turns)(request)

    return reply


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[ThreadingHTTPServer, dict[str, Reply], list[str]]]:
    replies: dict[str, Reply] = {}
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            with suppress(OSError):  # the probe may hang up
                replies[self.path.partition("?")[0]](self)

        def log_message(self, *_: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield httpd, replies, paths
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def site(server: tuple[ThreadingHTTPServer, dict[str, Reply], list[str]]) -> Site:
    httpd, replies, paths = server
    replies.clear()
    paths.clear()
    replies["/"] = answer(200, b"version: ami-0alpha")
    return Site(httpd.server_port, replies, paths)


def plan(*gates: Alarm | Probe | Hook) -> Plan:
    return Plan(
        service="exercise",
        image="ami-0beta",
        launch_template="exercise-launch-template",
        groups=("blue", "green"),
        routing=SharedTargetGroup("exercise-target-group"),
        gates=gates,
    )


def seen(**healths: Health) -> Observation:
    """An observation of a green group with these instances."""
    targets = tuple(TargetHealth(id=name, version=2, health=health) for name, health in healths.items())
    return Observation(at=0, fleets=(Fleet(name="green", targets=targets),))


# ---------------------------------------------------------------------------------------------------- probes


def test_two_versions_that_alternate_are_counted(site: Site) -> None:
    """Ten requests to a balancer in front of two versions count five answers of each."""
    site.replies["/"] = in_turn(answer(200, b"version: ami-0alpha"), answer(200, b"version: ami-0beta"))
    result = HttpProbe(site.probe(), version_pattern=r"version: (\S+)").ask()
    assert result.ok
    assert result.statuses == {200: 10}
    assert result.versions == {"ami-0alpha": 5, "ami-0beta": 5}
    assert str(result) == "answers: 10 × 200; ami-0alpha 5, ami-0beta 5"


def test_a_version_may_be_the_whole_match_or_missing(site: Site) -> None:
    """A pattern without a group counts its match; a body that tells none counts nowhere."""
    assert HttpProbe(site.probe(), version_pattern=r"ami-\w+").ask().versions == {"ami-0alpha": 10}
    assert HttpProbe(site.probe(), version_pattern=r"ami-9").ask().versions == {}
    assert HttpProbe(site.probe(), version_pattern=r"ami-(9)?").ask().versions == {}


def test_a_wrong_status_fails(site: Site) -> None:
    """One bad answer of four fails the probe, and the counts say how many."""
    site.replies["/"] = in_turn(answer(200), answer(200), answer(503), answer(200))
    result = HttpProbe(site.probe(requests=4)).ask()
    assert not result.ok
    assert result.statuses == {200: 3, 503: 1}
    assert result.failures == (f"{site.url}/ answered 503, not 200",)
    reading = HttpProbe(site.probe(requests=4)).read(plan(), seen())
    assert (reading.name, reading.reading) == ("front", Reading.FAIL)
    assert "answered 503, not 200" in reading.detail


def test_another_status_can_be_expected(site: Site) -> None:
    """What the probe expects is right, whatever it is."""
    site.replies["/teapot"] = answer(418)
    assert HttpProbe(site.probe("/teapot?a=b", status=418)).ask().ok
    assert site.paths[-1] == "/teapot?a=b"


def test_the_body_must_match(site: Site) -> None:
    """A body without the pattern fails although the status is right; equal failures are told once."""
    assert HttpProbe(site.probe(body=r"ami-\d\w+")).ask().ok
    result = HttpProbe(site.probe(body="beta", requests=3)).ask()
    assert result.failures == (f"{site.url}/ answered without 'beta' in the body (3 ×)",)


def test_a_slow_answer_times_out(site: Site) -> None:
    """A server that says nothing is an answer that did not come, and the next requests still count."""
    site.replies["/"] = in_turn(lambda _: time.sleep(0.6), answer(200))
    result = HttpProbe(site.probe(requests=2), fetch=lambda url: http_get(url, timeout_seconds=0.3)).ask()
    assert result.statuses == {200: 1}
    assert "TimeoutError" in result.failures[0]


def test_a_server_that_drips_times_out(site: Site) -> None:
    """Bytes that trickle in, in body or headers, do not keep the probe beyond its time."""

    def drip(request: BaseHTTPRequestHandler, start: bytes) -> None:
        request.wfile.write(start)
        for _ in range(40):
            request.wfile.write(b"x")
            time.sleep(0.05)

    site.replies["/body"] = lambda request: drip(request, b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n")
    site.replies["/head"] = lambda request: drip(request, b"HTTP/1.1 200 OK\r\nX-Long: ")
    for path in ("/body", "/head"):
        began = time.monotonic()
        with pytest.raises(TimeoutError, match="no complete answer within"):
            http_get(site.url + path, timeout_seconds=0.2)
        assert time.monotonic() - began < 1.5


def test_a_probe_that_gets_no_answers_gives_up_early() -> None:
    """Three requests without an answer are enough: a pass must not wait for all of them."""
    asked = []

    def dead(url: str) -> tuple[int, bytes]:
        asked.append(url)
        raise ConnectionRefusedError("nobody there\x1b[2J\n")

    probe = Probe(name="front", url="http://nowhere.invalid/", requests=1000)
    reading = HttpProbe(probe, fetch=dead).read(plan(), seen())
    assert len(asked) == 3
    assert reading.reading is Reading.FAIL
    assert (
        r"no answer from http://nowhere.invalid/: ConnectionRefusedError: nobody there\x1b[2J\n (3 ×)"
        in reading.detail
    )
    assert reading.detail.endswith("answers: none")


def test_an_unreachable_host_fails_with_the_reason() -> None:
    """Nobody listening, no such host in a URL, a port that is none: a failure, not an exception."""
    from socket import create_server

    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", "http://?", "http://127.0.0.1:x/", "https://127.0.0.1:70000/"):
        result = HttpProbe(Probe(name="front", url=url, requests=1)).ask()
        assert not result.ok
        assert result.failures[0].startswith(f"no answer from {url}: ")


def test_redirects_are_not_followed(site: Site) -> None:
    """A redirect is an answer of its own; where it points to is not asked."""
    site.replies["/"] = answer(302, Location=f"{site.url}/elsewhere")
    site.replies["/elsewhere"] = answer(200)
    result = HttpProbe(site.probe(requests=2)).ask()
    assert result.statuses == {302: 2}
    assert site.paths == ["/", "/"]


def test_no_proxy_is_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment would answer for the host; it is passed by."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    assert HttpProbe(site.probe(requests=1)).ask().ok


def test_a_huge_body_is_capped(site: Site) -> None:
    """Of a body without end only the first 64 KiB are read and looked at."""

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            request.wfile.write(b"x" * 65536)

    site.replies["/endless"] = endless
    status, body = http_get(f"{site.url}/endless")
    assert (status, len(body)) == (200, BODY_LIMIT)
    late = b"x" * BODY_LIMIT + b"needle"
    site.replies["/"] = answer(200, late)
    assert not HttpProbe(site.probe(body="needle", requests=1)).ask().ok
    for body in (late, late.decode()):
        assert not HttpProbe(site.probe(body="needle"), fetch=lambda _, body=body: (200, body)).ask().ok


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00version: \x1b]0;evil\x07\xc3(",
        bytes(range(256)) * 300,
        b"version: " + b"\xe2\x80\xae" * 900,
        b"",
    ],
)
def test_hostile_bodies_do_not_break_the_reading(site: Site, body: bytes) -> None:
    """Whatever bytes come, there is a reading of printable characters and bounded length."""
    site.replies["/"] = answer(200, body)
    probe = HttpProbe(site.probe(requests=2), version_pattern=r"version: (.*)")
    assert all(version.isprintable() and len(version) <= 80 for version in probe.ask().versions)
    reading = probe.read(plan(), seen())
    assert reading.reading is Reading.PASS
    assert reading.detail.isprintable()
    assert len(reading.detail) <= 500


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    ],
)
def test_what_is_not_http_is_no_answer(site: Site, reply: bytes) -> None:
    """A server that speaks something else fails the probe with the reason."""
    site.replies["/"] = lambda request: request.wfile.write(reply) and None
    result = HttpProbe(site.probe(requests=1)).ask()
    assert (result.ok, result.statuses) == (False, {})
    assert all(failure.isprintable() for failure in result.failures)


def test_a_wrong_version_pattern_is_refused(site: Site) -> None:
    """A pattern that does not compile is a fault of the probe, at once."""
    with pytest.raises(PlanError, match="version_pattern"):
        HttpProbe(site.probe(), version_pattern="(")


# ------------------------------------------------------------------------------------------- each instance

DIRECT = Probe(name="direct", url="http://{instance}.internal/health", requests=4)


def bodies(**answers: int) -> Callable[[str], tuple[int, bytes]]:
    """A fetch that answers by instance; an instance it does not know does not answer."""

    def fetch(url: str) -> tuple[int, bytes]:
        name = url.removeprefix("http://").partition(".")[0]
        if name not in answers:
            raise ConnectionRefusedError
        return answers[name], name.encode()

    return fetch


def test_each_instance_is_asked_directly() -> None:
    """With {instance} the requests go to all instances in turn, each at least once."""
    probe = HttpProbe(DIRECT, fetch=bodies(a=200, b=200, c=200), version_pattern=".+")
    assert probe.direct
    assert probe.ask(["a", "b"]).versions == {"a": 2, "b": 2}
    many = [f"i{n}" for n in range(9)]
    assert HttpProbe(DIRECT, fetch=bodies(**dict.fromkeys(many, 200))).ask(many).statuses == {200: 9}
    assert not probe.ask().ok


@pytest.mark.parametrize(
    ("fleet", "reading", "words"),
    [
        (seen(a=Health.HEALTHY, b=Health.UNHEALTHY), Reading.PASS, "4 × 200"),
        (seen(a=Health.HEALTHY, dead=Health.UNKNOWN), Reading.FAIL, "no answer from http://dead.internal"),
        (seen(a=Health.HEALTHY, dead=Health.DRAINING), Reading.PASS, "4 × 200"),
        (seen(a=Health.HEALTHY, dead=Health.INITIAL), Reading.PENDING, "without a verdict yet"),
        (seen(a=Health.INITIAL), Reading.PASS, "4 × 200"),
        (seen(dead=Health.INITIAL, bad=Health.HEALTHY), Reading.FAIL, "answered 503"),
        (seen(dead=Health.DRAINING), Reading.NO_DATA, "no green instance"),
        (seen(), Reading.NO_DATA, "no green instance"),
        (Observation(at=0), Reading.NO_DATA, "could not be read"),
    ],
)
def test_instances_are_judged_by_what_is_known_of_them(
    fleet: Observation, reading: Reading, words: str
) -> None:
    """Nobody to ask is no data; a booting instance that fails is pending; one on its way out is not asked."""
    found = HttpProbe(DIRECT, fetch=bodies(a=200, b=200, bad=503)).read(plan(), fleet, "green")
    assert found.reading is reading
    assert words in found.detail


# ----------------------------------------------------------------------------------------------------- hooks


@pytest.mark.parametrize(
    ("given", "reading"),
    [
        (True, Reading.PASS),
        (False, Reading.FAIL),
        ("SUCCEEDED", Reading.PASS),
        ("FAILED", Reading.FAIL),
        ("IN_PROGRESS", Reading.PENDING),
        ("succeeded", Reading.NO_DATA),
        (None, Reading.NO_DATA),
        (1, Reading.NO_DATA),
        (GateReading(name="other", reading=Reading.PENDING), Reading.PENDING),
        (GateReading(name="other", reading="pass"), Reading.NO_DATA),  # type: ignore[arg-type]
        (GateReading(name="other", reading=Reading.PASS, detail=7), Reading.NO_DATA),  # type: ignore[arg-type]
    ],
)
def test_a_hook_answers_in_its_own_words(given: Any, reading: Reading) -> None:
    """Booleans, ECS's words and readings are understood; what no journal holds is no data, never a pass."""
    found = HookGate("smoke", lambda _plan, _observation: given).read(plan(), seen())
    assert (found.name, found.reading) == ("smoke", reading)


def test_a_hook_that_raises_has_no_data() -> None:
    """An exception becomes NO_DATA with its text, escaped and bounded."""

    def broken(_plan: Plan, _observation: Observation) -> bool:
        raise RuntimeError("boom\n" + "x" * 5000)

    found = HookGate("smoke", broken).read(plan(), seen())
    assert found.reading is Reading.NO_DATA
    assert found.detail.startswith(r"RuntimeError: boom\nxxx")
    assert len(found.detail) == 500


# --------------------------------------------------------------------------------------------- which and when

FRONT = Probe(name="front", url="http://front.internal/", requests=1)
SMOKE = Hook(name="smoke")
WATCH = Hook(name="watch", phases=("bake", "keep_blue"))
GATES = (Alarm(name="errors"), DIRECT, FRONT, SMOKE, WATCH)


@frozen
class Fixed:
    """A gate of the user's own class, which ends in a reading or an error."""

    end: Reading | Exception

    def read(self, _plan: Plan, _observation: Observation) -> GateReading:
        if isinstance(self.end, Exception):
            raise self.end
        return GateReading(name="whatever", reading=self.end)


def within(phase: Phase) -> State:
    """A state at the first moment of a phase."""
    return initial("web-1", 0.0).replaced(phase=phase, green="green")


@pytest.mark.parametrize(
    ("phase", "asked"),
    [
        (Phase.PREFLIGHT, []),
        (Phase.SCALE_UP, []),
        (Phase.TEST_TRAFFIC, ["direct", "smoke"]),
        (Phase.SHIFT, []),
        (Phase.BAKE, ["direct", "front", "watch"]),
        (Phase.KEEP_BLUE, ["direct", "front", "watch"]),
        (Phase.DRAIN, []),
        (Phase.ROLL_BACK, []),
    ],
)
def test_each_phase_asks_its_gates(phase: Phase, asked: list[str]) -> None:
    """Only instances and hooks before users come, everything while they are watched, else nothing."""
    given = {"smoke": Fixed(Reading.PASS), "watch": Fixed(Reading.PASS)}
    fetch = bodies(a=200, front=200)
    found = readings(plan(*GATES), seen(a=Health.HEALTHY), within(phase), given, fetch=fetch)
    assert [reading.name for reading in found] == asked
    assert {reading.reading for reading in found} <= {Reading.PASS}


def test_checks_that_the_plan_does_not_ask_for_are_refused() -> None:
    """Missing, misnamed, no check at all, or in the place of an alarm: every fault is told at once."""
    wrong = {"smok": Fixed(Reading.PASS), "watch": len, "front": Fixed, "errors": Fixed(Reading.FAIL)}
    with pytest.raises(PlanError) as caught:
        check_gates(plan(*GATES), wrong)  # type: ignore[arg-type]
    assert [attrs.astuple(fault, recurse=False) for fault in caught.value.faults] == [
        (
            "gates['smok']",
            Fixed(Reading.PASS),
            f"must be called as a gate of the plan, which has only {', '.join(repr(g.name) for g in GATES)}",
        ),
        (
            "gates['watch']",
            len,
            "must have read(plan, observation), as bluegreen.HookGate('watch', function) has",
        ),
        (
            "gates['front']",
            Fixed,
            "must have read(plan, observation), as bluegreen.HookGate('front', function) has",
        ),
        ("gates['errors']", Fixed(Reading.FAIL), "must be left out: alarms are read by the cloud"),
        (
            "gates['smoke']",
            None,
            "must be given, the plan has this hook: gates={'smoke': bluegreen.HookGate('smoke', function)}",
        ),
    ]
    with pytest.raises(PlanError, match=r"gates\['smoke'\]: .*of the plan, which has none"):
        check_gates(plan(), {"smoke": Fixed(Reading.PASS)})
    with pytest.raises(PlanError, match=r"^gates: .*: must be checks by name"):
        check_gates(plan(), ["smoke"])  # type: ignore[arg-type]
    check_gates(plan(*GATES), {name: Fixed(Reading.PASS) for name in ("smoke", "watch", "front")})


def test_a_check_has_never_been_red_between_two_looks() -> None:
    """That is known of alarms; whatever a check's reading says of it is left out."""
    for told in ("never", 7.0):
        red = GateReading(name="smoke", reading=Reading.PASS, last_red=told)  # type: ignore[arg-type]
        given = {"smoke": HookGate("smoke", lambda *_, red=red: red)}
        (found,) = readings(plan(SMOKE), seen(), within(Phase.TEST_TRAFFIC), given)
        assert found == GateReading(name="smoke", reading=Reading.PASS)


def test_a_gate_that_raises_has_no_data() -> None:
    """Also a gate of the user's own class cannot break a pass."""

    for broken in (Fixed(KeyError("token")), object(), lambda *_: "SUCCEEDED"):
        (found,) = readings(plan(SMOKE), seen(), within(Phase.TEST_TRAFFIC), {"smoke": broken})
        assert (found.name, found.reading) == ("smoke", Reading.NO_DATA)
        assert "Error: " in found.detail


def test_a_probe_can_be_replaced(site: Site) -> None:
    """A probe of the plan is real HTTP unless a check of its name is given, which may still be a probe."""
    named = site.probe(requests=2)
    (real,) = readings(plan(named), seen(), within(Phase.BAKE), {})
    assert (real.reading, site.paths) == (Reading.PASS, ["/", "/"])
    (fixed,) = readings(plan(named), seen(), within(Phase.BAKE), {"front": Fixed(Reading.FAIL)})
    assert (fixed.name, fixed.reading) == ("front", Reading.FAIL)
    mine = {"direct": HttpProbe(DIRECT, fetch=bodies(a=200), version_pattern=".+")}
    (counted,) = readings(plan(DIRECT), seen(a=Health.HEALTHY), within(Phase.TEST_TRAFFIC), mine)
    assert counted.detail == "answers: 4 × 200; a 4"
