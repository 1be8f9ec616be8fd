"""What FhirClient says of a server's replies, on the fake and on HAPI alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.replies import Delivered, Found, Rejected, TryAgain


def observation(mark: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
        "identifier": [{"system": "https://example.org/id", "value": mark}],
        "status": "final",
        "code": {"text": "a test"},
        "valueString": "one",
        **more,
    }


def found(client: FhirClient, mark: str) -> list[str]:
    outcome = client.search("Observation", {"identifier": f"https://example.org/id|{mark}"})
    assert isinstance(outcome, Found)
    return [str(resource["id"]) for resource in outcome.resources]


def test_the_capability_statement_of_an_r4_server_is_accepted(client: FhirClient) -> None:
    assert isinstance(client.capability(), Delivered)


def test_a_created_resource_has_an_id_and_a_version_and_can_be_read(client: FhirClient, mark: str) -> None:
    created = client.create(observation(mark))

    assert isinstance(created, Delivered)
    assert created.status == 201
    assert created.id is not None
    assert created.version == "1"
    read = client.read("Observation", created.id)
    assert isinstance(read, Delivered)
    assert (read.resource or {})["valueString"] == "one"


def test_a_second_conditional_create_finds_the_first(client: FhirClient, mark: str) -> None:
    condition = f"identifier=https://example.org/id|{mark}"
    first = client.create(observation(mark), if_none_exist=condition)
    second = client.create(observation(mark, valueString="two"), if_none_exist=condition)

    assert isinstance(first, Delivered)
    assert isinstance(second, Delivered)
    assert (first.status, second.status) == (201, 200)
    assert first.id == second.id
    assert len(found(client, mark)) == 1


def test_a_conditional_create_with_several_matches_is_rejected(client: FhirClient, mark: str) -> None:
    client.create(observation(mark))
    client.create(observation(mark))

    outcome = client.create(observation(mark), if_none_exist=f"identifier=https://example.org/id|{mark}")

    assert isinstance(outcome, Rejected)
    assert outcome.status == 412


def test_an_update_with_the_current_version_goes_through_and_with_an_old_one_does_not(
    client: FhirClient, mark: str
) -> None:
    created = client.create(observation(mark))
    assert isinstance(created, Delivered)

    second = client.update(observation(mark, id=created.id, valueString="two"), if_match="1")
    stale = client.update(observation(mark, id=created.id, valueString="three"), if_match="1")

    assert isinstance(second, Delivered)
    assert second.version == "2"
    assert isinstance(stale, TryAgain)


def test_the_same_update_twice_makes_one_version(client: FhirClient) -> None:
    resource = observation("x", id=str(uuid4()))
    first, second = client.update(resource), client.update(resource)

    assert isinstance(first, Delivered)
    assert isinstance(second, Delivered)
    assert (first.version, second.version) == ("1", "1")


def test_a_numeric_id_of_our_own_is_rejected(client: FhirClient) -> None:
    assert isinstance(client.update(observation("x", id="987654321")), Rejected)


def test_a_resource_that_is_not_there_is_rejected_with_404(client: FhirClient) -> None:
    outcome = client.read("Observation", "not-there")

    assert isinstance(outcome, Rejected)
    assert outcome.status == 404


def test_a_search_follows_its_pages(client: FhirClient, mark: str) -> None:
    for _ in range(5):
        client.create(observation(mark))

    outcome = client.search("Observation", {"identifier": f"https://example.org/id|{mark}", "_count": "2"})

    assert isinstance(outcome, Found)
    assert len({resource["id"] for resource in outcome.resources}) == 5


def test_a_transaction_replaces_placeholders_by_ids(client: FhirClient, mark: str) -> None:
    first, second = uuid4(), uuid4()
    summary = observation(mark, hasMember=[{"reference": f"urn:uuid:{second}"}])
    outcome = client.transaction(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "fullUrl": f"urn:uuid:{first}",
                    "resource": summary,
                    "request": {"method": "POST", "url": "Observation"},
                },
                {
                    "fullUrl": f"urn:uuid:{second}",
                    "resource": observation(f"{mark}-member"),
                    "request": {"method": "POST", "url": "Observation"},
                },
            ],
        }
    )

    assert isinstance(outcome, Delivered)
    (stored,) = found(client, mark)
    (member,) = found(client, f"{mark}-member")
    read = client.read("Observation", stored)
    assert isinstance(read, Delivered)
    assert (read.resource or {})["hasMember"][0]["reference"] == f"Observation/{member}"


def test_a_transaction_with_one_bad_entry_leaves_nothing(client: FhirClient, mark: str) -> None:
    dangling = observation(f"{mark}-bad", subject={"reference": "Patient/nobody-here"})
    entries = [
        {"fullUrl": f"urn:uuid:{uuid4()}", "resource": each, "request": {"method": "POST", "url": "Observation"}}
        for each in (observation(mark), dangling)
    ]

    outcome = client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": entries})

    assert isinstance(outcome, Rejected)
    assert outcome.status == 400
    assert "HAPI-1094" in outcome.reason
    assert "nobody" not in outcome.reason
    assert found(client, mark) == []


def test_a_reference_to_another_server_is_rejected(client: FhirClient, mark: str) -> None:
    outcome = client.create(observation(mark, subject={"reference": "https://other.example/fhir/Patient/1"}))

    assert isinstance(outcome, Rejected)


def test_a_conditional_entry_that_does_not_fit_its_own_condition_is_rejected(client: FhirClient, mark: str) -> None:
    request = {"method": "POST", "url": "Observation", "ifNoneExist": "identifier=https://example.org/id|other-value"}
    entry = {"fullUrl": f"urn:uuid:{uuid4()}", "resource": observation(mark), "request": request}

    outcome = client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})

    assert isinstance(outcome, Rejected)


def test_several_writers_of_one_identifier_leave_one_resource_and_no_rejection(server_url: str, mark: str) -> None:
    def write(_: int) -> object:
        client = FhirClient(server_url)
        for _attempt in range(20):
            outcome = client.transaction(
                {
                    "resourceType": "Bundle",
                    "type": "transaction",
                    "entry": [
                        {
                            "fullUrl": f"urn:uuid:{uuid4()}",
                            "resource": observation(mark),
                            "request": {
                                "method": "POST",
                                "url": "Observation",
                                "ifNoneExist": f"identifier=https://example.org/id|{mark}",
                            },
                        }
                    ],
                }
            )
            if not isinstance(outcome, TryAgain):
                return outcome
        return outcome

    with ThreadPoolExecutor(4) as writers:
        outcomes = list(writers.map(write, range(4)))

    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    assert len(found(FhirClient(server_url), mark)) == 1
