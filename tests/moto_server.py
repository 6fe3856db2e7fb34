"""Moto's server on a loopback port, with its known gaps corrected, for clients in this process and others.

    with MotoServer() as moto:
        account = lay_out(moto, routing="weighted")             # tests/moto_account.py
        groups = moto.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        subprocess.run(["bluegreen", "deploy", ..., "--endpoint-url", moto.url], env=moto.environment())
        moto.calls                      # [("autoscaling", "DescribeAutoScalingGroups"), ...]
        moto.script.broken_images.add("ami-0beta")

What takes time on AWS takes *looks* here: see ``Looks`` in tests/corrections/table.py, where the script is,
too. What is corrected, and on which line of aws-facts' list, stands in tests/corrections/.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from functools import cache
from threading import Lock, Thread
from traceback import print_exception
from typing import Any, Self
from unittest.mock import patch

import attrs
import boto3
from botocore.config import Config
from flask import Flask, got_request_exception
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID, responses
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from bluegreen.aws.clients import USER_AGENT
from bluegreen.aws.rights import RIGHTS, action_of
from tests.corrections import autoscaling, balancing, commands, instances, templates  # noqa: F401  # fill the table
from tests.corrections.table import Looks, Script, applied
from tests.proxy import named, refusal

REGION = "us-east-1"
GRANTED = frozenset(right.action for right in RIGHTS)
ASKED: set[str] = set()
"""IAM actions that bluegreen asked for in this process's tests."""
SERVICES = ("autoscaling", "cloudwatch", "ec2", "elbv2", "events", "s3", "sns", "sqs", "ssm", "sts")


@cache
def _session() -> boto3.Session:
    """One for all: it reads botocore's models once."""
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION)


_method_names = cache(responses.method_names_from_class)
"""Moto lists them for each request."""


class MotoServer:
    """The server, as a context; one at a time in a process, since moto's state is the process's.

    Attributes:
        url: Where it listens.
        script: How its world behaves; see ``Script``.
        calls: (service as it signs, operation) of every request, in order; clear it to count anew.
        granted: What it may ask for; all that our policies grant, unless a test says less.
    """

    def __init__(self) -> None:
        self.url = ""
        self.script = Script()
        self.calls: list[tuple[str, str]] = []
        self.granted: AbstractSet[str] = GRANTED
        self._clients: dict[str, Any] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Correct moto, and listen."""
        # Without moto's 800 public images a reset takes milliseconds.
        self._stack.enter_context(patch.dict(os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}))
        self._stack.enter_context(applied(lambda: self.script))
        self._stack.enter_context(patch.object(responses, "method_names_from_class", _method_names))
        application = _OneAtATime(self.calls, lambda: self.granted)
        server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
        self._stack.callback(server.server_close)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.reset()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, and leave moto as it was."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._stack.close()

    def reset(self) -> None:
        """An empty account, a new script, no calls."""
        for service in SERVICES:
            get_backend(service).reset()
        self.script = Script()
        self.calls.clear()
        self.granted = GRANTED

    def settle(self) -> None:
        """Let everything that is on its way arrive, however slow the script has it."""
        looks, self.script.looks = self.script.looks, Looks(**dict.fromkeys(attrs.asdict(Looks()), 0))
        for _ in range(2):
            self.client("autoscaling").describe_auto_scaling_groups()
            # Every instance is looked at, and none told of: 200 of them would take seconds to write down.
            self.client("ec2").describe_instances(Filters=[{"Name": "instance-id", "Values": ["none"]}])
            self.client("ec2").describe_instance_status()
            self.client("ec2").describe_images(Owners=["self"])
            self.client("ssm").describe_instance_information()
            for arn in list(self.backend("elbv2").target_groups):
                self.client("elbv2").describe_target_health(TargetGroupArn=arn)
        self.script.looks = looks

    def backend(self, service: str) -> Any:
        """Moto's own state of one service, for what no operation tells."""
        return get_backend(service)[DEFAULT_ACCOUNT_ID][REGION]

    def session(self) -> boto3.Session:
        """A session with made-up credentials; give its clients ``endpoint_url=moto.url`` and close them."""
        return _session()

    def client(self, service: str) -> Any:
        """A client of this server that sends once; closed with it."""
        if service not in self._clients:
            once = Config(retries={"mode": "standard", "total_max_attempts": 1})
            self._clients[service] = self.session().client(service, endpoint_url=self.url, config=once)
        return self._clients[service]

    def environment(self, **more: str) -> dict[str, str]:
        """The environment for a child process: this one's, with made-up credentials and no way to AWS."""
        ours = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
        return (
            ours
            | {
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_DEFAULT_REGION": REGION,
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            }
            | more
        )

    def operations(self) -> list[str]:
        """The names of the operations called since ``calls`` was cleared."""
        return [operation for _, operation in self.calls]


def _application(service: str) -> Flask:
    """Moto's application for a service; what goes wrong in it is told on stderr, not only as a 500."""
    application = create_backend_app(service)
    got_request_exception.connect(lambda _, exception: print_exception(exception), application, weak=False)
    return application


class _OneAtATime(DomainDispatcherApplication):
    """Moto's dispatcher behind one lock: its backends are not made for threads."""

    def __init__(self, calls: list[tuple[str, str]], granted: Callable[[], AbstractSet[str]]) -> None:
        super().__init__(_application)
        self._calls = calls
        self._granted = granted
        self._one = Lock()
        # Moto lists its own folders for each request: a fifth of the time.
        self.get_backend_for_host = cache(super().get_backend_for_host)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request; one of ours that no policy of ours grants is refused, as IAM would."""
        telling = {"authorization": "HTTP_AUTHORIZATION", "x-amz-target": "HTTP_X_AMZ_TARGET"}
        headers = {name: environ[key] for name, key in telling.items() if key in environ}
        path = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        with self._one:
            body = (self._get_body(environ) or "").encode()
            call = named(environ["REQUEST_METHOD"], path, headers, body)
            self._calls.append(call)
            if USER_AGENT in environ.get("HTTP_USER_AGENT", "").split():
                ASKED.add(action := action_of(*call))
                if action not in self._granted():
                    status, answer, text = refusal(headers, 403, "AccessDenied")
                    start_response(f"{status} Forbidden", answer)
                    return [text]
            return [b"".join(super().__call__(environ, start_response))]


class _Quiet(MotoRequestHandler):
    """Says nothing of requests that went well."""

    def log_request(self, *_: object) -> None:
        """Nothing."""
