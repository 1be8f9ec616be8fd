"""Publishing definitions: each version once, and nothing that answers rest on is ever overwritten in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import SHAPES
from fhir_app.fhir.model import OutboundResourceError
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.publish import Published, publish
from tests.contract.fake_fhir import FakeFhir, Fault, running

NAMES = Namespace()
QUESTIONNAIRE = {
    "resourceType": "Questionnaire",
    "id": "tiny",
    "url": "https://w3id.org/fhir-app/Questionnaire/tiny",
    "version": "1.0.0",
    "status": "active",
    "item": [{"linkId": "a", "text": "Any pain?", "type": "boolean"}],
}
DEVICE = {"resourceType": "Device", "id": "x", "identifier": [{"system": "https://example.org/d", "value": "1"}]}


@pytest.fixture
def fake() -> Iterator[FakeFhir]:
    with running(FakeFhir()) as fake:
        yield fake


@pytest.fixture(params=["hapi", "generic-r4"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def results(fake: FakeFhir, kind: str, *resources: dict[str, Any], overwrite: bool = False) -> list[Published]:
    client = FhirClient(fake.url)
    return list(publish(client, resources, shape=SHAPES[kind], namespace=NAMES, overwrite=overwrite))


def test_publishing_twice_creates_once(fake: FakeFhir, kind: str) -> None:
    first = results(fake, kind, QUESTIONNAIRE, DEVICE)
    second = results(fake, kind, QUESTIONNAIRE, DEVICE)

    assert [each.result for each in first] == ["created", "created"]
    assert [each.result for each in second] == ["unchanged", "unchanged"]
    assert [each.id for each in first] == [each.id for each in second]
    assert len(fake.resources) == 2


def test_a_new_version_stands_beside_the_old_one(fake: FakeFhir, kind: str) -> None:
    results(fake, kind, QUESTIONNAIRE)
    (second,) = results(fake, kind, {**QUESTIONNAIRE, "version": "1.1.0"})

    assert second.result == "created"
    versions = {each["version"] for each in fake.search("Questionnaire", {"url": str(QUESTIONNAIRE["url"])})}
    assert versions == {"1.0.0", "1.1.0"}


def test_other_content_under_a_published_version_is_left_alone_and_said(fake: FakeFhir, kind: str) -> None:
    results(fake, kind, QUESTIONNAIRE)
    changed = {**QUESTIONNAIRE, "item": [{"linkId": "a", "text": "Any weakness?", "type": "boolean"}]}

    (refused,) = results(fake, kind, changed)
    assert (refused.result, refused.is_there) == ("differs", False)
    (held,) = fake.search("Questionnaire", {})
    assert held["item"][0]["text"] == "Any pain?"

    (forced,) = results(fake, kind, changed, overwrite=True)
    assert (forced.result, forced.is_there) == ("updated", True)
    (held,) = fake.search("Questionnaire", {})
    assert held["item"][0]["text"] == "Any weakness?"


def test_what_a_server_adds_to_a_resource_makes_it_no_other_content(fake: FakeFhir, kind: str) -> None:
    results(fake, kind, QUESTIONNAIRE)
    (key,) = fake.resources
    fake.resources[key]["text"] = {"status": "generated", "div": "<div/>"}

    assert [each.result for each in results(fake, kind, QUESTIONNAIRE)] == ["unchanged"]


def test_a_server_that_ignores_the_version_in_a_search_changes_nothing(fake: FakeFhir, kind: str) -> None:
    results(fake, kind, QUESTIONNAIRE)
    newer = {**QUESTIONNAIRE, "version": "2.0.0"}
    everything = {"resourceType": "Bundle", "entry": [{"resource": each} for each in fake.search("Questionnaire", {})]}
    fake.read_faults.append(Fault(status=200, body=json.dumps(everything).encode()))

    assert [each.result for each in results(fake, kind, newer)] == ["created"]


def test_a_resource_that_is_not_r4_stops_everything_before_the_first_request(fake: FakeFhir, kind: str) -> None:
    with pytest.raises(OutboundResourceError):
        results(fake, kind, QUESTIONNAIRE, {**QUESTIONNAIRE, "version": Decimal("1.0")})

    assert fake.seen == []


def test_a_refusal_is_said_and_the_others_go_on(fake: FakeFhir, kind: str) -> None:
    fake.faults.append(Fault(status=422))

    refused, device = results(fake, kind, QUESTIONNAIRE, DEVICE)

    assert (refused.result, refused.reason) == ("rejected", "422, processing")
    assert device.result == "created"


def test_a_server_that_is_busy_can_be_tried_again(fake: FakeFhir, kind: str) -> None:
    fake.read_faults.append(Fault(status=503))

    assert [each.result for each in results(fake, kind, QUESTIONNAIRE)] == ["try again"]
    assert [each.result for each in results(fake, kind, QUESTIONNAIRE)] == ["created"]
