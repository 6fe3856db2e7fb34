"""``bluegreen simulate --serve``: the simulated world behind HTTP, for whatever tool speaks to AWS."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from bluegreen.core.errors import BlueGreenError

from .exits import Exit
from .kept import Rehearsal, new_world, seen
from .output import Output
from .stopping import Stopped, Waking, stopping
from .telling import seen_by_users

if TYPE_CHECKING:
    from bluegreen_sim.endpoint.server import Server

KEEPING = ("fresh", "state", "report", "verbose")
"""Options of ``simulate`` that speak of what is kept, or of passes: a served world has neither."""


def check_options(context: click.Context, *, serves: bool) -> None:
    """An option that would do nothing is a mistake.

    Raises:
        UsageError: If there is one.
    """
    given = {
        name
        for name in (*KEEPING, "port", "speed")
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    if serves and (idle := [f"--{name}" for name in KEEPING if name in given]):
        raise click.UsageError(f"--serve makes a new world and keeps nothing: leave out {', '.join(idle)}")
    if serves and math.isnan(context.params["speed"]):
        raise click.UsageError("--speed nan: must be a number above 0, up to 3600")
    if not serves and (idle := [f"--{name}" for name in ("port", "speed") if name in given]):
        raise click.UsageError(f"{', '.join(idle)}: only together with --serve")


def serve_world(wish: Rehearsal, output: Output, *, port: int, speed: float) -> Exit:
    """Serve a new world until somebody asks to stop, then say what its users saw.

    Args:
        wish: What world; nothing of it is kept.
        output: Where the lines go.
        port: Where to listen on this machine; 0 takes a free port.
        speed: Seconds of world time in a second.

    Raises:
        BlueGreenError: If it cannot listen there.
    """
    from bluegreen_sim.endpoint.server import serve

    cloud = new_world(wish)
    try:
        served = serve(cloud, port=port, speed=speed)
    except OSError as error:
        raise BlueGreenError(
            f"--port {port}: {error.strerror}: name another, or leave it out to take a free one"
        ) from None
    with stopping() as stopped, served as server:
        for line in _usage(wish, server, speed):
            output.say(line)
        with suppress(Stopped):
            Waking(stopped).sleep(math.inf)
    users = seen(cloud)
    instances = {name: len(cloud.instances(name)) for name in (cloud.blue, cloud.green)}
    output.say(seen_by_users(users))
    output.say("instances: " + ", ".join(f"{name} {count}" for name, count in instances.items()))
    output.result("bluegreen.serve/1", {"service": wish.plan.service, **users, "instances": instances})
    return Exit.DONE


def _usage(wish: Rehearsal, server: Server, speed: float) -> Iterator[str]:
    """Where it is, and how to point a tool at it: the credentials are made up, and any others do as well."""
    yield f"{wish.plan.service} is served at {server.url}, {speed:g} s of it a second; Ctrl-C ends it"
    for name, value in server.environment.items():
        yield f"  export {name}={value}"
    yield f"  export AWS_ENDPOINT_URL={server.url}    # or say --endpoint-url to each command, as here:"
    yield f"  aws --endpoint-url {server.url} autoscaling describe-auto-scaling-groups"
    yield f"  bluegreen deploy {shlex.quote(str(wish.file))} --endpoint-url {server.url}"
