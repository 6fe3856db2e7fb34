"""Building an image: start an instance, run the commands that bring the new code, stop it, register it.

A deployment in small, of the same make: a frozen value says what is wanted, a literal table says how the
build goes on, ``step`` is a pure function, and the loop decides nothing. Nothing is written down on the
way: names and tokens are functions of the build, so a second run after a crash finds the instance and the
image of the first by looking, and goes on from there.

    start ─> run ─> stop ─> create ─> wait ─> clean_up ─> done
      └───────┴──────┴────────┴────────┴────────┘  └─> failed
"""

from .build import ImageBuild, ImageResult
from .machine import TRANSITIONS, BuildPhase, BuildSignal, BuildState, BuildStep, step

__all__ = [
    "TRANSITIONS",
    "BuildPhase",
    "BuildSignal",
    "BuildState",
    "BuildStep",
    "ImageBuild",
    "ImageResult",
    "step",
]
