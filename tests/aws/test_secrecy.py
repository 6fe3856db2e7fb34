"""No secret is told (S18): not in the journal, not in a log, not in an error, not in a result."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from bluegreen import Deployment, JournalError, SqliteJournal
from bluegreen.aws import AwsCloud
from bluegreen.core.errors import BlueGreenError
from tests.contract.providers import Hands, plan_for
from tests.moto_account import lay_out
from tests.moto_server import REGION
from tests.proxy import Proxy, Refuse

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract

CANARIES = KEY, SECRET, TOKEN = ("AKIACANARYCANARY0001", "canary-secret-0002", "canary-token-0003")


def told(
    moto: MotoServer, folder: Path, caplog: pytest.LogCaptureFixture, *, denied: bool = False
) -> Iterator[str]:
    """All that a deployment writes, logs, raises and returns."""
    lay_out(moto, "weighted")
    plan = plan_for("weighted")
    session = boto3.Session(KEY, SECRET, TOKEN, region_name=REGION)
    caplog.set_level(logging.DEBUG, "bluegreen")
    path = folder / "journal.sqlite"
    with Proxy(moto.url) as proxy:
        if denied:
            proxy.plan = lambda call: Refuse("AccessDenied", 403) if call.mutating else None
        cloud = AwsCloud(session, endpoint_url=proxy.url, clock=Hands())
        deployment = Deployment(plan, cloud, journal=SqliteJournal(path))
        try:
            with suppress(BlueGreenError, JournalError):
                deployment.run()
            assert deployment.result().ok is not denied
            yield repr(deployment.result())
            yield repr(cloud.observe(plan, deployment.state.ledger)) + repr(cloud)
        finally:
            cloud.close()
    yield path.read_bytes().decode("latin-1")
    yield "\n".join(str(vars(record)) for record in caplog.records if record.name.startswith("bluegreen"))


def found(texts: Iterator[str]) -> set[str]:
    """The canaries that are somewhere in these."""
    return {canary for text in texts for canary in CANARIES if canary in text}


@pytest.mark.parametrize("denied", [False, True], ids=["promoted", "denied"])
def test_no_secret_is_told(
    moto: MotoServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    denied: bool,  # noqa: FBT001
) -> None:
    """Keys and a session token, with all our logs on, whether it ends well or is denied: none is anywhere."""
    assert found(told(moto, tmp_path, caplog, denied=denied)) == set()


def test_a_secret_that_is_told_is_found(
    moto: MotoServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that somebody logs is noticed."""
    logging.getLogger("bluegreen").warning("the token is %s", TOKEN)
    assert found(told(moto, tmp_path, caplog)) == {TOKEN}
