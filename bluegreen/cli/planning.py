"""``bluegreen plan``: what would be done, as Terraform tells it; nothing is done."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import click
from attrs import frozen

from bluegreen import read_plan
from bluegreen.core.gates import DAYS, Alarm, Gate, Hook, MetricGate, Probe, Window
from bluegreen.core.plan import Plan
from bluegreen.core.preflight import Survey, survey
from bluegreen.core.state import Ledger, Phase
from bluegreen.core.text import counted
from bluegreen.core.view import gates_for
from bluegreen.journal.history import last

from .exits import Exit
from .folder import Folder
from .kept import cloud_of, saved_world
from .options import Command, image_option, json_option, plan_file, set_option, state_option, version_option
from .output import Output
from .wish import deployed

SAMPLES = (1, 2, 4, 10)
"""Sizes for which real shares are shown when the size is not known."""


@click.command(cls=Command, codes=(Exit.REFUSED,), short_help="Say what would be done; do nothing.")
@plan_file
@image_option
@version_option
@set_option
@state_option
@json_option
@click.pass_obj
def plan(
    output: Output,
    file: Path,
    sets: tuple[str, ...],
    state: Path | None,
    *,
    image: str | None,
    version: int | None,
) -> int:
    """Check the plan in FILE, and say what a deployment of it would do.

    Beside the world that `simulate` keeps, this names the groups and sizes that would be used, and what
    would be refused; without one, sizes stay symbols: N is what the live group wants at the start.
    """
    wanted = read_plan(file, overrides=sets)
    folder = Folder.simulated(file, wanted.service, state)
    wanted = deployed(wanted, image, version)
    story = last(folder.journal(), wanted.service)
    unfinished = story is not None and not story.state.phase.ended
    # In the middle of a deployment nobody can say what the next one will find.
    forecast = Forecast(wanted, None if unfinished else look(wanted, folder))
    for line, style in forecast.lines():
        output.say(line, style)
    if story and unfinished:
        name, phase = story.state.ledger.deployment_id, story.state.phase.value
        output.say(f"Note: {name} has not ended, it is in {phase}: first it must go on, or be called off.")
    output.result("bluegreen.plan/1", forecast.data())
    return Exit.REFUSED if forecast.problems else Exit.DONE


def look(plan: Plan, folder: Folder) -> Survey | None:
    """What preflight would find in the saved world; None when there is none."""
    world = saved_world(folder, plan)
    if world is None:
        return None
    # A fault of the last release must not blind this look, and what it does to the copy is not saved.
    world = attrs.evolve(world, faults=(), schedule=())
    cloud = cloud_of(plan, world=world, traffic=0, add_image=True)
    return survey(plan, cloud.observe(plan, Ledger("plan")))


@frozen
class Forecast:
    """What a plan would do.

    Args:
        plan: The plan.
        found: What preflight finds; None when the world is not known.
    """

    plan: Plan
    found: Survey | None

    @property
    def size(self) -> int | None:
        """Blue's size, if it is known."""
        return self.found.need or None if self.found else None

    @property
    def problems(self) -> tuple[str, ...]:
        """Every reason to refuse that is known."""
        return self.found.problems if self.found else ()

    @property
    def names(self) -> tuple[str, str]:
        """Blue and green, by name where it is known which is which."""
        if self.found and self.found.blue and self.found.green:
            return self.found.blue, self.found.green
        return "the live group", "the other group"

    def real(self, percent: int) -> dict[int, Fraction]:
        """The share that green really gets at a rung, of 1, by blue's size."""
        sizes = SAMPLES if self.size is None else (self.size,)
        return {size: self.plan.real_share(percent, size) for size in sizes}

    # ---------------------------------------------------------------------------------------- for people

    def lines(self) -> Iterator[tuple[str, str]]:
        """The forecast: (line, style)."""
        plan = self.plan
        yield f"Release of {plan.service}: {plan.what}, launch template {plan.launch_template}", "bold"
        yield f"  {self._who()}", ""
        if self.problems:
            yield "Would be refused, and nothing changed:", "bold red"
            for problem in self.problems:
                yield f"  - {problem}", ""
            return
        yield "", ""
        for sign, text in self.changes():
            yield f"  {sign} {text}", {"+": "green", "~": "yellow", "-": "red", "!": "bold"}.get(sign, "")
        yield "", ""
        yield f"Floor:      {self.floor()}", ""
        for gate in plan.gates:
            yield f"Gate:       {_gate(gate)}, asked in {', '.join(_stages(plan, gate))}", ""
        limits = ", ".join(f"{name.removesuffix('_seconds')} {value} s" for name, value in self.deadlines())
        yield f"Deadlines:  {limits}", ""
        counts = [sum(sign == wanted for sign, _ in self.changes()) for wanted in "+~-"]
        yield "Plan: {} to add, {} to change, {} to remove. Nothing was done.".format(*counts), "bold"

    def _who(self) -> str:
        if self.found is None:
            one, other = self.plan.groups
            return f"Which of {one} and {other} is live (blue) is seen at the start; N is its size then."
        if self.found.first_release:
            return f"No group is live: first release, {self.found.green} is built and gets the traffic."
        return f"{self.found.blue} is live (blue) with {self.found.need}; {self.found.green} becomes green."

    def changes(self) -> Iterator[tuple[str, str]]:
        """What would be done, in order: (sign, text)."""
        plan, (blue, green), n = self.plan, self.names, self.size or "N"
        source = plan.source_version or "the one that is live"
        if self.found and self.found.source is not None:
            source = self.found.source
        if plan.version is None:
            yield "+", f"version of {plan.launch_template}: as {source}, with {plan.what}"
        else:
            yield " ", f"{plan.what} of {plan.launch_template} is taken as it is"
        if plan.fleets == "replace":
            yield "+", f"{green}: created like {blue} with {self._first_size()} of that version"
        else:
            yield "~", f"{green}: pointed at that version, 0 → {self._first_size()}"
        yield " ", "each instance is proven healthy before any user reaches it"
        if plan.test_rules:
            yield "~", f"test rules {', '.join(plan.test_rules)}: to {green}, until users have moved for good"
        if self.found and self.found.first_release:
            yield "~", f"requests: all to {green}, once it is proven"
            return
        for i, rung in enumerate(plan.rungs, start=1):
            yield (
                "~",
                f"rung {i} of {len(plan.rungs)}: {self.rung(rung.percent)}, watched for {rung.bake_seconds} s"
                + (", then a person must approve" if rung.approval else ""),
            )
        if seconds := plan.strategy.keep_blue_seconds:
            yield " ", f"{blue} is kept whole for {seconds} s more, an instant way back"
        yield "!", "commit: the one moment that cannot be undone. Until here every failure leads back to blue"
        end = "0 instances, then deleted" if plan.fleets == "replace" else "0 instances"
        yield (
            "-",
            f"{blue}: {n} → {end}"
            + (f" after {plan.retain_seconds} s" if plan.fleets == "replace" and plan.retain_seconds else ""),
        )
        yield " ", "what was borrowed (bounds, suspended scaling) is given back"
        if seconds := plan.keep_failed_green_seconds:
            yield " ", f"a green that fails is kept for {seconds} s, without users, before it goes"

    def _first_size(self) -> str:
        first = self.plan.rungs[0].percent
        if self.size is None:
            whole = not self.plan.shared or first == 100
            return "N instances" if whole else "what the first rung needs, in the end N instances"
        return counted(self.plan.green_size(first, self.size), "instance")

    def rung(self, percent: int) -> str:
        """One rung's share, asked and real."""
        if not self.plan.shared:
            return f"{percent} % of the requests to green, by weight"
        if percent == 100:
            beside = "a full-size green beside the whole blue: 50 % until blue goes"
            return f"100 % asked, {beside}"
        real = self.real(percent)
        if self.size is not None:
            green = self.plan.green_size(percent, self.size)
            share = _percent(real[self.size])
            return f"{percent} % asked, {share} real ({green} green beside {self.size} blue)"
        samples = ", ".join(f"{_percent(share)} of N = {size}" for size, share in real.items())
        return f"{percent} % asked; real, by the counts: {samples}"

    def floor(self) -> str:
        """The rule of the floor, with the number where it is known."""
        rule = f"{self.plan.min_healthy_percent} % of blue's size at the start, rounded up"
        if self.size is not None and self.found and not self.found.first_release:
            rule += f": {self.plan.floor(self.size)} of {counted(self.size, 'instance')}"
        return f"{rule}; no command takes the healthy serving instances below it"

    def deadlines(self) -> Iterator[tuple[str, int]]:
        """(name, seconds) for each deadline."""
        yield from attrs.asdict(self.plan.deadlines).items()

    # --------------------------------------------------------------------------------------- for programs

    def data(self) -> dict[str, Any]:
        """The forecast as JSON-able data; shares in percent."""
        plan, found = self.plan, self.found
        return {
            "service": plan.service,
            "image": plan.image,
            "version": plan.number,
            "launch_template": plan.launch_template,
            "groups": plan.groups,
            "blue": found.blue if found and not found.first_release else None,
            "green": found.green if found else None,
            "size": self.size,
            "first_release": found.first_release if found else None,
            "problems": self.problems,
            "routing": plan.routing.kind,
            "test_rules": plan.test_rules,
            "rungs": [
                {
                    "percent": rung.percent,
                    "real": [
                        {"size": size, "percent": float(100 * share)}
                        for size, share in self.real(rung.percent).items()
                    ],
                    "bake_seconds": rung.bake_seconds,
                    "approval": rung.approval,
                }
                for rung in plan.rungs
            ],
            "keep_blue_seconds": plan.strategy.keep_blue_seconds,
            "min_healthy_percent": plan.min_healthy_percent,
            "floor": plan.floor(self.size)
            if self.size is not None and found and not found.first_release
            else None,
            "gates": [
                {"kind": gate.kind, "name": gate.name, "phases": _stages(plan, gate)} for gate in plan.gates
            ],
            "deadlines": dict(self.deadlines()),
            "changes": [{"sign": sign.strip(), "text": text} for sign, text in self.changes()],
        }


def _percent(share: Fraction) -> str:
    return f"{float(100 * share):.3g} %"


def _gate(gate: Gate) -> str:
    match gate:
        case Alarm(name=name):
            return f"alarm {name} is not red"
        case Probe(name=name, url=url, status=status, requests=requests):
            return f"probe {name}: {counted(requests, 'request')} to {url} answered {status}"
        case MetricGate(name=name):
            by = f" by {gate.divided_by}" if gate.divided_by else ""
            value = f"{gate.statistic} of {gate.metric}{by} of green"
            return f"metric {name}: {value} stays {gate.comparison} {gate.threshold:g}"
        case Window(name=name):
            days = "every day" if len(gate.days) == len(DAYS) else ", ".join(gate.days)
            shut = f", but {', '.join(gate.freezes)}" if gate.freezes else ""
            return f"window {name}: {days} from {gate.opens} to {gate.closes} {gate.time_zone}{shut}"
        case Hook(name=name):
            return f"hook {name}, a check of your own"


def _stages(plan: Plan, gate: Gate) -> list[str]:
    """The phases in which a gate is asked."""
    return [phase.value for phase in Phase if gate in gates_for(plan, phase)]


COMMANDS = (plan,)
