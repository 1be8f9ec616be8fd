"""A delivery worker in a process of its own that dies, as by `kill -9`, at a step that it is given."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import requests
from sqlalchemy import event

from fhir_app.delivery import Delivery
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Destination
from fhir_app.fhir.model import parse_with_library
from fhir_app.fhir.namespace import Namespace
from fhir_app.leaflets.page import PatientDocument
from fhir_app.store.database import open_database


@dataclass
class Steps:
    """Counts what the worker does towards the outside, and ends the process at number `die_at`."""

    die_at: int | None
    taken: int = 0

    def take(self) -> None:
        self.taken += 1
        if self.taken == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)


class CountedSession(requests.Session):
    """A step before each request and one after its reply."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self._steps = steps

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        self._steps.take()
        reply = super().request(*args, **kwargs)
        self._steps.take()
        return reply


def run(database_url: str, destination: Destination, now: datetime, die_at: int | None) -> None:
    """Delivers everything that is due at `now`; what is a step: commits, requests, replies, looks at the clock, and
    the rendering of a PDF."""
    steps = Steps(die_at)
    database = open_database(database_url)
    event.listen(database.engine, "commit", lambda _connection: steps.take())

    def counted(value: Any) -> Callable[..., Any]:
        def step(*_: object) -> Any:
            steps.take()
            return value

        return step

    delivery = Delivery(
        database=database,
        destinations={destination.base_url: destination},
        open_client=lambda to: FhirClient(to.base_url, session=CountedSession(steps), timeout=(5.0, 60.0)),
        namespace=Namespace(),
        owner=f"worker {os.getpid()}",
        clock=counted(now),
        rng=Random(1),
        render=pdf_of(steps),
    )
    while delivery.deliver_one() is not None:
        pass
    database.close()


def pdf_of(steps: Steps) -> Callable[[PatientDocument], bytes]:
    """A renderer whose bytes differ at each call, so that a second rendering would show."""

    def render(_document: PatientDocument) -> bytes:
        steps.take()
        return b"%PDF-1.7 " + os.urandom(16)

    return render


# The library makes a model when it is first used, which takes a second: once in the fork server, not in each worker.
_FIRST_USE = {
    "Organization": {"name": "x"},
    "Device": {},
    "QuestionnaireResponse": {"status": "completed"},
    "Observation": {"status": "final", "code": {"text": "x"}},
    "DocumentReference": {"status": "current", "content": [{"attachment": {"title": "x"}}]},
    "Provenance": {
        "target": [{"display": "x"}],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"display": "x"}}],
    },
}
for _kind, _content in _FIRST_USE.items():
    _request = {"method": "POST", "url": _kind}
    _entry = {"resource": {"resourceType": _kind, **_content}, "request": _request}
    parse_with_library({"resourceType": "Bundle", "type": "transaction", "entry": [_entry]})
