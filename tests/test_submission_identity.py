"""Which response a submission is: never another patient's, never another server's, never silently an older one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_app.errors import ReplacedSince
from fhir_app.store import record, write_backs
from fhir_app.store.database import Database
from tests.store.databases import database, postgres_server, url
from tests.submitting import CALM, EHR, FLAGGED, OTHER_EHR, Installation, response, version

__all__ = ["database", "postgres_server", "url"]

FORM = {"system": "https://vendor.example/forms", "value": "intake"}


def made_of(database: Database, submission_id: str) -> Any:
    with database.read() as connection:
        return write_backs.get(connection, submission_id)


def test_one_identifier_on_two_patients_is_two_responses(database: Database) -> None:
    here = Installation(database)
    one = made_of(database, here.submit(response(FLAGGED, identifier=FORM)).submission_id)
    other = {"reference": "Patient/2"}
    two = made_of(database, here.submit(response(CALM, identifier=FORM, subject=other)).submission_id)
    assert two.summary["id"] != one.summary["id"]
    assert two.retracted_flags == ()
    assert (one.summary["subject"], two.summary["subject"]) == ({"reference": "Patient/1"}, other)


def test_edited_answers_under_a_version_that_was_seen_are_a_revision(database: Database) -> None:
    """An application reads a draft with its meta, edits it and sends it on."""
    here = Installation(database)
    here.submit(version(1, status="in-progress"))
    edited = here.submit(version(1, FLAGGED))
    assert edited.status_code == 201
    assert made_of(database, edited.submission_id).flags
    assert here.submit(version(1, FLAGGED)).status_code == 200


def test_a_server_that_tells_of_an_old_version_again_gets_the_reply_of_then(database: Database) -> None:
    here = Installation(database)
    first = here.submit(version(1, FLAGGED), notified_id="77")
    here.submit(version(2), notified_id="77")
    again = here.submit(version(1, FLAGGED), notified_id="77")
    assert (again.status_code, again.submission_id) == (200, first.submission_id)


def test_what_was_withdrawn_is_not_taken_up_again_without_a_word(database: Database) -> None:
    here = Installation(database)
    here.submit(response(FLAGGED, identifier=FORM))
    here.submit(response(FLAGGED, identifier=FORM, status="entered-in-error"))
    later = here.submit(response(FLAGGED, identifier=FORM, status="amended"))
    assert (later.issues[-1].severity, later.issues[-1].code) == ("warning", "conflict")
    assert made_of(database, later.submission_id) is None
    with pytest.raises(ReplacedSince):
        here.submit(response(FLAGGED, identifier=FORM))


def test_a_response_without_identifier_is_withdrawn_by_its_content(database: Database) -> None:
    here = Installation(database)
    here.submit(response(FLAGGED))
    withdrawn = here.submit(response(FLAGGED, status="entered-in-error"))
    assert withdrawn.issues == ()
    assert made_of(database, withdrawn.submission_id).summary["status"] == "entered-in-error"


def test_a_withdrawal_of_something_unknown_says_that_nothing_was_withdrawn(database: Database) -> None:
    submitted = Installation(database).submit(response(FLAGGED, status="entered-in-error"))
    assert [(issue.severity, issue.code) for issue in submitted.issues] == [("warning", "not-found")]


def test_our_name_of_another_server_s_response_is_not_believed(database: Database) -> None:
    here = Installation(database)
    held = here.submit(response(FLAGGED), origin=EHR)
    assert held.response is not None
    forged = {**held.response.resource, "item": response(CALM)["item"]}
    evil = here.submit(forged, origin=OTHER_EHR)
    assert made_of(database, evil.submission_id).summary["id"] != made_of(database, held.submission_id).summary["id"]
    with database.read() as connection:
        kept = record.read(connection, "QuestionnaireResponse", held.response.resource["id"])
    assert kept is not None
    assert (kept.origin, kept.version) == (EHR, 1)


def test_the_same_bytes_told_under_two_ids_are_two_responses(database: Database) -> None:
    here = Installation(database)
    body = json.dumps(response(FLAGGED)).encode()
    one = here.submissions().submit(body, origin=EHR, notified_id="1")
    two = here.submissions().submit(body, origin=EHR, notified_id="2")
    assert (one.status_code, two.status_code) == (201, 201)
    assert one.submission_id != two.submission_id
