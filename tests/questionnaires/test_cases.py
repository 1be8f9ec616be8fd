"""Each case of each intake, one by one: its answers make a valid response, and what must come out comes out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fhir_app.evaluation.expectations import unmet_by
from fhir_app.knowledge.answers import Coding
from tests.questionnaires.tried import FOLDERS, cases_in, intake_in, rows_of, tried

ALL = [
    pytest.param(folder, case.id, id=f"{folder.name}/{case.id}") for folder in FOLDERS for _, case in cases_in(folder)
]
INTAKES = [pytest.param(folder, id=folder.name) for folder in FOLDERS]


@pytest.mark.parametrize(("folder", "case_id"), ALL)
def test_a_case_is_a_response_without_errors(folder: Path, case_id: str) -> None:
    """Only a response that says it is not finished may lack an answer."""
    one = tried(folder, case_id)
    assert [f"{issue.code}: {issue.text}" for issue in one.read.issues if issue.is_error] == []


@pytest.mark.parametrize(("folder", "case_id"), ALL)
def test_no_answer_of_a_case_is_lost_behind_a_question_that_is_not_shown(folder: Path, case_id: str) -> None:
    one = tried(folder, case_id)
    assert set(one.read.answers.answered) == set(one.case.answers)
    for link_id, given in one.case.answers.items():
        values = one.read.answers.values(link_id)
        read = {value.code if isinstance(value, Coding) else value for value in values}
        assert read == (set(given) if isinstance(given, list) else {given})


@pytest.mark.parametrize(("folder", "case_id"), ALL)
def test_what_must_come_out_of_a_case_comes_out(folder: Path, case_id: str) -> None:
    one = tried(folder, case_id)
    assert list(unmet_by(one.assessment, one.case.expected)) == []


@pytest.mark.parametrize("folder", INTAKES)
def test_every_case_says_how_urgent_it_is(folder: Path) -> None:
    assert [case.id for _, case in cases_in(folder) if case.expected.urgency is None] == []


@pytest.mark.parametrize("folder", INTAKES)
def test_every_row_cause_and_hint_that_a_case_names_exists(folder: Path) -> None:
    intake = intake_in(folder)
    rows = {row.id for row in rows_of(intake)}
    causes = {cause.id for cause in intake.causes} | {intake.scoring.none_fits.id}
    variants = {variant.id for cause in intake.causes for variant in cause.variants}
    hints = {hint.id for hint in intake.hints}
    for _, case in cases_in(folder):
        wanted = case.expected
        assert {*wanted.present, *wanted.absent, *wanted.not_assessed} <= rows, case.id
        assert {*wanted.likelihoods, *wanted.capped, *filter(None, [wanted.first])} <= causes, case.id
        assert set(wanted.variants) <= variants, case.id
        assert set(wanted.hints) <= hints, case.id


@pytest.mark.parametrize("folder", INTAKES)
def test_each_case_has_its_own_id_and_its_own_sentence(folder: Path) -> None:
    for said in ([case.id for _, case in cases_in(folder)], [case.name for _, case in cases_in(folder)]):
        assert [text for text, count in Counter(said).items() if count > 1] == []
    for _, case in cases_in(folder):
        assert case.name.endswith("."), case.id
        assert len(case.name.split()) >= 6, case.id


def test_every_regression_pair_has_both_of_its_sides() -> None:
    """A miss that must be caught is worth little without the harmless look-alike beside it."""
    folder = next(folder for folder in FOLDERS if folder.name == "tingling-legs")
    pairs = [case.id.removeprefix("pair-") for name, case in cases_in(folder) if name == "pairs.yaml"]
    assert pairs == [f"{number}{side}" for number in range(1, 52) for side in "ab"]
