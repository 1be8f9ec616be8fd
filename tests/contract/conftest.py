"""One suite, two servers: the fake of this folder and the real HAPI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from fhir_app.fhir.client import FhirClient
from tests.contract.fake_fhir import FakeFhir, running
from tests.hapi.fixture import hapi

__all__ = ["hapi"]


@pytest.fixture(params=["fake", pytest.param("hapi", marks=pytest.mark.hapi)])
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a FHIR server, whichever."""
    if request.param == "hapi":
        yield request.getfixturevalue("hapi").url
    else:
        with running(FakeFhir()) as fake:
            yield fake.url


@pytest.fixture
def client(server_url: str) -> FhirClient:
    return FhirClient(server_url)


@pytest.fixture
def mark() -> str:
    """A value that no other test has used on a server that lives for the whole run."""
    return str(uuid4())


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
