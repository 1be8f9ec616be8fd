"""A gap under a red flag never makes a case look milder than the answer that was left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_app.assessment.assess import assess
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.assessment.read_answers import read_answers
from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.criteria import link_ids
from fhir_app.knowledge.intake import Disposition, Intake, Urgency
from tests.questionnaires.tried import FOLDERS, Tried, all_tried, intake_in

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("folder", [pytest.param(folder, id=folder.name) for folder in FOLDERS]),
]


def test_a_follow_up_left_open_never_lowers_the_urgency_of_a_case(folder: Path) -> None:
    """The option above it is ticked, so the most urgent branch of its rule stands."""
    intake = intake_in(folder)
    lowered = [
        f"{one.case.id}: {link_id} {how}"
        for one in _finished(folder)
        for link_id in one.case.answers
        if link_id in _follow_ups(intake)
        for how, came in _without(intake, one, link_id)
        if came < one.assessment.disposition
    ]
    assert lowered == []


def test_a_list_or_a_question_that_opens_on_risk_left_open_asks_for_a_visit_soon(folder: Path) -> None:
    intake = intake_in(folder)
    milder = [
        f"{one.case.id}: {link_id} {how}"
        for one in _finished(folder)
        for link_id in one.case.answers
        if link_id in _reported_gaps(intake)
        for how, came in _without(intake, one, link_id)
        if came.urgency < Urgency.SOON
    ]
    assert milder == []


def _finished(folder: Path) -> Iterator[Tried]:
    return (one for one in all_tried(folder) if one.case.status == "completed")


def _reported_gaps(intake: Intake) -> frozenset[str]:
    """The questions whose gap is a row of its own."""
    rows = [row for row in intake.red_flags if row.kind == "not-assessed"]
    return frozenset().union(*(link_ids(row.when.tree) for row in rows))


def _follow_ups(intake: Intake) -> frozenset[str]:
    """The questions that must be answered once an option above them is ticked."""
    required = {link_id for link_id, item in intake.questionnaire.by_link_id.items() if item.required}
    return frozenset(required) - _reported_gaps(intake) - {intake.age_link_id}


def _without(intake: Intake, one: Tried, link_id: str) -> Iterator[tuple[str, Disposition]]:
    """What the case asks for with the question blank, and with it answered "not sure" where it can be."""
    item = intake.questionnaire.by_link_id[link_id]
    answers = {other: value for other, value in one.case.answers.items() if other != link_id}
    yield "blank", _disposition(intake, answers)
    for option in item.options:
        if isinstance(option.value, Coding) and option.value.code in intake.reading.not_sure:
            yield "not sure", _disposition(intake, {**answers, link_id: option.value.code})


def _disposition(intake: Intake, answers: dict[str, object]) -> Disposition:
    response = build_questionnaire_response(intake.questionnaire, answers, authored="2026-11-24T10:00:00Z")
    return assess(intake, read_answers(intake.questionnaire, response).answers).disposition
