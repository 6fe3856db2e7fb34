"""Secrets stay out of texts and logs: what is hidden, and what must stay readable."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import PlanError, Probe, Redacting, redact_logs
from bluegreen.aws.errors import words
from bluegreen.core.text import HIDDEN, redacted
from bluegreen.redaction import LIBRARIES

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SESSION = "FwoGZXIvYXdzEBYaD7EXAMPLE" * 4 + "=="


@pytest.mark.parametrize(
    "text",
    [
        "ExpiredToken: The security token included in the request is expired",
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/Web-Blue/73e2d6bc24d8a06712345678",
        "ValidationError: AutoScalingGroup name not found - web-LaunchTemplate-1ABCDEF2GHIJ3KLMN",
        "InvalidAMIID.NotFound: The image id '[ami-0123456789abcdef0]' does not exist",
        "s3://journals/team/shop: slot 12 is taken",
        "exercise-1-0a1b2c3d ended rolled_back: 3 of 4 green targets healthy (i-0123456789abcdef0)",
    ],
)
def test_what_says_no_secret_stays(text: str) -> None:
    """Codes, ARNs, ids, generated names and our own sentences are left as they are."""
    assert redacted(text) == text


@pytest.mark.parametrize("secret", [KEY_ID, SECRET, SESSION, "9ae319091d1e7750" * 4])
@pytest.mark.parametrize(
    "form",
    ["{}", "no: {}.", "key={}&x=1", '"{}"', "X-Amz-Security-Token: {}", "(https://h/p?X-Amz-Signature={})"],
)
def test_keys_tokens_and_signatures_are_hidden(form: str, secret: str) -> None:
    """Wherever a key, a session token or a signature stands in a text, it is not there afterwards."""
    assert secret not in redacted(form.format(secret))
    assert HIDDEN in redacted(form.format(secret))


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (
            'Could not connect to "https://user:hunter2@proxy:8080/a?q=hunter2#hunter2"',
            "https://proxy:8080/a?[hidden]",
        ),
        ("password=hunter2 and so on", "password=[hidden] and so on"),
        ("db_secret = 'hunter2'", "db_secret = '[hidden]'"),
        ('{"api_key": "hunter2hunter2"}', '"api_key": "[hidden]"'),
    ],
)
def test_what_is_named_a_secret_is_hidden(text: str, hidden: str) -> None:
    """User names and queries of URLs go, and values that are called a password, a secret or a key."""
    assert "hunter2" not in redacted(text)
    assert hidden in redacted(text)


@pytest.mark.property
@given(st.text(max_size=300), st.sampled_from([KEY_ID, SECRET, SESSION]))
def test_hiding_is_done_once(text: str, secret: str) -> None:
    """What was hidden has nothing more to hide, and a secret between spaces is never left."""
    once = redacted(f"{text} {secret} {text}")
    assert secret not in once
    assert redacted(once) == once


def test_errors_of_aws_are_told_without_secrets() -> None:
    """What an error's own words say of a URL or a token reaches neither journal nor output."""
    assert (
        words(ValueError(f"at https://u:p@host/x?X-Amz-Credential={KEY_ID}")) == "at https://host/x?[hidden]"
    )


def test_a_probe_takes_no_password() -> None:
    """A user name or password in a probe's URL is a plan fault, and the fault does not show it."""
    with pytest.raises(PlanError, match=r"url: .*must have no user name or password") as caught:
        Probe(name="p", url="https://user:hunter2@host/")
    assert "hunter2" not in str(caught.value)
    Probe(name="p", url="https://host/user@example")


# --------------------------------------------------------------------------------------------------- logging


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that anybody logs at DEBUG, with the libraries' logs redacted."""
    text, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(text), root.level
    kept = {name: list(logging.getLogger(name).handlers) for name in LIBRARIES}
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    redact_logs()
    redact_logs()
    yield text
    root.removeHandler(handler)
    root.setLevel(level)
    for name, handlers in kept.items():
        logging.getLogger(name).handlers[:] = handlers


def test_a_librarys_arguments_are_left_out(log: io.StringIO) -> None:
    """Of what botocore logs its own words, numbers, and names of operations and events stay; nothing else."""
    made_later = logging.getLogger("botocore.made.later")
    made_later.debug("Making request for %s with params: %s", "hunter2", {"password": "hunter2"})
    made_later.debug("Event %s: calling handler %s", "before-call.ec2.RunInstances", print)
    logging.getLogger("urllib3.connectionpool").debug('%s "%s %s" %s', "host", "GET", "/?hunter2", 200)
    made_later.debug({"hunter2": 1})
    made_later.debug("%(name)s", {"name": "hunter2"})
    assert log.getvalue().splitlines() == [
        "Making request for [hidden] with params: [hidden]",
        "Event before-call.ec2.RunInstances: calling handler [hidden]",
        '[hidden] "GET [hidden]" 200',
        "[hidden]",
        "[hidden]",
    ]


def test_exceptions_are_told_by_their_class(log: io.StringIO) -> None:
    """A traceback that a library logs is left out, for exceptions quote what they were given."""
    try:
        _ = {}["hunter2"]
    except KeyError:
        logging.getLogger("botocore.credentials").warning("Refreshing failed", exc_info=True)
    assert log.getvalue() == "Refreshing failed (KeyError)\n"


def test_handlers_of_the_library_get_what_is_left(log: io.StringIO) -> None:
    """``boto3.set_stream_logger`` and other handlers on the library's logger come after the redaction."""
    text = io.StringIO()
    logging.getLogger("botocore").addHandler(logging.StreamHandler(text))
    logging.getLogger("botocore.parsers").debug("Response body:\n%r", b"hunter2")
    assert text.getvalue() == log.getvalue() == "Response body:\n'[hidden]'\n"


def test_the_applications_own_records_stay(log: io.StringIO) -> None:
    """Only records of boto3 and its libraries are touched, also where the filter is used by itself."""
    logging.getLogger("mine").info("said %s", "hunter2")
    record = logging.makeLogRecord({"name": "botocorex", "msg": "%s", "args": ("hunter2",)})
    assert Redacting().filter(record)
    assert record.getMessage() == "hunter2"
    assert log.getvalue() == "said hunter2\n"
