"""Plain answers by linkId -> what the rules make of them, by way of a real QuestionnaireResponse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fhir_app.assessment.assess import assess
from fhir_app.assessment.assessment import Assessment
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.assessment.read_answers import read_answers
from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.answers import Answers
from fhir_app.knowledge.cases import Case, Story
from fhir_app.knowledge.intake import Disposition, Intake

_AUTHORED = "2026-01-01T00:00:00Z"  # no rule reads it; it only has to be there


def answers_of(intake: Intake, plain: Mapping[str, Any], *, name: str, status: str = "completed") -> Answers:
    """The answers of the response that a form would send. Raises KnowledgeError, naming the case, when an answer is
    not one that the questionnaire takes."""
    try:
        questionnaire_response = build_questionnaire_response(
            intake.questionnaire, plain, status=status, authored=_AUTHORED
        )
    except ValueError as error:
        raise KnowledgeError([f"{name}: {error}"]) from None
    return read_answers(intake.questionnaire, questionnaire_response).answers


def play_case(intake: Intake, case: Case) -> Assessment:
    """The assessment of one case. Causes are ranked only for a finished response. Raises KnowledgeError."""
    answers = answers_of(intake, case.answers, name=case.id, status=case.status)
    because: Literal["status"] | None = None if case.status in ("completed", "amended") else "status"
    return assess(intake, answers, rank_causes=because is None, because=because)


def play_story(intake: Intake, story: Story) -> Assessment:
    """The assessment of one story. Raises KnowledgeError."""
    return assess(intake, answers_of(intake, story.answers, name=story.id))


def in_words(disposition: Disposition) -> str:
    """`same-day hospital`: the words in which cases and rules name a disposition."""
    where = f" {disposition.where.word}" if disposition.where is not None else ""
    return f"{disposition.urgency.word}{where}"


@dataclass(frozen=True)
class Result:
    """What is compared between two knowledge versions: urgency, rows that are present, first three causes."""

    urgency: str
    present: tuple[str, ...]
    causes: tuple[str, ...]

    @staticmethod
    def of(assessment: Assessment) -> Result:
        rows = [flag.id for flag in assessment.red_flags if flag.status == "present"]
        triggers = [trigger.id for trigger in assessment.triggers]
        first = tuple(cause.id for cause in assessment.causes[:3]) if assessment.assessed else ()
        return Result(in_words(assessment.disposition), tuple(sorted((*rows, *triggers))), first)
