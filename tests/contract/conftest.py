"""One moto server for a module's tests, empty for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.moto_server import MotoServer


@pytest.fixture(scope="module")
def moto_server() -> Iterator[MotoServer]:
    """A running server; tests take ``moto``."""
    from tests.moto_server import MotoServer  # half a second that the journals' tests need not pay

    with MotoServer() as server:
        yield server


@pytest.fixture
def moto(moto_server: MotoServer) -> MotoServer:
    """The server with an empty account, a new script and no calls."""
    moto_server.reset()
    return moto_server
