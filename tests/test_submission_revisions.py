"""Corrections, retractions and late arrivals: what a chart ends up with."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import permutations
from typing import Any

import pytest

from fhir_app.errors import ReplacedSince
from fhir_app.knowledge.library import Library
from fhir_app.store import outbox, record, submissions, write_backs
from fhir_app.store.database import Database
from fhir_app.submission import NEWER_CAME_BEFORE
from tests.store.databases import database, postgres_server, url
from tests.submitting import CALM, EHR, FLAGGED, START, Installation, response, version

__all__ = ["database", "postgres_server", "url"]

RETRACTED = "entered-in-error"


def made_of(database: Database, submission_id: str) -> Any:
    with database.read() as connection:
        return write_backs.get(connection, submission_id)


def chart(database: Database) -> dict[tuple[str, str], dict[str, Any]]:
    """What a destination holds after the queue was worked off: every resource, as it was sent last."""
    held: dict[tuple[str, str], dict[str, Any]] = {}
    now: datetime = START.replace(year=2027)
    while True:
        with database.begin() as connection:
            row = outbox.claim(connection, "w", now, 60)
            if row is None:
                return held
            made = write_backs.get(connection, row.submission_id)
            assert made is not None
            for resource in made.resources:
                held[(resource["resourceType"], resource["id"])] = dict(resource)
            outbox.settle(connection, row.id, "w", "delivered", now)


def results(database: Database) -> list[dict[str, Any]]:
    return [resource for resource in chart(database).values() if resource["resourceType"] == "Observation"]


def test_a_correction_updates_the_observation_and_replaces_the_document(database: Database) -> None:
    here = Installation(database)
    first = made_of(database, here.submit(version(1), notified_id="77").submission_id)
    second = made_of(database, here.submit(version(2, FLAGGED), notified_id="77").submission_id)
    assert second.summary["id"] == first.summary["id"]
    assert second.summary["status"] == "amended"
    assert second.earlier_documents == ({**first.document, "status": "superseded"},)
    assert second.document["relatesTo"][0]["code"] == "replaces"
    assert [(row.sequence, row.state) for row in here.queue()] == [(0, "pending"), (1, "pending")]


def test_a_flag_that_no_longer_fires_is_retracted(database: Database) -> None:
    here = Installation(database)
    first = made_of(database, here.submit(version(1, FLAGGED), notified_id="77").submission_id)
    second = made_of(database, here.submit(version(2), notified_id="77").submission_id)
    assert first.flags
    assert {flag["id"] for flag in second.retracted_flags} == {flag["id"] for flag in first.flags}
    assert {flag["status"] for flag in second.retracted_flags} == {RETRACTED}


def test_what_was_made_of_later_revisions_is_read_back_with_every_earlier_document(database: Database) -> None:
    here = Installation(database)
    one, two, three = (
        made_of(database, here.submit(version(number), notified_id="77").submission_id) for number in (1, 2, 3)
    )
    assert three.earlier_documents == (
        {**one.document, "status": "superseded"},
        {**two.document, "status": "superseded"},
    )
    assert [each["target"]["reference"].split("/")[1] for each in three.document["relatesTo"]] == [
        one.document["id"],
        two.document["id"],
    ]


def test_the_record_of_this_service_has_one_current_document_and_none_after_a_withdrawal(database: Database) -> None:
    here = Installation(database, destination_for=None)
    made: list[Any] = []

    def statuses(body: dict[str, Any]) -> list[str]:
        made.append(made_of(database, here.submit(body, notified_id="77").submission_id))
        ids = [each.document["id"] for each in made if each.document is not None]
        with database.read() as connection:
            held = [record.read(connection, "DocumentReference", each) for each in dict.fromkeys(ids)]
        return [each.resource["status"] for each in held if each is not None]

    assert statuses(version(1)) == ["current"]
    assert statuses(version(2)) == ["superseded", "current"]
    # An unverified revision with a new flag has no document, and those before it no longer say what is so.
    assert statuses(version(3, FLAGGED, status="in-progress")) == ["superseded", "superseded"]
    assert statuses(version(4)) == ["superseded", "superseded", "current"]
    assert statuses(version(5, status=RETRACTED)) == [RETRACTED, RETRACTED, RETRACTED]
    assert statuses(version(6)) == [RETRACTED, RETRACTED, RETRACTED, "current"]


def test_only_the_newest_revision_stands_in_the_work_list(database: Database) -> None:
    here = Installation(database)
    here.submit(version(1, FLAGGED), notified_id="77")
    second = here.submit(version(2), notified_id="77")
    with database.read() as connection:
        newest = submissions.listing(connection)
        everything = submissions.listing(connection, all_revisions=True)
    assert [line.submission.id for line in newest] == [second.submission_id]
    assert len(everything) == 2


def test_an_older_revision_that_comes_late_is_kept_and_never_sent(database: Database) -> None:
    here = Installation(database)
    here.submit(version(2), notified_id="77")
    late = here.submit(version(1, FLAGGED), notified_id="77")
    assert late.status_code == 201
    assert late.assessment is not None
    assert made_of(database, late.submission_id) is None
    assert [(row.state, row.reason) for row in here.queue()] == [("pending", None), ("superseded", NEWER_CAME_BEFORE)]
    assert not here.stored(late.submission_id).newest


def test_a_response_entered_in_error_takes_everything_back(database: Database) -> None:
    here = Installation(database)
    here.submit(version(1, FLAGGED), notified_id="77")
    here.submit(version(2, FLAGGED, status=RETRACTED), notified_id="77")
    held = chart(database)
    ours = [resource for (kind, _), resource in held.items() if kind in ("Observation", "DocumentReference")]
    assert {resource["status"] for resource in ours} == {RETRACTED}
    assert len(ours) > 2


def test_a_withdrawn_response_need_not_hold_to_its_questionnaire(database: Database) -> None:
    here = Installation(database)
    here.submit(version(1), notified_id="77")
    withdrawn = here.submit(version(2, status=RETRACTED, item=None), notified_id="77")
    assert withdrawn.status_code == 201
    assert {result["status"] for result in results(database)} == {RETRACTED}


def test_a_response_is_withdrawn_even_when_its_questionnaire_version_is_no_longer_published(
    database: Database,
) -> None:
    here = Installation(database)
    here.submit(version(1), notified_id="77")
    url = version(2)["questionnaire"].split("|")[0]
    withdrawn = here.submit(version(2, status=RETRACTED, questionnaire=f"{url}|0.0.1"), notified_id="77")
    assert withdrawn.status_code == 201
    assert {result["status"] for result in results(database)} == {RETRACTED}


def test_a_response_cannot_be_withdrawn_by_a_service_that_knows_nothing_of_its_questionnaire(
    database: Database,
) -> None:
    Installation(database).submit(version(1), notified_id="77")
    blind = Installation(database, knowledge=Library(()))
    withdrawn = blind.submit(version(2, status=RETRACTED), notified_id="77")
    assert withdrawn.status_code == 422
    assert [issue.code for issue in withdrawn.issues] == ["not-found"]


def test_a_retraction_that_comes_before_its_original_keeps_the_original_out(database: Database) -> None:
    here = Installation(database)
    early = here.submit(version(2, status=RETRACTED), notified_id="77")
    assert early.status_code == 201
    late = here.submit(version(1, FLAGGED), notified_id="77")
    assert late.status_code == 201
    assert chart(database) == {}
    with database.read() as connection:
        (line,) = submissions.listing(connection)
    assert line.submission.id == early.submission_id


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_three_revisions_in_any_order_leave_the_chart_of_the_newest(database: Database, order: tuple[int, ...]) -> None:
    here = Installation(database)
    answers = {1: CALM, 2: FLAGGED, 3: CALM}
    for number in order:
        here.submit(version(number, answers[number]), notified_id="77")
    (summary,) = [result for result in results(database) if result["status"] != RETRACTED]
    assert summary["valueCodeableConcept"]["coding"][0]["code"] == "routine"


def test_an_invalid_revision_without_a_flag_leaves_standing_what_was_sent(database: Database) -> None:
    here = Installation(database)
    here.submit(version(1, FLAGGED), notified_id="77")
    broken = version(2)
    broken["item"][0]["item"][0]["answer"] = [{"valueInteger": 27}, {"valueInteger": 28}]
    assert here.submit(broken, notified_id="77").status_code == 422
    assert len(here.queue()) == 1
    third = made_of(database, here.submit(version(3), notified_id="77").submission_id)
    assert third.summary["status"] == "amended"
    assert third.retracted_flags


def test_a_finished_response_after_an_unfinished_one_with_a_flag_is_final_not_amended(database: Database) -> None:
    here = Installation(database)
    first = made_of(database, here.submit(version(1, FLAGGED, status="in-progress"), notified_id="77").submission_id)
    assert first.summary["status"] == "preliminary"
    second = made_of(database, here.submit(version(2, FLAGGED), notified_id="77").submission_id)
    assert second.summary["status"] == "final"


def test_a_correction_of_a_local_response_is_a_new_version_of_the_held_one(database: Database) -> None:
    here = Installation(database)
    identifier = {"system": "https://clinic.example/forms", "value": "f-1"}
    first = here.submit(response(CALM, identifier=identifier), origin="local")
    second = here.submit(response(FLAGGED, identifier=identifier), origin="local")
    assert first.response is not None
    assert second.response is not None
    assert (first.response.version, second.response.version) == (1, 2)
    response_id = first.response.resource["id"]
    with database.read() as connection:
        old = record.read(connection, "QuestionnaireResponse", response_id, 1)
        new = record.read(connection, "QuestionnaireResponse", response_id)
    assert old is not None
    assert new is not None
    assert old.resource["item"] == first.response.resource["item"]
    assert not old.is_current
    assert new.resource["item"] == second.response.resource["item"]


def test_an_edit_of_our_copy_at_the_server_corrects_the_original(database: Database) -> None:
    here = Installation(database)
    first = here.submit(response(CALM))
    assert first.response is not None
    edited = {**first.response.resource, "id": "9001", "item": response(FLAGGED)["item"]}
    edited["meta"] = {**edited["meta"], "versionId": "2", "lastUpdated": "2026-03-01T11:00:00Z"}
    second = here.submit(edited, notified_id="9001")
    assert second.status_code == 201
    one, two = made_of(database, first.submission_id), made_of(database, second.submission_id)
    assert two.summary["id"] == one.summary["id"]
    assert two.summary["status"] == "amended"


def test_identical_bytes_after_a_correction_are_refused_and_change_nothing(database: Database) -> None:
    """A retry that was held up on its way must not undo the correction, and who restores an answer must hear that it
    was not: without versions nothing tells them apart."""
    here = Installation(database)
    identifier = {"system": "https://clinic.example/forms", "value": "f-1"}
    first = json.dumps(response(FLAGGED, identifier=identifier)).encode()
    submissions = here.submissions()
    submissions.submit(first, origin=EHR)
    submissions.submit(json.dumps(response(CALM, identifier=identifier)).encode(), origin=EHR)
    same_content = json.dumps(response(FLAGGED, identifier=identifier), indent=1).encode()
    for body in (first, same_content):
        with pytest.raises(ReplacedSince):
            submissions.submit(body, origin=EHR)
    (summary,) = [result for result in results(database) if result["status"] != RETRACTED]
    assert summary["valueCodeableConcept"]["coding"][0]["code"] == "routine"
