"""The fixture `hapi`, for every folder of tests that asks for the real server.

A folder's conftest.py takes the names below into itself. One server serves the whole process, however many folders
ask for it; under pytest-xdist a file lock lets one process at a time have one, and `--dist loadgroup` sends all of
these tests to one process, so that none waits.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.hapi.server import HapiServer, MissingTools, build, free_port

REQUIRED = "FHIR_APP_REQUIRE_HAPI"
_LOCK = Path(tempfile.gettempdir()) / f"fhir-app-hapi-{os.getuid()}.lock"
_running: list[HapiServer] = []
_absent: list[str] = []


@pytest.fixture(scope="session")
def hapi(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> HapiServer:
    """The running server. Its data are on disk, so a test may kill it and start it again."""
    if not _running:
        _running.append(_start(request.config, tmp_path_factory.mktemp("hapi")))
    return _running[0]


def _start(config: pytest.Config, folder: Path) -> HapiServer:
    try:
        built = build()
    except MissingTools as missing:
        _absent.append(str(missing))
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{REQUIRED}=1, and {missing}", pytrace=False)
        pytest.skip(f"no HAPI server: {missing}")
    lock = _LOCK.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    server = HapiServer(built, port=free_port(), log=folder / "hapi.log", data=folder)

    def stop() -> None:
        server.kill()
        lock.close()

    config.add_cleanup(stop)
    server.start()
    return server


def mark_tests(items: Sequence[pytest.Item]) -> None:
    """Marks every test that uses the server, and keeps them together under pytest-xdist."""
    for item in items:
        if "hapi" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.hapi)
            item.add_marker(pytest.mark.xdist_group("hapi"))


def say_if_absent(reporter: pytest.TerminalReporter) -> None:
    if _absent:
        reporter.write_sep("!", f"NOT TESTED AGAINST A REAL FHIR SERVER: {_absent[0]}", red=True, bold=True)
        _absent.clear()
