"""What tests of a submission share: the real intake, answers for it, and one installation with its clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from fhir_app.assessment.assessment import Assessment
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.parties import Author
from fhir_app.fhir.received import ReceivedResponse
from fhir_app.fhir.writeback import DocumentContent
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.store import outbox, submissions
from fhir_app.store.database import Database
from fhir_app.store.outbox import Queued
from fhir_app.store.submissions import Submission
from fhir_app.submission import DestinationFor, Submissions, Submitted

EHR = "https://ehr.example/fhir"
OTHER_EHR = "https://other.example/fhir"
START = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
ORGANIZATION = {
    "resourceType": "Organization",
    "identifier": [{"system": "https://clinic.example/organizations", "value": "42"}],
    "name": "Example Clinic",
}
NAMES = Namespace()

_LISTS: dict[str, object] = {
    "pt-age": 27,
    "rf-general": ["none"],
    "rf-body": ["none"],
    "rf-legs": ["none"],
    "sx-side": "one",
}
CALM: dict[str, object] = {**_LISTS, "rf-nerve": ["none"]}
FLAGGED: dict[str, object] = {
    **_LISTS,
    "rf-nerve": ["weak-both"],
    "rf-weak-onset": "sudden",
    "rf-salt": ["none"],
    "rf-back-risk": ["none"],
}


@cache
def library() -> Library:
    return load_library(questionnaires_root())


@cache
def intake() -> Intake:
    return next(intake for intake in library().intakes if intake.name == "tingling-legs")


def response(answers: Mapping[str, object] = CALM, **elements: Any) -> dict[str, Any]:
    """A QuestionnaireResponse of Patient/1; `elements` replace top-level elements, None takes one out."""
    built = build_questionnaire_response(
        intake().questionnaire, answers, authored="2026-03-01T09:00:00Z", subject={"reference": "Patient/1"}
    )
    return {key: value for key, value in {**built, **elements}.items() if value is not None}


def version(number: int, answers: Mapping[str, object] = CALM, **elements: Any) -> dict[str, Any]:
    """Revision `number` of QuestionnaireResponse/77, as the EHR's server shows it."""
    meta = {"versionId": str(number), "lastUpdated": (START + timedelta(minutes=number)).isoformat()}
    return response(answers, id="77", meta=meta, **elements)


def leaflet(intake: Intake, assessment: Assessment, received: ReceivedResponse) -> tuple[DocumentContent, ...]:
    return (DocumentContent("text/plain", f"Urgency {assessment.disposition.urgency.word}".encode(), "Leaflet", "en"),)


@dataclass
class Installation:
    """Submissions on a database, with a clock that goes on by a second at every look."""

    database: Database
    destination_for: DestinationFor | None = field(default=lambda origin: origin if origin.startswith("http") else None)
    knowledge: Library = field(default_factory=library)
    looks: int = 0

    def clock(self) -> datetime:
        self.looks += 1
        return START + timedelta(seconds=self.looks)

    def submissions(self, **more: Any) -> Submissions:
        return Submissions(
            self.knowledge,
            self.database,
            NAMES,
            Author(ORGANIZATION, "0.1.0"),
            leaflet,
            clock=self.clock,
            destination_for=self.destination_for,
            **more,
        )

    def submit(self, resource: Mapping[str, Any], *, origin: str = EHR, notified_id: str | None = None) -> Submitted:
        return self.submissions().submit(json.dumps(resource).encode(), origin=origin, notified_id=notified_id)

    def stored(self, submission_id: str) -> Submission:
        with self.database.read() as connection:
            found = submissions.get(connection, submission_id)
        assert found is not None
        return found

    def queue(self) -> tuple[Queued, ...]:
        with self.database.read() as connection:
            return outbox.listing(connection)
