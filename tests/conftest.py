"""The Hypothesis profile: the same examples on every machine, more of them where a tier asks."""

import os

from hypothesis import Phase, settings

settings.register_profile(
    "bluegreen",
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),  # to explain a failing run costs minutes
    max_examples=int(os.environ.get("BLUEGREEN_EXAMPLES", "100")),
)
settings.load_profile("bluegreen")
