"""What holds for every test: one worker for each outside server, and a loud word about what did not run."""

from __future__ import annotations

import os

import pytest

OUTSIDE = {
    "hapi": "the real HAPI FHIR server (needs Java 17 and Maven)",
    "postgres": "PostgreSQL (needs its server installation)",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in OUTSIDE:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.xdist_group(marker))


def _count(terminal: pytest.TerminalReporter, outcome: str, marker: str) -> int:
    return sum(1 for report in terminal.stats.get(outcome, []) if marker in getattr(report, "keywords", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for marker, what in OUTSIDE.items():
        if left_out := _count(terminalreporter, "skipped", marker):
            terminalreporter.section("LEFT OUT", sep="!", red=True, bold=True)
            terminalreporter.write_line(f"{left_out} tests did not run against {what}.", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if os.environ.get("FHIR_APP_REQUIRE_HAPI") != "1" or os.environ.get("PYTEST_XDIST_WORKER"):
        return
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not _count(terminal, "passed", "hapi"):
        terminal.write_line("FHIR_APP_REQUIRE_HAPI is set, but no HAPI test passed.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
