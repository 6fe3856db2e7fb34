"""Twenty secrets in all places where production has them, DEBUG logging on: none of them is ever told."""

from __future__ import annotations

import base64
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest

from bluegreen import BlueGreenError, Redacting
from bluegreen.aws import Account, S3Journal
from bluegreen.cli import main
from tests.cli.conftest import BLUE, GREEN, Aws
from tests.moto_account import TEMPLATE
from tests.proxy import Proxy, Refuse

pytestmark = pytest.mark.slow  # a deployment is a hundred calls of a server written in Python


def canary(number: int) -> str:
    """A secret that is found again wherever it is: as long and mixed as real ones are."""
    return f"Canary{number:02}x" + base64.b64encode(bytes([number]) * 24).decode().strip("=") + "Z9"


ENVIRONMENT = {
    "AWS_SECRET_ACCESS_KEY": canary(1),
    "AWS_SESSION_TOKEN": canary(2),
    "DATABASE_PASSWORD": canary(3),
    "GITHUB_TOKEN": canary(4),
    "AWS_ACCESS_KEY_ID": "AKIACANARY05CANARY05",
}
USER_DATA = [canary(6), canary(7)]
TAGS = {
    name: canary(number) for number, name in enumerate(["group", "instance", "template", "balancer"], start=8)
}
ERRORS = {
    "ExpiredToken": f"The token {canary(12)} has expired",
    "UnauthorizedOperation": f"Encoded authorization failure message: {canary(13)}",
    "SignatureDoesNotMatch": f"expected signature={canary(14)}; secret_key: {canary(15)}",
    "InternalFailure": f"see https://s3.amazonaws.com/logs?X-Amz-Security-Token={canary(16)}&X-Amz-Signature={canary(17)}",
}
PROXY = f"http://deployer:{canary(18)}@127.0.0.1:9"
URLS = [f"http://user:{canary(19)}@127.0.0.1:5000", f"http://127.0.0.1:5000/?key={canary(20)}"]

SECRETS = [
    *ENVIRONMENT.values(),
    *USER_DATA,
    *(base64.b64encode(f"#!/bin/sh\nexport KEY={secret}\n".encode()).decode() for secret in USER_DATA),
    *TAGS.values(),
    *(canary(number) for number in range(12, 21)),
]


def lay_out(aws: Aws) -> None:
    """The account, with secrets in tags, and in user data: of versions that `list` and `cleanup` look at.

    Moto launches no instance from a version that has its user data from another one.
    """
    aws.lay_out()
    ec2, asg, elbv2 = (aws.moto.client(name) for name in ("ec2", "autoscaling", "elbv2"))
    for secret in USER_DATA:
        data = base64.b64encode(f"#!/bin/sh\nexport KEY={secret}\n".encode()).decode()
        ec2.create_launch_template_version(
            LaunchTemplateName=TEMPLATE,
            SourceVersion="1",
            LaunchTemplateData={"UserData": data},
        )
    (template,) = ec2.describe_launch_templates(LaunchTemplateNames=[TEMPLATE])["LaunchTemplates"]
    tag = {"Key": "key", "Value": TAGS["template"]}
    ec2.create_tags(Resources=[template["LaunchTemplateId"]], Tags=[tag])
    for name in (BLUE, GREEN):
        tag = {"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
        asg.create_or_update_tags(Tags=[tag | {"Key": "secret", "Value": TAGS["group"]}])
    found = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    ec2.create_tags(
        Resources=[each["InstanceId"] for each in found], Tags=[{"Key": "key", "Value": TAGS["instance"]}]
    )
    arns = [each["LoadBalancerArn"] for each in elbv2.describe_load_balancers()["LoadBalancers"]]
    elbv2.add_tags(ResourceArns=arns, Tags=[{"Key": "key", "Value": TAGS["balancer"]}])


class Ears:
    """Hears everything that is logged, formatted as an application would."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.names.add(record.name)
        text = logging.Formatter("%(name)s %(message)s").format(record)
        self.lines.append(text + repr({k: v for k, v in vars(record).items() if k not in ("msg", "args")}))


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> Ears:
    """What is logged through any handler of the root, with the program's own redaction."""
    ears, handler = Ears(), logging.Handler(logging.DEBUG)
    monkeypatch.setattr(handler, "emit", ears.emit)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [*root.handlers, handler])
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return ears


def told(aws: Aws, *words: str) -> str:
    """All that a command says, with DEBUG on."""
    ran = aws.run("--debug", *words)
    return f"{ran.code} {ran.out} {ran.err}"


def kept(folder: Path) -> str:
    """All that is in a folder and below, as text."""
    return "".join(path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file())


def leaks(*texts: str) -> list[str]:
    """Which secrets are told."""
    return [secret for secret in SECRETS if any(secret in text for text in texts)]


def test_there_are_twenty_and_they_would_be_found() -> None:
    """The secrets are twenty, different, and found by the search that finds none below."""
    encoded = [secret for secret in SECRETS if secret.startswith("IyEv")]
    assert len(set(SECRETS) - set(encoded)) == 20
    assert len(encoded) == len(USER_DATA)
    assert leaks(f"x{SECRETS[0]}y") == [SECRETS[0]]


def test_no_secret_is_told(aws: Aws, ears: Ears, folder: Path) -> None:
    """Of two releases and all that can be asked about them nothing that is told has a secret in it."""
    lay_out(aws)
    said = [
        told(aws, "deploy", "deployment.toml"),
        told(aws, "deploy", "deployment.toml", "--image", "ami-0gamma"),
    ]
    said += [
        told(aws, verb, "deployment.toml", "--json") for verb in ("list", "cleanup", "status", "history")
    ]
    assert main(["--debug", "simulate", "deployment.toml", "--report", "report.html"]) == 0
    assert [text.split()[0] for text in said] == ["0"] * 6
    assert len(ears.lines) > 1000
    assert {"botocore.endpoint", "botocore.parsers", "botocore.auth", "urllib3.connectionpool"} <= ears.names
    assert any("DescribeAutoScalingGroups" in line for line in ears.lines), "what is left is of use"
    assert (folder / "report.html").exists()
    assert not leaks(*said, kept(folder), *ears.lines)


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize(
    "operation", ["GetCallerIdentity", "DescribeAutoScalingGroups", "UpdateAutoScalingGroup"]
)
def test_what_an_error_quotes_is_not_told(
    operation: str, code: str, aws: Aws, ears: Ears, folder: Path
) -> None:
    """Whichever call AWS answers with a secret in its words, the words are told and recorded without it."""
    lay_out(aws)
    status = 500 if code == "InternalFailure" else 403
    with Proxy(aws.moto.url) as proxy:
        refused = Refuse(code, status, words=ERRORS[code])
        proxy.plan = lambda call: refused if call.operation == operation else None
        words = (
            "deploy",
            "deployment.toml",
            "--set",
            "deadlines.scale_up_seconds=20",
            "--endpoint-url",
            proxy.url,
        )
        code_, out, err = run(aws, *words)
    said = out + err + aws.program("history", "deployment.toml").out
    assert code_ != 0
    assert code in said or operation == "DescribeAutoScalingGroups"
    assert not leaks(said, kept(folder), *ears.lines)


def run(aws: Aws, *words: str) -> tuple[int, str, str]:
    """A command with DEBUG on: its code, and what it says."""
    ran = aws.program("--debug", *words)
    return ran.code, ran.out, ran.err


@pytest.mark.parametrize("code", ERRORS)
def test_exceptions_quote_no_secret(code: str, aws: Aws) -> None:
    """The exceptions of the SDK, tracebacks and causes included, say what AWS said without the secret."""
    with Proxy(aws.moto.url) as proxy:
        proxy.plan = lambda _: Refuse(code, 403, words=ERRORS[code])
        journal = S3Journal("journals", "shop", session=aws.moto.session(), endpoint_url=proxy.url)
        calls: list[Any] = [lambda: Account.open(endpoint_url=proxy.url), journal.records, journal.holder]
        for call in calls:
            with pytest.raises(BlueGreenError, match=code) as caught:
                call()
            assert not leaks("".join(traceback.format_exception(caught.value)), repr(caught.value))
        journal.close()


def test_a_proxys_password_is_not_told(aws: Aws, ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the proxy of the environment does not answer, its URL is told without the password."""
    aws.lay_out()
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    code, out, err = run(aws, "list", "--endpoint-url", "http://aws.invalid:5000")
    assert (code, out) == (1, "")
    assert "proxy" in err
    assert not leaks(err, *ears.lines)


@pytest.mark.parametrize("url", URLS)
def test_a_url_with_a_password_is_refused(url: str, aws: Aws, folder: Path) -> None:
    """An endpoint with a user name or a query is wrong usage: the command that goes on would tell it."""
    aws.lay_out()
    ran = aws.program("deploy", "deployment.toml", "--endpoint-url", url)
    assert ran.code == 64
    assert not leaks(ran.out, ran.err, kept(folder))


def test_without_the_filter_they_would_be_told(aws: Aws, ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    """What botocore logs by itself has the session token, user data and tags in it: the search finds them."""
    monkeypatch.setattr(Redacting, "filter", lambda *_: True)
    lay_out(aws)
    run(aws, "list", "--endpoint-url", aws.moto.url)
    encoded = [secret for secret in SECRETS if secret.startswith("IyEv")]
    found = leaks(*ears.lines)
    assert {
        ENVIRONMENT["AWS_SESSION_TOKEN"],
        ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        *encoded,
        TAGS["group"],
    } <= set(found)
