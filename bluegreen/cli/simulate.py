"""``bluegreen simulate``: a plan, carried out in a simulated world that is kept between releases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from attrs import frozen

from bluegreen import Deployment, Result, read_plan
from bluegreen.core.errors import Unfinished
from bluegreen.core.plan import Hook, Plan
from bluegreen.core.state import Phase
from bluegreen.journal.history import Story, last

from .exits import Exit, of_phase
from .folder import Folder
from .kept import Wish, open_world, save
from .options import Command, image_option, json_option, plan_file, report_option, state_option
from .output import Output
from .running import check_report, gates, passes, seen, write_report
from .stopping import stopping
from .telling import STYLES, Told, Watcher, awaited, seen_by_users, turned_back

if TYPE_CHECKING:
    from bluegreen_sim import SimCloud
    from bluegreen_sim.faults import Fault


def _faults(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[Fault, ...]:
    from bluegreen_sim import parse

    try:
        return tuple(parse(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(
    cls=Command,
    codes=(
        Exit.ROLLED_BACK,
        Exit.IN_PROGRESS,
        Exit.REFUSED,
        Exit.LOCKED,
        Exit.HALTED,
        Exit.TERMINATED,
    ),
    short_help="Carry a plan out on the simulator.",
)
@plan_file
@image_option
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
@report_option
@click.option("--fresh", is_flag=True, help="Begin a new world; the old folder is moved aside.")
@state_option
@click.option("--verbose", "-v", is_flag=True, help="A line for every pass.")
@json_option
@click.pass_obj
def simulate(
    output: Output,
    /,
    file: Path,
    image: str | None,
    report: Path | None,
    *,
    fresh: bool,
    verbose: bool,
    **options: Any,
) -> int:
    """Carry out the plan in FILE on the simulator.

    World and journal are kept, so that releases follow each other: the next one, with another --image,
    finds the world that this one leaves. A deployment that has not ended is continued.

    A line for each pass in which something happened: the time since the start, the phase, the percent of
    the requests that blue/green get, what was decided and why.
    """
    check_report(report)
    plan = read_plan(file)
    wish = Wish(file=file, plan=plan.with_image(image) if image else plan, image=image, **options)
    wish.check_faults()
    folder = Folder.of(file, plan, wish.state)
    with folder.alone(), stopping() as stopped:
        if fresh and (place := folder.retire()):
            output.note(f"the world and journal so far are now in {place}")
        run = _begin(wish, folder, output)
        told = []
        for one in run.passes(folder):
            told.append(one)
            if verbose or one.happened:
                output.say(str(one), STYLES.get(one.phase, ""))
            if stopped() is not None:
                break
        code = stopped()
    if report:
        written = write_report(report, run.deployment.plan, run.cloud, told, seed=wish.seed)
        output.note(f"the report is in {report}" if written else "no report: the deployment has not ended")
    return _end(output, wish, run, told, code)


@frozen
class Run:
    """A deployment on the simulator, begun or continued.

    Args:
        deployment: The deployment.
        cloud: Where it runs.
        watcher: Keeps its looks.
        origin: World time at which this process, and so the timeline, began.
    """

    deployment: Deployment
    cloud: SimCloud
    watcher: Watcher
    origin: float

    def passes(self, folder: Folder) -> Iterator[Told]:
        """Pass after pass, the world saved after each and before anybody hears of it."""
        yield from passes(self.deployment, self.watcher, self.origin, lambda: save(folder, self.cloud))


def _begin(wish: Wish, folder: Folder, output: Output) -> Run:
    """The deployment that is wanted, or the same one where it was left. Changes nothing if it is another."""
    journal = folder.journal()
    story = last(journal, wish.plan.service)
    unfinished = story if story and not story.state.phase.ended else None
    if unfinished and unfinished.plan != wish.plan:
        raise _another(wish, unfinished)
    cloud = open_world(wish, folder, output, unfinished)
    watcher = Watcher()
    options: dict[str, Any] = {"gates": gates(wish.plan, cloud), "listeners": [watcher]}
    if hooks := [gate.name for gate in wish.plan.gates if isinstance(gate, Hook)]:
        output.note(f"the simulator has no checks of yours: {', '.join(hooks)} taken as passed")
    if unfinished:
        output.note(
            f"going on with {unfinished.state.ledger.deployment_id}, in {unfinished.state.phase.value}"
        )
        deployment = Deployment.load(wish.plan.service, cloud, journal, **options)
    else:
        deployment = Deployment(wish.plan, cloud, journal=journal, **options)
    return Run(deployment, cloud, watcher, cloud.clock.now() - cloud.timeline.end_seconds)


def _another(wish: Wish, story: Story) -> Unfinished:
    """The one error that says which deployment stands in the way, and how to go on with it."""
    begun, state = story.plan, story.state
    names = [f.name for f in attrs.fields(Plan) if getattr(begun, f.name) != getattr(wish.plan, f.name)]
    go_on = attrs.evolve(wish, image=begun.image) if names == ["image"] else attrs.evolve(wish, image=None)
    return Unfinished(
        f"{state.ledger.deployment_id} (image {begun.image}) has not ended: it is in {state.phase.value}. "
        f"It was begun with another plan; what differs: {', '.join(names)}. Nothing was done. "
        f"Go on with that plan: {go_on.command('simulate')}; or call it off first: {wish.command('abort')}"
    )


def _end(output: Output, wish: Wish, run: Run, told: list[Told], stopped: Exit | None) -> int:
    """The summary and the object. Returns the exit code."""
    result, cloud, state = run.deployment.result(), run.cloud, told[-1].step.state
    users = seen(cloud)
    colours = {"blue": state.blue or cloud.blue, "green": state.green or cloud.green}
    instances = {colour: len(cloud.instances(name)) for colour, name in colours.items()}
    at_rest = result.phase.ended or stopped is None
    code = of_phase(result.phase) if at_rest else stopped
    assert code is not None
    for line in _summary(wish, result, users, {colours[c]: n for c, n in instances.items()}):
        output.say(line)
    if not result.phase.ended:
        output.say(f"awaits {awaited(run.deployment.plan, state)}; {_go_on(wish, told[-1])}")
    output.result(
        "bluegreen.simulate/1",
        {
            **users,
            "service": wish.plan.service,
            "deployment_id": result.deployment_id,
            "phase": result.phase.value,
            "ok": result.ok,
            "reason": result.reason,
            "because": turned_back(result.history),
            "awaits": awaited(run.deployment.plan, state),
            "image": run.deployment.plan.image,
            "groups": colours,
            "instances": instances,
            "started": result.started,
            "ended": result.ended,
            "leftovers": result.leftovers,
            "steps": [one.data() for one in told if one.happened],
            "exit_code": int(code),
        },
    )
    return code


def _summary(wish: Wish, result: Result, users: Any, instances: dict[str, int]) -> Iterator[str]:
    yield f"{wish.plan.service}: {result.phase.value} ({result.deployment_id}): {result.reason}"
    if (why := turned_back(result.history)) and why != result.reason:
        yield f"because: {why}"
    yield seen_by_users(users["shares"], users["requests"], users["failed_requests"])
    yield "instances: " + ", ".join(f"{name} {count}" for name, count in instances.items())
    for left in result.leftovers:
        yield f"left over: {left}"


def _go_on(wish: Wish, told: Told) -> str:
    """How to go on with a deployment that has not ended."""
    state, again = told.step.state, wish.command("simulate")
    if told.phase is Phase.HALTED:
        abort = "" if state.committed else f" or {wish.command('abort')}"
        return f"say {wish.command('resume')}{abort}, then go on: {again}"
    if state.paused:
        return f"say {wish.command('resume')}, then go on: {again}"
    if state.awaiting:
        return f"say {wish.command('approve')} (or {wish.command('abort')}), then go on: {again}"
    return f"go on: {again}"


COMMANDS = (simulate,)
