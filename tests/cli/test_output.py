"""How lines look on a terminal."""

import pytest

from bluegreen.cli.output import folded

DECISION = (
    "0:00:10  scale_up       100/0  size of web-b to 2; 0 of 2 green targets healthy, 0 proven, 890 s left"
)


def test_a_long_line_goes_on_beneath_its_last_column() -> None:
    """On a narrow terminal words that do not fit stand below the text, and times and phases by themselves."""
    first, *others = folded(DECISION, 70).splitlines()
    assert first.startswith("0:00:10  scale_up       100/0  size of web-b")
    assert others
    assert all(line.startswith(" " * 31) and line[31] != " " for line in others)
    assert all(len(line) <= 70 for line in (first, *others))
    assert " ".join(line.strip() for line in (first, *others)) == DECISION


@pytest.mark.parametrize(
    ("line", "width"),
    [
        ("tell it again: bluegreen check deployment.toml --replay " + "0.1." * 30, 80),
        (DECISION, len(DECISION)),
        (DECISION, 50),
        ("", 80),
    ],
)
def test_other_lines_are_left_to_the_terminal(line: str, width: int) -> None:
    """A line without columns may be a command to copy; one that fits, or has no room beside it, stays too."""
    assert folded(line, width) == line


def test_a_sign_stands_before_its_text() -> None:
    """What goes on in a list does not stand under the signs."""
    assert folded("  + a version of web-template as the one that is live", 30) == (
        "  + a version of web-template\n    as the one that is live"
    )


def test_a_long_word_is_not_cut() -> None:
    """An ARN stays whole, so that it can be copied."""
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web-a-targets/0123456789abcdef"
    assert arn in folded(f"left over   {arn} is there", 60)
