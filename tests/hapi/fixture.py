"""The fixture `hapi`, for every folder of tests that asks for the real server.

A folder's conftest.py takes it into itself, and tests that use it carry `pytest.mark.hapi`. One server serves the whole
process, however many folders ask for it; under pytest-xdist a file lock lets one process at a time have one.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from tests.hapi.server import HapiServer, MissingTools, build, free_port

REQUIRED = "FHIR_APP_REQUIRE_HAPI"
_LOCK = Path(tempfile.gettempdir()) / f"fhir-app-hapi-{os.getuid()}.lock"
_running: list[HapiServer] = []


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
