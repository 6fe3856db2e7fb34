"""bluegreen's commands, and those of an image build, carried out on a world."""

from __future__ import annotations

from bluegreen.core.commands import (
    Attach,
    Command,
    CopySetting,
    CreateFleet,
    DeleteFleet,
    Detach,
    Freeze,
    PrepareVersion,
    SetBounds,
    SetShares,
    SetSize,
    SetTestShares,
    SetVersion,
)
from bluegreen.core.observation import ErrorClass, Outcome, Result

from .balancing import balancer
from .balancing.routing import Rule
from .faults import LateCall, LostAnswer, RefusedCall
from .groups import autoscaling
from .groups.autoscaling import Refused
from .world import Group, World


def called(
    world: World, command: Command, fate: LostAnswer | RefusedCall | LateCall | None
) -> tuple[World, Outcome]:
    """The world after a call with such a fate, and what its sender hears of it."""
    refused = None
    if isinstance(fate, RefusedCall):
        refused = Refused(fate.error, "refused by the simulator, as it was told")
    elif fate is None or (isinstance(fate, LostAnswer) and fate.applied):
        try:
            world = carry_out(world, command)
        except Refused as no:
            refused = no
    if isinstance(fate, LostAnswer | LateCall):
        lost = Outcome(command=command, result=Result.UNKNOWN, error=ErrorClass.LOST, detail="no answer")
        return world, lost
    if refused is not None:
        error = ErrorClass(refused.kind)
        return world, Outcome(command=command, result=error.result, error=error, detail=str(refused))
    return world, Outcome(command=command, result=Result.APPLIED)


def carry_out(world: World, command: Command) -> World:
    """The world after a command.

    Raises:
        Refused: If the world says no; it is then as it was.
    """
    autoscaling.permitted(world, type(command).__name__)
    match command:
        case PrepareVersion(template=template, source=source, image=image, token=token):
            return autoscaling.prepare_version(world, template, source, image, token)
        case CreateFleet():
            return _create(world, command)
        case SetVersion(fleet=fleet, version=version):
            return autoscaling.set_version(world, fleet, version)
        case SetBounds(fleet=fleet, min=low, max=high):
            return autoscaling.set_bounds(world, fleet, low, high)
        case SetSize(fleet=fleet, size=size, min=low, max=high):
            return autoscaling.set_size(world, fleet, size, low, high)
        case SetShares() | SetTestShares():
            return _divide(world, command)
        case Attach(fleet=fleet):
            return autoscaling.attach(world, _shared(world, fleet))
        case Detach(fleet=fleet):
            return autoscaling.detach(world, _shared(world, fleet))
        case Freeze(fleet=fleet, frozen=frozen):
            return autoscaling.freeze(world, fleet, frozen=frozen)
        case CopySetting(setting=setting):
            raise Refused("bug", f"a group is made with all that another one has; it never lacks {setting}")
        case DeleteFleet(fleet=fleet):
            return autoscaling.delete_group(world, fleet)


def _create(world: World, command: CreateFleet) -> World:
    group = Group(
        name=command.fleet,
        min=command.min,
        max=command.max,
        desired=command.size,
        version=command.version,
        token=command.token,
    )
    return autoscaling.create_group(world, group, command.like)


def _shared(world: World, fleet: str) -> Group:
    if world.weighted:
        raise Refused("bug", f"{fleet} has a target group of its own: set its weight")
    return autoscaling.changeable(world, fleet)


def _divide(world: World, command: SetShares | SetTestShares) -> World:
    if not world.weighted:
        raise Refused("bug", "a shared target group has no weights: attach or detach")
    if isinstance(command, SetTestShares):
        return world.replaced(test_rule=_divided(world, world.test_rule, command.weights))
    if not any(weight for _, weight in command.weights):
        raise Refused("bug", f"weights must not be all 0: {command.weights}")
    return balancer.set_weights(world, _divided(world, world.rule, command.weights))


def _divided(world: World, rule: Rule, weights: Rule) -> Rule:
    given = {world.home(fleet): weight for fleet, weight in weights}
    if set(given) != {name for name, _ in rule}:
        raise Refused("absent", f"the rule divides between {', '.join(dict(rule)) or 'nothing'}")
    if not all(0 <= weight <= balancer.HIGHEST_WEIGHT for weight in given.values()):
        raise Refused("bug", f"weights must be 0 to {balancer.HIGHEST_WEIGHT}: {weights}")
    return tuple((name, given[name]) for name, _ in rule)
