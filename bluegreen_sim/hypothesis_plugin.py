"""What Hypothesis calls when it is imported: ``st.from_type(Plan)`` and the like then work."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def register() -> None:
    """Tell Hypothesis how plans, worlds and their settings are drawn; nothing is drawn before it is asked."""
    from hypothesis import strategies as st

    from bluegreen.core.plan import Plan

    from .cloud import SimCloud
    from .settings import Settings

    def testing() -> Any:
        return import_module(".testing", __package__)

    st.register_type_strategy(Plan, lambda _: testing().plans())
    st.register_type_strategy(Settings, lambda _: testing().settings())
    st.register_type_strategy(SimCloud, lambda _: testing().worlds(testing().plans()))
