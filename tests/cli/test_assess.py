"""`fhir-app assess` on files, Bundles, NDJSON and standard input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from fhir_app.assessment.as_json import assessment_schema
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.cli import main
from fhir_app.fhir.read_json import dump_json
from fhir_app.knowledge.library import Library, load_library, questionnaires_root

SAFE: dict[str, object] = {
    "pt-age": 44,
    "rf-general": "none",
    "rf-body": "none",
    "rf-legs": "none",
    "rf-nerve": "none",
    "rf-back-risk": "none",
    "sx-location": ["calf"],
}
URGENT = {**SAFE, "rf-nerve": ["pee"], "rf-pee-kind": ["retention"], "rf-pee-when": "days"}


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library(questionnaires_root())


def made(library: Library, answers: dict[str, object], **elements: Any) -> dict[str, Any]:
    questionnaire = library.intakes[0].questionnaire
    resource_ = build_questionnaire_response(questionnaire, answers, authored="2026-11-24T10:00:00Z")
    return {**resource_, **elements}


def assess(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["assess", *map(str, arguments)], input=stdin)


@pytest.fixture
def good(library: Library, tmp_path: Path) -> Path:
    path = tmp_path / "good.json"
    path.write_bytes(json.dumps(made(library, SAFE), indent=2).encode())
    return path


@pytest.fixture
def invalid(library: Library, tmp_path: Path) -> Path:
    """Urgent, and without its age."""
    resource_ = made(library, URGENT)
    resource_["item"] = [item for item in resource_["item"] if item["linkId"] != "about-you"]
    path = tmp_path / "invalid.json"
    path.write_bytes(dump_json(resource_))
    return path


def test_json_is_one_line_that_keeps_to_the_published_schema(good: Path) -> None:
    shown = assess(good, "--json")
    assert shown.exit_code == 0, shown.stderr
    [line] = shown.stdout.splitlines()
    jsonschema.validate(json.loads(line), assessment_schema())


def test_an_invalid_response_shows_its_flags_and_all_its_issues_and_exits_1(invalid: Path) -> None:
    shown = assess(invalid, "--json")
    assert shown.exit_code == 1
    content = json.loads(shown.stdout)
    assert content["urgency"] == "emergency"
    assert (content["assessed"], content["not_assessed_because"]) == (False, "invalid")
    assert "pt-age" in shown.stderr
    assert str(invalid) in shown.stderr


@pytest.mark.parametrize("form", ["text", "table"])
def test_people_see_urgency_flags_and_causes(good: Path, invalid: Path, form: str) -> None:
    shown = assess(good, invalid, "--format", form)
    assert "emergency" in shown.stdout.lower()
    assert "RF01" in shown.stdout
    assert "1" in shown.stdout
    assert "\x1b[" not in shown.stdout


def test_the_table_says_what_asks_for_a_visit_and_that_nobody_has_reviewed_the_knowledge() -> None:
    sample = questionnaires_root() / "tingling-legs" / "samples" / "artery-stable-claudication.json"
    shown = assess(sample, "--format", "table").stdout
    assert "Asks for routine" in shown
    assert "B2.2" in shown
    assert "not yet reviewed by a clinician" in shown


def test_a_bundle_gives_one_line_for_each_response_in_it(library: Library, tmp_path: Path) -> None:
    entries = [
        {"resource": made(library, SAFE)},
        {"resource": {"resourceType": "Patient"}},
        {"fullUrl": "urn:x"},
        {"resource": made(library, URGENT)},
    ]
    path = tmp_path / "bundle.json"
    path.write_bytes(dump_json({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    shown = assess(path, "--json")
    assert [json.loads(line)["urgency"] == "emergency" for line in shown.stdout.splitlines()] == [False, True]


@pytest.mark.parametrize("jobs", [1, 2])
def test_ndjson_keeps_its_order_and_has_a_line_for_what_cannot_be_read(
    library: Library, tmp_path: Path, jobs: int
) -> None:
    lines = [
        dump_json(made(library, SAFE)),
        dump_json(made(library, URGENT)),
        b"{not json",
        b"",
        b'{"resourceType":"Patient"}',
    ]
    path = tmp_path / "many.ndjson"
    path.write_bytes(b"\n".join(lines * 3) + b"\n")
    shown = assess(path, "--json", "--jobs", jobs)
    assert shown.exit_code == 1
    found = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [each.get("urgency", each.get("resourceType")) == "emergency" for each in found] == [
        False,
        True,
        False,
        False,
    ] * 3
    assert [each.get("resourceType") for each in found] == [None, None, "OperationOutcome", "OperationOutcome"] * 3
    assert "line 3" in shown.stderr


def test_standard_input_is_a_file_too(good: Path) -> None:
    assert assess("-", "--json", stdin=good.read_bytes()).exit_code == 0


def test_an_unknown_version_is_told_and_nothing_is_guessed(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "unknown.json"
    path.write_bytes(
        dump_json(made(library, SAFE, questionnaire="https://w3id.org/fhir-app/Questionnaire/tingling-legs|0.0.1"))
    )
    shown = assess(path, "--json")
    assert shown.exit_code == 1
    assert json.loads(shown.stdout)["resourceType"] == "OperationOutcome"
    assert library.intakes[0].canonical in shown.stderr, "what is published is named"


def test_an_answer_of_the_wrong_type_is_told_in_good_english(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(dump_json(made(library, SAFE)).replace(b'"valueInteger":44', b'"valueString":"44"'))
    assert "an integer question takes valueInteger" in assess(path, "--json").stderr


def test_a_leaflet_is_what_the_patient_gets_in_the_language_that_was_asked_for(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FHIR_APP_COUNTRY", "us")
    english, spanish = (assess(good, "--format", "leaflet", "--language", tag) for tag in ("en", "es"))
    assert (english.exit_code, spanish.exit_code) == (0, 0)
    assert "911" in english.stdout
    assert "médico" in spanish.stdout
    assert "<" not in english.stdout


@pytest.mark.parametrize("options", [("--format", "leaflet", "--language", "xx"), ("--language", "es")])
def test_a_language_that_cannot_be_shown_is_refused(good: Path, options: tuple[str, ...]) -> None:
    assert assess(good, *options).exit_code == 2


def test_a_bundle_without_a_response_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_bytes(b'{"resourceType":"Bundle","type":"collection"}')
    assert assess(path).exit_code == 1


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_lines(library: Library, tmp_path: Path) -> None:
    line = dump_json(made(library, SAFE)) + b"\n"
    program = tmp_path / "peak.py"
    program.write_text(
        "import resource, sys\n"
        "from fhir_app.cli import main\n"
        "try:\n"
        "    main(['assess', '--json', sys.argv[1]])\n"
        "except SystemExit:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n",
        encoding="utf-8",
    )
    peaks = []
    for count in (20, 600):
        path = tmp_path / f"{count}.ndjson"
        path.write_bytes(line * count)
        done = subprocess.run([sys.executable, str(program), str(path)], capture_output=True, check=True)
        peaks.append(int(done.stderr.split()[-1]))
        assert done.stdout.count(b"\n") == count
    assert peaks[1] < peaks[0] * 1.15
