"""An instance on which an image is built."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

BuildState = Literal["pending", "running", "stopping", "stopped", "shutting-down", "terminated"]


@frozen
class BuildInstance:
    """An instance on which an image is built.

    Args:
        id: Its id.
        token: Who made it.
        request: What for.
        state: As EC2 calls it.
        state_at: When that changes.
        runs: Exit code and output of each command.
    """

    id: str
    token: str
    request: str
    state: BuildState
    state_at: int
    runs: tuple[tuple[int, str], ...] = ()
