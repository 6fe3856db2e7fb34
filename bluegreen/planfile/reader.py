"""Plans out of plain data and out of files, every fault at once with its place.

Keys are the names of the attributes, units included, and each value is judged by the check that its
attribute carries: a rule stands in ``core/plan.py`` and nowhere else. This is a walk over
``attrs.fields`` and not cattrs, because what makes a message good (the place, the key meant, the key
missing with an example) is all that cattrs would leave to us, and its coercions all that we would
have to switch off.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, get_args

import attrs
from attrs import NOTHING, frozen

from bluegreen import strategies
from bluegreen.core.checks import Check
from bluegreen.core.errors import Fault, PlanError
from bluegreen.core.gates import Gate
from bluegreen.core.limits import Deadlines, Limits
from bluegreen.core.plan import (
    Plan,
    Rung,
    SharedTargetGroup,
    Strategy,
    TemplateVersion,
    WeightedTargetGroups,
)

from . import places
from .overrides import override
from .places import Place, Places, Unreadable, below


@frozen
class FileFault(Fault):
    """A fault and where it stands.

    Args:
        path: See ``Fault``.
        value: See ``Fault``; ``attrs.NOTHING`` when the fault is about a key.
        remedy: See ``Fault``.
        file: The file's name, or the override (``--set KEY=VALUE``); empty when the data came from none.
        place: Line and column, from 1; (0, 0) when unknown.
    """

    file: str = ""
    place: Place = Place(0, 0)

    def __str__(self) -> str:
        """One line, as compilers write it: file, line, column, path, value, remedy."""
        where = f"{self.file}:{self.place.line}:{self.place.column}" if self.place.line else self.file
        value = "" if self.value is NOTHING else _shown(self.value)
        return ": ".join(filter(None, (where, self.path, value, self.remedy)))


class PlanFileError(PlanError):
    """A plan file cannot be read. ``faults`` are in the order of the file.

    Args:
        faults: Everything that is wrong.
        file: The file's name.
    """

    def __init__(self, faults: Iterable[FileFault], file: str) -> None:
        """Sort the faults by place, those of overrides last."""
        ordered: list[FileFault] = sorted(faults, key=lambda f: (bool(f.place.said), f.place[:2]))
        super().__init__(ordered)
        self.file = file

    def __reduce__(self) -> tuple[type[PlanError], tuple[object, ...]]:
        """As for every ``PlanError``, and the file."""
        return type(self), (self.faults, self.file)

    def __str__(self) -> str:
        """A line for each fault, and a last one that counts them."""
        count = len(self.faults)
        return "\n".join([*map(str, self.faults), f"{count} fault{'s'[: count != 1]} in {self.file}"])


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an int of 5,000 digits, a list in a list in a list ...
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= 80 else text[:77] + "..."


# ---------------------------------------------------------------------------------------------- reading

ROUTINGS: dict[str, type] = {cls.kind: cls for cls in (SharedTargetGroup, WeightedTargetGroups)}
GATES: dict[str, type] = {cls.kind: cls for cls in get_args(Gate)}

LADDERS: dict[str, Callable[..., Strategy]] = {
    "all-at-once": strategies.all_at_once,
    "canary": strategies.canary,
    "linear": strategies.linear,
    "side-by-side": strategies.side_by_side,
}
"""Each kind of strategy takes the parameters of its function; "rungs" takes those of ``Strategy``."""

EXAMPLES = {
    "groups": 'groups = ["web-blue", "web-green"]',
    "image": 'image = "ami-0abc"',
    "launch_template": 'launch_template = "web"',
    "metric": 'metric = "HTTPCode_Target_5XX_Count"',
    "name": 'name = "web-errors"',
    "percent": "percent = 10",
    "routing": 'routing = { kind = "shared", target_group = "web" }',
    "rungs": "rungs = [{ percent = 10 }, { percent = 100 }]",
    "service": 'service = "web"',
    "target_group": 'target_group = "web"',
    "threshold": "threshold = 5",
    "target_groups": 'target_groups = ["web-a", "web-b"]',
    "url": 'url = "http://{instance}/health"',
}


@frozen
class _Parameter:
    """What a key of a table stands for."""

    check: Check | None
    required: bool = False

    @classmethod
    def of(cls, field: attrs.Attribute[Any]) -> _Parameter:
        """A field of an attrs class."""
        return cls(field.metadata.get("check"), field.default is NOTHING)

    @classmethod
    def called(cls, name: str) -> _Parameter:
        """A parameter of a strategy's function: the unit at the end of its name tells its check."""
        rung = attrs.fields_dict(Rung)
        unit = {"percent": "percent", "seconds": "bake_seconds"}.get(name.rpartition("_")[2], name)
        return cls(rung[unit].metadata["check"])


class _Reader:
    """Builds a plan from plain data and collects what is wrong on the way."""

    def __init__(self, found: Places, file: str) -> None:
        self.places = found
        self.file = file
        self.faults: list[FileFault] = []
        # Every other key holds a plain value, which its check judges as it is: nothing is coerced.
        self.shapes: dict[str, Callable[[Any, str], Any]] = {
            "version": self.version,
            "groups": self.names,
            "target_groups": self.names,
            "also": lambda data, path: self.array(data, path, self.names),
            "phases": self.names,
            "days": self.names,
            "freezes": self.names,
            "test_rules": self.names,
            "routing": partial(self.union, kinds=ROUTINGS),
            "strategy": self.strategy,
            "rungs": lambda data, path: self.array(data, path, partial(self.table, Rung)),
            "gates": lambda data, path: self.array(data, path, partial(self.union, kinds=GATES)),
            "limits": partial(self.table, Limits),
            "deadlines": partial(self.table, Deadlines),
        }

    def say(self, path: str, value: object, remedy: str, place: Place | None = None) -> None:
        """Note a fault; it stands at the value unless ``place`` says otherwise."""
        place = self.places.value(path) if place is None else place
        self.faults.append(FileFault(path, value, remedy, place.said or self.file, place))

    def table(self, cls: type, data: object, path: str, kind: str | None = None) -> Any:
        """An object of an attrs class from a table."""
        make = _weighted if cls is WeightedTargetGroups else cls
        return self.call(
            make, {field.name: _Parameter.of(field) for field in attrs.fields(cls)}, data, path, kind
        )

    def call(
        self,
        make: Callable[..., Any],
        parameters: dict[str, _Parameter],
        data: Any,
        path: str,
        kind: str | None,
    ) -> Any:
        """What ``make`` makes of a table whose keys are its parameters; None after a fault."""
        before = len(self.faults)
        if not self.is_table(data, path):
            return None
        known = [*parameters, *(["kind"] if kind else [])]
        for key in data:
            if key not in known:
                self.unknown_key(path, key, known)
        values = {}
        for key, parameter in parameters.items():
            if key in data:
                values[key] = self.value(data[key], below(path, key), key, parameter.check)
            elif parameter.required:
                self.missing_key(path, key)
        if len(self.faults) > before:
            return None
        return self.made(make, values, path)

    def made(self, make: Callable[..., Any], values: dict[str, Any], path: str) -> Any:
        """The object itself; what is wrong now lies between values that are right one by one."""
        try:
            return make(**values)
        except PlanError as error:
            for fault in error.faults:
                inner = fault.under(path) if path else fault
                self.say(inner.path, inner.value, inner.remedy)
        except (OverflowError, RecursionError) as error:  # re.compile("a{99999999999}"), "((((..."
            self.say(path, NOTHING, f"a value that cannot be judged: {error}")
        return None

    def value(self, data: object, path: str, key: str, check: Check | None) -> Any:
        """One value: shaped, then judged."""
        before = len(self.faults)
        shaped = self.shapes[key](data, path) if key in self.shapes else data
        if len(self.faults) == before and check and (remedy := check(shaped)):
            self.say(path, data, remedy)
        return shaped

    def is_table(self, data: object, path: str) -> bool:
        """Whether this is a table; a fault if not."""
        if not isinstance(data, dict):
            self.say(path, data, "must be a table")
        return isinstance(data, dict)

    def array(self, data: object, path: str, element: Callable[[Any, str], Any]) -> tuple[Any, ...]:
        """A tuple from an array."""
        if not isinstance(data, list | tuple):
            self.say(path, data, "must be an array")
            return ()
        return tuple(element(item, f"{path}[{index}]") for index, item in enumerate(data))

    def names(self, data: object, path: str) -> tuple[str, ...]:
        """A tuple of strings."""

        def name(item: object, at: str) -> str:
            if not isinstance(item, str):
                self.say(at, item, "must be a string")
            return str(item) if isinstance(item, str) else ""

        return self.array(data, path, name)

    def union(self, data: object, path: str, kinds: dict[str, type]) -> Any:
        """An object whose class its ``kind`` tells."""
        kind = self.kind(data, path, list(kinds))
        return self.table(kinds[kind], data, path, kind) if kind else None

    def kind(self, data: Any, path: str, known: list[str]) -> str | None:
        """The ``kind`` of a table, if it is one of the known."""
        if not self.is_table(data, path):
            return None
        if "kind" not in data:
            self.missing_key(path, "kind", f'kind = "{known[0]}"')
        elif (kind := data["kind"]) in known:
            return str(kind)
        else:
            remedy = "must be one of " + ", ".join(map(repr, known))
            self.say(below(path, "kind"), kind, remedy + _meant(kind, known))
        return None

    def version(self, data: Any, path: str) -> TemplateVersion | None:
        """A launch template version, by its number."""
        if remedy := attrs.fields(TemplateVersion).number.metadata["check"](data):
            self.say(path, data, remedy)
            return None
        return TemplateVersion(data)

    def strategy(self, data: Any, path: str) -> Strategy | None:
        """A strategy by the name of its function, by CodeDeploy's name, or rung by rung."""
        name = data.get("kind") if isinstance(data, dict) else None
        if isinstance(name, str) and name[:1].isupper():  # CodeDeploy's names; ours are small
            try:
                ready = strategies.named(name)
            except PlanError as error:
                self.say(below(path, "kind"), name, error.faults[0].remedy)
                return None
            return self.call(lambda: ready, {}, data, path, name)  # type: ignore[no-any-return]
        kind = self.kind(data, path, [*LADDERS, "rungs"])
        if kind is None or kind == "rungs":
            return self.table(Strategy, data, path, kind) if kind else None
        parameters = {name: _Parameter.called(name) for name in inspect.signature(LADDERS[kind]).parameters}
        return self.call(LADDERS[kind], parameters, data, path, kind)  # type: ignore[no-any-return]

    def unknown_key(self, path: str, key: object, known: list[str]) -> None:
        """A key that means nothing here."""
        place = self.places.key(below(path, str(key)))
        # difflib takes a millisecond a key; a file with more typos than this is no plan file.
        meant = _meant(key, known) if len(self.faults) < 100 else ""
        self.say(path, NOTHING, f"unknown key {_shown(key)}{meant}", place)

    def missing_key(self, path: str, key: str, example: str | None = None) -> None:
        """A key without which the table means nothing."""
        self.say(path, NOTHING, f"missing key {key!r}; for example: {example or EXAMPLES[key]}")


def _weighted(target_groups: tuple[str, str], **options: Any) -> WeightedTargetGroups:
    return WeightedTargetGroups(*target_groups, **options)


def _meant(given: object, known: list[str]) -> str:
    """The known word that was probably meant, as the end of a sentence."""
    import difflib

    if not isinstance(given, str) or len(given) > 64:
        return ""
    close = difflib.get_close_matches(given, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def plan_from_data(data: object) -> Plan:
    """A plan from plain data, as TOML or JSON parsers give it.

    Args:
        data: A dict with the keys of a plan file.

    Raises:
        PlanFileError: With every fault.
    """
    return _plan(data, Places(), "")


def _plan(data: object, found: Places, file: str, overrides: Iterable[str] = ()) -> Plan:
    reader = _Reader(found, file)
    for fault in override(data, found, overrides):
        reader.say(*fault)
    plan = reader.table(Plan, data, "")
    if reader.faults:
        raise PlanFileError(reader.faults, file or "the plan")
    return plan  # type: ignore[no-any-return]


def _parsed(
    text: str, name: str, parse: Callable[[str], tuple[Any, Places]], overrides: Iterable[str] = ()
) -> Plan:
    try:
        places.check_text(text)
        data, found = parse(text)
    except Unreadable as error:
        raise PlanFileError([FileFault("", NOTHING, error.remedy, name, error.place)], name) from None
    return _plan(data, found, name, overrides)


def plan_from_toml(text: str, name: str = "deployment.toml") -> Plan:
    """A plan from the text of a TOML file.

    Args:
        text: The text.
        name: What messages call the file.

    Raises:
        PlanFileError: With every fault and where it stands.
    """
    return _parsed(text, name, places.from_toml)


def read_plan(path: str | Path, *, overrides: Iterable[str] = ()) -> Plan:
    """A plan from a file: TOML, or what its extension says (``.json``, ``.yaml``, ``.yml``).

    Args:
        path: The file.
        overrides: Values to take instead of the file's, as ``strategy.bake_seconds=30``: path, then the
            value in TOML's syntax, whatever the file's; a bare word is text.

    Raises:
        PlanFileError: With every fault and where it stands.
        MissingExtra: If the file is YAML and the extra ``yaml`` is not installed.
        OSError: If the file cannot be opened.
    """
    path = Path(path)
    parsers = {".json": places.from_json, ".yaml": places.from_yaml, ".yml": places.from_yaml}
    with path.open("rb") as file:
        raw = file.read(places.MAX_BYTES + 1)
    text = raw.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    return _parsed(text, str(path), parsers.get(path.suffix.lower(), places.from_toml), overrides)
