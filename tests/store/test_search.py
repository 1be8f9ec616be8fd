"""Searching the embedded record, in FHIR's own search texts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_app.errors import InvalidSearch
from fhir_app.store.database import Database
from fhir_app.store.search import Found, Wanted, search
from fhir_app.store.search_parameters import PARAMETERS, parameters_of
from tests.store.test_record import keep

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EHR = "https://ehr.example/fhir"


def observation(key: str, **elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": key,
        "identifier": [{"system": "urn:ids", "value": key}],
        "status": "final",
        "category": [{"coding": [{"system": "urn:cat", "code": "survey"}]}],
        "code": {"coding": [{"system": "urn:a", "code": "x"}, {"system": "urn:b", "code": "y"}]},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2026-03-01T10:00:00Z",
        **elements,
    }


def find(database: Database, resource_type: str = "Observation", /, origin: str = "local", **wanted: str) -> list[str]:
    terms = [Wanted(name.replace("__", "-"), tuple(value.split(","))) for name, value in wanted.items()]
    with database.read() as connection:
        found = search(connection, resource_type, terms, origin=origin, count=50)
    assert found.total == len(found.resources)
    return [resource["id"] for resource in found.resources]


def test_without_criteria_everything_of_the_type_is_found_newest_first(database: Database) -> None:
    keep(database, "s", observation("a"), observation("b"), {"resourceType": "Device", "id": "d"})
    assert find(database) == ["b", "a"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", ["a"]),
        ("urn:a|x", ["a"]),
        ("urn:b|y", ["a"]),
        ("urn:b|x", []),
        ("urn:a|", ["a"]),
        ("|x", []),
        ("|z", ["b"]),
        ("z", ["b"]),
        ("x,z", ["b", "a"]),
        ("X", []),
    ],
)
def test_a_token_is_found_by_code_by_system_or_by_both(database: Database, value: str, expected: list[str]) -> None:
    keep(database, "s", observation("a"), observation("b", code={"coding": [{"code": "z"}]}))
    assert find(database, code=value) == expected


def test_a_plain_code_has_the_system_that_the_standard_gives_it(database: Database) -> None:
    keep(database, "s", observation("a"))
    assert find(database, status="http://hl7.org/fhir/observation-status|final") == ["a"]
    assert find(database, status="urn:other|final") == []


@pytest.mark.parametrize("value", ["a", "urn:ids|a"])
def test_an_identifier_is_found_in_a_list_and_alone(database: Database, value: str) -> None:
    questionnaire_response = {
        "resourceType": "QuestionnaireResponse",
        "id": "q",
        "identifier": {"system": "urn:ids", "value": "a"},
    }
    keep(database, "s", observation("a"), questionnaire_response)
    assert find(database, identifier=value) == ["a"]
    assert find(database, "QuestionnaireResponse", identifier=value) == ["q"]


def test_all_criteria_must_hold(database: Database) -> None:
    keep(database, "s", observation("a"), observation("b", status="amended"))
    assert find(database, code="x", status="final", _id="a") == ["a"]
    assert find(database, code="x", status="final", _id="b") == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2026-03-01", True),
        ("eq2026-03", True),
        ("2026-03-02", False),
        ("ne2026-03-01", False),
        ("ne2026-03-02", True),
        ("gt2026-02", True),
        ("gt2026-03-01", False),
        ("lt2026-03-01T11:00:00Z", True),
        ("lt2026-03-01T10:00:00Z", False),
        ("ge2026-03-01T10:00:00Z", True),
        ("ge2026-03-01T10:00:01Z", False),
        ("le2026-03-01T10:00:00Z", True),
        ("le2026-02-28", False),
        ("sa2026-02-28", True),
        ("sa2026-03-01", False),
        ("eb2026-03-02", True),
        ("eb2026-03-01", False),
        ("ap2026-03-01", True),
        ("ge2026-03-01T12:00:00%2B02:00".replace("%2B", "+"), True),
    ],
)
def test_dates_compare_by_what_their_precision_covers(database: Database, value: str, found: bool) -> None:
    keep(database, "s", observation("a"))
    assert find(database, date=value) == (["a"] if found else [])


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ge2026-03-01", True),
        ("2026-03-01T12:00:00Z", True),
        ("lt2026-03-01", False),
        ("lt9999-12-31T23:59:59-14:00", True),
        ("ge0001-01-01T00:00:00+14:00", True),
        ("le0001-01-01T00:00:00+14:00", False),
    ],
)
def test_the_time_of_the_last_update_is_searched_like_any_date(database: Database, value: str, found: bool) -> None:
    keep(database, "s", observation("a"), now=NOW)
    assert find(database, _lastUpdated=value) == (["a"] if found else [])


def test_patients_of_two_servers_are_two_people(database: Database) -> None:
    keep(database, "s", observation("a"), origin="local")
    keep(database, "t", observation("b"), origin=EHR)
    for form in ("Patient/1", "1"):
        assert find(database, patient=form) == ["a"]
        assert find(database, patient=form, origin=EHR) == ["b"]
        assert find(database, subject=form, origin=EHR) == ["b"]
    assert find(database, patient=f"{EHR}/Patient/1") == ["b"]


def test_a_reference_that_was_written_as_a_url_is_found_by_that_url_alone(database: Database) -> None:
    keep(database, "s", observation("a", subject={"reference": f"{EHR}/Patient/1"}), origin=EHR)
    keep(database, "t", observation("b", subject={"reference": "https://third.example/Patient/1"}), origin=EHR)
    assert find(database, subject=f"{EHR}/Patient/1") == ["a"]
    assert find(database, subject="Patient/1", origin=EHR) == ["a"]
    assert find(database, subject="https://third.example/Patient/1", origin=EHR) == ["b"]


def test_patient_means_a_patient_and_subject_anybody(database: Database) -> None:
    keep(database, "s", observation("a", subject={"reference": "Group/1"}))
    assert find(database, subject="Group/1") == ["a"]
    assert find(database, subject="1") == ["a"]
    assert find(database, patient="1") == []
    assert find(database, patient="Group/1") == []


def test_percent_and_underscore_in_a_reference_are_themselves(database: Database) -> None:
    keep(database, "s", observation("a"))
    assert find(database, subject="%") == []
    assert find(database, subject="_") == []


def test_a_questionnaire_is_found_with_and_without_its_version(database: Database) -> None:
    keep(database, "s", {"resourceType": "QuestionnaireResponse", "id": "q", "questionnaire": "urn:q|1.0"})
    for value, expected in (("urn:q", ["q"]), ("urn:q|1.0", ["q"]), ("urn:q|2.0", []), ("urn:", [])):
        assert find(database, "QuestionnaireResponse", questionnaire=value) == expected


def test_what_a_provenance_is_about_and_what_a_document_belongs_to_is_found(database: Database) -> None:
    provenance = {
        "resourceType": "Provenance",
        "id": "p",
        "recorded": "2026-03-01T10:00:00Z",
        "target": [{"reference": "Observation/a"}, {"reference": "DocumentReference/d"}],
    }
    document = {
        "resourceType": "DocumentReference",
        "id": "d",
        "context": {"encounter": [{"reference": "Encounter/e"}], "related": [{"reference": "Observation/a"}]},
    }
    keep(database, "s", provenance, document)
    assert find(database, "Provenance", target="DocumentReference/d", recorded="2026") == ["p"]
    assert find(database, "DocumentReference", related="Observation/a", encounter="e") == ["d"]


def test_an_older_version_is_not_found(database: Database) -> None:
    keep(database, "s", observation("a", status="preliminary"))
    keep(database, "t", observation("a", status="final"))
    assert find(database, status="preliminary") == []
    assert find(database, status="final") == ["a"]


def test_pages_join_without_gap_or_double_while_others_write(database: Database) -> None:
    keep(database, "s", *(observation(f"o{n}") for n in range(7)))

    def page(after: str | None) -> Found:
        with database.read() as connection:
            return search(connection, "Observation", (), origin="local", count=3, after=after)

    first = page(None)
    keep(database, "t", observation("new"))
    second = page(first.next_after)
    third = page(second.next_after)
    seen = [resource["id"] for found in (first, second, third) for resource in found.resources]
    assert seen == ["o6", "o5", "o4", "o3", "o2", "o1", "o0"]
    assert (first.total, third.total, third.next_after) == (7, 8, None)


def test_a_count_of_none_gives_the_total_alone(database: Database) -> None:
    keep(database, "s", observation("a"))
    with database.read() as connection:
        found = search(connection, "Observation", (), origin="local", count=0)
    assert (found.total, found.resources, found.next_after) == (1, (), None)


@pytest.mark.parametrize(
    "wanted", [Wanted("colour", ("x",)), Wanted("date", ("soon",)), Wanted("_lastUpdated", ("gt",))]
)
def test_what_cannot_be_searched_is_refused(database: Database, wanted: Wanted) -> None:
    with database.read() as connection, pytest.raises(InvalidSearch):
        search(connection, "Observation", [wanted], origin="local", count=1)


@pytest.mark.parametrize("after", ["", "-1", "x", "1" * 19, "٣"])
def test_a_page_that_we_did_not_name_is_refused(database: Database, after: str) -> None:
    with database.read() as connection, pytest.raises(InvalidSearch):
        search(connection, "Observation", (), origin="local", count=1, after=after)


def test_every_type_that_has_a_subject_can_be_searched_by_patient() -> None:
    for resource_type, own in PARAMETERS.items():
        assert ("patient" in parameters_of(resource_type)) == ("subject" in own)
        assert {"_id", "_lastUpdated"} < set(parameters_of(resource_type))
    assert parameters_of("Patient") == {}
