"""`kill -9` of a worker between any two steps of a delivery, then a restart: one result each, and nothing lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Destination
from fhir_app.fhir.replies import Delivered, Found
from fhir_app.knowledge.intake import Intake
from fhir_app.store.database import Database, open_database
from tests.contract.fake_fhir import FakeFhir, running
from tests.delivery.queueing import Desk
from tests.fhir.conftest import intake
from tests.hapi.fixture import hapi
from tests.kill import dying_worker

__all__ = ["hapi", "intake"]

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
KILLED = -signal.SIGKILL
PROCESSES = multiprocessing.get_context("forkserver")


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's process imports this folder by name, wherever pytest was started from."""
    monkeypatch.syspath_prepend(ROOT)
    PROCESSES.set_forkserver_preload(["tests.kill.dying_worker"])


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def fake() -> Iterator[FakeFhir]:
    with running(FakeFhir()) as fake:
        yield fake


def work(database_url: str, destination: Destination, now: datetime, die_at: int | None = None) -> Any:
    """Starts a worker in a process of its own."""
    process = PROCESSES.Process(target=dying_worker.run, args=(database_url, destination, now, die_at))
    process.start()
    return process


def exit_code(process: Any) -> int:
    process.join(120)
    code = process.exitcode
    assert code is not None, "the worker hangs"
    process.close()
    return int(code)


class Chart:
    """What the server holds about a patient."""

    def __init__(self, client: FhirClient, patient: str) -> None:
        self._client = client
        self._patient = patient

    def about(self, resource_type: str) -> list[Any]:
        outcome = self._client.search(resource_type, {"subject": f"Patient/{self._patient}"})
        assert isinstance(outcome, Found), outcome
        return list(outcome.resources)

    def counts(self) -> dict[str, int]:
        return {kind: len(self.about(kind)) for kind in ("QuestionnaireResponse", "Observation", "DocumentReference")}

    def provenances(self) -> int:
        found = set()
        for observation in self.about("Observation"):
            outcome = self._client.search("Provenance", {"target": f"Observation/{observation['id']}"})
            assert isinstance(outcome, Found), outcome
            found |= {each["id"] for each in outcome.resources}
        return len(found)


def new_patient(client: FhirClient, number: int) -> str:
    patient = f"killed-{os.getpid()}-{number}-{os.urandom(4).hex()}"
    assert isinstance(client.update({"resourceType": "Patient", "id": patient}), Delivered)
    return patient


def kill_at_every_step(
    database: Database, database_url: str, intake: Intake, destination: Destination, *, correct: bool
) -> int:
    """Queues a result (and its correction), kills the worker at step 1, restarts it, looks; then at step 2, and so on
    until a worker gets to its end. Returns how many were killed."""
    client = FhirClient(destination.base_url)
    step = 0
    while True:
        step += 1
        patient = new_patient(client, step)
        desk = Desk(database, intake, destination, patient, patient)
        desk.clock.now += timedelta(days=step)
        first = desk.first()
        if correct:
            desk.correction(first)

        code = exit_code(work(database_url, destination, desk.clock(), step))
        assert code in {KILLED, 0}
        restarted = desk.clock() + timedelta(hours=1)
        assert exit_code(work(database_url, destination, restarted)) == 0

        about_step = f"killed at step {step}"
        mine = [row for row in desk.rows if row.identity == desk.received().identity]
        assert {row.state for row in mine} == {"delivered"}, about_step
        chart = Chart(client, patient)
        documents = Counter(document["status"] for document in chart.about("DocumentReference"))
        assert chart.counts()["Observation"] == 2, about_step
        assert chart.counts()["QuestionnaireResponse"] == 1, about_step
        assert documents == ({"current": 1, "superseded": 1} if correct else {"current": 1}), about_step
        assert chart.provenances() == (2 if correct else 1), about_step
        for document in chart.about("DocumentReference"):
            types = [content["attachment"]["contentType"] for content in document["content"]]
            assert types.count("application/pdf") == 1, about_step
        if code == 0:
            return step - 1


@pytest.mark.parametrize("kind", ["hapi", "generic-r4", "sequential"])
def test_a_worker_killed_between_any_two_steps_of_a_correction_leaves_one_of_each_after_a_restart(
    fake: FakeFhir, database: Database, database_url: str, intake: Intake, kind: str
) -> None:
    destination = Destination.of_kind(kind, fake.url)

    assert kill_at_every_step(database, database_url, intake, destination, correct=True) > 20


@pytest.mark.hapi
@pytest.mark.parametrize("correct", [False, True], ids=["first", "correction"])
def test_the_same_on_a_real_server(
    hapi: Any, database: Database, database_url: str, intake: Intake, correct: bool
) -> None:
    destination = Destination.of_kind("hapi", hapi.url)

    assert kill_at_every_step(database, database_url, intake, destination, correct=correct) > 10


def test_workers_killed_in_the_middle_of_their_requests_lose_and_double_nothing(
    fake: FakeFhir, database: Database, database_url: str, intake: Intake
) -> None:
    """Two workers on a queue of twelve; every third request kills both while it is carried out."""
    destination = Destination.of_kind("generic-r4", fake.url)
    client = FhirClient(fake.url)
    patients = [new_patient(client, number) for number in range(12)]
    desks = [Desk(database, intake, destination, patient, patient) for patient in patients]
    for desk in desks:
        desk.first()
    workers: list[Any] = []
    requests_seen = killed = 0

    def kill_some() -> None:
        nonlocal requests_seen, killed
        requests_seen += 1
        if requests_seen % 3 == 0:
            for worker in workers:
                if worker.is_alive():
                    worker.kill()
                    killed += 1

    fake.before_write = kill_some
    now = desks[0].clock()
    for _ in range(30):
        now += timedelta(hours=1)
        workers = [work(database_url, destination, now) for _ in range(2)]
        for worker in workers:
            worker.join(120)
        if {row.state for row in desks[0].rows} == {"delivered"}:
            break

    assert {row.state for row in desks[0].rows} == {"delivered"}
    assert killed >= 4
    for patient in patients:
        chart = Chart(client, patient)
        assert chart.counts() == {"QuestionnaireResponse": 1, "Observation": 2, "DocumentReference": 1}
        assert chart.provenances() == 1
