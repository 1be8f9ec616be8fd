"""A sandbox, a small library, and a doctor whose clock moves only when he waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from fhir_app.delivery import Delivery
from fhir_app.doctor import Doctor, Installation, Report, Run
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Destination
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.parties import Author
from fhir_app.knowledge.library import Library
from fhir_app.store.database import Database, open_database
from fhir_app.submission import Submissions
from tests.doctor import small_library
from tests.doctor.sandbox import Sandbox, open_sandbox

NAMES = Namespace()


class Clock:
    """Moves on by what is slept, and remembers it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Library]:
    root = tmp_path_factory.mktemp("questionnaires")
    return root, small_library.write(root)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(Sandbox()) as sandbox:
        yield sandbox


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def doctor(
    sandbox: Sandbox, knowledge: tuple[Path, Library], clock: Clock, tmp_path: Path, told: list[str]
) -> Iterator[Callable[..., Doctor]]:
    """Makes a doctor for the sandbox; keywords replace his settings."""
    root, library = knowledge
    opened: list[Database] = []

    def make(server: str = "", **more: Any) -> Doctor:
        address = server or sandbox.url

        def open_installation(kind: str, organization_name: str, organization_identifier: str) -> Installation:
            system, value = organization_identifier.split("|", 1)
            organization = {
                "resourceType": "Organization",
                "identifier": [{"system": system, "value": value}],
                "name": organization_name,
            }
            database = open_database(f"sqlite:///{tmp_path / f'store-{len(opened)}.db'}")
            opened.append(database)
            destination = Destination.of_kind(kind, address)
            submissions = Submissions(
                library,
                database,
                NAMES,
                Author(organization, "0.1.0"),
                small_library.leaflet,
                clock=clock,
                destination_for=lambda origin: address if origin == address else None,
            )
            delivery = Delivery(
                database=database,
                destinations={address: destination},
                open_client=lambda to: FhirClient(to.base_url),
                namespace=NAMES,
                owner="doctor",
                clock=clock,
                rng=Random(1),
            )
            return Installation(submissions, delivery)

        settings: dict[str, Any] = {
            "server": address,
            "run": Run(str(uuid4()), clock(), NAMES),
            "library": library,
            "root": root,
            "software_version": "0.1.0",
            "open_installation": open_installation,
            "tell": told.append,
            "clock": clock,
            "sleep": clock.sleep,
        }
        return Doctor(**{**settings, **more})

    yield make
    for database in opened:
        database.close()


def verdicts(report: Report) -> dict[str, str]:
    return {finding.name: finding.verdict for finding in report.findings}


def detail(report: Report, name: str) -> str:
    (found,) = [finding.detail for finding in report.findings if finding.name == name]
    return found


def not_held(report: Report) -> dict[str, str]:
    return {finding.name: finding.detail for finding in report.findings if finding.verdict != "held"}
