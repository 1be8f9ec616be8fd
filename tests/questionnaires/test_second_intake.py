"""A second intake is a folder and no Python: knee-pain, beside the tests, goes through every door there is."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhir_app.app import create_app, load_parts
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.cli import main
from fhir_app.errors import KnowledgeError
from fhir_app.evaluation.expectations import unmet
from fhir_app.evaluation.outcome import outcome_of
from fhir_app.evaluation.played import play_case
from fhir_app.fhir.read_json import dump_json
from fhir_app.knowledge.cases import Case, Label, Story, read_cases
from fhir_app.knowledge.library import load_library, questionnaires_root
from fhir_app.knowledge.loader import load_intake
from fhir_app.settings import Settings

ROOT = Path(__file__).with_name("second_intake")
KNEE = load_intake(ROOT / "knee-pain")
CASES = {case.id: case for case in read_cases(ROOT / "knee-pain" / "cases" / "knee.yaml")[0]}
FHIR_JSON = {"Content-Type": "application/fhir+json"}


def response(case: Case) -> bytes:
    made = build_questionnaire_response(
        KNEE.questionnaire, case.answers, authored="2026-11-24T10:00:00Z", subject={"reference": "Patient/1"}
    )
    return dump_json(made)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_its_cases_come_out_as_they_say(case: Case) -> None:
    assert unmet(KNEE, case) == ()


@pytest.mark.parametrize(("case_id", "flagged"), [("knee-hot", True), ("knee-open", False), ("knee-stairs", False)])
def test_a_danger_is_told_from_a_gap_whatever_the_rows_are_called(case_id: str, flagged: bool) -> None:
    label = Label("osteoarthritis", (), "routine", None, "why")
    told = Story("one", "report", 67, "any", "text", "made up", CASES[case_id].answers, None, label)
    assert outcome_of(KNEE, told, play_case(KNEE, CASES[case_id])).flagged is flagged


def test_it_is_published_taken_in_and_written_back_with_its_own_leaflet(tmp_path: Path) -> None:
    parts = load_parts(Settings(database_url=f"sqlite:///{tmp_path}/knee.db", knowledge=ROOT))
    client = create_app(parts).test_client()
    published = client.get(f"/fhir/Questionnaire?url={KNEE.questionnaire.url}").get_json()
    codes = client.get("/fhir/CodeSystem").get_data(as_text=True)
    taken = client.post("/fhir/QuestionnaireResponse", data=response(CASES["knee-hot"]), headers=FHIR_JSON)
    observations = client.get("/fhir/Observation").get_data(as_text=True)
    document = client.get("/fhir/DocumentReference").get_json()["entry"][0]["resource"]
    parts.database.close()
    assert published["total"] == 1
    assert "knee-pain-cause" in codes
    assert taken.status_code == 201
    assert "hot swollen knee and feeling ill" in observations
    pages = [base64.b64decode(content["attachment"]["data"]).decode() for content in document["content"]]
    assert all("A joint that may be infected" in page for page in pages)
    assert not any("tingling" in page.lower() for page in pages)


def test_it_stands_beside_the_first_one_and_each_gets_its_own_responses(tmp_path: Path) -> None:
    both = tmp_path / "questionnaires"
    shutil.copytree(questionnaires_root(), both)
    shutil.copytree(ROOT / "knee-pain", both / "knee-pain")
    parts = load_parts(Settings(database_url=f"sqlite:///{tmp_path}/both.db", knowledge=both))
    client = create_app(parts).test_client()
    sample = (both / "tingling-legs" / "samples" / "compartment-runner.json").read_bytes()
    for body in (sample, response(CASES["knee-worn"])):
        assert client.post("/fhir/QuestionnaireResponse", data=body, headers=FHIR_JSON).status_code == 201
    text = client.get("/fhir/Observation").get_data(as_text=True)
    parts.database.close()
    assert "Chronic exertional compartment syndrome" in text
    assert "Osteoarthritis of the knee" in text


def test_the_commands_take_it_as_it_is(tmp_path: Path) -> None:
    checked = CliRunner().invoke(main, ["check", str(ROOT)])
    assert checked.exit_code == 0, checked.output
    assert "knee-pain 1.0.0" in checked.output
    file = tmp_path / "stairs.json"
    file.write_bytes(response(CASES["knee-stairs"]))
    assessed = CliRunner().invoke(main, ["assess", "--json", "--knowledge", str(ROOT), str(file)])
    assert assessed.exit_code == 0, assessed.output
    assert json.loads(assessed.output)["causes"][0]["id"] == "kneecap-pain"
    page = tmp_path / "review.html"
    printed = CliRunner().invoke(main, ["knowledge", str(ROOT / "knee-pain"), "--html", str(page)])
    assert printed.exit_code == 0, printed.output
    assert "Osteoarthritis of the knee" in page.read_text(encoding="utf-8")
    scored = CliRunner().invoke(main, ["evaluate", "--knowledge", str(ROOT), str(ROOT / "knee-pain" / "cases")])
    assert scored.exit_code == 0, scored.output


def test_a_language_in_which_help_has_no_names_stops_the_start(tmp_path: Path) -> None:
    """Else the first response in that language would find out."""
    root = tmp_path / "questionnaires"
    shutil.copytree(ROOT, root)
    for path in (root / "knee-pain" / "leaflets").rglob("*.en.*"):
        text = path.read_text(encoding="utf-8").replace("language: en", "language: fr")
        path.with_name(path.name.replace(".en.", ".fr.")).write_text(text, encoding="utf-8")
        path.unlink()
    for name in ("intake.yaml", "questionnaire.json"):
        file = root / "knee-pain" / name
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("[en]", "[fr]").replace('"language": "en"', '"language": "fr"'), encoding="utf-8")
    assert load_library(root).intakes[0].languages == ("fr",)
    with pytest.raises(KnowledgeError, match=r"care-settings\.yaml: no names in fr, a language of knee-pain"):
        load_parts(Settings(database_url=f"sqlite:///{tmp_path}/knee.db", knowledge=root))
    checked = CliRunner().invoke(main, ["check", str(root)])
    assert (checked.exit_code, "no names in fr" in checked.output) == (1, True)
