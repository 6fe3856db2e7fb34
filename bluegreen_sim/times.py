"""How long things take on AWS, as menus of a few values, so that every choice among them can be tried.

AWS documents few figures; those here are of the sizes that two small benchmarks and AWS's own samples show,
and docs/fidelity.md says for each how solid it is. A menu holds the middles of equally likely parts.
"""

from __future__ import annotations

import math

from attrs import evolve

from .settings import Settings

PENDING = (5, 8, 12, 16, 20)
"""Seconds from RunInstances to running: 5 s and 16 s in two benchmarks."""
BOOT = (15, 25, 35, 50, 80)
"""Seconds from running until an application answers: SSH after 3 to 60 s, and the reads of a new volume make
some boots take several times as long."""
IMAGE_MEDIAN_SECONDS, IMAGE_SLOWEST_SECONDS = 240, 1800
"""Half of all images are available after "a few minutes", 99 of 100 within half an hour."""


def lognormal(median: float, slowest: float, values: int = 5) -> tuple[float, ...]:
    """A menu for a time that is now and then many times as long.

    Args:
        median: Half of all are shorter, in seconds.
        slowest: 99 of 100 are shorter.
        values: How many.
    """
    from statistics import NormalDist

    normal = NormalDist()
    spread = math.log(slowest / median) / normal.inv_cdf(0.99)
    middles = [normal.inv_cdf((k + 0.5) / values) for k in range(values)]
    return tuple(round(median * math.exp(spread * middle), 1) for middle in middles)


def typical(settings: Settings | None = None) -> Settings:
    """A world in which things take as long as on AWS, as far as that is known.

    Args:
        settings: Of everything else.
    """
    return evolve(
        settings or Settings(),
        react_seconds=3,
        pending_seconds=PENDING,
        boot_seconds=BOOT,
        check_interval_seconds=30,
        notice_seconds=90,
        delete_seconds=120,
        image_seconds=lognormal(IMAGE_MEDIAN_SECONDS, IMAGE_SLOWEST_SECONDS),
    )
