"""``SimCloud``: the simulated world behind bluegreen's ``Cloud`` port."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from bluegreen.core.commands import Command
from bluegreen.core.evidence import Console, Evidence
from bluegreen.core.gates import MetricGate
from bluegreen.core.observation import Observation, Outcome
from bluegreen.core.plan import Plan, SharedTargetGroup
from bluegreen.core.state import Ledger
from bluegreen.ports import Series
from bluegreen.strategies import side_by_side

from . import engine
from .asking import called
from .balancing import balancer
from .balancing.routing import Routing
from .building import SimBuilder
from .choices import Choices
from .cloudwatch.alarms import CompositeAlarm, MetricAlarm
from .cloudwatch.evaluating import by_metrics, by_rules, reach_ms, with_alarms
from .cloudwatch.metrics import MINUTE_MS, Metrics, Query
from .faults import NO_FAULTS, AtPhase, Budget, Fault, LateCall, StaleLook, for_groups
from .fetching import Fetcher, find_instance
from .founding import carried_on, colours_of, found, named, with_applications
from .groups import autoscaling, steering
from .groups.scaling import Scaling
from .looking import Looker
from .measuring import measure
from .possible import Known, unfit
from .settings import Settings
from .timeline import Timeline
from .users.application import Application
from .users.traffic import Traffic
from .users.watching import rules_of
from .world import NEVER, World


class SimCloud:
    """A cloud with one service in it, a virtual clock, and users.

    Args:
        plan: What will be deployed; the world is made so that it can be.
        capacity: Instances of the live group at the start, all healthy.
        traffic: Requests a second, or a ``Traffic``; 0 keeps no timeline.
        seed: Of the random choices; the same seed gives the same run.
        faults: What goes wrong, and when.
        budget: What may go wrong at any moment, besides.
        live: Index of the live group in ``plan.groups``; None when nothing is live yet.
        live_image: Image that the live group runs.
        settings: How the world behaves.
        groups: What groups are told besides their sizes, by name or as ``blue`` and ``green``: lifecycle
            hooks, a grace period, scaling policies.
        applications: What the applications of images are like, by image; besides those of the settings.
        alarms: Alarms that are evaluated once a minute, from what users met since this cloud began.
        world: Goes on from this world; ``capacity``, ``live``, ``live_image``, ``settings`` and ``groups``
            are then not used.
        choices: Decide what is uncertain, instead of ``seed``.
        add_image: With ``world``: make the plan's image, or its version with an image, exist.

    Attributes:
        clock: The virtual clock, in seconds of world time.
        world: The world now; may be kept, and set.
        timeline: What users saw, from the start of this cloud on.
        choices: What decides.
        blue: Name of the group that was live at the start; of the second when none was.
        green: Name of the other.
        builder: Builds images in this world.

    Raises:
        ValueError: If something cannot be, or names what neither the plan nor the world has, so that it would
            silently never happen; all faults at once, a line for each. What only comes later is named in the
            ``SimCloud`` that then goes on from this one's world; template versions may be named before.
    """

    def __init__(
        self,
        plan: Plan,
        capacity: int = 2,
        traffic: int | Traffic = 100,
        seed: int = 1,
        *,
        faults: Iterable[Fault] = (),
        budget: Budget | None = None,
        live: int | None = 0,
        live_image: str = "ami-0alpha",
        settings: Settings | None = None,
        groups: Mapping[str, Scaling] | None = None,
        applications: Mapping[str, Application] | None = None,
        alarms: Iterable[MetricAlarm | CompositeAlarm] = (),
        world: World | None = None,
        choices: Choices | None = None,
        add_image: bool = False,
    ) -> None:
        """Make the world, or go on from one."""
        wrong = list(unfit(capacity, live))
        if world is None:
            # Where none can begin like this: one in which the rest can be looked at as well.
            capacity, live = (1, 0) if wrong else (capacity, live)
            world = found(
                plan,
                capacity=capacity,
                live=live,
                live_image=live_image,
                settings=settings or Settings(),
                budget=budget or NO_FAULTS,
                groups=named(plan, live, groups or {}),
            )
        else:
            world = carried_on(world, plan, budget, add_image=add_image)
        self.blue, self.green = colours_of(plan, world)
        faults, alarms = tuple(for_groups(fault, self.blue, self.green) for fault in faults), tuple(alarms)
        Known.of(plan, world, alarms).refuse(
            wrong, groups=groups or {}, applications=applications or {}, alarms=alarms, faults=faults
        )
        world = with_applications(world, applications or {})
        self.plan = plan
        self.choices = choices or Choices.seeded(seed)
        self.clock = engine.VirtualClock(lambda: self.world.now, self._elapse)
        self.traffic = traffic if isinstance(traffic, Traffic) else Traffic(traffic)
        self.timeline = self._new_timeline(world, seed)
        self._looker = Looker()
        self._routing = Routing(self.timeline)
        self._fetcher = Fetcher(plan)
        self._loads: deque[dict[str, float]] = deque(maxlen=steering.LOW_MINUTES)
        self._late: list[tuple[int, Callable[[World], World]]] = []
        self._phased = [fault for fault in faults if isinstance(fault, AtPhase)]
        self.timeline.on_phase = self._entered
        world = engine.with_faults(world, faults) if faults else world
        colours = {"blue": world.home(self.blue), "green": world.home(self.green)}
        self.world = with_alarms(world, alarms, colours)
        self._record(self.world)

    def _new_timeline(self, world: World, seed: int) -> Timeline:
        rules, nodes = rules_of(world.settings, seed), world.settings.node_count
        return Timeline(self.traffic, self.blue, nodes=nodes, start_ms=world.now, rules=rules)

    # ---------------------------------------------------------------------------------------- the Cloud port

    @property
    def listener(self) -> Timeline:
        """Told after each pass, without being named: phases belong to the story, and faults wait for them."""
        return self.timeline

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        """Look at all that the plan speaks of."""
        before, fate = engine.before_look(self.world, self.choices)
        at, token = self.clock.now(), ledger.deployment_id
        self.world = engine.remembered(before)
        if fate is None:
            return self._looker.look(before, plan, token, at)
        if isinstance(fate, StaleLook):
            seen = before.history[-fate.age :][:1]
            return self._looker.look(seen[0] if seen else before, plan, token, at)
        return self._looker.blind(before, plan, token, at)

    def look(self, plan: Plan, ledger: Ledger) -> Observation:
        """The same with nothing gone wrong, and without having asked: what is really there."""
        return self._looker.look(self.world, plan, ledger.deployment_id, self.clock.now())

    def apply(self, command: Command) -> Outcome:
        """Carry out one command, at most once, and say what became of it."""
        world, fate = engine.before_call(self.world, self.choices)
        self.world, outcome = called(world, command, fate)
        if isinstance(fate, LateCall):
            self.later(fate.seconds, lambda world: called(world, command, None)[0])
        self._record(self.world)
        return outcome

    # ------------------------------------------------------------------------------------------ time passes

    def _elapse(self, milliseconds: int) -> None:
        until = self.world.now + milliseconds
        world = engine.before_elapse(self.world, self.choices)
        self._record(world)
        self.world = world
        while (moment := min(minute := self._next_minute, late := self._next_late)) <= until:
            self._advance(moment)
            if minute <= late:
                self._minute_is_over()
            else:
                self.world = self._late.pop(0)[1](self.world)
                self._record(self.world)
        self._advance(until)

    def _advance(self, until: int) -> None:
        self.world = engine.advance(self.world, until, self.choices, self._record if self._watched else None)
        if self._watched:
            self._routing.extend(until)
        if self.world.evaluated:
            self.world = by_rules(self.world)

    @property
    def _next_minute(self) -> int:
        """When alarms are evaluated next, and policies look at the load."""
        asked = self._steered or self.world.evaluated
        return (self.world.now // MINUTE_MS + 1) * MINUTE_MS if asked else NEVER

    @property
    def _steered(self) -> bool:
        """Whether a group has scaling policies."""
        return any(group.scaling.policies for group in self.world.groups)

    @property
    def _next_late(self) -> int:
        """When something comes to pass that was asked for earlier."""
        return self._late[0][0] if self._late else NEVER

    def _minute_is_over(self) -> None:
        """Alarms are evaluated; groups with policies look at the load of the minute."""
        if self.world.evaluated:
            self.world = by_metrics(self.world, self._metrics(reach_ms(self.world)))
        if self._steered:
            self._loads.append(self._load(self.world))
            loads = {
                name: tuple(load[name] for load in self._loads if name in load) for name in self._loads[-1]
            }
            self.world = steering.steered(self.world, loads)
            self._record(self.world)

    def _load(self, world: World) -> dict[str, float]:
        """Requests of the minute that is over, by group, as they are divided now."""
        now = world.now - self.timeline.start_ms
        arrived = self.traffic.arrived(now) - self.traffic.arrived(max(0, now - MINUTE_MS))
        load = dict.fromkeys((group.name for group in world.groups), 0.0)
        for node in range(world.settings.node_count):
            pools = [pool for pool in balancer.pools(world, node) if pool.weight]
            total = sum(pool.weight for pool in pools) * world.settings.node_count
            for pool in pools:
                for _, group, *_ in pool.targets:
                    load[group] += arrived * pool.weight / total / len(pool.targets)
        return load

    def later(self, seconds: float, change: Callable[[World], World]) -> None:
        """Let a change of the world come to pass so many seconds from now; it is not part of the world."""
        self._late.append((self.world.now + round(seconds * 1000), change))
        self._late.sort(key=lambda each: each[0])

    def _entered(self, phase: str) -> None:
        """What waits for a phase happens when a deployment comes to it for the first time."""
        due = tuple(waiting.fault for waiting in self._phased if waiting.phase == phase)
        self._phased = [waiting for waiting in self._phased if waiting.phase != phase]
        if due:
            self.world = engine.with_faults(self.world, due)
            self._record(self.world)

    @property
    def _watched(self) -> bool:
        return not self.traffic.silent

    def _record(self, world: World) -> None:
        """Note what users meet from now on, if that can have changed."""
        if self._watched:
            self._routing.record(world)

    # ------------------------------------------------------------------------------------------ what is there

    @property
    def builder(self) -> SimBuilder:
        """The ``Builder`` port of bluegreen, on this world."""
        return SimBuilder(self)

    @property
    def build_instances(self) -> tuple[str, ...]:
        """Ids of the instances that exist for image builds."""
        return tuple(build.id for build in self.world.builds)

    def instances(self, group: str) -> tuple[str, ...]:
        """Ids of the instances of a group that exist, also of those on their way out."""
        found = self.world.group(group)
        return tuple(instance.id for instance in found.instances) if found else ()

    epoch = None
    """World time has no date: windows are taken as open."""

    def measure(self, gates: Sequence[MetricGate], groups: Sequence[str]) -> Mapping[tuple[str, str], Series]:
        """What the balancer counted for each group; see ``bluegreen.ports.Measure``."""
        return measure(self.timeline, gates, groups)

    def metrics(
        self,
        metric: str,
        target_group: str | None = None,
        *,
        statistic: str = "Sum",
        period_seconds: int = 60,
    ) -> dict[int, float]:
        """A metric as CloudWatch has it by now: no data point where there was nothing.

        Args:
            metric: Its name, such as ``HTTPCode_Target_5XX_Count``.
            target_group: Name of a target group, or ``"blue"`` or ``"green"``; None: of the load balancer.
            statistic: ``Sum``, ``Average``, ``Minimum``, ``Maximum``, ``SampleCount`` or a percentile.
            period_seconds: Of a data point.

        Returns:
            By the second of world time at which each period began.

        Raises:
            ValueError: If there is no such metric, target group, statistic or period.
        """
        if target_group and (wrong := list(Known.of(self.plan, self.world).of_target_group(target_group))):
            raise ValueError(wrong[0])
        names = {"blue": self.world.home(self.blue), "green": self.world.home(self.green)}
        return self.measured(
            Query(metric, names.get(target_group or "", target_group), statistic, period_seconds)
        )

    def measured(self, query: Query) -> dict[int, float]:
        """The same, as a query of ``bluegreen_sim.cloudwatch.metrics``."""
        return self._metrics().points(query)

    def _metrics(self, reach: int | None = None) -> Metrics:
        until = self.world.now - 1000 * self.world.settings.metric_delay_seconds
        since = 0 if reach is None else max(0, until - reach)
        return Metrics(self.timeline, dict(self.world.homes), until, since)

    def fetch(self, url: str) -> tuple[int, str]:
        """Answer a GET as the service would; the counted traffic is not touched.

        Args:
            url: ``http://<instance id>/`` asks an instance directly, and nobody (504) when it is gone; any
                other host is the balancer. The URL of one of the plan's probes with ``test`` comes by its
                test rule.

        Returns:
            Status and body: 200 and ``"<service> <version label> <instance id>"``; 500 for a wrong answer,
            502 or 504 from a target that does not answer, 503 without any target.
        """
        return self._fetcher.fetch(self.world, url)

    def evidence(self, fleet: str, instances: Sequence[str], lines: int) -> Evidence:
        """Why the group's last launch failed, if it did, and a line of what each instance has to say."""
        group = self.world.group(fleet)
        failed = group.launch_error if group else None
        living = [one for name in instances if lines and (one := find_instance(self.world, name))]
        said = [Console(one.id, (autoscaling.console(one),)) for one in living]
        activities = (f"Failed: launching an instance: {failed}",) if failed else ()
        return Evidence(fleet=fleet, activities=activities, consoles=tuple(said))


def tutorial() -> tuple[Plan, SimCloud]:
    """The plan of the AWS tutorial on blue/green deployment, and a cloud in which blue serves already."""
    plan = Plan(
        service="exercise",
        image="ami-0beta",
        launch_template="exercise-launch-template",
        groups=("exercise-group-blue", "exercise-group-green"),
        routing=SharedTargetGroup("exercise-target-group"),
        strategy=side_by_side(bake_seconds=60),
    )
    settings = Settings(deregistration_seconds=30)
    return plan, SimCloud(plan, capacity=2, traffic=100, seed=1, settings=settings)
