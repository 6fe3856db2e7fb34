"""The adapter's tests use the same server as the contract's."""

from tests.contract.conftest import moto, moto_server

__all__ = ["moto", "moto_server"]
