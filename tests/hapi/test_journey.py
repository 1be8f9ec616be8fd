"""From a filled-in form to what a clinical system finds, with the whole service wired to a real server."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

import pytest

from fhir_app.app import Parts
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.replies import Delivered
from fhir_app.store import outbox
from tests.hapi.conftest import Ehr, Form, as_body

pytestmark = pytest.mark.hapi
NAMES = Namespace()
SUMMARY = f"{NAMES.observations}|intake-urgency"
EDUCATION = "http://loinc.org|34895-3"

URGENT = {
    "rf_nerve": ["weak-both"],
    "rf_weak_onset": "sudden",
    "rf_salt": ["none"],
    "rf_back_risk": ["none"],
}


def deliver(parts: Parts) -> list[tuple[str, str | None]]:
    while parts.delivery.deliver_one() is not None:
        pass
    with parts.database.read() as connection:
        return [(row.state, row.reason) for row in outbox.listing(connection)]


def test_a_clinical_system_finds_the_result_by_patient_and_code(ehr: Ehr, parts: Parts, form: Form) -> None:
    patient = ehr.new_patient()
    submitted = parts.submissions.submit(as_body(form.filled_in(patient)), origin=ehr.url)
    assert submitted.status_code == 201, submitted.issues

    assert deliver(parts) == [("delivered", None)]

    (summary,) = ehr.search("Observation", patient=patient, code=SUMMARY)
    assert summary["status"] == "final"
    assert summary["valueCodeableConcept"]["coding"][0]["system"] == NAMES.urgency
    (document,) = ehr.search("DocumentReference", patient=patient, type=EDUCATION)
    assert document["status"] == "current"
    forms = {each["attachment"]["contentType"].split(";")[0] for each in document["content"]}
    assert {"text/html", "text/plain"} <= forms
    (response,) = ehr.search("QuestionnaireResponse", subject=f"Patient/{patient}")
    assert summary["derivedFrom"][0]["reference"] == f"QuestionnaireResponse/{response['id']}"
    (provenance,) = ehr.search("Provenance", target=f"Observation/{summary['id']}")
    assert ehr.read(provenance["agent"][0]["who"]["reference"])["resourceType"] == "Device"
    assert ehr.read(provenance["agent"][0]["onBehalfOf"]["reference"])["name"] == "Example Clinic"


def test_a_red_flag_is_an_observation_of_its_own(ehr: Ehr, parts: Parts, form: Form) -> None:
    patient = ehr.new_patient()
    with_flag = form.filled_in(patient, **URGENT)
    submitted = parts.submissions.submit(as_body(with_flag), origin=ehr.url)
    assert submitted.assessment is not None
    present = [flag for flag in submitted.assessment["red_flags"] if flag["status"] == "present"]
    assert present

    deliver(parts)

    (summary,) = ehr.search("Observation", patient=patient, code=SUMMARY)
    assert summary["interpretation"][0]["coding"][0]["code"] == "A"
    for member in summary["hasMember"]:
        flag = ehr.read(member["reference"])
        assert flag["subject"]["reference"] == f"Patient/{patient}"


@pytest.mark.parametrize("language", [None, "es"])
@pytest.mark.parametrize("flagged", [False, True])
def test_the_server_finds_no_error_in_anything_that_was_written(
    ehr: Ehr, parts: Parts, form: Form, language: str | None, flagged: bool
) -> None:
    patient = ehr.new_patient()
    response = form.filled_in(patient, language=language, **(URGENT if flagged else {}))
    parts.submissions.submit(as_body(response), origin=ehr.url)
    assert deliver(parts) == [("delivered", None)]

    written = written_about(ehr, patient)
    assert {each["resourceType"] for each in written} == {
        "QuestionnaireResponse", "Observation", "DocumentReference", "Provenance", "Device", "Organization"
    }  # fmt: skip
    for resource in written:
        assert ehr.errors(resource) == [], resource["resourceType"]


def test_the_leaflet_is_in_the_language_of_the_response(ehr: Ehr, parts: Parts, form: Form) -> None:
    for language in form.intake.languages:
        patient = ehr.new_patient()
        parts.submissions.submit(as_body(form.filled_in(patient, language=language)), origin=ehr.url)
        deliver(parts)

        (document,) = ehr.search("DocumentReference", patient=patient)
        attachments = [each["attachment"] for each in document["content"]]
        assert {attachment["language"] for attachment in attachments} == {language}
        (html,) = [each for each in attachments if each["contentType"].startswith("text/html")]
        assert f'lang="{language}"' in base64.b64decode(html["data"]).decode()


def test_a_pdf_is_filed_where_it_can_be_made_and_is_the_same_at_every_try(ehr: Ehr, parts: Parts, form: Form) -> None:
    if parts.delivery.render is None:
        pytest.skip("the PDF extra is not installed")
    patient = ehr.new_patient()
    parts.submissions.submit(as_body(form.filled_in(patient)), origin=ehr.url)
    deliver(parts)

    (document,) = ehr.search("DocumentReference", patient=patient)
    (pdf,) = [
        each["attachment"] for each in document["content"] if each["attachment"]["contentType"] == "application/pdf"
    ]
    assert base64.b64decode(pdf["data"]).startswith(b"%PDF-")


def test_submitting_the_same_again_writes_nothing_more(ehr: Ehr, parts: Parts, form: Form) -> None:
    patient = ehr.new_patient()
    body = as_body(form.filled_in(patient))
    first = parts.submissions.submit(body, origin=ehr.url)
    deliver(parts)
    second = parts.submissions.submit(body, origin=ehr.url)

    assert (first.status_code, second.status_code) == (201, 200)
    assert deliver(parts) == [("delivered", None)]
    assert counts(ehr, patient) == {"QuestionnaireResponse": 1, "Observation": 1, "DocumentReference": 1}


def test_a_store_restored_from_a_backup_writes_nothing_twice(ehr: Ehr, parts: Parts, form: Form) -> None:
    """The outbox has forgotten that it delivered; the server has not."""
    patient = ehr.new_patient()
    parts.submissions.submit(as_body(form.filled_in(patient, **URGENT)), origin=ehr.url)
    deliver(parts)
    before = counts(ehr, patient)
    with parts.database.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET state = 'pending', attempts = 0")

    assert deliver(parts) == [("delivered", None)]
    assert counts(ehr, patient) == before
    (summary,) = ehr.search("Observation", patient=patient, code=SUMMARY)
    assert summary["meta"]["versionId"] == "1"
    assert len(ehr.search("Provenance", target=f"Observation/{summary['id']}")) == 1


def test_a_response_that_the_server_holds_is_assessed_and_not_written_again(ehr: Ehr, parts: Parts, form: Form) -> None:
    patient = ehr.new_patient()
    stored = ehr.client.create(form.filled_in(patient))
    notified = ehr.read(f"QuestionnaireResponse/{stored.id}")  # type: ignore[union-attr]
    submitted = parts.submissions.submit(as_body(notified), origin=ehr.url, notified_id=notified["id"])
    assert submitted.status_code == 201, submitted.issues

    assert deliver(parts) == [("delivered", None)]
    assert counts(ehr, patient) == {"QuestionnaireResponse": 1, "Observation": 1, "DocumentReference": 1}
    (summary,) = ehr.search("Observation", patient=patient, code=SUMMARY)
    assert summary["derivedFrom"][0]["reference"] == f"QuestionnaireResponse/{notified['id']}"


def test_revisions_of_a_response_that_the_server_holds_amend_the_result_and_withdraw_it(
    ehr: Ehr, parts: Parts, form: Form
) -> None:
    patient = ehr.new_patient()

    def write_and_notify(resource: Any) -> None:
        assert isinstance(ehr.client.update(resource), Delivered)
        notified = ehr.read(f"QuestionnaireResponse/{resource['id']}")
        parts.submissions.submit(as_body(notified), origin=ehr.url, notified_id=notified["id"])

    response_id = f"response-{patient}"
    write_and_notify({**form.filled_in(patient, **URGENT), "id": response_id})
    deliver(parts)
    write_and_notify({**form.filled_in(patient, status="amended"), "id": response_id})
    assert deliver(parts) == [("delivered", None)] * 2

    (summary,) = ehr.search("Observation", patient=patient, code=SUMMARY)
    assert summary["status"] == "amended"
    assert "hasMember" not in summary
    flags = [each for each in ehr.search("Observation", patient=patient) if each["id"] != summary["id"]]
    assert {flag["status"] for flag in flags} == {"entered-in-error"}
    documents = ehr.search("DocumentReference", patient=patient)
    assert Counter(each["status"] for each in documents) == {"current": 1, "superseded": 1}
    for resource in [summary, *flags, *documents]:
        assert ehr.errors(resource) == []

    write_and_notify({**form.filled_in(patient, status="entered-in-error"), "id": response_id})
    assert deliver(parts) == [("delivered", None)] * 3
    results = [*ehr.search("Observation", patient=patient), *ehr.search("DocumentReference", patient=patient)]
    assert {each["status"] for each in results} == {"entered-in-error"}
    for resource in results:
        assert ehr.errors(resource) == []


def test_after_a_correction_that_the_server_refused_the_next_one_leaves_one_current_leaflet(
    ehr: Ehr, parts: Parts, form: Form
) -> None:
    patient = ehr.new_patient()
    identifier = {"system": "https://forms.example/id", "value": patient}

    def submit(**elements: Any) -> None:
        response = {**form.filled_in(patient, **URGENT), "identifier": identifier, **elements}
        assert parts.submissions.submit(as_body(response), origin=ehr.url).status_code == 201

    def refused(day: int) -> None:
        """By the server itself, which does not know the encounter."""
        encounter = {"reference": "Encounter/nobody-here"}
        submit(status="amended", authored=f"2026-11-{day}T10:00:00+01:00", encounter=encounter)

    def documents() -> list[Any]:
        return ehr.search("DocumentReference", patient=patient)

    submit()
    refused(25)
    submit(status="amended", authored="2026-11-26T10:00:00+01:00")
    assert [state for state, _ in deliver(parts)] == ["delivered", "rejected", "delivered"]
    assert Counter(each["status"] for each in documents()) == {"current": 1, "superseded": 1}

    submit(status="amended", authored="2026-11-27T10:00:00+01:00")
    assert [state for state, _ in deliver(parts)][-1] == "delivered"
    assert Counter(each["status"] for each in documents()) == {"current": 1, "superseded": 2}
    (current,) = [each for each in documents() if each["status"] == "current"]
    former = {f"DocumentReference/{each['id']}" for each in documents()} - {f"DocumentReference/{current['id']}"}
    assert {each["target"]["reference"] for each in current["relatesTo"]} == former

    refused(28)
    submit(status="entered-in-error", authored="2026-11-29T10:00:00+01:00")
    assert [state for state, _ in deliver(parts)][-2:] == ["rejected", "delivered"]
    kinds = ("QuestionnaireResponse", "Observation", "DocumentReference")
    results = [each for kind in kinds for each in ehr.search(kind, subject=f"Patient/{patient}")]
    assert len(results) == 6
    assert {each["status"] for each in results} == {"entered-in-error"}
    for resource in results:
        assert ehr.errors(resource) == []


def test_a_stale_revision_that_comes_in_late_is_not_sent_after_the_newer_one(
    ehr: Ehr, parts: Parts, form: Form
) -> None:
    patient = ehr.new_patient()
    response_id = f"response-{patient}"
    assert isinstance(ehr.client.update({**form.filled_in(patient, **URGENT), "id": response_id}), Delivered)
    old = ehr.read(f"QuestionnaireResponse/{response_id}")
    ehr.client.update({**form.filled_in(patient, status="amended"), "id": response_id})
    new = ehr.read(f"QuestionnaireResponse/{response_id}")

    parts.submissions.submit(as_body(new), origin=ehr.url, notified_id=response_id)
    deliver(parts)
    parts.submissions.submit(as_body(old), origin=ehr.url, notified_id=response_id)

    assert [state for state, _ in deliver(parts)] == ["delivered", "superseded"]
    (summary,) = ehr.search("Observation", patient=patient, code=SUMMARY)
    assert "hasMember" not in summary
    assert len(ehr.search("Observation", patient=patient)) == 1


def test_a_response_from_another_server_about_a_patient_of_the_same_id_is_held(
    ehr: Ehr, parts: Parts, form: Form
) -> None:
    patient = ehr.new_patient()
    parts.submissions.submit(as_body(form.filled_in(patient)), origin="https://other.example/fhir")
    parts.submissions.submit(as_body(form.filled_in(patient)), origin="local")

    assert {state for state, _ in deliver(parts)} == {"held"}
    assert counts(ehr, patient) == {"QuestionnaireResponse": 0, "Observation": 0, "DocumentReference": 0}


def test_an_unfinished_response_with_a_red_flag_is_delivered_as_preliminary(ehr: Ehr, parts: Parts, form: Form) -> None:
    patient = ehr.new_patient()
    unfinished = form.filled_in(patient, status="in-progress", **URGENT)
    parts.submissions.submit(as_body(unfinished), origin=ehr.url)

    assert deliver(parts) == [("delivered", None)]
    assert {each["status"] for each in ehr.search("Observation", patient=patient)} == {"preliminary"}


def counts(ehr: Ehr, patient: str) -> dict[str, int]:
    kinds = ("QuestionnaireResponse", "Observation", "DocumentReference")
    return {kind: len(ehr.search(kind, subject=f"Patient/{patient}")) for kind in kinds}


def written_about(ehr: Ehr, patient: str) -> list[Any]:
    kinds = ("QuestionnaireResponse", "Observation", "DocumentReference")
    found = [each for kind in kinds for each in ehr.search(kind, subject=f"Patient/{patient}")]
    (summary,) = ehr.search("Observation", patient=patient, code=SUMMARY)
    found += ehr.search("Provenance", target=f"Observation/{summary['id']}")
    found += [ehr.read(summary["device"]["reference"]), ehr.read(summary["performer"][0]["reference"])]
    return found
