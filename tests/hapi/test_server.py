"""The server itself is what the other tests take it for."""

from __future__ import annotations

import pytest

from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.replies import Delivered, Rejected
from tests.hapi.server import HapiServer

pytestmark = pytest.mark.hapi


def test_the_server_speaks_r4(hapi: HapiServer) -> None:
    outcome = FhirClient(hapi.url).capability()

    assert isinstance(outcome, Delivered)
    assert outcome.resource is not None
    assert outcome.resource["fhirVersion"] == "4.0.1"


def test_the_server_validates_what_it_is_sent(hapi: HapiServer) -> None:
    without_code = {"resourceType": "Observation", "status": "final"}

    outcome = FhirClient(hapi.url).create(without_code)

    assert isinstance(outcome, Rejected)
    assert outcome.status == 422
    assert "Observation" in outcome.reason


def test_what_the_server_holds_survives_being_killed(hapi: HapiServer) -> None:
    stored = FhirClient(hapi.url).create({"resourceType": "Patient", "active": True})
    assert isinstance(stored, Delivered)
    assert stored.id is not None

    hapi.kill()
    hapi.start()

    assert isinstance(FhirClient(hapi.url).read("Patient", stored.id), Delivered)
