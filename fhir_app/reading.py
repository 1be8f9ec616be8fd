"""Bytes of a QuestionnaireResponse -> what it says, everything wrong with it, and its assessment. Nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from fhir_app.assessment.assess import assess
from fhir_app.assessment.assessment import Assessment
from fhir_app.assessment.read_answers import ReadResponse, read_answers
from fhir_app.errors import InvalidQuestionnaireResponse, Issue, UnknownQuestionnaire
from fhir_app.fhir.model import check_shape
from fhir_app.fhir.read_json import read_json
from fhir_app.fhir.received import patient_reference
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library

FINISHED = frozenset({"completed", "amended"})
WITHDRAWN = "entered-in-error"


@dataclass(frozen=True)
class Reading:
    """A body as understood.

    `well_formed`: the shape is FHIR's, so that every element may be read as what it must be. `intake`, `read` and
    `assessment` are None when the response names no questionnaire that we hold.
    """

    questionnaire_response: Mapping[str, Any]
    well_formed: bool
    issues: tuple[Issue, ...]
    intake: Intake | None
    read: ReadResponse | None
    assessment: Assessment | None

    @property
    def valid(self) -> bool:
        return not any(issue.is_error for issue in self.issues)

    @property
    def verified(self) -> bool:
        """Finished, and nothing in it is an error: only such a response may take back what an earlier one led to."""
        return self.valid and self.questionnaire_response.get("status") in FINISHED

    @cached_property
    def head(self) -> Mapping[str, Any]:
        """Whose response it is, and which: of a body that is not FHIR's shape only those elements at the top that are.
        A status that cannot be read counts as unfinished."""
        return self.questionnaire_response if self.well_formed else _head(self.questionnaire_response)

    @property
    def withdrawn(self) -> bool:
        return bool(self.head["status"] == WITHDRAWN)

    @property
    def canonical(self) -> str | None:
        return _text(self.questionnaire_response.get("questionnaire"))


def read_response(body: bytes, library: Library) -> Reading:
    """One body -> its reading.

    Raises MalformedBody for what is not JSON, InvalidQuestionnaireResponse for a resource of another type: neither
    is a response that anybody could look at. Everything else comes back with its issues, all at once, and with its
    red flags assessed as far as its answers can be read, whatever its status or validity.
    """
    resource = read_json(body)
    shape = check_shape(resource, "QuestionnaireResponse")
    if resource.get("resourceType") != "QuestionnaireResponse":
        raise InvalidQuestionnaireResponse(shape)
    shape = (*shape, *_without_a_patient(resource))
    reading = Reading(resource, not any(issue.is_error for issue in shape), shape, None, None, None)
    canonical = reading.canonical
    intake = library.by_canonical(canonical) if canonical else None
    if intake is None:
        return replace(reading, issues=(*shape, _unknown_questionnaire(canonical, library)))
    read = read_answers(intake.questionnaire, resource)
    issues = (*shape, *read.issues)
    because = _not_ranked(resource.get("status"), issues)
    assessment = assess(intake, read.answers, rank_causes=because is None, because=because)
    return replace(reading, issues=_softened(reading, issues), intake=intake, read=read, assessment=assessment)


def _without_a_patient(resource: Mapping[str, Any]) -> tuple[Issue, ...]:
    """A result without a patient has no chart to go to: whoever sends it must hear of that, not find out."""
    if patient_reference(resource.get("subject")) is not None:
        return ()
    text = "The response refers to no Patient: it is assessed and listed here, but nothing is written to a chart."
    return (Issue("warning", "business-rule", text, expression="QuestionnaireResponse.subject"),)


def _not_ranked(status: object, issues: tuple[Issue, ...]) -> Literal["status", "invalid"] | None:
    if not isinstance(status, str) or status not in FINISHED:
        return "status"
    return "invalid" if any(issue.is_error for issue in issues) else None


def _softened(reading: Reading, issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
    """A response that is withdrawn need not hold to its questionnaire: refusing it would keep a mistake in a chart."""
    if not (reading.well_formed and reading.withdrawn):
        return issues
    return tuple(replace(issue, severity="warning") if issue.severity == "error" else issue for issue in issues)


_HEAD = (
    *("id", "meta", "language", "identifier", "questionnaire", "status", "subject", "encounter", "authored"),
    *("author", "source"),
)


def _head(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    least = {"resourceType": "QuestionnaireResponse", "status": "in-progress"}
    found = {name: resource[name] for name in _HEAD if name in resource}
    return {**least, **{name: value for name, value in found.items() if not check_shape({**least, name: value})}}


def _unknown_questionnaire(canonical: str | None, library: Library) -> Issue:
    if canonical and "|" in canonical:
        published = ", ".join(intake.canonical for intake in library.intakes)
        text = f"This version of the questionnaire is not published here; published are: {published}."
    else:
        text = "The response must name its questionnaire with the version, as url|version."
    return Issue("error", UnknownQuestionnaire.issue_type, text, expression="QuestionnaireResponse.questionnaire")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
