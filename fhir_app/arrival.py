"""A response that came in, with its standing and what was made of it, and the rows that keep it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from fhir_app.assessment.as_json import assessment_json
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.received import ReceivedResponse
from fhir_app.fhir.writeback import WriteBack
from fhir_app.reading import Reading
from fhir_app.standing import Standing
from fhir_app.store.assessments import StoredAssessment
from fhir_app.store.submissions import Submission


@dataclass(frozen=True)
class Arrival:
    """A response with a shape, as it is stored, and what was made of it."""

    reading: Reading
    received: ReceivedResponse
    submission: Submission
    stands: Standing
    made: WriteBack | None


def submission_row(
    reading: Reading,
    received: ReceivedResponse | None,
    namespace: Namespace,
    origin: str,
    digest: str,
    now: datetime,
) -> Submission:
    """The row to store, its standing not yet known. What has no shape is known by its bytes alone."""
    identity = namespace.derived_id("unreadable", origin, digest)
    known_by_its_bytes = Submission(
        id=namespace.derived_id("submission", origin, identity),
        origin=origin,
        identity=identity,
        revision=f"content:{digest}",
        order=(0, ""),
        arrival=0,
        newest=True,
        body_hash=digest,
        status=None,
        valid=reading.valid,
        issues=reading.issues,
        canonical=None if reading.intake is None else reading.intake.canonical,
        subject=None,
        encounter=None,
        authored=None,
        accepted=now,
        language=None,
    )
    if received is None:
        return known_by_its_bytes
    return replace(
        known_by_its_bytes,
        id=received.submission_id,
        origin=received.origin,
        identity=received.identity,
        revision=received.revision,
        order=received.order,
        status=received.status,
        canonical=reading.canonical,
        subject=received.subject,
        encounter=received.encounter,
        authored=received.authored,
        language=received.language,
    )


def assessment_row(reading: Reading, submission_id: str) -> StoredAssessment | None:
    if reading.intake is None or reading.assessment is None:
        return None
    found = reading.assessment
    row = StoredAssessment(
        submission_id=submission_id,
        intake=found.intake,
        knowledge_version=found.knowledge_version,
        urgency=int(found.disposition.urgency) * 10 + int(found.disposition.where or 0),
        flagged=bool(found.present_flags),
        content=assessment_json(found),
    )
    _ = row.packed  # compressed here and now, not while other writers wait
    return row
