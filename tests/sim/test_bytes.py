"""The same seed gives the same bytes, whatever Python runs it and however that hashes texts."""

import functools

import pytest

from tests.sim.bytes import HASH_SEEDS, PYTHONS, digests, digests_on, interpreter, runs

here = functools.cache(digests)


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("hash_seed", HASH_SEEDS)
@pytest.mark.parametrize("version", [version for version in PYTHONS if interpreter(version)])
def test_a_seed_gives_the_same_bytes_on_every_python_that_is_here(version: str, hash_seed: str) -> None:
    """Journals, timelines, worlds and explorations of another process equal those of this one."""
    assert digests_on(version, hash_seed) == here()


def test_another_seed_gives_other_bytes() -> None:
    """No two of the seeds decide the same: equal digests say something."""
    journals = [[(each.kind, str(each.body)) for each in journal.records()[1:]] for _, journal in runs()]
    assert all(journal not in journals[:n] for n, journal in enumerate(journals))


@pytest.mark.proof
@pytest.mark.parametrize("version", PYTHONS)
def test_every_supported_python_is_here(version: str) -> None:
    """A proof is one on all of them; one that is missing is named."""
    assert interpreter(version), f"there is no python{version} on PATH"
