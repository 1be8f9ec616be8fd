"""The real server for the tests of this folder."""

from __future__ import annotations

import pytest

from tests.hapi.fixture import hapi, mark_tests, say_if_absent

__all__ = ["hapi"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_tests(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    say_if_absent(terminalreporter)
