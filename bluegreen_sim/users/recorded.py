"""Counts of requests that somebody recorded: a CSV file, or what CloudWatch answers."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any


def csv_counts(source: str | Path | Iterable[str], column: str) -> list[int]:
    """The whole numbers in a column.

    Raises:
        ValueError: If there is no such column, or something else in it; the message has the line.
    """
    if isinstance(source, str | Path):
        with Path(source).open(encoding="utf-8", newline="") as lines:
            return csv_counts(lines, column)
    reader = csv.DictReader(source)
    if column not in (reader.fieldnames or ()):
        there = ", ".join(reader.fieldnames or ()) or "nothing"
        raise ValueError(f"column = {column!r}: the header has {there}; name the column with the counts")
    return [_count(f"line {reader.line_num}, {column}", row[column]) for row in reader]


def cloudwatch_counts(answer: Mapping[str, Any], period_seconds: int, wanted: str | None) -> list[int]:
    """The counts of all periods from the first that is told to the last; those not told are 0.

    Raises:
        ValueError: If it is no answer of CloudWatch about counts.
    """
    if "MetricDataResults" in answer:
        points = _data(answer, wanted)
    elif "Datapoints" in answer:
        points = [
            (point.get("Timestamp"), _member(f"Datapoints[{i}]", point, "Sum"))
            for i, point in enumerate(answer["Datapoints"])
        ]
    else:
        raise ValueError(
            f"answer = {_short(answer)}: neither MetricDataResults nor Datapoints is in it; "
            "give what get_metric_data or get_metric_statistics answered"
        )
    told = _by_second(points)
    if not told:
        return []
    first, last = min(told), max(told)
    for second in told:
        if (second - first) % period_seconds:
            raise ValueError(
                f"period_seconds = {period_seconds}: values {second - first} s apart were told; "
                "give the Period that CloudWatch was asked for"
            )
    return [told.get(second, 0) for second in range(first, last + 1, period_seconds)]


def _data(answer: Mapping[str, Any], wanted: str | None) -> list[tuple[Any, Any]]:
    results = {str(result.get("Id")): result for result in answer["MetricDataResults"]}
    if wanted is None and len(results) == 1:
        (wanted,) = results
    if wanted not in results:
        there = ", ".join(results) or "nothing"
        raise ValueError(f"query = {wanted!r}: MetricDataResults has {there}; give one of these")
    result = results[wanted]
    if answer.get("NextToken") or result.get("StatusCode", "Complete") != "Complete":
        raise ValueError(
            f"StatusCode = {result.get('StatusCode')!r}: this is not all; "
            "ask with NextToken again and join Timestamps and Values of all pages"
        )
    times, values = result.get("Timestamps", ()), result.get("Values", ())
    if len(times) != len(values):
        raise ValueError(f"Values = {len(values)} for {len(times)} Timestamps: give one for each")
    return list(zip(times, values, strict=True))


def _by_second(points: Iterable[tuple[Any, Any]]) -> dict[int, int]:
    """Counts by second since 1970."""
    found: dict[int, int] = {}
    for when, value in points:
        second = _second(when)
        if second in found:
            raise ValueError(f"Timestamp = {when}: it is there twice; give each period once")
        found[second] = _count(f"the value of {when}", value)
    return found


def _second(when: object) -> int:
    if isinstance(when, str):
        with suppress(ValueError):
            when = datetime.fromisoformat(when)
    if not isinstance(when, datetime) or when.tzinfo is None:
        raise ValueError(f"Timestamp = {when!r}: give a time with its zone, as boto3 or the AWS CLI do")
    return round(when.timestamp())


def _count(name: str, value: object) -> int:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number < 0 or number % 1:
        raise ValueError(f"{name} = {value!r}: give a whole number of requests, 0 or more")
    return int(number)


def _member(where: str, point: Mapping[str, Any], name: str) -> object:
    if name not in point:
        raise ValueError(f"{where} = {_short(point)}: it has no {name}; ask for Statistics=['{name}']")
    return point[name]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
