"""In: one QuestionnaireResponse -> its assessment and its resources, stored and queued in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypedDict

from sqlalchemy import Connection

from fhir_app.arrival import Arrival, assessment_row, submission_row, without_effect
from fhir_app.assessment.read_answers import ReadResponse
from fhir_app.errors import InvalidQuestionnaireResponse, Issue, MalformedBody, ReplacedSince
from fhir_app.fhir.bundle import transaction_bundle
from fhir_app.fhir.destinations import SHAPES
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.parties import Author
from fhir_app.fhir.received import LOCAL, UNVERSIONED, ReceivedResponse, own_identity, receive
from fhir_app.fhir.writeback import WriteBack
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library
from fhir_app.reading import Reading, read_response
from fhir_app.result import ComposeDocument, Making, is_for_the_chart, no_document, result
from fhir_app.standing import Standing, standing
from fhir_app.store import assessments, outbox, record, submissions, write_backs
from fhir_app.store.assessments import StoredAssessment
from fhir_app.store.database import Database
from fhir_app.store.record import Recorded
from fhir_app.store.submissions import Submission
from fhir_app.store.turns import take_turns

DestinationFor = Callable[[str], str | None]

NOT_MATCHED = "patient not matched"
NEWER_CAME_BEFORE = "a newer revision came in before"
ACCEPTED, ACCEPTED_BEFORE, REFUSED = 201, 200, 422

_REPLACED_SINCE = (
    "This response was taken before, and a newer one has taken its place, so nothing was changed. To make it the "
    "answer that holds, send it with a later authored."
)
_NOTHING_TO_WRITE = Issue(
    "error",
    "business-rule",
    "Nothing would be written: it needs a subject that is a Patient, and may not be withdrawn.",
)


@dataclass(frozen=True)
class Submitted:
    """What became of a submission. The same body again gives the same, but 200 in place of 201.

    `assessment` is the published JSON, there whenever the questionnaire is known, also for a refused response.
    `response` is the response as this service holds it: None when it was refused, when a newer one is held, or when
    the server that it came from holds it. `read` is there only the first time.
    """

    submission_id: str
    status_code: int
    issues: tuple[Issue, ...]
    assessment: Mapping[str, Any] | None
    response: Recorded | None
    read: ReadResponse | None = None


class Submissions:
    """Takes responses in. Whatever it needs from outside is handed to it, the clock included.

    `destination_for` names the destination of an origin, or None when the origin has none: such results are held.
    Without that function there is nowhere to deliver to, and results are only kept and served here.
    `queued` is called inside of the transaction with the id of each outbox row that is due, `stored` after it.
    """

    def __init__(
        self,
        library: Library,
        database: Database,
        namespace: Namespace,
        author: Author,
        compose_document: ComposeDocument = no_document,
        *,
        clock: Callable[[], datetime],
        destination_for: DestinationFor | None = None,
        queued: Callable[[Connection, int], None] | None = None,
        stored: Callable[[], None] | None = None,
    ) -> None:
        self._library = library
        self._database = database
        self._namespace = namespace
        self._making = Making(author, namespace, compose_document)
        self._clock = clock
        self._destination_for = destination_for
        self._queued = queued
        self._stored = stored

    def submit(self, body: bytes, *, origin: str, notified_id: str | None = None) -> Submitted:
        """Take in one response; when this returns, it and everything made of it are on disk.

        `notified_id` is the id in the URL of a server's notification. Raises MalformedBody for a body that is not
        JSON or contradicts that id, InvalidQuestionnaireResponse for a resource of another type, ReplacedSince for
        what was taken before and has been replaced: those are not kept. A response that is refused for any other
        reason is kept with its issues and its red flags, so that a person sees it, and refused again at little cost.
        """
        digest = _digest(body, notified_id)
        with self._database.read() as connection:
            earlier = submissions.with_body(connection, origin, digest)
            if earlier is not None and not self._can_read_more(connection, earlier):
                return _again(connection, earlier)
        reading = read_response(body, self._library)
        now = self._clock()
        received = self._receive(reading, body, origin, notified_id, now)
        arriving = submission_row(reading, received, digest, now)
        # Whatever can be made before is made before: writers wait for each other.
        assessed = assessment_row(reading, arriving.id)
        first = result(self._making, reading, received, reading.intake, None)
        with self._database.begin() as connection:
            take_turns(connection, "identity", arriving.origin, arriving.identity)
            submitted = self._store(connection, reading, received, arriving, body, assessed, first)
        if self._stored is not None:
            self._stored()
        return submitted

    def validate(self, body: bytes) -> tuple[Issue, ...]:
        """Every issue of a response; nothing is kept. Raises like `submit`."""
        return read_response(body, self._library).issues

    def assess_only(self, body: bytes, *, origin: str) -> dict[str, Any]:
        """The transaction Bundle that a first delivery of this response would send; nothing is kept.

        Raises like `submit`, and InvalidQuestionnaireResponse with every issue when it would be refused, or when
        nothing would be delivered because it is withdrawn or names no patient.
        """
        reading = read_response(body, self._library)
        if not reading.valid or reading.intake is None:
            raise InvalidQuestionnaireResponse(reading.issues)
        received = self._receive(reading, body, origin, None, self._clock())
        made = result(self._making, reading, received, reading.intake, None)
        bundle = made and transaction_bundle(made.resources, SHAPES["generic-r4"], namespace=self._namespace)
        if not bundle:
            raise InvalidQuestionnaireResponse([_NOTHING_TO_WRITE])
        return bundle

    def _can_read_more(self, connection: Connection, earlier: Submission) -> bool:
        """Whether it was refused only because its questionnaire was not published here, and now it is."""
        return (
            not earlier.valid
            and earlier.canonical is not None
            and self._library.by_canonical(earlier.canonical) is not None
            and assessments.get(connection, earlier.id) is None
        )

    def _receive(
        self, reading: Reading, body: bytes, origin: str, notified_id: str | None, now: datetime
    ) -> ReceivedResponse:
        """Raises MalformedBody for a body that contradicts the id of its notification."""
        if notified_id is not None and reading.questionnaire_response.get("id", notified_id) != notified_id:
            raise MalformedBody("The id in the body is not the id in the URL.")
        read = partial(
            receive,
            reading.head,
            origin=origin,
            accepted=now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            namespace=self._namespace,
            notified_id=notified_id,
            digest=None if reading.well_formed else hashlib.sha256(body).hexdigest(),
        )
        own = own_identity(reading.head, self._namespace)
        if own is None:
            return read()
        with self._database.read() as connection:
            mapped = outbox.is_known_at(connection, origin=LOCAL, identity=own, destination=origin)
            ours = bool(submissions.revisions(connection, origin, own)) or not submissions.is_known(connection, own)
        if not mapped or origin == LOCAL:
            # A name that we gave to a response of another server is no name for one of this.
            return read(believe_own=ours)
        # Somebody mapped a local response to this server, which now shows us our own copy: no second response.
        received = read()
        submission_id = self._namespace.derived_id("submission", LOCAL, received.identity, received.revision)
        return replace(received, origin=LOCAL, submission_id=submission_id)

    def _store(
        self,
        connection: Connection,
        reading: Reading,
        received: ReceivedResponse,
        arriving: Submission,
        body: bytes,
        stored: StoredAssessment | None,
        first: WriteBack | None,
    ) -> Submitted:
        """`first` is what is made of it when no earlier revision led to anything."""
        known = submissions.revisions(connection, arriving.origin, arriving.identity)
        if any(revision.id == arriving.id for revision in known):
            earlier = submissions.get(connection, arriving.id)
            if earlier is not None and not self._can_read_more(connection, earlier):
                return _again(connection, earlier)
            submissions.remove(connection, arriving.id)
            known = tuple(revision for revision in known if revision.id != arriving.id)
        stands = standing(arriving.order, arriving.status, known)
        made = first if stands.first else self._made(connection, reading, received, stands)
        accepted = arriving.valid or (reading.withdrawn and made is not None)
        submission = replace(
            arriving,
            valid=accepted,
            arrival=stands.arrival,
            newest=stands.newest,
            issues=(*arriving.issues, *without_effect(reading, stands, made, known)),
        )
        # What an earlier revision led to still stands when this one led to nothing: a work list shows both.
        submissions.add(connection, submission, body, replaces=made is not None or stands.follows is None)
        if stored is not None:
            assessments.add(connection, stored)
        arrival = Arrival(reading, received, submission, stands, made)
        held = _keep(connection, arrival)
        self._queue(connection, arrival)
        return Submitted(
            submission_id=submission.id,
            status_code=ACCEPTED if accepted else REFUSED,
            issues=submission.issues,
            assessment=None if stored is None else stored.content,
            response=held if accepted else None,
            read=reading.read,
        )

    def _made(
        self, connection: Connection, reading: Reading, received: ReceivedResponse, stands: Standing
    ) -> WriteBack | None:
        if stands.stale:
            return None
        previous, canonicals = None, [reading.canonical]
        if stands.follows is not None:
            previous = write_backs.get(connection, stands.follows.id)
            canonicals.append(stands.follows.canonical)
        return result(self._making, reading, received, reading.intake or self._intake_of(canonicals), previous)

    def _intake_of(self, canonicals: Sequence[str | None]) -> Intake | None:
        """For a retraction, whose questionnaire may be gone: by version, else any version of that questionnaire."""
        named = [canonical for canonical in canonicals if canonical]
        exact = (self._library.by_canonical(canonical) for canonical in named)
        urls = {canonical.partition("|")[0] for canonical in named}
        similar = (intake for intake in self._library.intakes if intake.questionnaire.url in urls)
        return next((intake for intake in (*exact, *similar) if intake is not None), None)

    def _queue(self, connection: Connection, arrival: Arrival) -> None:
        """One outbox row for what a destination is owed, and for what it would have been owed had it come in time."""
        late = arrival.stands.stale and arrival.received.subject is not None and is_for_the_chart(arrival.reading)
        if self._destination_for is None or not (arrival.made or late):
            return
        submission = arrival.submission
        destination = self._destination_for(submission.origin) if arrival.is_about_its_own_patient else None
        state, reason = _delivery_state(destination, late)
        row_id = outbox.put(
            connection,
            submission_id=submission.id,
            origin=submission.origin,
            identity=submission.identity,
            sequence=submission.arrival,
            destination=destination or outbox.UNMAPPED,
            now=submission.accepted,
            state=state,
            reason=reason,
        )
        if state == "pending" and self._queued is not None:
            self._queued(connection, row_id)


def _keep(connection: Connection, arrival: Arrival) -> Recorded | None:
    """Put into the record what was made, or else the accepted response alone, so that it can be read again.

    Returns the response as the record holds it, None when it does not.
    """
    submission, response = arrival.submission, arrival.received.questionnaire_response
    where_from: _WhereFrom = {
        "submission_id": submission.id,
        "origin": submission.origin,
        "now": submission.accepted,
        "received": arrival.reading.questionnaire_response,
    }
    version = None
    if arrival.made is not None:
        version = write_backs.add(connection, arrival.made, **where_from)
    if version is None and submission.valid and submission.newest and not arrival.received.held_by_origin:
        version = record.write(connection, [response], **where_from)[0].version
    if version is None:
        return None
    return Recorded(response, submission.origin, version, submission.accepted, is_current=True)


class _WhereFrom(TypedDict):
    submission_id: str
    origin: str
    now: datetime
    received: Mapping[str, Any]


def _delivery_state(destination: str | None, late: bool) -> tuple[outbox.State, str | None]:
    if late:
        return "superseded", NEWER_CAME_BEFORE
    return ("held", NOT_MATCHED) if destination is None else ("pending", None)


def _digest(body: bytes, notified_id: str | None) -> str:
    """Of everything that says which response this is: a body without an id has it from its notification."""
    told = b"" if notified_id is None else b" notified as " + notified_id.encode()
    return hashlib.sha256(body + told).hexdigest()


def _again(connection: Connection, earlier: Submission) -> Submitted:
    """The reply that was given before. Raises ReplacedSince when the caller must hear that it holds no longer: where
    no version of a server tells a late retry from an answer that is restored."""
    if earlier.valid and not earlier.newest and earlier.order == UNVERSIONED:
        raise ReplacedSince(_REPLACED_SINCE)
    stored = assessments.get(connection, earlier.id)
    return Submitted(
        submission_id=earlier.id,
        status_code=ACCEPTED_BEFORE if earlier.valid else REFUSED,
        issues=earlier.issues,
        assessment=None if stored is None else stored.content,
        response=record.response_of(connection, earlier.id) if earlier.valid else None,
    )
