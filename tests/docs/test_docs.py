"""The examples that readers copy are run: every Python block of the README and of docs/."""

import re
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

ROOT = Path(__file__).parents[2]
SYBIL = Sybil(parsers=[PythonCodeBlockParser()])
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "```python" in page.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_blocks_of_a_page_run_in_order(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks of one page run from top to bottom in one namespace, as a reader would paste them."""
    monkeypatch.chdir(tmp_path)
    names = run(page)
    for story in STORIES.findall(page.read_text(encoding="utf-8")):
        assert story in f"{names['violation']}\n"


PROPERTIES = [page for page in PAGES if "@given" in page.read_text(encoding="utf-8")]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("page", PROPERTIES, ids=lambda page: page.stem)
def test_the_properties_of_a_page_hold_for_other_examples(
    page: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader's Hypothesis draws other examples than this suite's, and refutes nothing that a page says."""
    monkeypatch.setattr("hypothesis.core.global_force_seed", seed)
    usual = hypothesis.settings.get_current_profile_name()
    hypothesis.settings.register_profile("reader", derandomize=False, database=None)
    hypothesis.settings.load_profile("reader")
    try:
        run(page)
    finally:
        hypothesis.settings.load_profile(usual)


def run(page: Path) -> dict[str, Any]:
    """Run a page's blocks in one namespace, which is returned."""
    document = SYBIL.parse(page)
    for example in document.examples():
        example.evaluate()
    return document.namespace


STORIES = re.compile(r"```text\n( .*? s  .*?)```", re.DOTALL)
"""What a page shows of the story that it makes, as ``violation``."""
