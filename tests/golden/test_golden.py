"""Journals that were written once and are kept: every version reads them, and decides the same."""

import shutil
from pathlib import Path

import pytest

from bluegreen import Deployment, NothingToLoad, Operator, SqliteJournal
from bluegreen.core.errors import JournalDamaged
from bluegreen.core.state import Phase
from bluegreen.journal.history import last
from bluegreen.journal.records import SCHEMA
from bluegreen_sim import SimCloud
from tests.golden import make
from tests.scenarios.story import assert_replays

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("schema-*/*.sqlite"))
PHASES = {write.__name__: phase for write, phase in make.ENDS.items()}
LIMIT = 60_000


def name(path: Path) -> str:
    """A journal's name among the cases: schema and story."""
    return f"{path.parent.name}-{path.stem}"


@pytest.fixture(params=FILES, ids=name)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of one golden journal, with its seal."""
    for file in (request.param, request.param.with_name(f"{request.param.name}-seal")):
        shutil.copy(file, tmp_path)
    return tmp_path / request.param.name


def test_a_golden_journal_replays_byte_for_byte(golden: Path) -> None:
    """Loaded and verified, it stands where it stood, and every decision is decided again."""
    before = {file.name: file.read_bytes() for file in golden.parent.iterdir()}
    journal = SqliteJournal(golden)
    story = last(journal, "web")
    assert story is not None
    assert story.state.phase is PHASES[golden.stem]
    assert assert_replays(journal) == len(story.steps) > 0
    assert {file.name: file.read_bytes() for file in golden.parent.iterdir()} == before


def test_a_golden_journal_is_loaded_by_a_deployment(golden: Path) -> None:
    """Whatever has not ended can be gone on with: state, history and outcomes are there."""
    journal = SqliteJournal(golden)
    story = last(journal, "web")
    assert story is not None
    deployment = Deployment.load("web", SimCloud(story.plan), journal)
    assert deployment.state == story.state
    assert deployment.result().phase is PHASES[golden.stem]
    operator = Operator(journal, "web", by="alice")
    if story.state.phase.ended:
        with pytest.raises(NothingToLoad):
            operator.abort()
    else:
        operator.abort("from a newer version")
        assert journal.records()[-1].kind == "request"


def test_a_golden_journal_without_its_seal_is_read_as_well(golden: Path) -> None:
    """The seal only makes the check stricter."""
    golden.with_name(f"{golden.name}-seal").unlink()
    assert assert_replays(SqliteJournal(golden)) > 0


def test_a_golden_journal_with_a_flipped_bit_is_refused(golden: Path) -> None:
    """A bit anywhere in the middle of it is found."""
    data = bytearray(golden.read_bytes())
    data[len(data) // 2] ^= 1
    golden.write_bytes(data)
    with pytest.raises(JournalDamaged):
        assert_replays(SqliteJournal(golden))


def test_every_schema_has_a_journal_of_each_kind_of_end() -> None:
    """No schema up to this one is without its journals, and every end is among them."""
    kinds = {Phase.PROMOTED, Phase.ROLLED_BACK, Phase.HALTED, Phase.REFUSED, Phase.BAKE}
    for schema in range(1, SCHEMA + 1):
        names = {file.stem for file in FILES if file.parent.name == f"schema-{schema}"}
        assert {PHASES[each] for each in names} == kinds, f"schema {schema}"
    assert {file.stem for file in FILES if file.parent.name == f"schema-{SCHEMA}"} == set(PHASES)


def test_golden_journals_are_small() -> None:
    """They are kept for ever, so each stays small."""
    assert {file.name: file.stat().st_size for file in FILES if file.stat().st_size > LIMIT} == {}


def test_a_released_schema_is_never_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script that makes them leaves those of a released schema alone, and adds what is missing."""
    for file in FILES[0].parent.iterdir():
        shutil.copy(file, tmp_path)
    kept = (tmp_path / "refused.sqlite").read_bytes()
    for file in tmp_path.glob("halted*"):
        file.unlink()
    monkeypatch.setattr(make, "RELEASED", frozenset({SCHEMA}))
    monkeypatch.setattr("bluegreen.journal.sqlite._host", lambda: "golden")
    make.make(tmp_path)
    assert (tmp_path / "refused.sqlite").read_bytes() == kept
    assert (tmp_path / "halted.sqlite").exists()
