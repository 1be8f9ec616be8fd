"""A response that came in, with its standing and what was made of it, and the rows that keep it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fhir_app.assessment.as_json import assessment_json
from fhir_app.errors import Issue
from fhir_app.fhir.received import ReceivedResponse
from fhir_app.fhir.writeback import WriteBack
from fhir_app.reading import WITHDRAWN, Reading
from fhir_app.standing import Standing
from fhir_app.store.assessments import StoredAssessment
from fhir_app.store.submissions import Revision, Submission

_REPLACED_BEFORE = Issue(
    "warning", "conflict", "A newer revision of this response came in before: this one is kept, and changes nothing."
)
_WITHDRAWN_BEFORE = Issue(
    "warning",
    "conflict",
    "This response was withdrawn before: this revision is kept, and changes nothing. Send it under a new identifier.",
)
_NOTHING_WITHDRAWN = Issue(
    "warning", "not-found", "Nothing was withdrawn: no result of this response is known here under this identity."
)


@dataclass(frozen=True)
class Arrival:
    """A response as it is stored, and what was made of it."""

    reading: Reading
    received: ReceivedResponse
    submission: Submission
    stands: Standing
    made: WriteBack | None

    @property
    def is_about_its_own_patient(self) -> bool:
        """Whether its patient is one of the server that it came from: those have relative references by now. Only a
        person can say whether a patient of another server is the same one."""
        subject = self.made.summary["subject"]["reference"] if self.made is not None else self.received.subject
        return "://" not in (subject or "")


def submission_row(reading: Reading, received: ReceivedResponse, digest: str, now: datetime) -> Submission:
    """The row to store, its standing not yet known."""
    return Submission(
        id=received.submission_id,
        origin=received.origin,
        identity=received.identity,
        revision=received.revision,
        order=received.order,
        arrival=0,
        newest=True,
        body_hash=digest,
        status=received.status,
        valid=reading.valid,
        issues=reading.issues,
        canonical=reading.head.get("questionnaire"),
        subject=received.subject,
        encounter=received.encounter,
        authored=received.authored,
        accepted=now,
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


def without_effect(
    reading: Reading, stands: Standing, made: WriteBack | None, known: Sequence[Revision]
) -> tuple[Issue, ...]:
    """Why nothing was made of a revision, where the caller would not expect it."""
    if stands.stale:
        withdrawn = any(revision.status == WITHDRAWN for revision in known)
        return (_WITHDRAWN_BEFORE if withdrawn else _REPLACED_BEFORE,)
    if reading.withdrawn and reading.valid and made is None:
        return (_NOTHING_WITHDRAWN,)
    return ()
