"""One suite, two servers: the fake of this folder and the real HAPI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Destination
from fhir_app.fhir.replies import Delivered
from fhir_app.knowledge.intake import Intake
from fhir_app.store.database import Database, open_database
from tests.contract.fake_fhir import FakeFhir, running
from tests.delivery.queueing import Desk
from tests.fhir.conftest import intake
from tests.hapi.fixture import hapi

__all__ = ["hapi", "intake"]


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


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


@pytest.fixture(params=["hapi", "generic-r4", "sequential"])
def kind(request: pytest.FixtureRequest) -> str:
    """The shape in which the server is written to."""
    return str(request.param)


@pytest.fixture
def desk(database: Database, intake: Intake, client: FhirClient, mark: str, kind: str) -> Desk:
    """A desk for a patient of this server that no other test knows."""
    outcome = client.update({"resourceType": "Patient", "id": mark, "active": True})
    assert isinstance(outcome, Delivered)
    return Desk(database, intake, Destination.of_kind(kind, client.base_url), mark, mark)
