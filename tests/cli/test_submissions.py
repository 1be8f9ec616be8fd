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
    header, *lines = run("list").stdout.splitlines()
    assert header.split()[0] == "URGENCY"
    assert [line.split()[0] for line in lines] == ["emergency", "emergency", "self-care"]
    assert any("refused, 1 error" in line for line in lines)
    assert "SECRET" not in "\n".join(lines)


def test_each_is_named_as_its_sender_knows_it() -> None:
    assert "urn:example|wrong" in {row["response"] for row in listed()}
    assert "urn:example|wrong" in run("list", "--refused").stdout


def test_the_response_without_an_identifier_is_named_by_the_id_in_its_location() -> None:
    body = json.loads((SAMPLES / "compartment-runner.json").read_bytes())
    body.pop("identifier", None)
    parts = load_parts(Settings.from_env())
    reply = (
        create_app(parts)
        .test_client()
        .post("/fhir/QuestionnaireResponse", data=json.dumps(body), headers={"Content-Type": "application/fhir+json"})
    )
    parts.database.close()
    assert any(reply.headers["Location"].split("/_history")[0].endswith(f"/{row['response']}") for row in listed())


def test_absent_red_flags_are_counted_and_shown_when_asked_for() -> None:
    submission = str(listed()[0]["submission"])
    brief = json.loads(run("show", submission).stdout)["assessment"]
    full = json.loads(run("show", submission, "--all").stdout)["assessment"]
    assert "absent" not in {flag["status"] for flag in brief["red_flags"]}
    assert brief["red_flags_absent"] == len(full["red_flags"]) - len(brief["red_flags"]) > 0


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


@pytest.mark.parametrize(("status", "word"), [("entered-in-error", "withdrawn"), ("in-progress", "unfinished")])
def test_what_was_withdrawn_or_is_unfinished_is_not_simply_taken(status: str, word: str) -> None:
    parts = load_parts(Settings.from_env())
    response = json.loads((SAMPLES / "cauda-equina-retention.json").read_bytes())
    parts.submissions.submit(json.dumps({**response, "status": status}).encode(), origin="local")
    parts.database.close()
    assert [word in line for line in run("list").stdout.splitlines()].count(True) == 1
