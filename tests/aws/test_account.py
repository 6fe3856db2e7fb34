"""Which account and Region the credentials lead to, and what is said when they lead nowhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bluegreen.aws import Account
from bluegreen.core.errors import BlueGreenError

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

CONFIG = """\
[profile ours]
region = eu-west-3
aws_access_key_id = testing
aws_secret_access_key = testing
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file with one profile, and no other word of AWS in the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "config"
    path.write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return path


@pytest.mark.contract
@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(("asked", "region"), [(None, "eu-west-3"), ("eu-north-1", "eu-north-1")])
def test_profile_region_and_endpoint_are_those_that_were_said(
    asked: str | None, region: str, moto: MotoServer
) -> None:
    """The profile's credentials are asked whose they are; a Region that is said is taken before its own."""
    account = Account.open(profile="ours", region=asked, endpoint_url=moto.url)
    assert (account.id, account.region, account.endpoint_url) == ("123456789012", region, moto.url)
    assert (account.session.profile_name, account.session.region_name) == ("ours", region)
    assert moto.operations() == ["GetCallerIdentity"]


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    ("profile", "region", "endpoint_url", "said"),
    [
        ("nobody", None, None, r"\(nobody\) could not be found: name another one as --profile"),
        (None, None, None, "no AWS Region is known: say --region"),
        ("", "", None, "--profile and --region: '': name one, or leave the option out"),
        (
            None,
            "us-east-1",
            "http://127.0.0.1:9",
            "does not say whose these credentials are: Unable to locate",
        ),
        ("ours", None, "http://127.0.0.1:9", "does not say whose these credentials are: .*127.0.0.1:9"),
        ("ours", None, "http://", "correct --endpoint-url"),
    ],
)
def test_what_leads_nowhere_is_said_with_the_remedy(
    profile: str | None, region: str | None, endpoint_url: str | None, said: str
) -> None:
    """No such profile, no Region, no credentials, no server and no host: each is one sentence."""
    with pytest.raises(BlueGreenError, match=said):
        Account.open(profile=profile, region=region, endpoint_url=endpoint_url)


def test_a_configuration_that_cannot_be_read_is_said(config: Path) -> None:
    """A configuration file with a fault of syntax is told as that."""
    config.write_text("[broken")
    with pytest.raises(BlueGreenError, match=r"the AWS configuration cannot be read: .*config"):
        Account.open()
