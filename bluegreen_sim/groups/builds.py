"""Image builds: an instance that is started, runs commands, is stopped; the image that is made of it."""

from __future__ import annotations

import hashlib
import re

from attrs import evolve

from ..world import NEVER, Image, World, ms
from .autoscaling import Refused
from .built import BuildInstance, BuildState

_NEXT: dict[BuildState, BuildState] = {
    "pending": "running",
    "stopping": "stopped",
    "shutting-down": "terminated",
}


_ENDS = re.compile(r"false|exit\s+([0-9]{1,9})")
"""The first such line ends a script, with 1 or with the number; all other lines succeed."""


def progress_builds(world: World) -> World:
    """The world after what is due now of its builds; an ended instance is forgotten."""
    if not any(build.state_at <= world.now for build in world.builds):
        return world
    builds = [
        evolve(build, state=_NEXT[build.state], state_at=NEVER) if build.state_at <= world.now else build
        for build in world.builds
    ]
    return world.replaced(builds=tuple(build for build in builds if build.state != "terminated"))


def find_build(world: World, name: str) -> BuildInstance:
    """The build instance of that id.

    Raises:
        Refused: If there is none.
    """
    for build in world.builds:
        if build.id == name:
            return build
    raise Refused("absent", f"The instance ID '{name}' does not exist")


def start_instance(world: World, template: str, version: int | None, token: str, request: str) -> World:
    """Start a build instance from the launch template; the same request again starts no other."""
    if any(build.request == request for build in world.builds):
        return world
    if template != world.template or (version is not None and world.version(version) is None):
        raise Refused("absent", f"no launch template {template}, or no version {version} of it")
    serial = world.serial + 1
    ready_at = world.now + ms(world.settings.builder_boot_seconds)
    build = BuildInstance(f"i-{serial:04d}", token, request, "pending", ready_at)
    return world.replaced(serial=serial, builds=(*world.builds, build))


def run_command(world: World, name: str, index: int, script: str) -> World:
    """Run a shell script; it is done at once. Its output is the line by which it ends."""
    build = find_build(world, name)
    if build.state != "running":
        raise Refused("bug", f"instance {name} is {build.state}")
    if index < len(build.runs):
        return world
    code, line = _end_of(script)
    return _with_build(world, evolve(build, runs=(*build.runs, (code, f"$ {line}\n"))))


def _end_of(script: str) -> tuple[int, str]:
    """Exit code and line by which a script ends: the first ``exit N`` or ``false``, else its last line."""
    lines = [line.strip() for line in script.splitlines()]
    for line in lines:
        if found := _ENDS.fullmatch(line):
            return int(found[1] or 1) % 256, line
    return 0, lines[-1] if lines else ""


def stop_instance(world: World, name: str) -> World:
    """Stop a build instance."""
    return _ending(world, find_build(world, name), "stopping", ("pending", "running"))


def terminate_instance(world: World, name: str) -> World:
    """End a build instance; one that is gone has ended already."""
    if all(build.id != name for build in world.builds):
        return world
    return _ending(
        world, find_build(world, name), "shutting-down", ("pending", "running", "stopping", "stopped")
    )


def _ending(world: World, build: BuildInstance, state: BuildState, before: tuple[BuildState, ...]) -> World:
    if build.state not in before:
        return world
    at = world.now + ms(world.settings.builder_stop_seconds)
    return _with_build(world, evolve(build, state=state, state_at=at))


def image_id(name: str) -> str:
    """The id that an image of this name gets."""
    return "ami-0" + hashlib.sha256(name.encode()).hexdigest()[:16]


def create_image(world: World, name: str, image: str, token: str) -> World:
    """Register an image of a stopped instance; its label is its name."""
    find_build(world, name)
    found = world.image(image_id(image))
    if found is not None:
        if found.token == token:
            return world
        raise Refused("conflict", f"AMI name {image} is already in use")
    times = world.settings.image_seconds
    if isinstance(times, tuple):
        times = times[len(world.images) % len(times)]
    at = world.now + ms(times)
    return world.replaced(images=(*world.images, Image(image_id(image), image, token, at)))


def _with_build(world: World, build: BuildInstance) -> World:
    return world.replaced(builds=tuple(build if old.id == build.id else old for old in world.builds))
