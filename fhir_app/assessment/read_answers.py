"""QuestionnaireResponse + Questionnaire -> Answers, and every issue at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fhir_app.assessment.check_items import check_items
from fhir_app.assessment.check_values import ValueCheck
from fhir_app.assessment.form import Form, prepare
from fhir_app.assessment.gather import Gathering, gather
from fhir_app.errors import Issue
from fhir_app.knowledge.answers import Answers
from fhir_app.knowledge.questionnaire import Questionnaire
from fhir_app.knowledge.terminology import Terminology, built_in

# Drafts and retracted responses may lack answers: https://hl7.org/fhir/R4/valueset-questionnaire-answers-status.html
_MAY_LACK_ANSWERS = frozenset({"in-progress", "stopped", "entered-in-error"})


@dataclass(frozen=True)
class ReadResponse:
    """What a response says, and everything that is wrong with it."""

    answers: Answers
    issues: tuple[Issue, ...]

    @property
    def has_errors(self) -> bool:
        return any(issue.is_error for issue in self.issues)


def read_answers(
    questionnaire: Questionnaire,
    questionnaire_response: Mapping[str, Any],
    terminology: Terminology | None = None,
) -> ReadResponse:
    """Reads a response against its Questionnaire (R4, https://hl7.org/fhir/R4/questionnaireresponse.html#notes).

    Never raises, whatever the JSON object holds, and gathers the answers that can be read even when there are errors
    and even under items that are not enabled: a red flag may be among them. An answer that is refused counts for what
    it plainly ticks and is otherwise a gap (`Answers.unread`). That `questionnaire` is the one that the response names
    is the caller's business.
    """
    form = prepare(questionnaire)
    check = ValueCheck(_seen_from(questionnaire, terminology or built_in()), questionnaire_response)
    gathering = gather(form, questionnaire_response, check)
    status = questionnaire_response.get("status")
    may_lack_answers = isinstance(status, str) and status in _MAY_LACK_ANSWERS
    issues = check_items(form, gathering, held_to_required=not may_lack_answers)
    return ReadResponse(_answers(form, gathering), (*gathering.issues, *issues))


@lru_cache(maxsize=256)
def _seen_from(questionnaire: Questionnaire, terminology: Terminology) -> Terminology:
    return terminology.within(questionnaire.resource)


def _answers(form: Form, gathering: Gathering) -> Answers:
    answered = {link_id: tuple(values) for link_id, values in gathering.root.answered.items()}
    states = {link_id: state for link_id, state in gathering.root.states.items() if link_id not in answered}
    return Answers(answered, states, frozenset(gathering.root.unread))
