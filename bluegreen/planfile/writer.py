"""Plans into TOML."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import Any

import attrs

from bluegreen.core.errors import PlanError
from bluegreen.core.plan import Plan, Strategy, TemplateVersion

from .reader import LADDERS

TABLES = ("routing", "strategy", "limits", "deadlines", "gates")


def plan_to_toml(plan: Plan) -> str:
    """The plan as a TOML file, without what is as it would be anyway.

    ``plan_from_toml`` of it is equal to the plan.
    """
    tables: list[tuple[str, dict[str, Any]]] = [
        ("", {key: value for key, value in _pairs(plan).items() if key not in TABLES}),
        ("[routing]", _pairs(plan.routing)),
        ("[strategy]", _ladder(plan.strategy)),
        ("[limits]", _pairs(plan.limits)),
        ("[deadlines]", _pairs(plan.deadlines)),
        *(("[[gates]]", _pairs(gate)) for gate in plan.gates),
    ]
    return "\n".join(_block(header, pairs) for header, pairs in tables if pairs)


def _pairs(value: Any) -> dict[str, Any]:
    """The attributes that differ from their defaults, after the kind if there is one."""
    pairs = {"kind": value.kind} if hasattr(value, "kind") else {}
    for field in attrs.fields(type(value)):
        if (given := getattr(value, field.name)) != field.default:
            pairs[field.name] = given
    return pairs


def _ladder(strategy: Strategy) -> dict[str, Any]:
    """The parameters of the function that makes this strategy; rung by rung if none does."""
    if make := LADDERS.get(strategy.name):
        first, last = strategy.rungs[0], strategy.rungs[-1]
        known = {
            "percent": first.percent,
            "step_percent": first.percent,
            "bake_seconds": first.bake_seconds,
            "every_seconds": first.bake_seconds,
            "last_bake_seconds": last.bake_seconds,
            "approval": first.approval,
            "keep_blue_seconds": strategy.keep_blue_seconds,
        }
        parameters = inspect.signature(make).parameters
        with suppress(PlanError):
            if make(**{name: known[name] for name in parameters}) == strategy:
                said = {key: known[key] for key, asked in parameters.items() if known[key] != asked.default}
                return {"kind": strategy.name, **said}
    return {"kind": "rungs", **_pairs(strategy)}


def _block(header: str, pairs: dict[str, Any]) -> str:
    rungs = pairs.pop("rungs", ())
    lines = [*filter(None, [header]), *(f"{key} = {_toml(value)}" for key, value in pairs.items())]
    inner = [_block("[[strategy.rungs]]", _pairs(rung)) for rung in rungs]
    return "\n".join([*lines, "", *inner])


def _toml(value: Any) -> str:
    import json

    if isinstance(value, TemplateVersion):
        return str(value.number)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON's strings, booleans and whole numbers are TOML's, but for one character that JSON leaves bare.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
