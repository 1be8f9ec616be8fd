"""An unfinished or invalid revision adds to what stands in a chart, and takes nothing back."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_app.store import submissions, write_backs
from fhir_app.store.database import Database
from tests.store.databases import database, postgres_server, url
from tests.submitting import CALM, FLAGGED, Installation, response, version

__all__ = ["database", "postgres_server", "url"]

FIRST_PAGE_ONLY = {"pt-age": 27}
OTHER_FLAG = {**CALM, "rf-legs": ["bone-spot"]}


def made_of(database: Database, submission_id: str) -> Any:
    with database.read() as connection:
        return write_backs.get(connection, submission_id)


def listed(database: Database) -> set[str]:
    with database.read() as connection:
        return {line.submission.id for line in submissions.listing(connection)}


def members(made: Any) -> list[str]:
    return [member["reference"] for member in made.summary["hasMember"]]


def families_present(made: Any) -> set[str]:
    return {
        component["code"]["coding"][0]["code"]
        for component in made.summary["component"]
        if component.get("valueCodeableConcept", {}).get("coding", [{}])[0].get("code") == "present"
    }


def with_unknown_item(resource: dict[str, Any]) -> dict[str, Any]:
    return {**resource, "item": [*resource["item"], {"linkId": "not-of-this-form"}]}


def without_safety_page(resource: dict[str, Any]) -> dict[str, Any]:
    return {**resource, "item": [item for item in resource["item"] if item["linkId"] != "safety"]}


SILENT = [
    version(2, FIRST_PAGE_ONLY, status="in-progress"),
    version(2, CALM, status="in-progress"),
    without_safety_page(version(2)),
    with_unknown_item(version(2)),
    {**version(2), "author": "nobody"},
]


@pytest.mark.parametrize("silent", SILENT)
def test_an_unverified_revision_without_the_flag_leaves_it_standing(database: Database, silent: dict[str, Any]) -> None:
    here = Installation(database)
    here.submit(version(1, FLAGGED), notified_id="77")
    second = here.submit(silent, notified_id="77")
    assert made_of(database, second.submission_id) is None
    assert len(here.queue()) == 1


@pytest.mark.parametrize("silent", SILENT)
def test_a_work_list_shows_what_still_stands_beside_the_revision_that_changed_nothing(
    database: Database, silent: dict[str, Any]
) -> None:
    here = Installation(database)
    first = here.submit(version(1, FLAGGED), notified_id="77")
    second = here.submit(silent, notified_id="77")
    assert listed(database) == {first.submission_id, second.submission_id}
    third = here.submit(version(3), notified_id="77")
    assert listed(database) == {third.submission_id}


def test_another_flag_of_an_unverified_revision_is_added(database: Database) -> None:
    here = Installation(database)
    first = made_of(database, here.submit(version(1, FLAGGED), notified_id="77").submission_id)
    added = made_of(database, here.submit(version(2, OTHER_FLAG, status="in-progress"), notified_id="77").submission_id)
    assert [flag["id"] for flag in first.flags] == [flag["id"] for flag in added.flags[1:]]
    assert added.flags[0]["status"] == "preliminary"
    assert added.flags[1:] == first.flags
    assert added.retracted_flags == ()
    # an emergency, and this one is only to be seen soon: the urgency stays, and the summary names both
    assert added.summary["valueCodeableConcept"] == first.summary["valueCodeableConcept"]
    assert added.summary["status"] == "amended"
    assert members(added) == [f"Observation/{flag['id']}" for flag in added.flags]
    assert families_present(added) == {flag["code"]["coding"][0]["code"] for flag in added.flags}
    assert added.document is None
    assert [document["status"] for document in added.earlier_documents] == ["superseded"]
    assert added.questionnaire_response["status"] == "completed"  # the one that was filed, not the unfinished one


def test_a_more_urgent_unverified_revision_raises_the_summary(database: Database) -> None:
    here = Installation(database)
    first = made_of(database, here.submit(version(1, OTHER_FLAG), notified_id="77").submission_id)
    raised = made_of(database, here.submit(with_unknown_item(version(2, FLAGGED)), notified_id="77").submission_id)
    assert raised.summary["id"] == first.summary["id"]
    assert raised.summary["status"] == "preliminary"
    assert raised.summary["valueCodeableConcept"]["coding"][0]["code"] == "emergency"
    assert members(raised) == [f"Observation/{flag['id']}" for flag in raised.flags]
    assert families_present(raised) == {flag["code"]["coding"][0]["code"] for flag in raised.flags}
    assert len(raised.flags) == 2
    final = made_of(database, here.submit(version(3), notified_id="77").submission_id)
    assert final.flags == ()
    assert {flag["id"] for flag in final.retracted_flags} == {flag["id"] for flag in raised.flags}
    assert final.summary["status"] == "amended"


@pytest.mark.parametrize("elements", [{"status": "in-progress"}, {"author": "nobody"}])
def test_what_a_minor_did_not_finish_or_got_wrong_is_preliminary(database: Database, elements: dict[str, Any]) -> None:
    here = Installation(database)
    minor = made_of(database, here.submit(response({**FLAGGED, "pt-age": 16}, **elements)).submission_id)
    assert {resource["status"] for resource in (*minor.flags, minor.summary)} == {"preliminary"}
    assert minor.document is None
    assert not minor.writes_response


def test_a_shape_fault_does_not_stop_a_retraction(database: Database) -> None:
    here = Installation(database)
    here.submit(version(1, FLAGGED), notified_id="77")
    submitted = here.submit({**version(2, status="entered-in-error"), "author": "nobody"}, notified_id="77")
    assert submitted.status_code == 201
    made = made_of(database, submitted.submission_id)
    assert {flag["status"] for flag in made.retracted_flags} == {"entered-in-error"}
    assert made.questionnaire_response["item"] == version(1, FLAGGED)["item"]


def test_a_correction_that_takes_the_patient_out_takes_the_result_back(database: Database) -> None:
    here = Installation(database)
    here.submit(version(1, FLAGGED), notified_id="77")
    made = made_of(database, here.submit(version(2, FLAGGED, subject=None), notified_id="77").submission_id)
    assert made.summary["status"] == "entered-in-error"
    assert made.summary["subject"] == {"reference": "Patient/1"}
