"""The Hypothesis profile: the same examples on every machine, more of them where a tier asks."""

import os

from hypothesis import settings

settings.register_profile(
    "bluegreen",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=int(os.environ.get("BLUEGREEN_EXAMPLES", "100")),
)
settings.load_profile("bluegreen")
