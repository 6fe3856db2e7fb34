"""The report in a real browser: Chromium shows the verdict and both pictures, and asks for nothing."""

import re
import shutil
import struct
import subprocess
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import attrs
import pytest

from bluegreen_sim.report import render
from tests.sim.stories import STORIES

LINES = {bytes.fromhex(colour) for colour in ("0072b2", "009e73", "d55e00")}


def chromium(page: Path, profile: Path, *options: str) -> str:
    """Open a page in a fresh, quiet, headless Chromium; what it prints."""
    program = shutil.which("chromium")
    assert program, "chromium is missing: tests/e2e/install.sh installs it"
    ran = subprocess.run(
        [
            program,
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
            *(f"--user-data-dir={profile}", *options),
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def colours(png: bytes) -> set[bytes]:
    """The colours of a PNG with 8 bits a channel and rows that may be filtered, as Chromium writes them."""
    data, at, shape = b"", 8, (0, 0, 0, 0)
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            shape = struct.unpack(">IIBB", body[:10])
        if kind == b"IDAT":
            data += body
        at += size + 12
    width, height, depth, colour = shape
    channels = {2: 3, 6: 4}[colour]
    assert depth == 8
    raw, stride = zlib.decompress(data), width * channels
    found: set[bytes] = set()
    before = bytearray(stride)
    for y in range(height):
        start = y * (stride + 1)
        before = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), before, channels)
        found.update(bytes(before[x : x + 3]) for x in range(0, stride, channels))
    return found


def _unfiltered(kind: int, row: bytearray, above: bytearray, channels: int) -> bytearray:
    for i in range(len(row)):
        left = row[i - channels] if i >= channels else 0
        corner = above[i - channels] if i >= channels else 0
        guess = (0, left, above[i], (left + above[i]) // 2, _paeth(left, above[i], corner))[kind]
        row[i] = (row[i] + guess) & 0xFF
    return row


def _paeth(left: int, above: int, corner: int) -> int:
    near = left + above - corner
    return min((left, above, corner), key=lambda value: abs(near - value))


@pytest.mark.parametrize("name", STORIES)
def test_the_page_shows_its_verdict_and_both_pictures(name: str, tmp_path: Path) -> None:
    """The document that Chromium builds has the verdict, two drawn figures, and no script."""
    page = tmp_path / "report.html"
    page.write_text(render(STORIES[name]), encoding="utf-8")
    dom = chromium(page, tmp_path / "profile", "--dump-dom")
    words = {"promoted": "Promoted", "rolled_back": "Rolled back", "halted": "Halted", "refused": "Refused"}
    assert re.search(rf"<h1>. {words[STORIES[name].verdict]}: {STORIES[name].service}</h1>", dom)
    assert dom.count("<figure") == dom.count("<svg") == 2
    assert "<script" not in dom


def test_the_page_is_painted(tmp_path: Path) -> None:
    """Blue, green and the colour of faults are on the screen."""
    page, shot = tmp_path / "report.html", tmp_path / "shot.png"
    page.write_text(render(STORIES["rolled back"]), encoding="utf-8")
    chromium(page, tmp_path / "profile", f"--screenshot={shot}", "--window-size=700,640")
    assert colours(shot.read_bytes()) >= LINES


class Counting(ThreadingHTTPServer):
    """A web server on the loopback that counts what it is asked."""

    asked = 0


class Handler(BaseHTTPRequestHandler):
    """Counts, and has nothing."""

    def do_GET(self) -> None:
        """Count."""
        self.server.asked += 1
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_nothing_is_fetched(tmp_path: Path) -> None:
    """A text that is an image tag fetches nothing, and even a real one cannot: the policy forbids it."""
    with Counting(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tag = f'<img src="http://127.0.0.1:{server.server_port}/x">'
        report = render(attrs.evolve(STORIES["refused"], reason=tag))
        with_tag = report.replace("<main>", f"<main>{tag}")
        without_policy = re.sub(r"<meta http-equiv[^>]*>", "", with_tag)
        asked = []
        for i, text in enumerate((report, with_tag, without_policy)):
            page = tmp_path / f"{i}.html"
            page.write_text(text, encoding="utf-8")
            chromium(page, tmp_path / f"profile{i}", "--dump-dom")
            asked.append(server.asked)
        server.shutdown()
    assert asked == [0, 0, 1]


def test_the_pictures_survive_a_policy_that_drops_styles(tmp_path: Path) -> None:
    """Under Jenkins' default policy, which drops every style, the lines keep their colours."""
    page, shot = tmp_path / "report.html", tmp_path / "shot.png"
    strict = render(STORIES["rolled back"]).replace("style-src 'unsafe-inline'", "style-src 'self'")
    page.write_text(strict, encoding="utf-8")
    chromium(page, tmp_path / "profile", f"--screenshot={shot}", "--window-size=700,640")
    assert colours(shot.read_bytes()) >= LINES
