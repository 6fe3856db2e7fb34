"""``bluegreen demo``: the nine steps of the AWS tutorial on blue/green deployment, under its own names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import define, field

from bluegreen import Deployment, HttpProbe, ImageBuild, Probe
from bluegreen.core.commands import PrepareVersion
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase
from bluegreen.core.text import counted
from bluegreen.image import BuildPhase

from .exits import Exit, of_phase
from .kept import gates, seen
from .options import Command, json_option, report_option
from .output import Output
from .reporting import check_report, write_report
from .running import building, passes
from .telling import STYLES, Told, Watcher, clock, seen_by_users

if TYPE_CHECKING:
    from bluegreen_sim import SimCloud

BALANCER = "http://exercise-load-balancer.example/"
REQUESTS = 12
COMMANDS_ON_BUILD_INSTANCE = ("cd /srv/exercise && git pull", "cd /srv/exercise && git checkout v2")
DECIDED_IN = {
    Phase.PREFLIGHT: 5,
    Phase.SCALE_UP: 6,
    Phase.TEST_TRAFFIC: 7,
    Phase.SHIFT: 7,
    Phase.BAKE: 7,
    Phase.KEEP_BLUE: 8,
    Phase.DRAIN: 8,
    Phase.CLEAN_UP: 9,
}
"""Which of the tutorial's steps a phase is part of; the phases of a way back have none."""


@click.command(
    cls=Command, codes=(Exit.ROLLED_BACK, Exit.REFUSED, Exit.HALTED), short_help="Play the tutorial."
)
@report_option
@json_option
@click.pass_obj
def demo(output: Output, report: Path | None) -> int:
    """Play the nine steps of the tutorial on the simulator, and watch.

    A live group of two instances serves version 1. An image with version 2 is built, a second group is
    started from it, both answer side by side, then the second one alone. It takes minutes of simulated
    time and no time of yours.
    """
    check_report(report)
    from bluegreen_sim import tutorial

    plan, cloud = tutorial()
    play = Play(output, cloud, plan)
    play.open()
    play.build()
    result = play.deploy()
    left = play.close(result.deployment_id)
    timeline = seen(cloud)
    output.say(seen_by_users(timeline))
    if report and write_report(report, play.plan, cloud, play.told, seed=1, build=play.built):
        output.note(f"the report is in {report}")
    output.result(
        "bluegreen.demo/1",
        {
            **timeline,
            "phase": result.phase.value,
            "ok": result.ok,
            "reason": result.reason,
            "instances": {
                "blue": len(cloud.instances(cloud.blue)),
                "green": len(cloud.instances(cloud.green)),
            },
            "instances_left": left,
            "image": play.plan.image,
            "deployment_id": result.deployment_id,
            "steps": play.lines,
        },
    )
    return Exit.ERROR if left else of_phase(result.phase)


@define
class Play:
    """The tutorial as it is played.

    Args:
        output: Where the lines go.
        cloud: Where it happens.
        plan: What is deployed; of the image that was built, once it is.
    """

    output: Output
    cloud: SimCloud
    plan: Plan
    lines: list[dict[str, Any]] = field(factory=list, init=False)
    told: list[Told] = field(factory=list, init=False)
    built: tuple[float, str] = field(default=(0.0, ""), init=False)

    def line(self, number: int, phase: str, text: str, style: str = "") -> None:
        """One line of the story: the tutorial's step, the time, the phase, what happened and why."""
        second = self.cloud.clock.now()
        self.lines.append({"number": number, "second": second, "phase": phase, "reason": text})
        self.output.say(f"step {number}  {clock(second)}  {phase:<12}  {text}", style)

    def ask(self, url: str, instances: tuple[str, ...] = ()) -> str:
        """What a probe saw: how often it asked, and the versions that answered, with their counts."""
        probe = Probe(name="tutorial", url=url, requests=REQUESTS)
        seen = HttpProbe(probe, fetch=self.cloud.fetch, version_pattern=r"^\S+ (\S+)").ask(instances)
        return f"asked {REQUESTS} times, {seen}"

    def open(self) -> None:
        """Steps 1 and 2: the blue group is there, and answers alone."""
        cloud, plan = self.cloud, self.plan
        instances = ", ".join(cloud.instances(cloud.blue))
        behind = getattr(plan.routing, "target_group", "its target group")
        self.line(1, "before", f"{cloud.blue} runs {instances} from {plan.launch_template}, behind {behind}")
        cloud.clock.sleep(30)
        self.line(2, "before", f"the load balancer, {self.ask(BALANCER)}")

    def build(self) -> None:
        """Steps 3 and 4: the image with the new version."""
        build = ImageBuild(
            service=self.plan.service,
            launch_template=self.plan.launch_template,
            commands=COMMANDS_ON_BUILD_INSTANCE,
            revision="v2",
            name="exercise-v2",
        )
        last = None
        for last, phase, happened in building(build, self.cloud.builder):
            if happened:
                number = 3 if phase in (BuildPhase.START, BuildPhase.RUN) else 4
                self.line(number, "image build", last.reason)
        assert last is not None, "a build has at least one pass"
        assert last.state.image is not None, f"the tutorial's build does not fail: {last.reason}"
        self.built = (self.cloud.clock.now(), last.reason)
        self.plan = self.plan.with_image(last.state.image)

    def deploy(self) -> Any:
        """Steps 5 to 9: the plan, with probes at the moments that the tutorial looks at."""
        watcher = Watcher()
        checks = gates(self.plan, self.cloud)
        deployment = Deployment(self.plan, self.cloud, gates=checks, listeners=[watcher])
        number = 5
        for told in passes(deployment, watcher, origin=0):
            self.told.append(told)
            if not told.happened:
                continue
            decided_in = told.before.phase if told.before else Phase.PREFLIGHT
            if told.step.commands and isinstance(told.step.commands[0], PrepareVersion):
                number = 5
            else:
                number = DECIDED_IN.get(decided_in, number)
            shares = " (blue/green {}/{})".format(*told.split) if told.split else ""
            self.line(number, told.phase.value, told.text + shares, STYLES.get(told.phase, ""))
            for after, sentence in self.probes(told, decided_in):
                self.line(after, told.phase.value, sentence)
        return deployment.result()

    def probes(self, told: Told, left: Phase) -> Iterator[tuple[int, str]]:
        """What the tutorial looks at when a phase has been entered."""
        cloud = self.cloud
        if told.phase is left:
            return
        if told.phase is Phase.TEST_TRAFFIC:
            for group in (cloud.blue, cloud.green):
                name = cloud.instances(group)[0]
                yield 7, f"{name} of {group}, directly, {self.ask('http://{instance}/', (name,))}"
        elif told.phase is Phase.BAKE and told.step.state.rung == 0:
            yield 7, f"both versions answer in turn; the load balancer, {self.ask(BALANCER)}"
        elif told.phase is Phase.CLEAN_UP:
            yield 8, f"the load balancer, {self.ask(BALANCER)}"

    def close(self, deployment_id: str) -> int:
        """The end of step 9: a fresh look for what must be gone. Returns how many instances are left."""
        blue, builds = self.cloud.instances(self.cloud.blue), self.cloud.build_instances
        green = self.cloud.instances(self.cloud.green)
        left = f"{counted(len(blue), 'instance')} of {self.cloud.blue} and {len(builds)} of the image build"
        self.line(
            9,
            "after",
            f"a fresh look: {left} are left; "
            f"{self.cloud.green} runs {', '.join(green) or 'none'} ({deployment_id})",
        )
        return len(blue) + len(builds)


COMMANDS = (demo,)
