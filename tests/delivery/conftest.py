"""A store, a fake FHIR server, and a desk between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_app.fhir.destinations import Destination
from fhir_app.knowledge.intake import Intake
from fhir_app.store.database import Database, open_database
from tests.contract.fake_fhir import FakeFhir, running
from tests.delivery.queueing import Desk
from tests.fhir.conftest import intake

__all__ = ["intake"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


@pytest.fixture
def fake() -> Iterator[FakeFhir]:
    with running(FakeFhir()) as fake:
        fake.update("Patient", "pat-1", {"resourceType": "Patient", "id": "pat-1"}, None)
        yield fake


@pytest.fixture(params=["hapi", "generic-r4", "sequential"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(database: Database, intake: Intake, fake: FakeFhir, kind: str) -> Desk:
    return Desk(database, intake, Destination.of_kind(kind, fake.url), "pat-1", "form-1")
