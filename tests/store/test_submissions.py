"""The work list, and what is known of an identity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fhir_app.errors import Issue
from fhir_app.knowledge.intake import Urgency
from fhir_app.store import assessments, submissions
from fhir_app.store.assessments import StoredAssessment
from fhir_app.store.database import Database
from fhir_app.store.submissions import Submission

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EHR = "https://ehr.example/fhir"


def submission(key: str, **values: Any) -> Submission:
    known: dict[str, Any] = {
        "origin": EHR,
        "identity": key,
        "revision": "version:1",
        "order": (1, "2026-03-01"),
        "arrival": 0,
        "newest": True,
        "body_hash": f"hash-{key}",
        "status": "completed",
        "valid": True,
        "canonical": "urn:q|1",
        "subject": "Patient/1",
        "encounter": None,
        "authored": "2026-03-01",
        "language": "es",
        "issues": (Issue("warning", "invariant", "odd", "QuestionnaireResponse.item[0]", "a", "¿Qué?"),),
        "accepted": NOW,
    }
    return Submission(id=key, **{**known, **values})


def add(database: Database, *given: Submission, urgency: int | None = None, flagged: bool = False) -> None:
    with database.begin() as connection:
        for each in given:
            submissions.add(connection, each, b"{}")
            if urgency is not None:
                found = StoredAssessment(each.id, "tingling-legs", "1.0", urgency, flagged, {"urgency": "soon"})
                assessments.add(connection, found)


def listed(database: Database, **how: Any) -> list[str]:
    with database.read() as connection:
        return [line.submission.id for line in submissions.listing(connection, **how)]


def test_a_submission_comes_back_as_it_was_added(database: Database) -> None:
    add(database, submission("a"))
    with database.read() as connection:
        assert submissions.get(connection, "a") == submission("a")
        assert submissions.body(connection, "a") == b"{}"
        assert submissions.with_body(connection, EHR, "hash-a") == submission("a")
        assert submissions.with_body(connection, "local", "hash-a") is None
        assert submissions.get(connection, "b") is None
        assert submissions.body(connection, "b") is None


def test_a_newer_revision_takes_the_place_of_the_newest(database: Database) -> None:
    add(database, submission("a", identity="i"))
    add(database, submission("b", identity="i", revision="version:2", order=(2, ""), arrival=1))
    with database.read() as connection:
        one, two = submissions.revisions(connection, EHR, "i")
    assert (one.id, one.newest, one.order) == ("a", False, (1, "2026-03-01"))
    assert (two.id, two.newest, two.order, two.wrote) == ("b", True, (2, ""), False)


def test_an_assessment_comes_back_as_it_was_added(database: Database) -> None:
    add(database, submission("a"), urgency=42, flagged=True)
    with database.read() as connection:
        found = assessments.get(connection, "a")
        assert assessments.get(connection, "b") is None
    assert found == StoredAssessment("a", "tingling-legs", "1.0", 42, True, {"urgency": "soon"})


def test_the_work_list_puts_the_most_urgent_first_then_the_newest(database: Database) -> None:
    add(database, submission("old", accepted=NOW), urgency=20)
    add(database, submission("new", accepted=NOW + timedelta(1)), urgency=20)
    add(database, submission("urgent", accepted=NOW - timedelta(9)), urgency=50, flagged=True)
    add(database, submission("withdrawn", status="entered-in-error"), urgency=50, flagged=True)
    assert listed(database) == ["urgent", "new", "old", "withdrawn"]
    assert listed(database, flagged_only=True) == ["urgent", "withdrawn"]


def test_what_could_not_be_assessed_stands_above_all_that_can_wait_for_days(database: Database) -> None:
    for urgency in Urgency:
        add(database, submission(urgency.word), urgency=10 * urgency)
    add(database, submission("unread", accepted=NOW - timedelta(2)))
    add(database, submission("unread and withdrawn", status="entered-in-error"))
    assert listed(database) == [
        "emergency",
        "same-day",
        "unread",
        "soon",
        "routine",
        "self-care",
        "unread and withdrawn",
    ]


def test_the_work_list_can_be_paged_without_gap_or_double(database: Database) -> None:
    for number in range(7):
        add(database, submission(f"k{number}", accepted=NOW + timedelta(number // 3)), urgency=20 + number // 5)
    whole = listed(database)
    seen: list[str] = []
    after = None
    with database.read() as connection:
        while lines := submissions.listing(connection, limit=2, after=after):
            seen += [line.submission.id for line in lines]
            after = lines[-1].mark
    assert seen == whole
    assert len(set(seen)) == 7


def test_a_work_list_of_one_patient_is_of_one_server_too(database: Database) -> None:
    add(database, submission("a"), submission("b", origin="local"), submission("c", subject="Patient/2"))
    assert listed(database, origin=EHR, subject="Patient/1") == ["a"]


def test_a_removed_submission_is_gone(database: Database) -> None:
    add(database, submission("a"))
    with database.begin() as connection:
        submissions.remove(connection, "a")
    assert listed(database) == []
