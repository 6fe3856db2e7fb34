"""What is told to a world is checked when it is said: each field, and all that is wrong at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from attrs import fields

from bluegreen_sim import Application, Hook, Propagation, Scaling, Settings, StepScaling, TargetTracking
from bluegreen_sim.endpoint.answers.elbv2_attributes import attributes, contradictions

KINDS: dict[type, dict[str, Any]] = {
    Settings: {},
    Propagation: {},
    Application: {},
    Scaling: {},
    **{kind: {"name": "one"} for kind in (Hook, StepScaling, TargetTracking)},
}
FIELDS = [(kind, field.name) for kind in KINDS for field in fields(kind) if field.name != "applications"]


@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=lambda value: getattr(value, "__name__", value))
def test_no_field_takes_what_it_cannot_be(kind: type, field: str) -> None:
    """A value of another kind is refused by the field's name, with what to give instead."""
    for wrong in (object(), -(10.0**99), ("no such", 10.0**99)):
        with pytest.raises(ValueError, match=rf"^{field} = .*: give .") as no:
            kind(**KINDS[kind] | {field: wrong})
        assert "\n" not in str(no.value)


@pytest.mark.parametrize("field", [field for kind, field in FIELDS if field.endswith("_seconds")])
def test_no_time_is_negative(field: str) -> None:
    """Whatever lasts, lasts 0 seconds or more, and is a number."""
    kind = next(kind for kind, name in FIELDS if name == field)
    for wrong in (-1, float("nan"), True, "5"):
        with pytest.raises(ValueError, match=f"^{field} = "):
            kind(**KINDS[kind] | {field: wrong})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Settings(boot_seconds=()), "boot_seconds = (): give one number or more"),
        (lambda: Settings(pending_seconds=()), "pending_seconds = (): give one number or more"),
        (lambda: Settings(termination="oldest"), "termination = 'oldest': give 'oldest-version' or 'any' or"),
        (lambda: Settings(unhealthy_threshold=0), "unhealthy_threshold = 0: give a whole number, 1 to 10"),
        (lambda: Settings(replace_percent=-5), "replace_percent = -5: give a whole number, 0 to 100"),
        (lambda: Settings(deregistration_seconds=3601), "deregistration_seconds = 3601: give 0 to 3600"),
        (lambda: Settings(matcher="abc"), "matcher = 'abc': give codes of 200 to 499"),
        (lambda: Settings(matcher="200-600"), "matcher = '200-600': give codes of 200 to 499"),
        (lambda: Settings(zones=2, disabled_zones=(7,)), "disabled_zones = (7,): give some of 0 to 1"),
        (lambda: Settings(cursor="foo", zones=0), "zones = 0: give a whole number, 1 to 26; cursor = 'foo'"),
        (
            lambda: Settings(minimum_healthy_count=2),
            "dns_minimum_count = 1: give 0, or minimum_healthy_count",
        ),
        (
            lambda: Settings(minimum_healthy_percent=60, dns_minimum_percent=50),
            "dns_minimum_percent = 50: give 0, or minimum_healthy_percent = 60 or more",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_named(call: Callable[[], object], message: str) -> None:
    """The error has the field, its value and what to give; of several all."""
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_one_time_may_stand_for_a_menu() -> None:
    """A number is a menu of one, and a list is as good as a tuple."""
    assert Settings(boot_seconds=30) == Settings(boot_seconds=[30]) == Settings()  # type: ignore[arg-type]
    assert Propagation(weights_seconds=5).weights_seconds == (5,)


def test_what_settings_allow_the_attributes_of_a_target_group_allow_too() -> None:
    """Both know the same pairs, so that whatever a world has can be written back."""
    for settings in (
        Settings(minimum_healthy_count=2, dns_minimum_count=0),
        Settings(stickiness_seconds=60, group_stickiness_seconds=60),
        Settings(slow_start_seconds=30),
    ):
        assert not list(contradictions(attributes(settings)))
