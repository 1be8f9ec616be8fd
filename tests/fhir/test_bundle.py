"""What a transaction Bundle asks a server to do, for first results, corrections and retractions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest

from fhir_app.fhir.bundle import transaction_bundle
from fhir_app.fhir.destinations import SHAPES, Shape
from fhir_app.fhir.entries import Key, Known, key_of, references, search_for
from fhir_app.fhir.read_json import dump_json
from fhir_app.fhir.writeback import DocumentContent, WriteBack, retract, with_contents

HAPI, GENERIC, SEQUENTIAL = SHAPES["hapi"], SHAPES["generic-r4"], SHAPES["sequential"]
FORM_ID = {"system": "https://form.example/id", "value": "77"}


def bundle_of(tiny: Any, written: WriteBack, shape: Shape = HAPI, known: dict[Key, Known] | None = None) -> Any:
    return transaction_bundle(written.resources, shape, namespace=tiny.names, known=known)


def entries(bundle: Any, resource_type: str) -> list[Any]:
    return [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == resource_type]


def on_server(resources: Iterable[Any]) -> dict[Key, Known]:
    """As if a server had stored these, each under a number."""
    return {
        key_of(resource): Known(str(100 + number), "7", {**resource, "id": str(100 + number)})
        for number, resource in enumerate(resources)
    }


@pytest.fixture
def correction(tiny: Any) -> tuple[WriteBack, WriteBack]:
    """A result with a flag, and its correction without."""
    first = tiny.written(response=tiny.received(identifier=FORM_ID))
    amended = tiny.received("2026-11-25T10:00:00Z", status="amended", identifier=FORM_ID)
    return first, tiny.written(tiny.no_flags(), amended, previous=first)


def test_a_first_result_creates_everything_on_the_condition_that_it_is_not_there(tiny: Any) -> None:
    bundle = bundle_of(tiny, tiny.written())

    assert bundle["type"] == "transaction"
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Provenance":
            continue
        assert entry["request"]["method"] == "POST"
        assert entry["request"]["url"] == entry["resource"]["resourceType"]
        assert "|" in entry["request"]["ifNoneExist"]
        assert "id" not in entry["resource"]


def test_every_condition_is_met_by_the_resource_that_carries_it(tiny: Any) -> None:
    for entry in bundle_of(tiny, tiny.written(), GENERIC)["entry"]:
        parameter, value = search_for(entry["resource"], tiny.names)
        assert entry["request"]["ifNoneExist"] == f"{parameter}={value}"


def test_the_response_is_found_by_our_tag_and_never_by_an_identifier_of_somebody_else(tiny: Any) -> None:
    response = tiny.received(identifier={"value": "1"})
    (entry,) = entries(bundle_of(tiny, tiny.written(response=response)), "QuestionnaireResponse")

    assert entry["request"]["ifNoneExist"] == f"_tag={tiny.names.response_tags}|{response.identity}"


def test_full_urls_are_distinct_uuids(tiny: Any) -> None:
    urls = [entry["fullUrl"] for entry in bundle_of(tiny, tiny.written())["entry"]]

    assert len(set(urls)) == len(urls)
    assert all(UUID(url.removeprefix("urn:uuid:")) for url in urls)


def test_no_reference_is_absolute_or_leads_to_an_id_that_only_we_know(tiny: Any) -> None:
    written = tiny.written()
    bundle = bundle_of(tiny, written)
    own_ids = {resource["id"] for resource in written.resources}
    urls = {entry["fullUrl"] for entry in bundle["entry"]}

    found = list(references(bundle))
    assert found
    for reference in found:
        assert reference in urls or (":" not in reference and reference.partition("/")[2] not in own_ids)


def test_a_response_that_its_origin_holds_is_referred_to_and_not_sent(tiny: Any) -> None:
    response = tiny.received(id="12", meta={"versionId": "1"})
    bundle = bundle_of(tiny, tiny.written(response=response))

    assert not entries(bundle, "QuestionnaireResponse")
    assert "QuestionnaireResponse/12" in set(references(bundle))


def test_provenance_has_our_own_id_where_the_server_allows_it_and_a_tag_where_not(tiny: Any) -> None:
    written = tiny.written()
    (put,) = entries(bundle_of(tiny, written), "Provenance")
    (tagged,) = entries(bundle_of(tiny, written, GENERIC), "Provenance")

    assert put["request"] == {"method": "PUT", "url": f"Provenance/{written.provenance['id']}"}
    assert put["resource"]["id"] == written.provenance["id"]
    assert tagged["request"]["ifNoneExist"] == f"_tag={tiny.names.provenance_tags}|{written.provenance['id']}"


def test_a_correction_updates_what_the_server_holds_if_it_is_still_as_it_was_read(
    tiny: Any, correction: tuple[WriteBack, WriteBack]
) -> None:
    first, second = correction
    known = on_server(first.resources)
    bundle = bundle_of(tiny, second, known=known)

    (summary,) = [e for e in entries(bundle, "Observation") if e["resource"]["status"] == "amended"]
    held = known["Observation", first.summary["id"]].id
    assert summary["request"] == {"method": "PUT", "url": f"Observation/{held}", "ifMatch": 'W/"7"'}
    assert summary["resource"]["id"] == held


def test_a_flag_that_no_longer_fires_is_withdrawn_where_it_was_written(
    tiny: Any, correction: tuple[WriteBack, WriteBack]
) -> None:
    first, second = correction
    known = on_server(first.resources)

    (flag,) = [
        e for e in entries(bundle_of(tiny, second, known=known), "Observation") if e["resource"]["status"] != "amended"
    ]

    assert flag["resource"]["status"] == "entered-in-error"
    assert flag["request"]["url"] == f"Observation/{known['Observation', first.flags[0]['id']].id}"


def test_the_old_document_is_superseded_as_it_was_filed_and_the_new_one_replaces_it(
    tiny: Any, correction: tuple[WriteBack, WriteBack]
) -> None:
    first, second = correction
    assert first.document is not None
    filed = with_contents(first, [DocumentContent("application/pdf", b"%PDF-1.7", "Leaflet", "es")])
    known = on_server(filed.resources)
    bundle = bundle_of(tiny, second, known=known)
    held = known["DocumentReference", first.document["id"]]

    old, new = entries(bundle, "DocumentReference")
    assert old["request"] == {"method": "PUT", "url": f"DocumentReference/{held.id}", "ifMatch": 'W/"7"'}
    assert old["resource"]["status"] == "superseded"
    assert old["resource"]["content"] == held.resource["content"]
    assert len(old["resource"]["content"]) == 3
    assert new["request"]["method"] == "POST"
    target = {"reference": f"DocumentReference/{held.id}"}
    assert new["resource"]["relatesTo"] == [{"code": "replaces", "target": target}]


def test_device_and_organization_are_never_changed(tiny: Any, correction: tuple[WriteBack, WriteBack]) -> None:
    first, second = correction
    bundle = bundle_of(tiny, second, known=on_server(first.resources))

    for entry in (*entries(bundle, "Device"), *entries(bundle, "Organization")):
        assert entry["request"]["method"] == "POST"


def test_a_correction_of_what_never_arrived_is_a_first_result_without_a_word_of_the_other(
    tiny: Any, correction: tuple[WriteBack, WriteBack]
) -> None:
    first, second = correction
    bundle = bundle_of(tiny, second)

    statuses = {entry["resource"].get("status") for entry in bundle["entry"]}
    assert statuses.isdisjoint({"superseded", "entered-in-error"})
    (document,) = entries(bundle, "DocumentReference")
    assert "relatesTo" not in document["resource"]
    assert first.document is not None
    assert first.document["id"] not in dump_json(bundle).decode()
    assert first.flags[0]["id"] not in dump_json(bundle).decode()


def test_a_retraction_withdraws_what_is_there(tiny: Any) -> None:
    first = tiny.written()
    response = tiny.received("2026-11-25T10:00:00Z", status="entered-in-error")
    withdrawn = retract(first, response, tiny.intake, author=tiny.author, namespace=tiny.names)
    bundle = bundle_of(tiny, withdrawn, known=on_server(first.resources))

    results = [*entries(bundle, "Observation"), *entries(bundle, "DocumentReference")]
    assert len(results) == 3
    assert {entry["request"]["method"] for entry in results} == {"PUT"}
    assert {entry["resource"]["status"] for entry in results} == {"entered-in-error"}
    (provenance,) = entries(bundle, "Provenance")
    assert len(provenance["resource"]["target"]) == 3


def test_what_others_added_to_a_withdrawn_result_stays_and_its_references_are_the_servers_own(
    tiny: Any, correction: tuple[WriteBack, WriteBack]
) -> None:
    first, second = correction
    known = on_server(first.resources)
    key = key_of(first.flags[0])
    annotated = {**known[key].resource, "note": [{"text": "seen"}], "device": {"reference": "Device/of-an-old-version"}}
    known[key] = Known(known[key].id, "9", {**annotated, "meta": {"versionId": "9", "source": "#x"}})

    flags = entries(bundle_of(tiny, second, known=known), "Observation")
    (flag,) = [each for each in flags if each["resource"]["status"] == "entered-in-error"]

    assert flag["resource"]["note"] == [{"text": "seen"}]
    assert flag["resource"]["device"] == {"reference": "Device/of-an-old-version"}
    assert "meta" not in flag["resource"]
    assert flag["request"]["ifMatch"] == 'W/"9"'


def test_what_is_withdrawn_there_already_is_not_sent_again_and_still_referred_to(tiny: Any) -> None:
    first = tiny.written(response=tiny.received(identifier=FORM_ID))
    amended = tiny.received("2026-11-25T10:00:00Z", status="amended", identifier=FORM_ID, language="en")
    second = tiny.written(tiny.no_flags(), amended, previous=first)
    again = tiny.received("2026-11-26T10:00:00Z", status="amended", identifier=FORM_ID, language="de")
    third = tiny.written(tiny.no_flags(), again, previous=second)
    known = on_server((*second.flags, *second.retracted_flags, *second.earlier_documents, second.document))
    bundle = bundle_of(tiny, third, known=known)

    old, new = entries(bundle, "DocumentReference")
    assert old["fullUrl"].endswith(second.document["id"])
    assert [each["target"]["reference"] for each in new["resource"]["relatesTo"]] == [
        f"DocumentReference/{known['DocumentReference', each.document['id']].id}" for each in (first, second)
    ]
    assert len(entries(bundle, "Observation")) == 1


def test_what_somebody_entered_in_error_is_not_made_superseded(
    tiny: Any, correction: tuple[WriteBack, WriteBack]
) -> None:
    first, second = correction
    assert first.document is not None
    known = on_server([*first.flags, {**first.document, "status": "entered-in-error"}])

    assert len(entries(bundle_of(tiny, second, known=known), "DocumentReference")) == 1


def test_a_withdrawn_response_keeps_what_was_filed_whatever_a_refused_revision_said(
    tiny: Any, correction: tuple[WriteBack, WriteBack]
) -> None:
    first, second = correction
    response = tiny.received("2026-11-26T10:00:00Z", status="entered-in-error", identifier=FORM_ID)
    withdrawn = retract(second, response, tiny.intake, author=tiny.author, namespace=tiny.names)
    filed = {**first.questionnaire_response, "item": [{"linkId": "as-filed"}]}
    known = on_server([filed, *first.flags, first.summary])

    (entry,) = entries(bundle_of(tiny, withdrawn, known=known), "QuestionnaireResponse")
    assert entry["request"]["method"] == "PUT"
    assert entry["resource"]["item"] == [{"linkId": "as-filed"}]
    assert entry["resource"]["status"] == "entered-in-error"


def test_a_response_that_never_arrived_is_not_written_to_withdraw_it_and_is_named_by_its_identifier(
    tiny: Any, correction: tuple[WriteBack, WriteBack]
) -> None:
    first, second = correction
    response = tiny.received("2026-11-26T10:00:00Z", status="entered-in-error", identifier=FORM_ID)
    withdrawn = retract(second, response, tiny.intake, author=tiny.author, namespace=tiny.names)
    bundle = bundle_of(tiny, withdrawn, known=on_server([*first.flags, first.summary]))

    assert not entries(bundle, "QuestionnaireResponse")
    (provenance,) = entries(bundle, "Provenance")
    what = provenance["resource"]["entity"][0]["what"]
    assert "reference" not in what
    assert what["identifier"] == first.questionnaire_response["identifier"]


def test_a_retraction_of_what_never_arrived_asks_for_nothing(tiny: Any) -> None:
    response = tiny.received("2026-11-25T10:00:00Z", status="entered-in-error")
    withdrawn = retract(tiny.written(), response, tiny.intake, author=tiny.author, namespace=tiny.names)

    assert bundle_of(tiny, withdrawn) is None


def test_a_destination_gets_only_the_forms_of_the_leaflet_that_it_takes(tiny: Any) -> None:
    written = with_contents(tiny.written(), [DocumentContent("application/pdf", b"%PDF-1.7", "Leaflet", "es")])

    def forms(shape: Shape) -> list[str]:
        (document,) = entries(bundle_of(tiny, written, shape), "DocumentReference")
        return [content["attachment"]["contentType"] for content in document["resource"]["content"]]

    assert forms(HAPI) == ["text/html", "application/pdf", "text/plain"]
    assert forms(SEQUENTIAL) == ["text/plain", "application/pdf"]


def test_a_destination_that_takes_no_responses_gets_theirs_by_identifier(tiny: Any) -> None:
    shape = Shape("notes-only", True, False, False, ("text/plain",))
    written = tiny.written()
    bundle = bundle_of(tiny, written, shape)

    assert not entries(bundle, "QuestionnaireResponse")
    for entry in entries(bundle, "Observation"):
        (derived_from,) = entry["resource"]["derivedFrom"]
        assert "reference" not in derived_from
        assert derived_from["identifier"] == written.questionnaire_response["identifier"]
        assert derived_from["display"]


def test_the_servers_own_meta_is_not_sent_back(tiny: Any) -> None:
    written = tiny.written()
    resources = [{**each, "meta": {**each.get("meta", {}), "versionId": "3"}} for each in written.resources]
    bundle = transaction_bundle(resources, HAPI, namespace=tiny.names)

    assert bundle is not None
    assert all("versionId" not in entry["resource"].get("meta", {}) for entry in bundle["entry"])


def test_characters_with_a_meaning_in_searches_are_escaped(tiny: Any) -> None:
    organization = {
        "resourceType": "Organization",
        "identifier": [{"system": "https://a.example/x", "value": "a,b|c&d e"}],
    }

    assert search_for(organization, tiny.names) == ("identifier", r"https://a.example/x|a\,b\|c&d e")


def test_what_nobody_could_find_again_is_not_sent(tiny: Any) -> None:
    with pytest.raises(ValueError, match="nothing that a server could find it by"):
        search_for({"resourceType": "Observation", "identifier": [{"system": "x"}]}, tiny.names)


def test_the_same_result_gives_the_same_bytes(tiny: Any) -> None:
    assert dump_json(bundle_of(tiny, tiny.written())) == dump_json(bundle_of(tiny, tiny.written()))
