"""The delivery on the fake and on HAPI alike: first results, corrections, retractions, losses and races."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest

from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.codes import SUMMARY_CODE
from fhir_app.fhir.replies import Found
from fhir_app.store import outbox
from tests.contract.lossy import lossy_session
from tests.delivery.queueing import NAMES, Desk


class Chart:
    """What a server holds about one patient, as another system would search for it."""

    def __init__(self, client: FhirClient, desk: Desk) -> None:
        self._client = client
        self._desk = desk

    def search(self, resource_type: str, **parameters: str) -> list[Any]:
        outcome = self._client.search(resource_type, parameters)
        assert isinstance(outcome, Found), outcome
        return list(outcome.resources)

    def about(self, resource_type: str) -> list[Any]:
        return self.search(resource_type, subject=f"Patient/{self._desk.patient}")

    @property
    def summaries(self) -> list[Any]:
        return [each for each in self.about("Observation") if _is_summary(each)]

    @property
    def summary(self) -> Any:
        (found,) = self.summaries
        return found

    @property
    def flags(self) -> list[Any]:
        return [each for each in self.about("Observation") if not _is_summary(each)]

    @property
    def provenances(self) -> list[Any]:
        found = {each["id"]: each for each in self.search("Provenance", target=f"Observation/{self.summary['id']}")}
        return list(found.values())

    def counts(self) -> dict[str, int]:
        kinds = ("QuestionnaireResponse", "Observation", "DocumentReference")
        return {kind: len(self.about(kind)) for kind in kinds} | {"Provenance": len(self.provenances)}


def _is_summary(observation: Any) -> bool:
    return any(coding["code"] == SUMMARY_CODE for coding in observation["code"]["coding"])


ONE_OF_EACH = {"QuestionnaireResponse": 1, "Observation": 2, "DocumentReference": 1, "Provenance": 1}


def refuse_next(desk: Desk) -> int:
    """The row that is due ends as a dead letter, as if the server had refused it; returns its id."""
    with desk.database.begin() as connection:
        claimed = outbox.claim(connection, "x", desk.clock(), 60.0)
        assert claimed is not None
        assert outbox.settle(connection, claimed.id, "x", "rejected", desk.clock())
    return claimed.id


@pytest.fixture
def chart(client: FhirClient, desk: Desk) -> Chart:
    return Chart(client, desk)


def test_a_result_is_there_once_and_complete(desk: Desk, chart: Chart) -> None:
    desk.first()

    assert desk.drain() == ["delivered"], desk.rows
    assert chart.counts() == ONE_OF_EACH
    assert chart.summary["status"] == "final"
    assert chart.summary["hasMember"] == [{"reference": f"Observation/{chart.flags[0]['id']}"}]
    (response,) = chart.about("QuestionnaireResponse")
    assert chart.summary["derivedFrom"][0]["reference"] == f"QuestionnaireResponse/{response['id']}"
    (document,) = chart.about("DocumentReference")
    assert document["context"]["related"] == [{"reference": f"Observation/{chart.summary['id']}"}]


def test_device_and_organization_are_shared_by_all_results(desk: Desk, chart: Chart) -> None:
    desk.first()
    desk.form_id += "-second"
    desk.first()

    assert desk.drain() == ["delivered", "delivered"], desk.rows
    summaries = chart.summaries
    assert len(summaries) == 2
    assert len({each["device"]["reference"] for each in summaries}) == 1
    assert len({each["performer"][0]["reference"] for each in summaries}) == 1


@pytest.mark.parametrize("lost", range(3))
def test_a_lost_reply_leaves_one_of_each(desk: Desk, chart: Chart, lost: int) -> None:
    desk.first()

    assert desk.drain(session=lossy_session(lost)) == ["delivered"], desk.rows
    assert chart.counts() == ONE_OF_EACH


def test_a_correction_amends_the_summary_withdraws_the_flag_and_replaces_the_document(desk: Desk, chart: Chart) -> None:
    first = desk.first()
    desk.drain()
    desk.correction(first)

    assert desk.drain() == ["delivered", "delivered"], desk.rows
    assert chart.summary["status"] == "amended"
    assert "hasMember" not in chart.summary
    assert [flag["status"] for flag in chart.flags] == ["entered-in-error"]
    documents = {each["status"]: each for each in chart.about("DocumentReference")}
    assert set(documents) == {"current", "superseded"}
    target = f"DocumentReference/{documents['superseded']['id']}"
    assert documents["current"]["relatesTo"] == [{"code": "replaces", "target": {"reference": target}}]
    assert len(documents["superseded"]["content"]) == len(documents["current"]["content"])
    assert len(chart.provenances) == 2
    (response,) = chart.about("QuestionnaireResponse")
    assert response["status"] == "amended"


@pytest.mark.parametrize("lost", range(3))
def test_a_lost_reply_to_a_correction_leaves_it_written_once(desk: Desk, chart: Chart, lost: int) -> None:
    first = desk.first()
    desk.drain()
    desk.correction(first)

    assert desk.drain(session=lossy_session(lost)) == ["delivered", "delivered"], desk.rows
    assert Counter(each["status"] for each in chart.about("DocumentReference")) == {"current": 1, "superseded": 1}
    assert (chart.summary["status"], chart.summary["meta"]["versionId"]) == ("amended", "2")
    assert len(chart.provenances) == 2


def test_two_corrections_queued_at_once_end_with_the_later_one(desk: Desk, chart: Chart) -> None:
    first = desk.first()
    second = desk.correction(first, authored="2026-11-25T09:00:00Z")
    desk.correction(second, flagged=True, authored="2026-11-26T09:00:00Z")
    workers = [desk.worker(f"worker-{number}") for number in range(2)]
    threads = [threading.Thread(target=lambda w=worker: [w.deliver_one() for _ in range(6)]) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert desk.drain() == ["delivered"] * 3, desk.rows
    assert chart.summary["effectiveDateTime"].startswith("2026-11-26")
    assert [flag["status"] for flag in chart.flags] == ["amended"]
    assert Counter(each["status"] for each in chart.about("DocumentReference")) == {"current": 1, "superseded": 2}


def test_a_document_does_not_stay_current_because_the_correction_after_it_was_refused(desk: Desk, chart: Chart) -> None:
    first = desk.first()
    desk.drain()
    second = desk.correction(first, flagged=True, authored="2026-11-25T09:00:00Z")
    refuse_next(desk)
    third = desk.correction(second, flagged=True, authored="2026-11-26T09:00:00Z")
    assert desk.drain() == ["delivered", "rejected", "delivered"], desk.rows

    documents = {each["status"]: each for each in chart.about("DocumentReference")}
    assert chart.counts()["DocumentReference"] == 2
    assert set(documents) == {"current", "superseded"}
    target = f"DocumentReference/{documents['superseded']['id']}"
    assert documents["current"]["relatesTo"] == [{"code": "replaces", "target": {"reference": target}}]

    desk.correction(third, authored="2026-11-27T09:00:00Z")
    assert desk.drain()[-1] == "delivered", desk.rows
    assert Counter(each["status"] for each in chart.about("DocumentReference")) == {"current": 1, "superseded": 2}
    old = next(each for each in chart.about("DocumentReference") if each["id"] == documents["superseded"]["id"])
    assert old["meta"]["versionId"] == "2"
    (current,) = [each for each in chart.about("DocumentReference") if each["status"] == "current"]
    assert len(current["relatesTo"]) == 2


def test_a_correction_that_was_refused_is_not_sent_after_the_one_that_came_later(desk: Desk, chart: Chart) -> None:
    first = desk.first()
    desk.drain()
    second = desk.correction(first, authored="2026-11-25T09:00:00Z")
    refused = refuse_next(desk)
    desk.correction(second, authored="2026-11-26T09:00:00Z")
    desk.drain()
    with desk.database.begin() as connection:
        assert outbox.requeue(connection, refused, desk.clock())

    assert desk.drain() == ["delivered", "superseded", "delivered"], desk.rows
    assert Counter(each["status"] for each in chart.about("DocumentReference")) == {"current": 1, "superseded": 1}


def test_a_withdrawal_after_a_refused_correction_leaves_nothing_standing(desk: Desk, chart: Chart) -> None:
    first = desk.first()
    second = desk.correction(first, flagged=True, authored="2026-11-25T09:00:00Z")
    desk.drain()
    third = desk.correction(second, flagged=True, authored="2026-11-26T09:00:00Z")
    refuse_next(desk)
    withdrawn = desk.retraction(third)
    assert desk.drain() == ["delivered", "delivered", "rejected", "delivered"], desk.rows

    assert chart.counts()["DocumentReference"] == 2
    for kind in ("Observation", "DocumentReference", "QuestionnaireResponse"):
        assert {each["status"] for each in chart.about(kind)} == {"entered-in-error"}, kind
    (response,) = chart.about("QuestionnaireResponse")
    assert response["authored"].startswith("2026-11-25")  # as it was filed, not as the refused revision had it

    desk.correction(withdrawn, authored="2026-11-28T09:00:00Z")
    assert desk.drain()[-1] == "delivered", desk.rows
    assert Counter(each["status"] for each in chart.about("DocumentReference")) == {"current": 1, "entered-in-error": 2}


def test_what_is_withdrawn_is_entered_in_error_everywhere(desk: Desk, chart: Chart) -> None:
    first = desk.first()
    desk.drain()
    desk.retraction(first)

    assert desk.drain() == ["delivered", "delivered"], desk.rows
    for kind in ("Observation", "DocumentReference", "QuestionnaireResponse"):
        assert {each["status"] for each in chart.about(kind)} == {"entered-in-error"}, kind


def test_what_is_withdrawn_before_it_arrived_never_arrives(desk: Desk, chart: Chart) -> None:
    first = desk.first()
    desk.retraction(first)
    original, _ = desk.rows
    with desk.database.begin() as connection:
        claimed = outbox.claim(connection, "x", desk.clock(), 60.0)
        assert claimed is not None
        assert outbox.settle(connection, original.id, "x", "rejected", desk.clock())

    assert desk.drain() == ["rejected", "delivered"], desk.rows
    assert desk.rows[1].reason == "the destination holds nothing of this result that could be withdrawn"
    assert chart.about("Observation") == []
    assert chart.about("DocumentReference") == []
    with desk.database.begin() as connection:
        assert outbox.requeue(connection, original.id, desk.clock())
    assert desk.drain() == ["superseded", "delivered"]
    assert chart.about("Observation") == []


def test_a_correction_of_what_was_rejected_is_a_first_result(desk: Desk, chart: Chart) -> None:
    first = desk.first()
    desk.correction(first, flagged=True)
    original, _ = desk.rows
    with desk.database.begin() as connection:
        assert outbox.claim(connection, "x", desk.clock(), 60.0)
        assert outbox.settle(connection, original.id, "x", "rejected", desk.clock())

    assert desk.drain() == ["rejected", "delivered"], desk.rows
    assert chart.counts() == ONE_OF_EACH
    (document,) = chart.about("DocumentReference")
    assert "relatesTo" not in document


def test_a_change_that_somebody_else_made_in_between_is_not_overwritten_unseen(
    desk: Desk, chart: Chart, client: FhirClient
) -> None:
    first = desk.first()
    desk.drain()
    annotated = {**chart.summary, "note": [{"text": "seen by the clinic"}]}
    client.update(annotated, if_match="1")
    desk.correction(first)

    assert desk.drain() == ["delivered", "delivered"], desk.rows
    assert chart.summary["meta"]["versionId"] == "3"


def test_a_patient_whom_the_server_does_not_know_makes_a_dead_letter_with_its_reason(
    desk: Desk, client: FhirClient
) -> None:
    desk.patient = "nobody-here"
    desk.first()

    assert desk.drain() == ["rejected"]
    (row,) = desk.rows
    assert "HAPI-1094" in str(row.reason)
    assert "nobody-here" not in str(row.reason)
    assert row.outcome is not None
    assert row.outcome["resourceType"] == "OperationOutcome"
    found = client.search("Observation", {"identifier": f"{NAMES.observation_identifiers}|x"})
    assert found == Found(())


def test_two_patients_of_the_same_id_on_two_servers_never_meet(desk: Desk, chart: Chart) -> None:
    """The row of another origin's destination is held, for nobody configured it here."""
    here = desk.destination
    desk.destination = type(here)("https://other.example/fhir", here.shape)
    desk.first()
    desk.destination = here

    assert desk.drain() == ["held"]
    assert chart.about("Observation") == []
