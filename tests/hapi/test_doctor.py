"""The doctor on the real server: everything holds, as every kind of destination, and nothing of the run is left."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from fhir_app.doctor.run import MADE
from tests.hapi.conftest import Ehr

pytestmark = pytest.mark.hapi


def examined(ehr: Ehr, *arguments: str) -> Any:
    command = [sys.executable, "-m", "fhir_app.cli", "doctor", "--to", ehr.url, "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return {**json.loads(done.stdout), "exit": done.returncode}


def left_with(ehr: Ehr, tag: str) -> list[Any]:
    return [resource for kind in MADE for resource in ehr.search(kind, _tag=tag)]


def test_everything_holds_and_nothing_of_the_run_is_left(ehr: Ehr) -> None:
    bystander = ehr.new_patient()

    report = examined(ehr)

    assert [each for each in report["findings"] if each["verdict"] != "held"] == []
    assert (report["exit"], report["destination"]) == (0, "hapi")
    assert report["made"] > 20
    assert left_with(ehr, report["tag"]) == []
    assert ehr.read(f"Patient/{bystander}")["active"] is True


@pytest.mark.parametrize("kind", ["generic-r4", "sequential"])
def test_everything_holds_as_another_kind_of_destination(ehr: Ehr, kind: str) -> None:
    report = examined(ehr, "--destination", kind)

    assert [each for each in report["findings"] if each["verdict"] != "held"] == []
    assert left_with(ehr, report["tag"]) == []


def test_what_is_kept_can_be_looked_at(ehr: Ehr) -> None:
    report = examined(ehr, "--keep")

    assert report["allHeld"] is True
    assert sorted(report["left"]) == sorted(
        f"{each['resourceType']}/{each['id']}" for each in left_with(ehr, report["tag"])
    )
    assert ehr.read(f"Patient/{report['patient']}")["name"][0]["given"] == ["Made-up"]
