"""``bluegreen simulate``: a plan, carried out in a simulated world that is kept between releases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluegreen import read_plan
from bluegreen.core.gates import Window

from .exits import OF_A_DEPLOYMENT, Exit
from .folder import Folder
from .kept import Rehearsal, gates, new_world, not_simulated, open_world, save, seen
from .options import (
    Command,
    image_option,
    json_option,
    plan_file,
    report_option,
    set_option,
    state_option,
    verbose_option,
    version_option,
)
from .output import Output
from .reporting import check_report, write_report
from .running import Run
from .serving import check_options, serve_world
from .stopping import stopping
from .telling import seen_by_users
from .wish import unfinished

if TYPE_CHECKING:
    from bluegreen_sim import Application, SimCloud
    from bluegreen_sim.faults import Fault


def _faults(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[Fault, ...]:
    from bluegreen_sim import parse

    try:
        return tuple(parse(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _applications(
    _ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]
) -> dict[str, Application]:
    from bluegreen_sim.users.application import parse_application

    try:
        return dict(parse_application(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(
    cls=Command,
    codes=OF_A_DEPLOYMENT,
    short_help="Carry a plan out on the simulator.",
)
@plan_file
@image_option
@version_option
@set_option
@click.option(
    "--capacity",
    metavar="N",
    type=click.IntRange(0, 10_000),
    help="Instances of the live group in a new world; 0: nothing is live yet.  [default: 2]",
)
@click.option(
    "--traffic",
    metavar="R",
    type=click.IntRange(0, 1_000_000),
    default=100,
    show_default=True,
    help="Requests a second.",
)
@click.option("--seed", metavar="S", type=int, default=1, show_default=True, help="Of the random choices.")
@click.option(
    "--fault",
    "faults",
    metavar="SPEC",
    multiple=True,
    callback=_faults,
    help="What goes wrong, such as dies:green:120 or never-healthy:green; may be given again. "
    "A wrong one lists all forms.",
)
@click.option(
    "--application",
    "applications",
    metavar="SPEC",
    multiple=True,
    callback=_applications,
    help="What an image's application is like, such as ami-0beta:median=0.05,p99=0.5,capacity=200; may be "
    "given again. A wrong one lists all keys.",
)
@report_option
@click.option("--fresh", is_flag=True, help="Begin a new world; the old folder is moved aside.")
@click.option(
    "--serve",
    is_flag=True,
    help="Deploy nothing: answer AWS's tools over HTTP on this machine from a new world, until Ctrl-C.",
)
@click.option(
    "--port",
    metavar="P",
    type=click.IntRange(0, 65_535),
    default=0,
    help="With --serve: where it listens.  [default: a free port]",
)
@click.option(
    "--speed",
    metavar="X",
    type=click.FloatRange(0, 3_600, min_open=True),
    default=1,
    show_default=True,
    help="With --serve: seconds of the world in a second.",
)
@state_option
@verbose_option
@json_option
@click.pass_context
def simulate(
    context: click.Context,
    /,
    file: Path,
    sets: tuple[str, ...],
    state: Path | None,
    report: Path | None,
    *,
    fresh: bool,
    serve: bool,
    port: int,
    speed: float,
    verbose: bool,
    **options: Any,
) -> int:
    """Carry out the plan in FILE on the simulator.

    World and journal are kept, so that releases follow each other: the next one, with another --image,
    finds the world that this one leaves. A deployment that has not ended is continued.

    A line for each pass in which something happened: the time since the start, the phase, the percent of
    the requests that blue/green get, what was decided and why.
    """
    output: Output = context.obj
    check_options(context, serves=serve)
    check_report(report)
    plan = read_plan(file, overrides=sets)
    folder = Folder.simulated(file, plan.service, state)
    wish = Rehearsal(file=file, written=plan, sets=sets, state=state, folder=folder, **options)
    if serve or fresh or not folder.world_path.exists():
        new_world(wish)  # what cannot be is told before anything is made or moved
    if serve:
        return serve_world(wish, output, port=port, speed=speed)
    with folder.alone(), stopping() as stopped:
        if fresh and (place := folder.retire()):
            output.note(f"the world and journal so far are now in {place}")
        run, cloud = _begin(wish, output)
        # The world is saved after each pass, and before anybody hears of it.
        run.follow(stopped, lambda: save(folder, cloud), verbose=verbose)
    if report:
        deployment = run.deployment
        written = write_report(
            report,
            deployment.plan,
            cloud,
            run.told,
            seed=wish.seed,
            evidence=deployment.result().evidence,
        )
        output.note(f"the report is in {report}" if written else "no report: the deployment has not ended")
    return _end(run, cloud)


def _begin(wish: Rehearsal, output: Output) -> tuple[Run, SimCloud]:
    """The deployment that is wanted, or the same one where it was left. Changes nothing if it is another."""
    journal = wish.folder.journal()
    story = unfinished(wish, journal)
    cloud = open_world(wish, output, story)
    if hooks := [gate.name for gate in not_simulated(wish.plan)]:
        output.note(f"the simulator has no checks of yours: {', '.join(hooks)} taken as passed")
    if windows := [gate.name for gate in wish.plan.gates if isinstance(gate, Window)]:
        output.note(f"the simulator has no calendar: {', '.join(windows)} taken as open")
    run = Run.of(wish, cloud, journal, output, continued=story is not None, gates=gates(wish.plan, cloud))
    run.origin = cloud.clock.now() - cloud.timeline.end_seconds
    return run, cloud


def _end(run: Run, cloud: SimCloud) -> Exit:
    """The summary and the object, with what users saw. Returns the exit code."""
    users, state = seen(cloud), run.told[-1].step.state
    colours = {"blue": state.blue or cloud.blue, "green": state.green or cloud.green}
    instances = {colour: len(cloud.instances(name)) for colour, name in colours.items()}
    lines = (
        seen_by_users(users),
        "instances: " + ", ".join(f"{name} {instances[colour]}" for colour, name in colours.items()),
    )
    return run.end(lines, {**users, "groups": colours, "instances": instances})


COMMANDS = (simulate,)
