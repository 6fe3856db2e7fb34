"""The processes that work on AWS use the same server as the contract's tests."""

from tests.contract.conftest import moto, moto_server

__all__ = ["moto", "moto_server"]
