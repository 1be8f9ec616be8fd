from __future__ import annotations

import base64
import hashlib
import importlib
import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from fhir_app.fhir.read_json import dump_json, read_json
from fhir_app.fhir.writeback import Author, MissingSubject, WriteBack, retract, with_contents


def codes_of(concept: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in concept["coding"]]


def component(resource: Any, code: str) -> dict[str, Any]:
    (found,) = [part for part in resource["component"] if codes_of(part["code"]) == [code]]
    return found


def as_r4(resource: Any) -> None:
    """Refused unless fhirclient, generated from R4 4.0.1, reads it and writes the same."""
    name = resource["resourceType"].lower()
    model = getattr(importlib.import_module(f"fhirclient.models.{name}"), resource["resourceType"])
    assert model(json.loads(dump_json(resource))).as_json() == json.loads(dump_json(resource))


def variants(tiny: Any) -> list[WriteBack]:
    first = tiny.written()
    corrected = tiny.written(tiny.no_flags(), tiny.received(status="amended"), previous=first)
    return [
        first,
        corrected,
        tiny.written(author=Author(None, "0.1.0"), documents=()),
        tiny.written(response_as="identifier"),
        tiny.written(tiny.assessment(assessed=False, not_assessed_because="invalid", causes=())),
        tiny.written(response=tiny.received(encounter=None, authored=None, language=None)),
        retract(first, tiny.received(status="entered-in-error"), tiny.intake, author=tiny.author, namespace=tiny.names),
        thrice(tiny)[-1],
        withdrawal_of(tiny, thrice(tiny)[-1]),
    ]


def test_everything_written_is_r4_for_an_independent_model(tiny: Any) -> None:
    for written in variants(tiny):
        for resource in written.resources:
            as_r4(resource)


def test_the_same_input_gives_the_same_bytes(tiny: Any) -> None:
    one, other = tiny.written(), tiny.written()
    assert [dump_json(r) for r in one.resources] == [dump_json(r) for r in other.resources]


def test_each_resource_comes_after_what_it_refers_to(tiny: Any) -> None:
    for written in variants(tiny):
        known: set[str] = set()
        everything = {f"{r['resourceType']}/{r['id']}" for r in written.resources}
        for resource in written.resources:
            mentioned = set(re.findall(r'"reference":"([^"]+)"', dump_json(resource).decode()))
            assert mentioned & everything <= known
            known.add(f"{resource['resourceType']}/{resource['id']}")


def test_never_a_condition_and_every_code_is_ours_or_confirmed(tiny: Any) -> None:
    for written in variants(tiny):
        assert "Condition" not in {r["resourceType"] for r in written.resources}
        systems = set(re.findall(r'"system":"([^"]+)","code"', dump_json({"all": list(written.resources)}).decode()))
        foreign = {system for system in systems if not system.startswith(tiny.names.base)}
        assert not any("snomed" in system or "icd" in system for system in foreign)


def test_the_summary_says_urgency_flags_and_causes(tiny: Any) -> None:
    summary = tiny.written().summary
    assert summary["status"] == "final"
    assert codes_of(summary["category"][0]) == ["survey"]
    assert codes_of(summary["valueCodeableConcept"]) == ["same-day"]
    assert codes_of(summary["interpretation"][0]) == ["A"]
    assert summary["subject"] == {"reference": "Patient/pat1"}
    assert summary["encounter"] == {"reference": "Encounter/enc1"}
    assert summary["effectiveDateTime"] == "2026-11-24T09:00:00+01:00"
    assert summary["issued"] == "2026-11-24T10:00:00Z"
    assert codes_of(component(summary, "place")["valueCodeableConcept"]) == ["hospital"]
    assert codes_of(component(summary, "urgency-floor")["valueCodeableConcept"]) == ["soon"]
    assert codes_of(component(summary, "salt")["valueCodeableConcept"]) == ["likely"]
    assert codes_of(component(summary, "none-fits")["valueCodeableConcept"]) == ["possible"]
    assert codes_of(component(summary, "RF10")["valueCodeableConcept"]) == ["present"]
    assert codes_of(component(summary, "RF01")["valueCodeableConcept"]) == ["absent"]
    assert codes_of(component(summary, "RF10")["interpretation"][0]) == ["POS"]
    assert codes_of(component(summary, "RF01")["interpretation"][0]) == ["NEG"]


@pytest.mark.parametrize(
    ("code", "reason"), [("RF11", "asked-unknown"), ("RF12", "not-asked"), ("b12", "asked-unknown")]
)
def test_what_was_not_assessed_has_a_reason_and_no_value(tiny: Any, code: str, reason: str) -> None:
    found = component(tiny.written().summary, code)
    assert codes_of(found["dataAbsentReason"]) == [reason]
    assert not [name for name in found if name.startswith("value")]


def test_a_family_with_one_row_not_assessed_is_never_called_absent(tiny: Any) -> None:
    rows = (tiny.finding("RF10.1", "absent"), tiny.finding("RF10.2", "not-assessed", unanswered=("rf-nerve",)))
    found = component(tiny.written(tiny.assessment(red_flags=rows)).summary, "RF10")
    assert codes_of(found["dataAbsentReason"]) == ["asked-unknown"]


def test_a_family_that_the_assessment_does_not_mention_is_never_called_absent(tiny: Any) -> None:
    found = component(tiny.written(tiny.assessment(red_flags=())).summary, "RF10")
    assert codes_of(found["dataAbsentReason"]) == ["not-asked"]


def test_without_a_present_flag_there_is_no_interpretation_and_no_member(tiny: Any) -> None:
    written = tiny.written(tiny.no_flags())
    assert written.flags == ()
    assert "interpretation" not in written.summary
    assert "hasMember" not in written.summary


def test_causes_that_were_not_ranked_are_all_there_without_a_value(tiny: Any) -> None:
    assessed = tiny.assessment(assessed=False, not_assessed_because="under-age", causes=())
    for cause_id in ("nerve", "salt", "b12"):
        assert codes_of(component(tiny.written(assessed).summary, cause_id)["dataAbsentReason"]) == ["not-asked"]


def test_one_observation_for_each_present_family_carries_row_advice_and_source(tiny: Any) -> None:
    (flag,) = tiny.written().flags
    assert flag["code"]["coding"] == [
        {"system": tiny.names.red_flags("tiny"), "code": "RF10", "display": "New weakness"}
    ]
    assert codes_of(flag["valueCodeableConcept"]) == ["present"]
    assert codes_of(flag["interpretation"][0]) == ["POS"]
    assert codes_of(component(flag, "intake-urgency")["valueCodeableConcept"]) == ["same-day"]
    note = flag["note"][0]["text"]
    for part in ("RF10.1", "do not drive", "BMJ19#page 4", "Which side? One <leg> & foot"):
        assert part in note
    assert tiny.written().summary["hasMember"] == [{"reference": f"Observation/{flag['id']}"}]


def test_two_reported_rows_of_one_family_share_an_observation_with_the_higher_urgency(tiny: Any) -> None:
    rows = (
        tiny.finding("RF10.2", "present", disposition=type(tiny.same_day)(tiny.same_day.urgency)),
        tiny.finding("RF10.1", "present"),
    )
    (flag,) = tiny.written(tiny.assessment(red_flags=rows)).flags
    assert "RF10.1" in flag["note"][0]["text"]
    assert "RF10.2" in flag["note"][0]["text"]
    assert codes_of(component(flag, "place")["valueCodeableConcept"]) == ["hospital"]


@pytest.mark.parametrize("because", ["status", "invalid"])
def test_an_unfinished_or_invalid_response_gives_preliminary_results_that_say_so(tiny: Any, because: str) -> None:
    written = tiny.written(tiny.assessment(assessed=False, not_assessed_because=because, causes=()))
    for resource in (written.summary, *written.flags):
        assert resource["status"] == "preliminary"
        assert "Unverified" in resource["text"]["div"]
        assert "Unverified" in resource["note"][0]["text"]
    assert written.document is not None
    assert written.document["docStatus"] == "preliminary"


def test_every_text_in_the_narrative_is_escaped_and_it_is_well_formed(tiny: Any) -> None:
    for written in variants(tiny):
        for resource in written.resources:
            if "text" in resource:
                div = ElementTree.fromstring(resource["text"]["div"])  # our own output
                assert div.tag == "{http://www.w3.org/1999/xhtml}div"
    div = tiny.written().summary["text"]["div"]
    assert "One &lt;leg&gt; &amp; foot" in div
    assert "A review of &lt;weak&gt; legs" in div


def test_the_narrative_names_causes_with_reasons_for_and_against_and_sources(tiny: Any) -> None:
    words = "".join(ElementTree.fromstring(tiny.written().summary["text"]["div"]).itertext())
    for part in ("Dehydration: likely", "For: on one side (LR 2.4)", "Against: not on a bike", "ISSN15#page 1"):
        assert part in words
    assert "weaker" not in words
    assert "ISSN15: A position stand, 2015" in words


def test_the_document_holds_each_form_with_size_and_hash(tiny: Any) -> None:
    document = tiny.written().document
    assert document["type"]["coding"][0]["code"] == "34895-3"
    assert document["custodian"]["reference"].startswith("Organization/")
    assert document["author"][0]["reference"].startswith("Device/")
    assert document["context"]["encounter"] == [{"reference": "Encounter/enc1"}]
    assert document["context"]["related"] == [{"reference": f"Observation/{tiny.written().summary['id']}"}]
    for content, given in zip(document["content"], tiny.leaflet, strict=True):
        attachment = content["attachment"]
        assert base64.b64decode(attachment["data"]) == given.data
        assert attachment["size"] == len(given.data)
        assert base64.b64decode(attachment["hash"]) == hashlib.sha1(given.data).digest()
        assert attachment["language"] == "es"


def test_the_document_educates_and_does_not_rank(tiny: Any) -> None:
    assert "likely" not in dump_json({**tiny.written().document, "content": []}).decode().lower()


def test_a_pdf_rendered_later_joins_the_same_document_and_does_so_once(tiny: Any) -> None:
    pdf = type(tiny.leaflet[0])("application/pdf", b"%PDF", "Piernas", "es")
    written = tiny.written()
    once = with_contents(written, [pdf])
    assert [c["attachment"]["contentType"] for c in once.document["content"]] == [
        "text/html",
        "text/plain",
        "application/pdf",
    ]
    assert with_contents(once, [pdf]) == once
    assert once.document["id"] == written.document["id"]


def test_the_provenance_names_who_for_whom_and_from_what(tiny: Any) -> None:
    written = tiny.written()
    provenance = written.provenance
    author, transmitter = provenance["agent"]
    assert codes_of(author["type"]) == ["author"]
    assert author["who"] == {"reference": f"Device/{written.device['id']}"}
    assert author["onBehalfOf"] == transmitter["who"] == {"reference": f"Organization/{written.organization['id']}"}
    response, knowledge = provenance["entity"]
    assert response["what"]["reference"] == f"QuestionnaireResponse/{written.questionnaire_response['id']}"
    assert knowledge["what"]["identifier"]["value"] == f"{tiny.names.library('tiny')}|1.2.3"
    assert "reference" not in knowledge["what"]
    assert {t["reference"] for t in provenance["target"]} == {
        f"{r['resourceType']}/{r['id']}" for r in (*written.flags, written.summary, written.document)
    }


def test_a_response_that_its_origin_holds_is_not_written_again(tiny: Any) -> None:
    held = tiny.received(id="77", meta={"versionId": "1"})
    written = tiny.written(response=held)
    assert "QuestionnaireResponse" not in {r["resourceType"] for r in written.resources}
    assert written.summary["derivedFrom"][0]["reference"] == "QuestionnaireResponse/77"
    assert "QuestionnaireResponse" in {r["resourceType"] for r in tiny.written().resources}


@pytest.mark.parametrize("because", ["status", "invalid"])
def test_an_unverified_response_is_not_written_so_that_its_flag_arrives(tiny: Any, because: str) -> None:
    unverified = tiny.assessment(assessed=False, not_assessed_because=because, causes=())
    written = tiny.written(unverified)
    assert "QuestionnaireResponse" not in {r["resourceType"] for r in written.resources}
    assert "reference" not in written.summary["derivedFrom"][0]
    assert "reference" not in written.provenance["entity"][0]["what"]
    withdrawn = tiny.received(status="entered-in-error")
    retraction = retract(written, withdrawn, tiny.intake, author=tiny.author, namespace=tiny.names)
    assert "QuestionnaireResponse" not in {r["resourceType"] for r in retraction.resources}
    held = tiny.received(id="77", meta={"versionId": "1"})
    assert tiny.written(unverified, held).summary["derivedFrom"][0]["reference"] == "QuestionnaireResponse/77"


def test_a_retraction_sends_what_was_filed_and_not_what_is_left_of_it(tiny: Any) -> None:
    first = tiny.written()
    emptied = tiny.received(status="entered-in-error", item=None)
    retraction = retract(first, emptied, tiny.intake, author=tiny.author, namespace=tiny.names)
    assert retraction.questionnaire_response == {**first.questionnaire_response, "status": "entered-in-error"}
    assert retraction.questionnaire_response in retraction.resources


def test_the_note_is_the_clinicians_summary_and_the_narrative_holds_every_reason(tiny: Any) -> None:
    summary = tiny.written().summary
    note = summary["note"][0]["text"]
    assert note.startswith("SAME-DAY HOSPITAL.")
    assert len(note.splitlines()) <= 25
    assert summary["text"]["div"].count("Against: not on a bike") == 4


def test_where_the_response_is_refused_it_is_named_by_identifier_and_display(tiny: Any) -> None:
    written = tiny.written(response_as="identifier")
    for named in (written.summary["derivedFrom"][0], written.provenance["entity"][0]["what"]):
        assert named["identifier"] == written.questionnaire_response["identifier"]
        assert named["display"]
        assert "reference" not in named


def test_a_response_without_a_patient_cannot_be_written(tiny: Any) -> None:
    with pytest.raises(MissingSubject):
        tiny.written(response=tiny.received(subject=None))


def test_a_response_in_error_is_never_written_as_a_result(tiny: Any) -> None:
    with pytest.raises(ValueError, match="retracted"):
        tiny.written(response=tiny.received(status="entered-in-error"))


IDENTIFIER = {"system": "https://forms.example.org", "value": "9"}


def revised(tiny: Any, **changes: Any) -> Any:
    return tiny.received("2026-11-25T08:00:00Z", identifier=IDENTIFIER, status="amended", **changes)


def thrice(tiny: Any) -> tuple[Any, Any, Any]:
    """A result and its two corrections."""
    first = tiny.written(response=tiny.received(identifier=IDENTIFIER))
    second = tiny.written(response=revised(tiny), previous=first)
    return first, second, tiny.written(response=revised(tiny, authored="2026-11-24T09:05:00Z"), previous=second)


def withdrawal_of(tiny: Any, written: Any) -> Any:
    withdrawn = tiny.received(identifier=IDENTIFIER, status="entered-in-error")
    return retract(written, withdrawn, tiny.intake, author=tiny.author, namespace=tiny.names)


def test_a_correction_keeps_the_ids_and_is_amended(tiny: Any) -> None:
    first = tiny.written(response=tiny.received(identifier=IDENTIFIER))
    second = tiny.written(response=revised(tiny), previous=first)
    assert second.summary["id"] == first.summary["id"]
    assert [f["id"] for f in second.flags] == [f["id"] for f in first.flags]
    assert second.summary["status"] == second.flags[0]["status"] == "amended"
    assert second.provenance["id"] != first.provenance["id"]
    assert codes_of(second.provenance["activity"]) == ["UPDATE"]


def test_a_flag_that_no_longer_fires_is_retracted_and_stays_retracted(tiny: Any) -> None:
    first = tiny.written(response=tiny.received(identifier=IDENTIFIER))
    second = tiny.written(tiny.no_flags(), revised(tiny), previous=first)
    (gone,) = second.retracted_flags
    assert gone["id"] == first.flags[0]["id"]
    assert gone["status"] == "entered-in-error"
    assert "Entered in error" in gone["text"]["div"]
    assert {"reference": f"Observation/{gone['id']}"} in second.provenance["target"]
    third = tiny.written(tiny.no_flags(), revised(tiny, authored="2026-11-24T09:05:00Z"), previous=second)
    assert third.retracted_flags == second.retracted_flags
    fourth = tiny.written(response=revised(tiny, authored="2026-11-24T09:06:00Z"), previous=third)
    assert fourth.retracted_flags == ()
    assert fourth.flags[0]["id"] == gone["id"]


def test_a_corrected_document_replaces_the_earlier_one(tiny: Any) -> None:
    first = tiny.written(response=tiny.received(identifier=IDENTIFIER))
    second = tiny.written(response=revised(tiny), previous=first)
    assert second.document["id"] != first.document["id"]
    assert second.document["relatesTo"] == [
        {"code": "replaces", "target": {"reference": f"DocumentReference/{first.document['id']}"}}
    ]
    assert second.earlier_documents == ({**first.document, "status": "superseded"},)
    assert {"reference": f"DocumentReference/{first.document['id']}"} in second.provenance["target"]


def test_every_earlier_document_is_superseded_and_replaced_whichever_of_them_arrived(tiny: Any) -> None:
    first, second, third = thrice(tiny)
    assert [(d["id"], d["status"]) for d in third.earlier_documents] == [
        (first.document["id"], "superseded"),
        (second.document["id"], "superseded"),
    ]
    assert third.document["status"] == "current"
    assert third.document["relatesTo"] == [
        {"code": "replaces", "target": {"reference": f"DocumentReference/{earlier.document['id']}"}}
        for earlier in (first, second)
    ]


def test_a_revision_without_a_document_supersedes_the_earlier_ones_and_the_next_document_replaces_them(
    tiny: Any,
) -> None:
    first = tiny.written(response=tiny.received(identifier=IDENTIFIER))
    second = tiny.written(response=revised(tiny), previous=first, documents=())
    assert second.document is None
    assert [document["status"] for document in second.earlier_documents] == ["superseded"]
    third = tiny.written(response=revised(tiny, authored="2026-11-24T09:05:00Z"), previous=second)
    assert third.earlier_documents == second.earlier_documents
    (replaced,) = third.document["relatesTo"]
    assert replaced["target"] == {"reference": f"DocumentReference/{first.document['id']}"}


def test_results_are_final_after_preliminary_ones_and_amended_after_final_ones(tiny: Any) -> None:
    unfinished = tiny.assessment(assessed=False, not_assessed_because="status", causes=())
    first = tiny.written(unfinished, tiny.received(identifier=IDENTIFIER, status="in-progress"))
    second = tiny.written(response=tiny.received(identifier=IDENTIFIER), previous=first)
    assert second.summary["status"] == "final"
    third = tiny.written(unfinished, revised(tiny), previous=second)
    assert third.summary["status"] == "preliminary"
    assert tiny.written(response=revised(tiny), previous=third).summary["status"] == "amended"


def test_a_retraction_marks_everything_as_entered_in_error_and_keeps_its_patient(tiny: Any) -> None:
    first = tiny.written(response=tiny.received(identifier=IDENTIFIER))
    withdrawn = tiny.received(identifier=IDENTIFIER, status="entered-in-error", subject=None)
    retraction = retract(first, withdrawn, tiny.intake, author=tiny.author, namespace=tiny.names)
    for resource in (retraction.summary, *retraction.retracted_flags, retraction.document):
        assert resource["status"] == "entered-in-error"
        assert resource["subject"] == {"reference": "Patient/pat1"}
        assert resource["text"]["div"].count("Entered in error") == 1
    assert retraction.document["docStatus"] == "entered-in-error"
    assert {r["id"] for r in retraction.retracted_flags} == {f["id"] for f in first.flags}
    again = retract(retraction, withdrawn, tiny.intake, author=tiny.author, namespace=tiny.names)
    assert again.summary == retraction.summary
    assert again.document == retraction.document


def test_a_retraction_withdraws_the_documents_of_all_revisions(tiny: Any) -> None:
    written = thrice(tiny)
    retraction = withdrawal_of(tiny, written[-1])
    documents = [r for r in retraction.resources if r["resourceType"] == "DocumentReference"]
    assert [document["id"] for document in documents] == [each.document["id"] for each in written]
    for document in documents:
        assert document["status"] == document["docStatus"] == "entered-in-error"
        assert document["text"]["div"].count("Entered in error") == 1
        assert {"reference": f"DocumentReference/{document['id']}"} in retraction.provenance["target"]


def test_a_retraction_after_an_unverified_revision_withdraws_the_response_that_an_earlier_one_filed(tiny: Any) -> None:
    first = tiny.written(response=tiny.received(identifier=IDENTIFIER))
    unverified = tiny.assessment(assessed=False, not_assessed_because="invalid", causes=())
    second = tiny.written(unverified, revised(tiny), previous=first, documents=())
    retraction = withdrawal_of(tiny, second)
    assert [r["status"] for r in retraction.resources if r["resourceType"] == "QuestionnaireResponse"] == [
        "entered-in-error"
    ]
    assert [document["status"] for document in retraction.earlier_documents] == ["entered-in-error"]


def test_what_was_in_error_stays_in_error_when_the_response_is_taken_up_again(tiny: Any) -> None:
    first = tiny.written(response=tiny.received(identifier=IDENTIFIER))
    retraction = withdrawal_of(tiny, first)
    resumed = tiny.written(response=revised(tiny, authored="2026-11-24T09:07:00Z"), previous=retraction)
    assert resumed.earlier_documents == (retraction.document,)
    assert resumed.document["status"] == "current"
    assert resumed.flags[0]["status"] == "amended"


def test_an_organization_keeps_what_it_came_with_and_gets_an_id(tiny: Any) -> None:
    organization = tiny.written().organization
    assert organization["name"] == "Example Clinic"
    assert organization["identifier"] == tiny.author.organization["identifier"]
    own = Author({**tiny.author.organization, "id": "org-9"}, "0.1.0")
    assert tiny.written(author=own).organization["id"] == "org-9"


def test_a_write_back_survives_being_stored(tiny: Any) -> None:
    for written in variants(tiny):
        assert WriteBack.from_json(read_json(dump_json(written.as_json()))) == written
