"""`fhir-app submissions`: what came in is seen by a person, also what was refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fhir_app.app import create_app, load_parts
from fhir_app.cli import main
from fhir_app.knowledge.library import questionnaires_root
from fhir_app.settings import Settings

SAMPLES = questionnaires_root() / "tingling-legs" / "samples"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three responses: nothing urgent, an emergency, and an emergency in a response that was refused."""
    url = f"sqlite:///{tmp_path}/store.db"
    monkeypatch.setenv("FHIR_APP_DATABASE_URL", url)
    parts = load_parts(Settings(database_url=url))
    client = create_app(parts).test_client()
    calm = (SAMPLES / "healthy-bike-numbness.json").read_bytes()
    urgent = (SAMPLES / "cauda-equina-retention.json").read_bytes()
    wrong = json.loads(urgent)
    wrong["identifier"] = {"system": "urn:example", "value": "wrong"}
    wrong["item"].append({"linkId": "nobody-asked", "answer": [{"valueString": "SECRET"}]})
    for body, status in ((calm, 201), (urgent, 201), (json.dumps(wrong).encode(), 422)):
        reply = client.post("/fhir/QuestionnaireResponse", data=body, headers={"Content-Type": "application/fhir+json"})
        assert reply.status_code == status, reply.text
    parts.database.close()


def run(*arguments: str) -> Result:
    shown = CliRunner().invoke(main, ["submissions", *arguments], catch_exceptions=False)
    assert shown.exit_code == 0, shown.output
    return shown


def listed(*options: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("list", "--json", *options).stdout.splitlines()]


def test_the_most_urgent_stand_first_and_the_refused_among_them() -> None:
    rows = listed()
    assert [row["urgency"] for row in rows] == ["emergency", "emergency", "self-care"]
    assert {row["taken"] for row in rows[:2]} == {True, False}
    assert all(row["red_flags"] for row in rows[:2])


def test_only_flagged_or_only_refused_ones_can_be_asked_for() -> None:
    assert [row["urgency"] for row in listed("--flagged")] == ["emergency", "emergency"]
    [refused] = listed("--refused")
    assert refused["errors"] == 1


def test_a_list_for_people_says_the_same_and_nothing_that_was_answered() -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["emergency", "emergency", "self-care"]
    assert any("refused, 1 error" in line for line in lines)
    assert "SECRET" not in "\n".join(lines)


def test_one_is_shown_with_its_issues_and_its_assessment_and_its_bytes() -> None:
    [refused] = listed("--refused")
    shown = json.loads(run("show", str(refused["submission"])).stdout)
    assert shown["assessment"]["urgency"] == "emergency"
    [error] = [issue for issue in shown["issues"] if issue["severity"] == "error"]
    assert "SECRET" not in error["text"]
    assert b"SECRET" in run("show", str(refused["submission"]), "--body").stdout_bytes


def test_an_unknown_id_is_said_to_be_unknown() -> None:
    shown = CliRunner().invoke(main, ["submissions", "show", "nothing"])
    assert shown.exit_code == 2
    assert "There is no submission nothing" in shown.output
