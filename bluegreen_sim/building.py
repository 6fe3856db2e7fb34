"""bluegreen's ``Builder`` port, answered by the simulated world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluegreen.core.observation import ErrorClass, Result
from bluegreen.ports import (
    BuildCommand,
    BuildLook,
    BuildOutcome,
    CommandRun,
    CreateImage,
    RunCommand,
    StartInstance,
    StopInstance,
    TerminateInstance,
)

from .groups import builds
from .groups.autoscaling import Refused
from .world import World

if TYPE_CHECKING:
    from .cloud import SimCloud


class SimBuilder:
    """Builds images in the world of a ``SimCloud``; ``SimCloud.builder`` gives it.

    Args:
        cloud: Whose world.
    """

    def __init__(self, cloud: SimCloud) -> None:
        """Share the cloud's clock."""
        self._cloud = cloud
        self.clock = cloud.clock

    def look(self, token: str, name: str) -> BuildLook:
        """The instance that bears the token, its commands, and the image of that name."""
        world = self._cloud.world
        build = next((build for build in reversed(world.builds) if build.token == token), None)
        image = world.image(builds.image_id(name))
        return BuildLook(
            at=self.clock.now(),
            instance=build.id if build else None,
            instance_state=build.state if build else None,
            ready=build is not None and build.state == "running",
            runs=tuple(CommandRun(exit_code=code, output=text) for code, text in build.runs) if build else (),
            image=image.id if image else None,
            image_state=None if not image else "available" if image.available_at <= world.now else "pending",
            foreign=image is not None and image.token != token,
        )

    def apply(self, command: BuildCommand) -> BuildOutcome:
        """Carry out one command of a build."""
        try:
            self._cloud.world = _carry_out(self._cloud.world, command)
        except Refused as no:
            error = ErrorClass(no.kind)
            return BuildOutcome(result=error.result, error=error, detail=str(no))
        return BuildOutcome(result=Result.APPLIED)


def _carry_out(world: World, command: BuildCommand) -> World:
    match command:
        case StartInstance(launch_template=template, version=version, token=token, request=request):
            return builds.start_instance(world, template, version, token, request)
        case RunCommand(instance=instance, index=index, text=text):
            return builds.run_command(world, instance, index, text)
        case StopInstance(instance=instance):
            return builds.stop_instance(world, instance)
        case CreateImage(instance=instance, name=name, token=token):
            return builds.create_image(world, instance, name, token)
        case TerminateInstance(instance=instance):
            return builds.terminate_instance(world, instance)
