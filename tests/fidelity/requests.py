"""Requests: A2, A4, A5, A8, A10."""

from __future__ import annotations

from .fact import Fact

REQUESTS: tuple[Fact, ...] = ()
