"""One truth table for all operators: FHIR R4, Questionnaire.item.enableWhen.operator."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_app.assessment.read_answers import read_answers
from fhir_app.knowledge.questionnaire import read_questionnaire
from tests.assessment.conformance_cases import Case, a, q, v

# The answers to the question that the condition compares with 3.
ANSWERS: dict[str, list[int]] = {"none": [], "2": [2], "3": [3], "4": [4], "2 and 3": [2, 3], "2 and 4": [2, 4]}
TABLE: dict[str, dict[str, bool]] = {
    "exists": {"none": False, "2": True, "3": True, "4": True, "2 and 3": True, "2 and 4": True},
    "not exists": {"none": True, "2": False, "3": False, "4": False, "2 and 3": False, "2 and 4": False},
    "=": {"none": False, "2": False, "3": True, "4": False, "2 and 3": True, "2 and 4": False},
    "!=": {"none": False, "2": True, "3": False, "4": True, "2 and 3": True, "2 and 4": True},
    ">": {"none": False, "2": False, "3": False, "4": True, "2 and 3": False, "2 and 4": True},
    "<": {"none": False, "2": True, "3": False, "4": False, "2 and 3": True, "2 and 4": True},
    ">=": {"none": False, "2": False, "3": True, "4": True, "2 and 3": True, "2 and 4": True},
    "<=": {"none": False, "2": True, "3": True, "4": False, "2 and 3": True, "2 and 4": True},
}


def _condition(operator: str) -> tuple[str, str, str, Any]:
    if operator in ("exists", "not exists"):
        return "n", "exists", "answerBoolean", operator == "exists"
    return "n", operator, "answerInteger", 3


@pytest.mark.parametrize("answers", ANSWERS)
@pytest.mark.parametrize("operator", TABLE)
def test_an_operator_shows_the_question_exactly_when_the_table_says_so(operator: str, answers: str) -> None:
    items = [q("n", "integer", repeats=True), q("t", "string", when=[_condition(operator)])]
    given = [a("n", *(v("Integer", number) for number in ANSWERS[answers])), a("t", v("String", "x"))]
    case = Case("", "", items, given)
    result = read_answers(read_questionnaire(case.questionnaire_resource()), case.response_resource())
    assert result.has_errors is not TABLE[operator][answers]
