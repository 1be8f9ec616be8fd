"""The server goes away and comes back while results are on their way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_app.fhir.destinations import Destination
from fhir_app.knowledge.intake import Intake
from fhir_app.store.database import Database, open_database
from tests.delivery.queueing import Desk
from tests.fhir.conftest import intake
from tests.hapi.conftest import Ehr

__all__ = ["intake"]

pytestmark = pytest.mark.hapi


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


@pytest.fixture
def desk(ehr: Ehr, database: Database, intake: Intake) -> Desk:
    patient = ehr.new_patient()
    return Desk(database, intake, Destination.of_kind("hapi", ehr.url), patient, patient)


def found(ehr: Ehr, desk: Desk) -> Counter[str]:
    kinds = ("QuestionnaireResponse", "Observation", "DocumentReference")
    return Counter({kind: len(ehr.search(kind, subject=f"Patient/{desk.patient}")) for kind in kinds})


ONE_OF_EACH = {"QuestionnaireResponse": 1, "Observation": 2, "DocumentReference": 1}


def test_a_server_that_hangs_is_waited_for_and_looked_up_before_anything_is_sent_again(ehr: Ehr, desk: Desk) -> None:
    desk.first()
    worker = desk.worker(timeout=(2.0, 2.0))
    client = worker.client(desk.destination)
    ehr.server.pause()
    try:
        settled = worker.deliver_one()
    finally:
        ehr.server.go_on()

    assert client is worker.client(desk.destination)
    assert settled is not None
    assert settled.state == "unknown"
    # The request was in the paused server's socket: it may carry it out now, while we look.
    assert desk.drain() == ["delivered"], desk.rows
    assert found(ehr, desk) == ONE_OF_EACH


def test_a_server_that_is_killed_and_started_again_has_one_of_each(ehr: Ehr, desk: Desk) -> None:
    for number in range(3):
        desk.form_id = f"{desk.patient}-{number}"
        desk.first()
    worker = desk.worker()
    worker.deliver_one()
    ehr.server.kill()

    down = worker.deliver_one()
    ehr.server.start()

    assert down is not None
    assert down.state in {"pending", "unknown"}
    assert desk.drain() == ["delivered"] * 3, desk.rows
    assert found(ehr, desk) == {kind: 3 * number for kind, number in ONE_OF_EACH.items()}
