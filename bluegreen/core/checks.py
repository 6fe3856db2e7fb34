"""Checks of single values, and the mixin that reports every fault of an object at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs
from attrs import field

from .errors import Fault, PlanError

Check = Callable[[Any], str | None]
"""Says what is wrong with a field's value and what would be right; None when it is right."""


def checked(check: Check, **options: Any) -> Any:
    """A field whose value ``check`` must accept. The check also serves the readers of plan files."""
    return field(metadata={"check": check}, **options)


def faults_of(value: Any) -> Iterator[Fault]:
    """Every fault of an attrs object: of its fields first, then between them."""
    wrong = False
    for attribute in attrs.fields(type(value)):
        check = attribute.metadata.get("check")
        given = getattr(value, attribute.name)
        if check and (remedy := check(given)):
            wrong = True
            yield Fault(attribute.name, given, remedy)
    if not wrong:
        yield from value.cross_faults()


_BARE: dict[type, Callable[[Any], object]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    tuple: lambda value: tuple(map(bare, value)),
}


def bare(value: Any) -> Any:
    """An equal value without a class of its own: of an enumeration's word, of another library's number.

    Args:
        value: Any; what is no text, number or tuple stays as it is.
    """
    for kind, strip in _BARE.items():
        if isinstance(value, kind) and type(value) is not bool:
            return strip(value)
    return value


class Validated:
    """Mixin: refuses to be built with a fault, and names all of them. Journals can write what it holds."""

    __slots__ = ()

    def __attrs_post_init__(self) -> None:
        """Raise PlanError with all faults."""
        cls: Any = type(self)
        for attribute in attrs.fields(cls):
            object.__setattr__(self, attribute.name, bare(getattr(self, attribute.name)))
        if found := list(faults_of(self)):
            raise PlanError(found)

    def cross_faults(self) -> Iterator[Fault]:
        """Faults between fields that are right one by one."""
        yield from ()


def whole(low: int, high: int, unit: str = "") -> Check:
    """A whole number from ``low`` to ``high``; True and False are no numbers."""

    def check(value: object) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return None
        return f"must be a whole number{' of ' + unit if unit else ''} from {low} to {high}"

    return check


def optional(check: Check) -> Check:
    """None, or what ``check`` accepts."""
    return lambda value: None if value is None else check(value)


def matching(pattern: str, words: str) -> Check:
    """A string that ``pattern`` matches whole; ``words`` describe it."""
    compiled = re.compile(pattern)
    return lambda value: None if isinstance(value, str) and compiled.fullmatch(value) else f"must be {words}"


def tuple_of(words: str, check: Check) -> Check:
    """A tuple that ``check`` accepts; ``words`` say of what."""
    return lambda value: check(value) if isinstance(value, tuple) else f"must be a tuple of {words}"


def one_of(*choices: str) -> Check:
    """One of the given strings."""
    return lambda value: None if value in choices else "must be one of " + ", ".join(map(repr, choices))


def flag(value: object) -> str | None:
    """True or False."""
    return None if isinstance(value, bool) else "must be true or false"


def instance_of(*classes: type) -> Check:
    """An instance of one of the classes."""
    names = " or ".join(c.__name__ for c in classes)
    return lambda value: None if isinstance(value, classes) else f"must be a {names}"


DAY = 86_400
seconds = whole(0, 30 * DAY, "seconds")
percentage = whole(0, 100, "percent")
service_name = matching(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}",
    "1 to 63 letters, digits, dots, hyphens or underscores, a letter or digit first",
)
resource_name = matching(
    r"[A-Za-z0-9][A-Za-z0-9 ._/()+=@-]{0,254}",
    "1 to 255 letters, digits or any of '._/()+=@-', a letter or digit first",
)
# Auto Scaling: ASCII characters from 33 to 126, no colon (API reference, CreateAutoScalingGroup); blanks
# are seen, too. IAM policies are made of these names: there '*', '?' and '$' would stand for other groups
# as well.
group_name = matching(
    r"(?! )[^\x00-\x1f:*?$\x7f-\U0010ffff]{1,255}",
    "1 to 255 printable ASCII characters, none of ':*?$', no blank first",
)


def alarm_name(value: object) -> str | None:
    """CloudWatch: 1 to 255 characters, none of them for control (API reference, PutMetricAlarm)."""
    right = isinstance(value, str) and 1 <= len(value) <= 255 and value.isprintable()
    return None if right else "must be 1 to 255 printable characters"


template_name = matching(
    r"[A-Za-z0-9()./_-]{3,128}", "a template's name: 3 to 128 letters, digits or any of '()./_-'"
)
# ELB: "up to 32 characters, alphanumeric or hyphens, must not begin or end with a hyphen"
# (API reference, CreateTargetGroup).
target_group_name = matching(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?",
    "a target group's name: 1 to 32 letters, digits or hyphens, no hyphen at either end",
)


rule_name = matching(r"[A-Za-z0-9][\w.:/-]{0,511}", "a listener's or rule's name or ARN")


def _different_rules(value: tuple[object, ...]) -> str | None:
    if remedy := next((f"{name!r} {remedy}" for name in value if (remedy := rule_name(name))), None):
        return remedy
    return None if len(set(value)) == len(value) else "must name each rule once"


def _two_target_groups(value: tuple[object, ...]) -> str | None:
    if len(value) != 2:
        return "must be two target groups, paired with the groups by position"
    for name in value:
        if remedy := target_group_name(name):
            return f"{name!r} {remedy}"
    return "must be two different target groups" if value[0] == value[1] else None


names_of_rules = tuple_of("listeners or rules, by name or ARN", _different_rules)
two_target_groups = tuple_of("two target groups, paired with the groups by position", _two_target_groups)
target_group_pairs = tuple_of(
    "pairs of target groups",
    lambda value: next((remedy for remedy in map(two_target_groups, value) if remedy), None),
)
