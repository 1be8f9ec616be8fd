from __future__ import annotations

from typing import Any

import pytest

from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.received import LOCAL, ReceivedResponse, receive

EHR = "https://ehr.example.org/fhir"
NAMES = Namespace()


def response(**changes: Any) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://w3id.org/fhir-app/Questionnaire/x|1",
        "status": "completed",
        "subject": {"reference": "Patient/1"},
        "authored": "2026-11-24T09:00:00Z",
        "item": [{"linkId": "pt-age", "answer": [{"valueInteger": 40}]}],
    }
    resource |= changes
    return {key: value for key, value in resource.items() if value is not None}


def received(resource: dict[str, Any], origin: str = EHR, **changes: Any) -> ReceivedResponse:
    return receive(
        resource,
        origin=origin,
        accepted="2026-11-24T10:00:00Z",
        namespace=NAMES,
        **changes,
    )


def held(version: str, **changes: Any) -> dict[str, Any]:
    return response(id="77", meta={"versionId": version, "lastUpdated": "2026-11-24T09:30:00Z"}, **changes)


def test_the_same_response_twice_is_one_submission() -> None:
    assert received(response()).submission_id == received(response()).submission_id


def test_the_order_of_properties_makes_no_difference() -> None:
    assert received(response()).submission_id == received(dict(reversed(response().items()))).submission_id


def test_the_same_response_from_two_servers_is_two() -> None:
    here, there = received(held("1")), received(held("1"), "https://other.example.org/fhir")
    assert here.identity != there.identity
    assert here.submission_id != there.submission_id


def test_a_later_version_of_a_server_is_the_same_response_and_newer() -> None:
    first, second, tenth = received(held("1")), received(held("2", status="amended")), received(held("10"))
    assert first.identity == second.identity == tenth.identity
    assert first.revision != second.revision
    assert first.order < second.order < tenth.order


def test_versions_that_are_no_numbers_are_ordered_by_the_time_of_their_update_in_any_zone() -> None:
    def at(instant: str) -> ReceivedResponse:
        return received(response(id="77", meta={"versionId": "b1c7", "lastUpdated": instant}))

    assert at("2026-11-24T10:00:00+02:00").order < at("2026-11-24T08:00:00.5Z").order < at("2026-11-24T09:01:00Z").order


@pytest.mark.parametrize("origin", [EHR, LOCAL])
def test_an_id_that_no_server_gave_is_no_identity(origin: str) -> None:
    one = received(response(id="example"), origin)
    other = received(response(id="example", subject={"reference": "Patient/2"}), origin)
    assert one.identity != other.identity
    assert one.questionnaire_response["id"] == one.identity


def test_a_clients_version_number_is_no_revision_so_that_a_correction_is_never_taken_for_a_repeat() -> None:
    identifier = {"system": "https://forms.example.org", "value": "9"}
    one = received(response(identifier=identifier, meta={"versionId": "1"}), LOCAL)
    other = received(response(identifier=identifier, meta={"versionId": "1"}, status="amended"), LOCAL)
    assert one.identity == other.identity
    assert one.revision != other.revision


def test_an_id_in_the_url_of_a_notification_was_given_by_its_server() -> None:
    notice = received(response(id="77"), notified_id="77")
    assert notice.identity == received(held("1")).identity
    assert notice.held_by_origin


def test_an_identifier_without_a_system_is_read_together_with_its_subject() -> None:
    one = received(response(identifier={"value": "1"}))
    other = received(response(identifier={"value": "1"}, subject={"reference": "Patient/2"}))
    assert one.identity != other.identity


def test_a_response_without_identifier_gets_one_in_the_copy_that_is_sent() -> None:
    original = response()
    result = received(original)
    assert result.questionnaire_response["identifier"] == {
        "system": NAMES.questionnaire_response_identifiers,
        "value": result.identity,
    }
    assert "identifier" not in original


def test_an_identifier_that_is_there_stays() -> None:
    identifier = {"system": "https://forms.example.org", "value": "9"}
    assert received(response(identifier=identifier)).questionnaire_response["identifier"] == identifier


@pytest.mark.parametrize("identifier", [None, {"system": "https://forms.example.org", "value": "9"}])
def test_the_notification_about_our_own_copy_is_the_submission_that_it_came_from(identifier: Any) -> None:
    first = received(response(identifier=identifier))
    stored = {**first.questionnaire_response, "id": "4711"}
    stored["meta"] = {**stored["meta"], "versionId": "1", "lastUpdated": "2026-11-24T10:00:01Z", "source": "#x"}
    again = received(stored, notified_id="4711")
    assert again.submission_id == first.submission_id
    corrected = received({**stored, "status": "amended", "meta": {**stored["meta"], "versionId": "2"}})
    assert corrected.identity == first.identity
    assert corrected.revision != first.revision
    assert corrected.order > first.order


def test_absolute_references_into_the_origin_become_relative_and_do_not_change_the_revision() -> None:
    absolute = received(
        response(subject={"reference": f"{EHR}/Patient/1"}, encounter={"reference": f"{EHR}/Encounter/2"})
    )
    assert absolute.subject == "Patient/1"
    assert absolute.encounter == "Encounter/2"
    assert absolute.questionnaire_response["subject"] == {"reference": "Patient/1"}


def test_a_reference_to_another_server_is_not_mistaken_for_one_of_the_origin() -> None:
    foreign = "https://elsewhere.example.org/fhir/Patient/1"
    assert received(response(subject={"reference": foreign})).subject == foreign


@pytest.mark.parametrize(
    "subject",
    [None, {"reference": "#p"}, {"identifier": {"value": "1"}}, {"reference": "urn:uuid:1"}, {"reference": "Group/1"}],
)
def test_without_a_patient_there_is_no_subject_to_write_about(subject: Any) -> None:
    assert received(response(subject=subject)).subject is None


def test_a_reference_to_one_version_of_a_patient_is_the_patient() -> None:
    assert received(response(subject={"reference": "Patient/1/_history/3"})).subject == "Patient/1"


def test_a_response_held_by_its_origin_is_passed_on_untouched() -> None:
    result = received(held("3"))
    assert result.held_by_origin
    assert result.questionnaire_response == held("3")


def test_a_local_response_is_never_held_by_its_origin() -> None:
    assert not received(held("3"), LOCAL).held_by_origin
    assert not received(response(), LOCAL, notified_id="77").held_by_origin
