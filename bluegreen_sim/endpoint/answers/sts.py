"""Security Token Service: who is asking."""

from __future__ import annotations

from bluegreen_sim.world import World

from .. import names
from ..asking import Change, Given, Read


def _get_caller_identity(world: World, given: Given) -> Given:  # noqa: ARG001
    user = f"arn:aws:iam::{names.ACCOUNT}:user/simulated"
    return {"UserId": "AIDASIMULATED0000000", "Account": names.ACCOUNT, "Arn": user}


READS: dict[str, Read] = {"GetCallerIdentity": _get_caller_identity}
CHANGES: dict[str, Change] = {}
