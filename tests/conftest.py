"""The Hypothesis profile: the same examples on every machine, more where a tier asks; and what is slow."""

import os

import pytest
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks moto's server takes seconds, and is kept out of `make check`."""
    for item in items:
        if {"moto", "aws"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
