"""`fhir-app worker` as a process of its own, when it meets a fault of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fhir_app.store.database import open_database

BROKEN = """
import sys
from fhir_app.cli import main
from fhir_app.delivery import Delivery

def broken(self):
    marker = "marker-in-a-variable"
    try:
        raise KeyError("marker-of-a-patient")
    except KeyError as error:
        raise RuntimeError("marker-of-a-patient") from error

Delivery.deliver_one = broken
main(sys.argv[1:], prog_name="fhir-app")
"""


@pytest.mark.parametrize("arguments", [["worker"], ["worker", "--once"]])
def test_a_fault_that_ends_the_worker_is_told_by_its_places_and_never_in_its_words(
    tmp_path: Path, arguments: list[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    open_database(url).close()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FHIR_APP_")}
    settings = {
        "FHIR_APP_DATABASE_URL": url,
        "FHIR_APP_FHIR_SERVER_URL": "http://127.0.0.1:9/fhir",
        "FHIR_APP_ORGANIZATION_NAME": "Example Clinic",
        "FHIR_APP_ORGANIZATION_IDENTIFIER": "https://clinic.example/o|42",
    }

    ended = subprocess.run(
        [sys.executable, "-c", BROKEN, *arguments],
        env=kept | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 1
    assert "marker" not in ended.stdout + ended.stderr
    (line,) = ended.stderr.splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["error"]) == ("worker ended", "error", "RuntimeError")
    assert any("cli/worker.py" in place for place in said["frames"])
    assert any("broken" in place for place in said["frames"])
