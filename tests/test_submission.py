"""One response in: what is kept, what is queued, and what is replied."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from fhir_app.errors import InvalidQuestionnaireResponse, MalformedBody
from fhir_app.fhir.model import parse_with_library
from fhir_app.knowledge.library import Library
from fhir_app.store import assessments, outbox, record, submissions, write_backs
from fhir_app.store.database import Database
from fhir_app.store.search import Wanted, search
from fhir_app.store.tables import metadata
from fhir_app.submission import NOT_MATCHED, Submitted
from tests.store.databases import database, postgres_server, url
from tests.submitting import CALM, EHR, FLAGGED, NAMES, OTHER_EHR, Installation, response, version

__all__ = ["database", "postgres_server", "url"]


def as_dicts(resources: Any) -> list[dict[str, Any]]:
    return [dict(resource) for resource in resources]


def row_counts(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }


def test_a_valid_response_is_stored_assessed_and_queued_at_once(database: Database) -> None:
    here = Installation(database)
    submitted = here.submit(response())
    assert submitted.status_code == 201
    assert submitted.assessment is not None
    (row,) = here.queue()
    assert (row.state, row.destination, row.submission_id) == ("pending", EHR, submitted.submission_id)
    with database.read() as connection:
        made = write_backs.get(connection, submitted.submission_id)
        stored = assessments.get(connection, submitted.submission_id)
    assert made is not None
    assert made.summary["status"] == "final"
    assert made.document is not None
    assert stored is not None
    assert stored.content == submitted.assessment


def test_the_bytes_are_kept_exactly_as_they_were_received(database: Database) -> None:
    here = Installation(database)
    body = json.dumps(response(), indent=3).encode() + b"\n"
    submitted = here.submissions().submit(body, origin=EHR)
    with database.read() as connection:
        assert submissions.body(connection, submitted.submission_id) == body


def test_what_is_read_back_for_delivery_equals_what_was_made(database: Database) -> None:
    here = Installation(database)
    submitted = here.submit(response(FLAGGED))
    with database.read() as connection:
        made = write_backs.get(connection, submitted.submission_id)
        again = write_backs.get(connection, submitted.submission_id)
    assert made is not None
    assert again == made
    kinds = [resource["resourceType"] for resource in made.resources]
    assert kinds[0] == "Organization"
    assert kinds[-1] == "Provenance"
    assert kinds.count("QuestionnaireResponse") == 1
    assert kinds.count("Observation") == 1 + len(made.flags)
    for resource in made.resources:
        parse_with_library(resource)


def test_the_stored_response_can_be_read_with_the_copy_s_identifier_and_the_received_answers(
    database: Database,
) -> None:
    here = Installation(database)
    sent = response()
    submitted = here.submit(sent)
    assert submitted.response is not None
    held = submitted.response.resource
    assert held["item"] == sent["item"]
    assert held["identifier"]["system"] == NAMES.questionnaire_response_identifiers
    with database.read() as connection:
        found = record.read(connection, "QuestionnaireResponse", held["id"])
    assert found == submitted.response


def test_the_same_bytes_again_get_the_same_reply_and_leave_one_result(database: Database) -> None:
    here = Installation(database)
    first = here.submit(response(FLAGGED))
    before = row_counts(database)
    again = here.submit(response(FLAGGED))
    assert again == replace(first, status_code=200, read=None)
    assert row_counts(database) == before


def test_the_same_response_in_other_bytes_leaves_one_result_too(database: Database) -> None:
    here = Installation(database)
    sent = response()
    first = here.submit(sent)
    before = row_counts(database)
    shuffled = dict(reversed(sent.items()))
    again = here.submit(shuffled)
    assert (again.submission_id, again.status_code) == (first.submission_id, 200)
    assert again.assessment == first.assessment
    assert row_counts(database) == before


def test_two_writers_at_once_with_the_same_response_get_the_same_reply_and_leave_one_result(
    database: Database,
) -> None:
    here = Installation(database)
    replies: list[Submitted] = []
    start = threading.Barrier(4)

    def submit() -> None:
        start.wait()
        replies.append(here.submit(response(FLAGGED)))

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status_code for reply in replies) == [200, 200, 200, 201]
    assert len({reply.submission_id for reply in replies}) == 1
    assert all(reply.assessment == replies[0].assessment for reply in replies)
    counts = row_counts(database)
    assert (counts["submissions"], counts["outbox"], counts["assessments"]) == (1, 1, 1)


def test_an_invalid_response_is_refused_with_every_issue_and_kept_for_a_person_to_see(database: Database) -> None:
    here = Installation(database)
    answers = {**CALM, "rf-nerve": ["weak-both"]}
    submitted = here.submit(response(answers))
    assert submitted.status_code == 422
    assert {issue.link_id for issue in submitted.issues} >= {"rf-weak-onset", "rf-salt"}
    stored = here.stored(submitted.submission_id)
    assert not stored.valid
    assert stored.issues == submitted.issues
    with database.read() as connection:
        (listed,) = submissions.listing(connection)
    assert listed.flagged
    assert listed.submission == stored


def test_a_red_flag_in_an_invalid_response_is_delivered_as_preliminary_and_without_a_leaflet(
    database: Database,
) -> None:
    here = Installation(database)
    submitted = here.submit(response({**CALM, "rf-nerve": ["weak-both"]}))
    (row,) = here.queue()
    assert row.state == "pending"
    with database.read() as connection:
        made = write_backs.get(connection, submitted.submission_id)
    assert made is not None
    assert made.summary["status"] == "preliminary"
    assert [flag["status"] for flag in made.flags] == ["preliminary"] * len(made.flags)
    assert made.document is None


def test_an_invalid_response_without_a_flag_is_kept_and_not_delivered(database: Database) -> None:
    here = Installation(database)
    sent = response()
    sent["item"][0]["item"][0]["answer"] = [{"valueInteger": 27}, {"valueInteger": 28}]
    submitted = here.submit(sent)
    assert submitted.status_code == 422
    assert submitted.assessment is not None
    assert here.queue() == ()


def test_a_refusal_is_recorded_once_and_given_again_without_reading_the_response_again(database: Database) -> None:
    here = Installation(database)
    sent = version(1, {**CALM, "rf-nerve": ["weak-both"]})
    first = here.submit(sent, notified_id="77")
    looks, before = here.looks, row_counts(database)
    again = here.submit(sent, notified_id="77")
    assert (again.status_code, again.issues, again.submission_id) == (422, first.issues, first.submission_id)
    assert again.read is None
    assert here.looks == looks
    assert row_counts(database) == before


def test_a_response_of_an_unknown_questionnaire_version_is_refused_and_kept(database: Database) -> None:
    here = Installation(database)
    sent = response()
    submitted = here.submit({**sent, "questionnaire": sent["questionnaire"].split("|")[0] + "|99.0.0"})
    assert submitted.status_code == 422
    assert submitted.assessment is None
    assert [issue.code for issue in submitted.issues] == ["not-found"]
    assert here.stored(submitted.submission_id).subject == "Patient/1"
    assert here.queue() == ()


@pytest.mark.parametrize("canonical", [None, "without-version"])
def test_a_response_without_a_version_of_its_questionnaire_is_never_read_as_the_latest(
    database: Database, canonical: str | None
) -> None:
    here = Installation(database)
    bare = response()["questionnaire"].split("|")[0]
    submitted = here.submit(response(questionnaire=bare if canonical else None))
    assert submitted.status_code == 422
    assert submitted.assessment is None


def test_a_response_that_came_before_its_questionnaire_was_published_is_taken_when_it_comes_again(
    database: Database,
) -> None:
    refused = Installation(database, knowledge=Library(())).submit(response())
    assert refused.status_code == 422
    here = Installation(database)
    taken = here.submit(response())
    assert (taken.status_code, taken.submission_id) == (201, refused.submission_id)
    assert len(here.queue()) == 1
    assert row_counts(database)["submissions"] == 1


def test_malformed_json_is_refused_and_not_kept(database: Database) -> None:
    here = Installation(database)
    with pytest.raises(MalformedBody):
        here.submissions().submit(b'{"resourceType": "QuestionnaireResponse"', origin=EHR)
    assert row_counts(database)["submissions"] == 0


def test_a_resource_of_another_type_is_refused_and_not_kept(database: Database) -> None:
    here = Installation(database)
    with pytest.raises(InvalidQuestionnaireResponse):
        here.submit({"resourceType": "Patient"})
    assert row_counts(database)["submissions"] == 0


def test_a_response_that_breaks_fhir_is_kept_with_its_issues_and_its_flag_is_delivered(database: Database) -> None:
    here = Installation(database)
    submitted = here.submit(response(FLAGGED, author="not a reference", status="almost", authored="yesterday"))
    assert submitted.status_code == 422
    assert {issue.expression for issue in submitted.issues} >= {
        "QuestionnaireResponse.author",
        "QuestionnaireResponse.authored",
        "QuestionnaireResponse.status",
    }
    with database.read() as connection:
        (listed,) = submissions.listing(connection)
        made = write_backs.get(connection, submitted.submission_id)
    assert listed.flagged
    assert listed.submission.subject == "Patient/1"
    assert [row.state for row in here.queue()] == ["pending"]
    assert made is not None
    assert {resource["status"] for resource in (*made.flags, made.summary)} == {"preliminary"}
    assert "QuestionnaireResponse" not in {resource["resourceType"] for resource in made.resources}
    assert made.document is None


@pytest.mark.parametrize("answers", [CALM, FLAGGED])
def test_an_unfinished_response_is_delivered_only_when_it_holds_a_flag(
    database: Database, answers: dict[str, object]
) -> None:
    here = Installation(database)
    submitted = here.submit(response(answers, status="in-progress"))
    assert submitted.status_code == 201
    assert submitted.assessment is not None
    assert not submitted.assessment["assessed"]
    states = [row.state for row in here.queue()]
    assert states == (["pending"] if answers is FLAGGED else [])
    assert submitted.response is not None


def test_a_response_without_a_subject_is_assessed_and_shown_but_never_queued(database: Database) -> None:
    here = Installation(database)
    submitted = here.submit(response(FLAGGED, subject=None))
    assert submitted.status_code == 201
    assert submitted.assessment is not None
    assert here.queue() == ()
    with database.read() as connection:
        (listed,) = submissions.listing(connection)
        found = search(connection, "Observation", (), origin="local", count=10)
    assert listed.flagged
    assert found.total == 0


def test_a_result_goes_to_the_destination_of_its_own_origin_only(database: Database) -> None:
    here = Installation(database)
    one = here.submit(response(), origin=EHR)
    other = here.submit(response(), origin=OTHER_EHR)
    assert one.submission_id != other.submission_id
    assert [(row.origin, row.destination) for row in here.queue()] == [(EHR, EHR), (OTHER_EHR, OTHER_EHR)]


def test_a_result_about_a_patient_of_another_server_is_held_for_a_person_to_match(database: Database) -> None:
    here = Installation(database)
    here.submit(response(FLAGGED, subject={"reference": f"{OTHER_EHR}/Patient/1"}))
    here.submit(response(FLAGGED, subject={"reference": f"{EHR}/Patient/1"}))
    assert [(row.state, row.reason) for row in here.queue()] == [("held", NOT_MATCHED), ("pending", None)]


def test_the_result_of_an_origin_without_a_destination_is_held(database: Database) -> None:
    here = Installation(database)
    here.submit(response(), origin="local")
    (row,) = here.queue()
    assert (row.state, row.reason, row.destination) == ("held", NOT_MATCHED, outbox.UNMAPPED)


def test_without_any_destination_the_result_is_served_here_and_nothing_is_queued(database: Database) -> None:
    here = Installation(database, destination_for=None)
    here.submit(response(FLAGGED), origin="local")
    assert here.queue() == ()
    with database.read() as connection:
        found = search(connection, "Observation", [Wanted("patient", ("Patient/1",))], origin="local", count=10)
    assert found.total > 1


def test_a_notification_whose_body_has_another_id_is_refused(database: Database) -> None:
    here = Installation(database)
    with pytest.raises(MalformedBody):
        here.submit(version(1), notified_id="78")


def test_a_response_that_its_origin_holds_is_not_written_there_again(database: Database) -> None:
    here = Installation(database)
    submitted = here.submit(version(1), notified_id="77")
    assert submitted.response is None
    with database.read() as connection:
        made = write_backs.get(connection, submitted.submission_id)
    assert made is not None
    assert made.questionnaire_response["id"] == "77"
    assert "QuestionnaireResponse" not in {resource["resourceType"] for resource in made.resources}
    assert made.summary["derivedFrom"][0]["reference"] == "QuestionnaireResponse/77"


def test_the_notification_about_our_own_copy_is_ignored(database: Database) -> None:
    here = Installation(database)
    first = here.submit(response())
    assert first.response is not None
    before = row_counts(database)
    copy = {**first.response.resource, "id": "9001"}
    copy["meta"] = {**copy["meta"], "versionId": "1", "lastUpdated": "2026-03-01T10:00:05Z"}
    echoed = here.submit(copy, notified_id="9001")
    assert (echoed.submission_id, echoed.status_code) == (first.submission_id, 200)
    assert row_counts(database) == before


def test_the_notification_about_a_local_response_that_somebody_mapped_is_ignored(database: Database) -> None:
    here = Installation(database)
    first = here.submit(response(), origin="local")
    assert first.response is not None
    (held,) = here.queue()
    with database.begin() as connection:
        assert outbox.requeue(connection, held.id, held.created_at, destination=EHR)
    copy = {**first.response.resource, "id": "9001"}
    copy["meta"] = {**copy["meta"], "versionId": "1"}
    echoed = here.submit(copy, notified_id="9001")
    assert (echoed.submission_id, echoed.status_code) == (first.submission_id, 200)
    assert len(here.queue()) == 1


def test_a_server_cannot_correct_a_local_response_that_it_was_never_sent(database: Database) -> None:
    here = Installation(database)
    first = here.submit(response(), origin="local")
    assert first.response is not None
    foreign = here.submit({**first.response.resource, "status": "entered-in-error"}, origin=OTHER_EHR)
    assert foreign.submission_id != first.submission_id
    assert here.stored(foreign.submission_id).origin == OTHER_EHR
    assert here.stored(first.submission_id).newest


def test_the_queue_is_told_inside_the_transaction_and_the_worker_after_it(database: Database) -> None:
    here = Installation(database)
    told: list[str] = []

    def queued(connection: Connection, row_id: int) -> None:
        row = outbox.get(connection, row_id)
        assert row is not None
        told.append(row.state)

    submissions = here.submissions(queued=queued, stored=lambda: told.append("stored"))
    submissions.submit(json.dumps(response()).encode(), origin=EHR)
    assert told == ["pending", "stored"]


def test_a_queue_that_fails_takes_the_whole_submission_back(database: Database) -> None:
    def full(connection: Connection, row_id: int) -> None:
        raise ConnectionError("the queue is full")

    here = Installation(database)
    with pytest.raises(ConnectionError):
        here.submissions(queued=full).submit(json.dumps(response()).encode(), origin=EHR)
    assert set(row_counts(database).values()) == {0}


def test_validation_names_every_issue_and_keeps_nothing(database: Database) -> None:
    here = Installation(database)
    body = json.dumps(response({**CALM, "rf-nerve": ["weak-both"]})).encode()
    assert {issue.link_id for issue in here.submissions().validate(body)} >= {"rf-weak-onset", "rf-salt"}
    assert here.submissions().validate(json.dumps(response()).encode()) == ()
    assert set(row_counts(database).values()) == {0}


def test_assessing_only_gives_the_bundle_of_a_first_delivery_and_keeps_nothing(database: Database) -> None:
    here = Installation(database)
    bundle = here.submissions().assess_only(json.dumps(response(FLAGGED)).encode(), origin=EHR)
    assert bundle["type"] == "transaction"
    assert {entry["request"]["method"] for entry in bundle["entry"]} == {"POST"}
    parse_with_library(bundle)
    assert set(row_counts(database).values()) == {0}


@pytest.mark.parametrize(
    "sent", [response(subject=None), response(status="entered-in-error"), response({"pt-age": -1})]
)
def test_assessing_only_refuses_what_would_not_be_written(database: Database, sent: dict[str, Any]) -> None:
    with pytest.raises(InvalidQuestionnaireResponse):
        Installation(database).submissions().assess_only(json.dumps(sent).encode(), origin=EHR)


def test_no_answer_and_no_reference_stands_in_an_error_or_an_issue(database: Database) -> None:
    here = Installation(database)
    sent = response(FLAGGED, author="marker-a1", subject={"reference": "Patient/marker-b2"})
    sent["item"][0]["item"][0]["answer"] = [{"valueString": "marker-c3"}]
    submitted = here.submit(sent)
    assert submitted.status_code == 422
    assert "marker" not in str(submitted.issues)
