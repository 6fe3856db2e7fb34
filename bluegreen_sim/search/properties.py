"""What a search is asked, and what it answers: properties with names, and paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, Literal, TypeVar

from attrs import frozen

S = TypeVar("S")
L = TypeVar("L")

# ---------------------------------------------------------------------------------------------- properties


@frozen
class Always(Generic[S]):
    """Holds in every state.

    Args:
        name: What people call it.
        holds: Whether it does.
    """

    name: str
    holds: Callable[[S], bool]


@frozen
class AlwaysStep(Generic[S, L]):
    """Several promises over steps, judged together.

    Args:
        broken: Given the state before, what happened and the state after: the names of all that it breaks.
    """

    broken: Callable[[S, L, S], Iterable[str]]


@frozen
class Sometimes(Generic[S]):
    """Holds in some state; without one of these, a search may be safe because nothing can happen.

    Args:
        name: What people call it.
        holds: Whether it does.
        instead: Where the search got to, should it hold nowhere.
    """

    name: str
    holds: Callable[[S], bool]
    instead: Callable[[S], bool] = lambda _: False


@frozen
class Eventually(Generic[S, L]):
    """From every state, every way along certain steps leads to a goal.

    Args:
        name: What people call it.
        done: Whether a state is a goal.
        along: Whether a step counts. What is not counted may happen, but nothing may depend on it.
    """

    name: str
    done: Callable[[S], bool]
    along: Callable[[L], bool] = lambda _: True


Property = Always[S] | AlwaysStep[S, L] | Sometimes[S] | Eventually[S, L]


# -------------------------------------------------------------------------------------------------- results


@frozen
class Path(Generic[S, L]):
    """A way through the states.

    Args:
        start: Where it begins.
        steps: What happened, and the state after it.
    """

    start: S
    steps: tuple[tuple[L, S], ...] = ()

    @property
    def last(self) -> S:
        """Where it ends."""
        return self.steps[-1][1] if self.steps else self.start

    def __len__(self) -> int:
        """How many steps it has."""
        return len(self.steps)


Kind = Literal["always", "never", "dead end", "cycle"]


@frozen
class Discovery(Generic[S, L]):
    """A property that does not hold.

    Args:
        name: Its name.
        kind: ``always``: broken at the end of the path. ``never``: a *sometimes* that no state met; the path
            leads to where the search got instead. ``dead end`` and ``cycle``: an *eventually* that is not.
        path: A shortest one, if the search was breadth-first.
        back_to: Of a cycle: after how many steps of the path it begins; at the path's end it closes.
    """

    name: str
    kind: Kind
    path: Path[S, L]
    back_to: int | None = None


@frozen(kw_only=True)
class Search(Generic[S, L]):
    """What a search found.

    Args:
        states: Distinct states.
        edges: Steps, those that lead to known states included.
        depth: Steps of the longest of all shortest ways to a state; meaningful if breadth-first.
        complete: Whether everything was visited: a fixed point.
        waiting: States that were not expanded when the search stopped.
        discoveries: What does not hold, each property once, the shortest path first.
        bytes_per_state: What the search remembers of each state; what is in the frontier is not counted.
    """

    states: int
    edges: int
    depth: int
    complete: bool
    waiting: int
    discoveries: tuple[Discovery[S, L], ...]
    bytes_per_state: int
