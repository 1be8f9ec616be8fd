"""The PDF of a leaflet is made once, and every try sends the same bytes."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fhir_app.leaflets.page import PatientDocument
from tests.contract.fake_fhir import FakeFhir, Fault
from tests.delivery.queueing import Desk


class Printer:
    """Makes other bytes at every call, so that a second rendering shows."""

    def __init__(self) -> None:
        self.printed: list[PatientDocument] = []

    def __call__(self, document: PatientDocument) -> bytes:
        self.printed.append(document)
        return f"%PDF-1.7 {len(self.printed)}".encode()


@pytest.fixture
def printer() -> Printer:
    return Printer()


def pdfs(document: Any) -> list[bytes]:
    attachments = [content["attachment"] for content in document["content"]]
    return [base64.b64decode(each["data"]) for each in attachments if each["contentType"] == "application/pdf"]


def test_the_pdf_is_made_from_the_leaflet_and_filed_beside_its_other_forms(
    desk: Desk, fake: FakeFhir, printer: Printer
) -> None:
    desk.first()
    desk.worker(render=printer).deliver_one()

    (leaflet,) = printer.printed
    assert leaflet == PatientDocument("es", "Piernas con hormigueo", "<p>Tómese su tiempo</p>", "Tómese su tiempo")
    (document,) = fake.search("DocumentReference", {})
    assert pdfs(document) == [b"%PDF-1.7 1"]


def test_every_try_and_every_worker_sends_the_same_bytes(desk: Desk, fake: FakeFhir, printer: Printer) -> None:
    desk.first()
    fake.faults += [Fault(status=503)] * 2
    for name in ("one", "two", "three"):
        desk.worker(name, render=printer).deliver_one()
        desk.clock.forward(hours=1)

    assert desk.states() == ["delivered"]
    assert len(printer.printed) == 1
    (document,) = fake.search("DocumentReference", {})
    assert pdfs(document) == [b"%PDF-1.7 1"]


def test_a_correction_has_a_pdf_of_its_own_and_leaves_the_one_that_was_filed(
    desk: Desk, fake: FakeFhir, printer: Printer
) -> None:
    first = desk.first()
    worker = desk.worker(render=printer)
    worker.deliver_one()
    desk.correction(first)
    worker.deliver_one()

    filed = {document["status"]: pdfs(document) for document in fake.search("DocumentReference", {})}
    assert filed == {"superseded": [b"%PDF-1.7 1"], "current": [b"%PDF-1.7 2"]}


def test_without_a_renderer_the_other_forms_are_sent_alone(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    desk.worker().deliver_one()

    (document,) = fake.search("DocumentReference", {})
    assert document["content"]
    assert pdfs(document) == []
