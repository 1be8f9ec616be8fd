"""What we write, in front of a server that validates every request."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from fhir_app.fhir.bundle import transaction_bundle
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.definitions import definitions
from fhir_app.fhir.destinations import SHAPES
from fhir_app.fhir.publish import publish
from fhir_app.fhir.read_json import dump_json
from fhir_app.fhir.writeback import retract
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.review.source_attributes import library_attributes

pytestmark = pytest.mark.hapi

NOT_OURS = "loinc.org"
"""The server has no LOINC; nothing else may be complained about."""


class Chart:
    """A patient's chart on the server, and the definitions that results refer to."""

    def __init__(self, url: str, tiny: Any) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"Content-Type": "application/fhir+json", "Prefer": "return=representation"})
        real = load_library(questionnaires_root())
        self.library = Library((tiny.intake, *real.intakes))
        attributes = library_attributes(real, questionnaires_root())
        everything = definitions(self.library, tiny.names, tiny.author, attributes=attributes)
        self.published = list(publish(FhirClient(url), everything, shape=SHAPES["hapi"], namespace=tiny.names))
        self.put({"resourceType": "Patient", "id": "pat1", "active": True})
        encounter_class = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
        self.put({"resourceType": "Encounter", "id": "enc1", "status": "finished", "class": encounter_class})

    def put(self, resource: dict[str, Any]) -> None:
        url = f"{self.url}/{resource['resourceType']}/{resource['id']}"
        assert self.session.put(url, data=dump_json(resource)).status_code in (200, 201)

    def problems(self, resource: Any) -> list[str]:
        reply = self.session.post(f"{self.url}/{resource['resourceType']}/$validate", data=dump_json(resource))
        return [
            str(issue.get("diagnostics"))
            for issue in reply.json()["issue"]
            if issue["severity"] in ("error", "fatal") and NOT_OURS not in str(issue.get("diagnostics"))
        ]


@pytest.fixture(scope="module")
def chart(hapi: Any, tiny: Any) -> Chart:
    return Chart(hapi.url, tiny)


def test_every_definition_is_taken(chart: Chart) -> None:
    assert [each for each in chart.published if not each.is_there] == []


def test_a_result_is_taken_whole(chart: Chart, tiny: Any) -> None:
    bundle = transaction_bundle(tiny.written().resources, SHAPES["hapi"], namespace=tiny.names)
    reply = chart.session.post(chart.url, data=dump_json(bundle or {}))
    assert reply.status_code == 200, reply.text
    for entry in reply.json()["entry"]:
        assert chart.problems(entry["resource"]) == []


def test_every_form_of_a_result_is_valid(chart: Chart, tiny: Any) -> None:
    first = tiny.written()
    unverified = tiny.assessment(assessed=False, not_assessed_because="invalid", causes=())
    results = [
        tiny.written(tiny.no_flags(), tiny.received(status="amended"), previous=first),
        tiny.written(unverified),
        tiny.written(response_as="identifier"),
        retract(first, tiny.received(status="entered-in-error"), tiny.intake, author=tiny.author, namespace=tiny.names),
    ]
    for written in results:
        for resource in written.resources:
            assert chart.problems(resource) == [], resource
