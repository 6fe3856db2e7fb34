"""The page on writing a provider shows the adapter that is tested, not one that once was."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "write-a-provider.md"
SOURCES = [ROOT / "bluegreen" / "ports.py", *sorted((ROOT / "tests" / "e2e" / "haproxy").glob("*.py"))]


def test_each_block_stands_in_the_example_word_for_word() -> None:
    """Every block of code of the page is found in the port or in the example, letter by letter."""
    blocks = re.findall(r"```py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    texts = [source.read_text(encoding="utf-8") for source in SOURCES]
    assert len(blocks) >= 6
    assert [block for block in blocks if not any(block in text for text in texts)] == []
