"""The published samples are those that the cases make, valid, and about nobody real."""

from __future__ import annotations

import json

import pytest

from fhir_app.assessment.read_answers import read_answers
from fhir_app.fhir.model import check_shape
from fhir_app.knowledge.cases import Case
from tests.questionnaires.make_samples import INTAKE, SYSTEM, sample, sample_cases, samples
from tests.questionnaires.tried import intake_in

FOLDER = INTAKE / "samples"
CASES = [pytest.param(case, id=case.id) for case in sample_cases()]


def test_the_samples_on_disk_are_those_that_the_cases_make() -> None:
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*")}
    assert on_disk == dict(samples()), "run: python -m tests.questionnaires.make_samples"


@pytest.mark.parametrize("case", CASES)
def test_a_sample_has_the_shape_of_a_questionnaire_response(case: Case) -> None:
    assert check_shape(json.loads((FOLDER / f"{case.id}.json").read_text("utf-8")), "QuestionnaireResponse") == ()


@pytest.mark.parametrize("case", CASES)
def test_a_finished_sample_is_a_valid_response(case: Case) -> None:
    resource = json.loads((FOLDER / f"{case.id}.json").read_text("utf-8"))
    read = read_answers(intake_in(INTAKE).questionnaire, resource)
    assert read.has_errors is False or resource["status"] == "in-progress"


@pytest.mark.parametrize("case", CASES)
def test_a_sample_can_be_found_again_and_names_an_invented_patient(case: Case) -> None:
    resource = json.loads((FOLDER / f"{case.id}.json").read_text("utf-8"))
    assert resource["identifier"] == {"system": SYSTEM, "value": case.id}
    assert resource["subject"] == {"reference": f"Patient/example-{case.id}"}


def test_a_sample_can_be_made_about_a_patient_of_a_server() -> None:
    made = sample(intake_in(INTAKE), sample_cases()[0], subject="Patient/42")
    assert made["subject"] == {"reference": "Patient/42"}


def test_there_are_samples_of_every_urgency_and_of_an_unfinished_response() -> None:
    urgencies = {case.expected.urgency for case in sample_cases()}
    assert {"emergency", "soon", "routine", "self-care"} <= urgencies
    assert {"completed", "in-progress"} <= {case.status for case in sample_cases()}
