"""`fhir-app doctor` as it is called, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fhir_app.doctor import Run
from fhir_app.fhir.namespace import Namespace
from tests.contract.fake_fhir import Fault
from tests.doctor.sandbox import Sandbox, at, capability


def called(*arguments: str, given: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FHIR_APP_")}
    return subprocess.run(
        [sys.executable, "-m", "fhir_app.cli", "doctor", *arguments],
        env={**kept, **environment},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_whole_run_in_json_with_the_real_knowledge(sandbox: Sandbox) -> None:
    done = called("--to", sandbox.url, "--json")

    report = json.loads(done.stdout)
    assert [each for each in report["findings"] if each["verdict"] != "held"] == []
    assert (done.returncode, report["allHeld"], report["left"]) == (0, True, [])
    assert "$validate" in done.stderr


def test_a_table_and_one_line_for_each_step_where_there_is_no_terminal(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.strike = at("POST", "Patient", Fault(403))

    done = called("--to", sandbox.url)

    assert done.returncode == 1
    assert "reading /metadata\npublishing 1 of" in done.stdout
    assert "A made-up patient and organization can be filed" in done.stdout
    assert "DID NOT HOLD" in done.stdout
    assert "not tested" in done.stdout
    assert "\x1b" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_server_of_another_version_is_told_and_exits_with_one(sandbox: Sandbox) -> None:
    sandbox.declared = capability(version="5.0.0")

    done = called("--to", sandbox.url)

    assert done.returncode == 1
    assert "the server speaks FHIR 5.0.0" in done.stdout


def test_the_token_of_the_file_is_sent_and_the_configured_one_only_to_its_own_server(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.declared = capability(version="5.0.0")
    configured = {
        "FHIR_APP_FHIR_SERVER_TOKEN": "configured",
        "FHIR_APP_ORGANIZATION_NAME": "X",
        "FHIR_APP_ORGANIZATION_IDENTIFIER": "urn:x|1",
    }
    (tmp_path / "token").write_text("from-file\n", encoding="utf-8")

    called("--to", sandbox.url, "--token-file", str(tmp_path / "token"))
    called("--to", sandbox.url, FHIR_APP_FHIR_SERVER_URL="http://127.0.0.1:1/fhir", **configured)
    called(FHIR_APP_FHIR_SERVER_URL=sandbox.url, **configured)

    sent = [seen.headers.get("Authorization") for seen in sandbox.seen]
    assert sent == ["Bearer from-file", None, "Bearer configured"]


def test_what_a_run_has_left_is_removed_later_and_nothing_else(sandbox: Sandbox) -> None:
    run = Run("61c0cd7f-d552-4e3d-8421-499c4a1b527f", datetime(2026, 11, 24, tzinfo=UTC), Namespace())
    sandbox.create({"resourceType": "Patient", "active": True})
    _, patient = sandbox.create(run.tagged({"resourceType": "Patient", "active": True}))
    sandbox.create(run.tagged({"resourceType": "Observation", "subject": {"reference": f"Patient/{patient['id']}"}}))

    done = called("--to", sandbox.url, "--remove", run.id)

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2 resources removed.")
    (left,) = sandbox.resources.values()
    assert "tag" not in left["meta"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Name a server"),
        (("--to", "ftp://x.example"), "http(s)://"),
        (("--to", "http://127.0.0.1:1/fhir", "--token-file", "-"), "one bearer token"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_sent(arguments: tuple[str, ...], words: str) -> None:
    done = called(*arguments, given="two words")

    assert done.returncode == 2
    assert words in done.stderr
