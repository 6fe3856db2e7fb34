"""Hypothesis strategies for settings; users find them in ``bluegreen_sim.testing``."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .settings import AT_ONCE, Propagation, Settings
from .users.application import Application
from .users.latency import Latency


def settings(*, quick: bool = False) -> SearchStrategy[Settings]:
    """How worlds may behave: boots that differ, rare or frequent checks, short or long draining.

    Args:
        quick: Only worlds in which everything, slow boots and recoveries included, is over long before
            the default deadlines.
    """
    boots = (0, 1, 10, 30, 60) if quick else (0, 1, 10, 30, 60, 120, 600, 1_200)
    fields: dict[str, SearchStrategy[Any]] = dict(
        nodes=st.integers(1, 4),
        cross_zone=st.sampled_from((True, False)),
        minimum_healthy_percent=st.sampled_from((0, 50)),
        dns_minimum_percent=st.sampled_from((0, 50)),
        dns_failover=st.sampled_from(("any", "all")),
        dns_seconds=st.sampled_from((60, 0)),
        propagation=st.sampled_from((AT_ONCE, Propagation.observed())),
        check_phases_seconds=st.sampled_from(((0,), (0, 2.5))),
        check_timeout_seconds=st.integers(2, 5),
        matcher=st.sampled_from(("200", "200-299")),
        react_seconds=st.integers(0, 6),
        pending_seconds=st.integers(0, 30),
        boot_seconds=st.lists(st.sampled_from(boots), min_size=1, max_size=3, unique=True).map(
            lambda menu: tuple(sorted(menu))  # the kind one first, as everywhere in Choices
        ),
        first_check_seconds=st.integers(0, 30),
        check_interval_seconds=st.sampled_from((5, 10, 30)),
        healthy_threshold=st.integers(2, 5 if quick else 10),
        unhealthy_threshold=st.integers(2, 5),
        deregistration_seconds=st.sampled_from((0, 30, 60) if quick else (0, 30, 60, 300)),
        stop_seconds=st.integers(0, 30),
        notice_seconds=st.sampled_from((0, 60, 120)),
        replace_percent=st.sampled_from((10, 50, 100)),
        attach_seconds=st.sampled_from((0, 5)),
        delete_seconds=st.sampled_from((0, 30)),
        # With a grace period of 0 an instance that boots slowly is replaced before it ever answers.
        replace_unhealthy=st.sampled_from((False,) if quick else (False, True)),
        retry_seconds=st.sampled_from((5, 15, 60)),
        termination=st.sampled_from(("oldest-version", "any")),
        cursor=st.sampled_from(("kept", "next", "reset")),
        **_REQUESTS,
    )
    # The instances of a disabled zone are never healthy targets.
    zones = [some for some in _ZONES if not (quick and "disabled_zones" in some)]
    return st.tuples(*map(st.sampled_from, (_TOGETHER, zones, _MINIMUMS))).flatmap(
        lambda parts: st.builds(
            Settings, **fields | {name: st.just(value) for some in parts for name, value in some.items()}
        )
    )


_REQUESTS: dict[str, SearchStrategy[Any]] = {
    "applications": st.sampled_from(
        (
            (),
            (("ami-0alpha", Application(latency=Latency.menu({0.05: 9, 3: 1}))),),
            (("ami-0alpha", Application(latency=Latency.constant(0.02), capacity=100, hangs=True)),),
        )
    ),
    "division": st.sampled_from(("exact", "random")),
    "group_stickiness_seconds": st.sampled_from((0, 60, 3600)),
    "cookie_refreshed": st.sampled_from((True, False)),
    "idle_timeout_seconds": st.sampled_from((60, 120)),
    "metric_delay_seconds": st.sampled_from((0, 60)),
}
_TOGETHER: tuple[dict[str, Any], ...] = (
    {},
    {"slow_start_seconds": 30},
    {"stickiness_seconds": 60, "group_stickiness_seconds": 60, "cross_zone": True},
    {"algorithm": "least_outstanding_requests"},
    {"algorithm": "weighted_random"},
)
_ZONES: tuple[dict[str, Any], ...] = (
    {"zones": 1},
    {"zones": 2},
    {"zones": 3},
    {"zones": 2, "disabled_zones": (1,)},
    {"zones": 3, "disabled_zones": (1,)},
)
_MINIMUMS: tuple[dict[str, Any], ...] = (
    {"minimum_healthy_count": 1, "dns_minimum_count": 1},
    {"minimum_healthy_count": 1, "dns_minimum_count": 2},
    {"minimum_healthy_count": 2, "dns_minimum_count": 2},
)
"""What AWS does not allow together is not drawn together."""
