"""Pages that are made from the code are what the code would make now."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def pages() -> dict[str, str]:
    """Each generated page's name, and what it should be."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: page() for name, page in module.PAGES.items()}


@pytest.mark.parametrize("name", ["state-machine.md", "promises.md", "timeline.md", "rights.md"])
def test_a_generated_page_is_up_to_date(name: str) -> None:
    """The committed page is what `python docs/generate.py` writes."""
    assert (DOCS / name).read_text() == pages()[name], "run: python docs/generate.py"
