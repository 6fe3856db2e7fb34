"""What a way looks like to people: a story, pass by pass, and a script that is one line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from bluegreen.core.commands import describe
from bluegreen.core.observation import Observation, Outcome, Result
from bluegreen.core.state import State, Step


@frozen(kw_only=True)
class Moment:
    """One pass of a story.

    Args:
        second: When, in seconds from the start.
        went_wrong: What went wrong, or was asked for by people.
        look: What was seen; None if nothing was.
        before: The state before.
        step: What was decided; None if the process ended before it could be recorded.
        outcomes: What became of the commands.
        happened: What the world did until the next look.
        broken: What was broken here.
    """

    second: float
    went_wrong: tuple[str, ...]
    look: Observation | None
    before: State
    step: Step | None
    outcomes: tuple[Outcome, ...]
    happened: tuple[str, ...]
    broken: tuple[str, ...] = ()

    @property
    def quiet(self) -> bool:
        """Whether it was just another look."""
        still = self.step is None or (not self.step.commands and self.step.state.phase is self.before.phase)
        return still and not self.went_wrong and not self.happened and not self.broken

    def lines(self) -> Iterator[str]:
        """The pass for people: time, what was seen, what was decided and why, what happened then."""
        at = f"{self.second:6g} s"
        if self.step is None:
            yield f"{at}  {'; '.join(self.went_wrong)}: nothing was decided"
        else:
            phase, before = self.step.state.phase.value, self.before.phase.value
            way = phase if phase == before else f"{before} → {phase}"
            yield f"{at}  {way}  ({self.step.signal}): {self.step.reason}"
            if self.look is not None:
                yield f"{'':10}saw: {_seen(self.look)}"
            for outcome in self.outcomes:
                if outcome.result is Result.WITHHELD:
                    why = f"the guard: {outcome.invariant}"
                    yield f"{'':10}{describe(outcome.command)}: {outcome.result.value} ({why})"
            yield from (f"{'':10}! {words}" for words in self.went_wrong)
        if self.happened:
            yield f"{'':10}then: {'; '.join(self.happened)}"
        yield from (f"{'':10}✗ {words}" for words in self.broken)


@frozen
class Story:
    """A way from the start to what is wrong, pass by pass.

    Args:
        moments: The passes.
        script: All choices of it, as text: what to give to ``--replay``.
        healing: After how many passes everything that went wrong is over; None for never.
        circle: After how many passes a circle begins that closes with the last one; None without.
    """

    moments: tuple[Moment, ...]
    script: str
    healing: int | None = None
    circle: int | None = None

    def __str__(self) -> str:
        """The story, without the looks at which nothing happened."""
        lines: list[str] = []
        quiet = 0

        def pause() -> None:
            nonlocal quiet
            if quiet:
                lines.append(f"{'':10}… {quiet} more look{'s' if quiet > 1 else ''}")
            quiet = 0

        for number, moment in enumerate(self.moments):
            if number == self.healing:
                pause()
                lines.append(f"{'':10}From here on everything is well again, and stays so.")
            if number == self.circle:
                pause()
                lines.append(f"{'':10}From here on the same happens again and again.")
            if moment.quiet and moment is not self.moments[-1]:
                quiet += 1
                continue
            pause()
            lines += moment.lines()
        return "\n".join(lines)


def _seen(look: Observation) -> str:
    """What a look showed, in a few words."""
    if look.unread:
        return f"could not read {', '.join(look.unread)}"
    parts = []
    for fleet in look.fleets:
        if not fleet.exists:
            parts.append(f"no {fleet.name}")
            continue
        words = f"{fleet.name} {fleet.healthy} healthy of {fleet.desired} wanted"
        others = fleet.running - fleet.healthy
        words += f" (and {others} not)" if others else ""
        parts.append(words + ("" if fleet.attached else ", detached"))
    if look.shares:
        parts.append("/".join(str(weight) for _, weight in look.shares.weights))
    return "; ".join(parts)


@frozen
class Script:
    """A way as text: ``12:1,40:2,h9,61``.

    Args:
        indices: The index of each choice that was made, in order; 0 is the usual course of things.
        passes: How many passes there are.
        healing: After how many of them everything is well again (``h``).
        circle: After how many a circle begins (``c``).
        most: How many faults there may be, if fewer than asked for (``f``): it decides what can be chosen.
    """

    indices: tuple[int, ...]
    passes: int
    healing: int | None = None
    circle: int | None = None
    most: int | None = None

    def __str__(self) -> str:
        """The choices that are not the usual ones, as place:option; the marks; the number of passes."""
        words = [f"{place}:{option}" for place, option in enumerate(self.indices) if option]
        marks = {"h": self.healing, "c": self.circle, "f": self.most}
        words += [f"{letter}{number}" for letter, number in marks.items() if number is not None]
        return ",".join([*words, str(self.passes)])

    @classmethod
    def read(cls, text: str) -> Script:
        """The script that a text is.

        Raises:
            ValueError: If it is none.
        """
        if not _SCRIPT.fullmatch(text):
            raise ValueError(f"{text!r} is no script: it should be like 12:1,40:2,61")
        *words, passes = text.split(",")
        marks = {word[0]: int(word[1:]) for word in words if word[0] in "hcf"}
        pairs = [word.split(":") for word in words if word[0] not in "hcf"]
        options = {int(place): int(option) for place, option in pairs}
        indices = tuple([options.get(place, 0) for place in range(max(options, default=-1) + 1)])
        return cls(indices, int(passes), marks.get("h"), marks.get("c"), marks.get("f"))


_SCRIPT = re.compile(r"(?:(?:\d{1,7}:\d{1,5}|[hcf]\d{1,7}),)*\d{1,7}")
