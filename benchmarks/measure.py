"""Taking times so that they can be compared: rounds are interleaved, a figure is a median."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from time import perf_counter, process_time
from typing import TypeVar

from attrs import frozen

K = TypeVar("K")
T = TypeVar("T")


@frozen
class Section:
    """One subject's table.

    Args:
        title: What was measured.
        note: How, in one paragraph.
        header: Names of the columns.
        rows: One text for each column.
    """

    title: str
    note: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        """The section in Markdown."""
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        return f"## {self.title}\n\n{self.note}\n\n{table}\n"


@frozen
class Sections:
    """Several tables of one subject."""

    sections: Sequence[Section]

    def __str__(self) -> str:
        """All of them in Markdown."""
        return "\n".join(map(str, self.sections))


def medians(subjects: Mapping[K, Callable[[], float]], rounds: int) -> dict[K, float]:
    """The median of what each subject returns; each is asked once a round, so that all share the weather."""
    found: dict[K, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, run in subjects.items():
            gc.collect()
            found[name].append(run())
    return {name: median(values) for name, values in found.items()}


def seconds(run: Callable[[], object]) -> float:
    """How long one call takes."""
    start = perf_counter()
    run()
    return perf_counter() - start


def cpu_seconds(run: Callable[[], object]) -> float:
    """How long the process works for one call; what else the machine does is not in it."""
    start = process_time()
    run()
    return process_time() - start


def seconds_a_call(call: Callable[[T], object], arguments: Iterable[T]) -> float:
    """How long the process works for a call on average, over arguments that were made before."""
    ready = list(arguments)
    start = process_time()
    for argument in ready:
        call(argument)
    return (process_time() - start) / len(ready)


def shown(value: float) -> str:
    """A figure with three digits that count."""
    if value >= 1_000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"
