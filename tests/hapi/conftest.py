"""The real server for the tests of this folder."""

from __future__ import annotations

from tests.hapi.fixture import hapi

__all__ = ["hapi"]
