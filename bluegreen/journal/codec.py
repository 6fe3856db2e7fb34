"""JSON and the core's values, both ways, exact and strict.

What is written comes back equal, or it is not written: a value of the wrong type, a key that nobody
knows and a number that is none are errors in both directions; nothing is coerced. Tuples are lists, sets
of ids sorted lists, enums their values; a command is tagged by its class, routing and gates by their
``kind``. A plan is written in full, so that a changed default never changes an old plan; of all other
values the fields that have their default are left out. A field added later takes its default when an
older journal is read.

The body of a record, by its kind:

============  ==========================================================================================
``lease``     ``{"holder": name, "fence": n, "since": seconds, "until": seconds}``
``started``   ``{"plan": Plan, "state": State}``
``decision``  ``{"observation": Observation, "state": State, "commands": [Command], "reason": sentence,
              "wake_at": seconds, "signal": word, "same": [what is as in the decision before]}``
``outcomes``  ``{"outcomes": [Outcome]}``
``evidence``  ``{"evidence": Evidence}``
``request``   ``{"kind": "approve" …, "by": name, "reason": text, "rung": n or null}``
============  ==========================================================================================
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from functools import cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

import attrs

from bluegreen.core.checks import Validated
from bluegreen.core.commands import Command
from bluegreen.core.errors import JournalDamaged, JournalError
from bluegreen.core.evidence import Evidence
from bluegreen.core.gates import Gate
from bluegreen.core.observation import Observation, Outcome, Request, RequestKind
from bluegreen.core.plan import Plan, Routing, WeightedTargetGroups
from bluegreen.core.state import State, Step
from bluegreen.ports import Holder

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")
Body = dict[str, Any]


# ------------------------------------------------------------------------------------------------- values


def canonical(data: object) -> bytes:
    """The one spelling of JSON-able data, in ASCII: keys sorted, no spaces, no NaN, no infinity.

    Raises:
        JournalError: If the data has no JSON form.
    """
    try:
        text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise JournalError(f"cannot be written as JSON: {error}") from error
    return text.encode("ascii")


def to_json(value: object) -> Any:
    """A value of the core as JSON-able data.

    Raises:
        JournalError: If the value holds something that could not be read back.
    """
    converter = _converter()
    try:
        return converter.unstructure(value)
    except Exception as error:
        raise JournalError(f"{type(value).__name__} cannot be written: {error!r}") from error


def from_json(cls: type[T], data: Any) -> T:
    """The value of class ``cls`` that ``to_json`` made ``data`` from.

    Raises:
        JournalDamaged: If ``data`` is not what ``to_json`` makes of such a value.
    """
    converter = _converter()
    try:
        return converter.structure(data, cls)
    except Exception as error:
        name = getattr(cls, "__name__", str(cls))
        raise JournalDamaged(f"this is no {name} as bluegreen writes it: {error!r}") from error


@cache
def _converter() -> Converter:
    from cattrs import Converter
    from cattrs.gen import make_dict_unstructure_fn
    from cattrs.strategies import configure_tagged_union

    converter = Converter(omit_if_default=True, forbid_extra_keys=True, detailed_validation=False)
    for primitive in (str, int, float, bool):
        converter.register_unstructure_hook(primitive, _number if primitive is float else _exact(primitive))
        converter.register_structure_hook(primitive, _exact(primitive))
    converter.register_unstructure_hook_factory(
        lambda cls: attrs.has(cls) and issubclass(cls, Validated),
        lambda cls: make_dict_unstructure_fn(cls, converter, _cattrs_omit_if_default=False),
    )
    converter.register_unstructure_hook_factory(_is_tuple, lambda cls: _tuple_to_list(cls, converter))
    converter.register_structure_hook_factory(_is_tuple, lambda cls: _list_to_tuple(cls, converter))
    converter.register_unstructure_hook_func(_is_ids, lambda ids: sorted(map(_exact(str), ids)))
    converter.register_structure_hook_func(_is_ids, _ids)
    converter.register_structure_hook(WeightedTargetGroups, _weighted(converter))

    configure_tagged_union(Command, converter, tag_name="kind")
    for union in (Gate, Routing):
        configure_tagged_union(union, converter, tag_name="kind", tag_generator=_kind)
    return converter


def _is_tuple(cls: Any) -> bool:
    return get_origin(cls) is tuple


def _is_ids(cls: Any) -> bool:
    return bool(cls == frozenset[str])


def _kind(cls: Any) -> str:
    return str(cls.kind)


def _exact(primitive: type) -> Callable[..., Any]:
    """Lets pass what is of the type itself, both ways."""

    def check(value: Any, _: Any = None) -> Any:
        if type(value) is not primitive:
            raise TypeError(f"{value!r} is no {primitive.__name__}")
        return value

    return check


def _number(value: Any) -> float:
    """A float is written as a float, also when the program holds an int: 5 s have one spelling, 5.0."""
    number = float(value) if type(value) in (int, float) else math.nan
    if number != value or math.isinf(number):
        raise TypeError(f"{value!r} is no float with an exact form")
    return number


def _tuple_to_list(cls: Any, converter: Converter) -> Callable[[Any], list[Any]]:
    """Writes ``tuple[X, ...]`` and ``tuple[X, Y]`` as lists."""
    hooks = [converter.get_unstructure_hook(kind) for kind in _kinds(cls)]

    def write(value: Any) -> list[Any]:
        return [hook(item) for hook, item in _paired(hooks, value, tuple, cls)]

    return write


def _list_to_tuple(cls: Any, converter: Converter) -> Callable[[Any, Any], tuple[Any, ...]]:
    """Reads ``tuple[X, ...]`` and ``tuple[X, Y]`` from lists, and from nothing else."""
    kinds = _kinds(cls)
    hooks = [(converter.get_structure_hook(kind), kind) for kind in kinds]

    def read(data: Any, _: Any) -> tuple[Any, ...]:
        return tuple(hook(item, kind) for (hook, kind), item in _paired(hooks, data, list, cls))

    return read


def _kinds(cls: Any) -> list[Any]:
    return [kind for kind in get_args(cls) if kind is not ...]


def _paired(hooks: list[T], items: Any, container: Any, cls: Any) -> Iterable[tuple[T, Any]]:
    """Each item with the hook for it; one hook serves all of ``tuple[X, ...]``."""
    repeated = get_args(cls)[1:] == (...,)
    if type(items) is not container:
        raise TypeError(f"{items!r} is no {container.__name__}, for {cls}")
    return zip(repeat(hooks[0], len(items)) if repeated else hooks, items, strict=True)


def _ids(data: Any, _: Any) -> frozenset[str]:
    ids = frozenset(map(_exact(str), data))
    if data != sorted(ids):
        raise TypeError(f"{data!r} is no sorted list of ids")
    return ids


def _weighted(converter: Converter) -> Callable[[Any, Any], WeightedTargetGroups]:
    """Reads the one class whose ``__init__`` takes its tuple as positional arguments."""
    read_names, exact = _list_to_tuple(tuple[str, str], converter), _exact(str)
    read_pairs = _list_to_tuple(tuple[tuple[str, str], ...], converter)

    def read(data: Any, _: Any) -> WeightedTargetGroups:
        if data.keys() - {"also"} != {"target_groups", "listener"}:
            raise TypeError(f"{data!r} has other keys than target_groups, listener and also")
        names = read_names(data["target_groups"], None)
        listener = data["listener"]
        also = read_pairs(data.get("also", []), None)
        return WeightedTargetGroups(*names, listener=None if listener is None else exact(listener), also=also)

    return read


# ------------------------------------------------------------------------------------------------- bodies


def lease(holder: Holder) -> Body:
    """The body of a ``lease``: who holds the service from this record on."""
    return {"holder": holder.name, "fence": holder.fence, "since": holder.since, "until": holder.until}


def read_lease(body: Body) -> Holder:
    """The holder in a ``lease``.

    Raises:
        JournalDamaged: If the body has another form; so do all readers below.
    """
    return from_json(Holder, {"name" if key == "holder" else key: value for key, value in body.items()})


def started(plan: Plan, state: State) -> Body:
    """The body of a ``started``: what is wanted, and the state before the first pass."""
    return {"plan": to_json(plan), "state": to_json(state)}


def read_started(body: Body) -> tuple[Plan, State]:
    """Plan and first state in a ``started``."""
    plan, state = _parts(body, "plan", "state")
    if isinstance(plan, dict) and isinstance(limits := plan.get("limits"), dict):
        # What was written before there was this limit goes on as it began: without a wait.
        plan = {**plan, "limits": {"settle_seconds": 0, **limits}}
    return from_json(Plan, plan), from_json(State, state)


Pass = tuple[Observation, Step]


def decision(observation: Observation, step: Step, last: Pass | None = None) -> Body:
    """The body of a ``decision``: what a pass knew, what it decided, what it is about to send.

    Args:
        observation: What it knew.
        step: What it decided.
        last: The deployment's decision before. What is large and has not changed since, the fleets and the
            sightings, is not written again but named in ``same``: most passes only wait.
    """
    same = []
    if last and observation.fleets == last[0].fleets:
        same.append("fleets")
        observation = attrs.evolve(observation, fleets=())
    if last and step.state.sightings == last[1].state.sightings:
        same.append("sightings")
        step = attrs.evolve(step, state=step.state.replaced(sightings=()))
    return {"observation": to_json(observation), **to_json(step), **({"same": same} if same else {})}


def read_decision(body: Body, last: Pass | None = None) -> Pass:
    """Observation and step in a ``decision``, with the deployment's decision before it."""
    rest = dict(body)
    same = rest.pop("same", [])
    observation = from_json(Observation, rest.pop("observation", None))
    step = from_json(Step, rest)
    if same and last is None:
        raise JournalDamaged(f"a decision repeats {same} of one that is not there")
    if last and "fleets" in same:
        observation = attrs.evolve(observation, fleets=last[0].fleets)
    if last and "sightings" in same:
        step = attrs.evolve(step, state=step.state.replaced(sightings=last[1].state.sightings))
    return observation, step


def outcomes(outcomes: Iterable[Outcome]) -> Body:
    """The body of an ``outcomes``: what became of the commands that were sent."""
    return {"outcomes": [to_json(outcome) for outcome in outcomes]}


def read_outcomes(body: Body) -> tuple[Outcome, ...]:
    """The outcomes in an ``outcomes``."""
    (found,) = _parts(body, "outcomes")
    return from_json(tuple[Outcome, ...], found)


def evidence(found: Evidence) -> Body:
    """The body of an ``evidence``: what a green leaves behind that was given up."""
    return {"evidence": to_json(found)}


def read_evidence(body: Body) -> Evidence:
    """What is in an ``evidence``."""
    (found,) = _parts(body, "evidence")
    return from_json(Evidence, found)


def request(kind: RequestKind, *, by: str, reason: str = "", rung: int | None = None) -> Body:
    """The body of a ``request``: what an operator asks for; see ``Request``.

    Raises:
        JournalError: If it could not be read back. A request comes from outside, and one that nobody can
            read would block the service's log for good.
    """
    body: Body = {"kind": kind, "by": by, "reason": reason, "rung": rung}
    try:
        read_request(1, body)
    except JournalDamaged as error:
        raise JournalError(f"no request: {error}") from error
    return body


def read_request(seq: int, body: Body) -> Request:
    """The request in the ``request`` that stands in slot ``seq``."""
    kind, by, reason, rung = _parts(body, "kind", "by", "reason", "rung")
    return from_json(Request, {"seq": seq, "kind": kind, "by": by, "reason": reason, "rung": rung})


def _parts(body: Body, *keys: str) -> list[Any]:
    if body.keys() != set(keys):
        raise JournalDamaged(f"a record's body has the keys {sorted(body)}, not {sorted(keys)}")
    return [body[key] for key in keys]
