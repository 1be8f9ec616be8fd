"""Results put into a real store by hand, and workers to deliver them: what the tests of the delivery share."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import requests

from fhir_app.delivery import Delivery
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Destination
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.read_json import dump_json
from fhir_app.fhir.received import ReceivedResponse, receive
from fhir_app.fhir.writeback import Author, DocumentContent, WriteBack, retract, write_back
from fhir_app.knowledge.intake import Intake
from fhir_app.store import outbox, submissions, write_backs
from fhir_app.store.database import Database
from fhir_app.store.outbox import Queued
from fhir_app.store.submissions import Submission
from tests.fhir import conftest as tiny

NAMES = Namespace()
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEAFLET = (
    DocumentContent("text/html", "<p>Tómese su tiempo</p>".encode(), "Piernas con hormigueo", "es"),
    DocumentContent("text/plain", "Tómese su tiempo".encode(), "Piernas con hormigueo", "es"),
)


@dataclass
class Clock:
    """A clock that moves when it is told to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Desk:
    """A store with a destination; every response is about `patient` and called `form_id` on its form."""

    database: Database
    intake: Intake
    destination: Destination
    patient: str
    form_id: str
    clock: Clock = field(default_factory=Clock)
    _sequence: itertools.count[int] = field(default_factory=itertools.count)

    def received(self, *, status: str = "completed", note: str = "") -> ReceivedResponse:
        resource = tiny.questionnaire_response(
            status=status,
            subject={"reference": f"Patient/{self.patient}"},
            encounter=None,
            identifier={"system": "https://form.example/id", "value": self.form_id},
        )
        if note:
            resource["text"] = None
            resource["authored"] = note
        resource = {name: value for name, value in resource.items() if value is not None}
        return receive(
            resource,
            origin=self.destination.base_url,
            accepted=self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            namespace=NAMES,
        )

    def first(self, *, flagged: bool = True) -> WriteBack:
        return self._queued(self.received(), None, flagged)

    def correction(
        self, previous: WriteBack, *, flagged: bool = False, authored: str = "2026-11-25T09:00:00Z"
    ) -> WriteBack:
        return self._queued(self.received(status="amended", note=authored), previous, flagged)

    def retraction(self, previous: WriteBack) -> WriteBack:
        received = self.received(status="entered-in-error")
        withdrawn = retract(previous, received, self.intake, author=self.author, namespace=NAMES)
        return self.queue(received, withdrawn)

    @property
    def author(self) -> Author:
        return Author(tiny.ORGANIZATION, "0.1.0")

    def _queued(self, received: ReceivedResponse, previous: WriteBack | None, flagged: bool) -> WriteBack:
        assessed = tiny.assessment() if flagged else tiny.no_flags()
        written = write_back(
            received,
            assessed,
            self.intake,
            author=self.author,
            documents=LEAFLET,
            previous=previous,
            namespace=NAMES,
        )
        return self.queue(received, written)

    def queue(self, received: ReceivedResponse, written: WriteBack) -> WriteBack:
        resource = received.questionnaire_response
        sequence = next(self._sequence)
        with self.database.begin() as connection:
            submissions.add(connection, _row(received, sequence, self.clock()), dump_json(resource))
            write_backs.add(
                connection,
                written,
                submission_id=received.submission_id,
                origin=received.origin,
                now=self.clock(),
                received=resource,
            )
            outbox.put(
                connection,
                submission_id=received.submission_id,
                origin=received.origin,
                identity=received.identity,
                sequence=sequence,
                destination=self.destination.base_url,
                now=self.clock(),
            )
        return written

    def worker(
        self,
        name: str = "worker",
        *,
        session: requests.Session | None = None,
        destinations: Mapping[str, Destination] | None = None,
        timeout: tuple[float, float] = (5.0, 60.0),
        **more: Any,
    ) -> Delivery:
        def open_client(destination: Destination) -> FhirClient:
            return FhirClient(destination.base_url, session=session, timeout=timeout)

        return Delivery(
            database=self.database,
            destinations={self.destination.base_url: self.destination} if destinations is None else destinations,
            open_client=open_client,
            namespace=NAMES,
            owner=name,
            clock=self.clock,
            rng=Random(1),
            **more,
        )

    @property
    def rows(self) -> tuple[Queued, ...]:
        with self.database.read() as connection:
            return outbox.listing(connection, limit=10_000)

    def states(self) -> list[str]:
        return [row.state for row in self.rows]

    def drain(self, *, session: requests.Session | None = None, tries: int = 30) -> list[str]:
        """Delivers, with the clock moved on after each try, until nothing is left to try."""
        worker = self.worker("drain", session=session)
        for _ in range(tries):
            worker.deliver_one()
            self.clock.forward(hours=1)
            if not {"pending", "unknown"} & set(self.states()):
                break
        return self.states()


def _row(received: ReceivedResponse, arrival: int, now: datetime) -> Submission:
    return Submission(
        id=received.submission_id,
        origin=received.origin,
        identity=received.identity,
        revision=received.revision,
        order=received.order,
        arrival=arrival,
        newest=True,
        body_hash=hashlib.sha256(dump_json(received.questionnaire_response)).hexdigest(),
        status=received.status,
        valid=True,
        canonical=tiny.CANONICAL,
        subject=received.subject,
        encounter=received.encounter,
        authored=received.authored,
        language=received.language,
        issues=(),
        accepted=now,
    )
