"""`kill -9` of the whole service under load, again and again: what was accepted is kept and delivered, once each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from random import Random
from threading import Event
from time import monotonic
from typing import Any

import pytest
import requests
from sqlalchemy import func, select, text, update

from fhir_app.store.database import Database, open_database
from fhir_app.store.tables import outbox, submissions
from tests.cli.test_many_processes import (
    PATIENCE,
    PUBLIC,
    chart_of_one_result,
    charts,
    delivering_to,
    new_patient,
    post,
    shared,
    started,
    until_all_is_delivered,
    until_ready,
)
from tests.cli.test_serve import free_port
from tests.contract.fake_fhir import FakeFhir, running
from tests.submitting import CALM, FLAGGED, response

pytestmark = pytest.mark.slow

KILLS, CONNECTIONS = 6, 6
RESPONSES = KILLS * 16


@dataclass(frozen=True)
class Case:
    patient: str
    flagged: bool
    body: bytes


def cases(fake: FakeFhir, random: Random) -> Iterator[Case]:
    """Every other one has no identifier, so that only its content names it."""
    for number in range(RESPONSES):
        patient, flagged = new_patient(fake), random.random() < 0.5
        about: dict[str, Any] = {"subject": {"reference": patient}}
        if number % 2:
            about["identifier"] = {"system": "urn:kill", "value": str(number)}
        yield Case(patient, flagged, json.dumps(response(FLAGGED if flagged else CALM, **about)).encode())


class Clients:
    """Callers who send a response again for as long as there is no reply."""

    def __init__(self, door: str, senders: ThreadPoolExecutor) -> None:
        self._door = door
        self._senders = senders
        self.open = Event()  # to knock at a port where nobody listens may, on one machine, reach oneself
        self.unanswered: SimpleQueue[str] = SimpleQueue()
        self.finished: SimpleQueue[Future[tuple[Case, str]]] = SimpleQueue()
        self._gone = Event()

    def send(self, cases: Iterable[Case]) -> None:
        """Returns at once; each case comes to `finished` when it has a reply, with the location in it."""
        for case in cases:
            self._senders.submit(self._send, case).add_done_callback(self.finished.put)

    def leave(self) -> None:
        self._gone.set()
        self.open.set()

    def _send(self, case: Case) -> tuple[Case, str]:
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline and not self._gone.is_set():
            self.open.wait(PATIENCE)
            try:
                reply = post(self._door, case.body)
            except requests.RequestException as error:
                self.unanswered.put(type(error).__name__)
                continue
            assert reply.status_code in {200, 201}, reply.text
            return case, reply.headers["Location"]
        raise AssertionError("no reply")

    def next_answered(self) -> tuple[Case, str]:
        return self.finished.get(timeout=PATIENCE).result()


def kill(service: subprocess.Popen[bytes]) -> None:
    """`kill -9` of the whole group: gunicorn's first process and the one that serves."""
    os.killpg(service.pid, signal.SIGKILL)
    service.wait()


@contextmanager
def opened(file: Path) -> Iterator[Database]:
    """Only while it is needed: a connection that outlived a kill would spare the service to recover its file."""
    database = open_database(f"sqlite:///{file}")
    try:
        yield database
    finally:
        database.close()


def leases_run_out(database: Database, killed_at: datetime) -> int:
    """What the dead had begun to deliver: others may take it now, and not only in five minutes. Returns how many."""
    of_the_dead = outbox.c.lease_owner.is_not(None) & (outbox.c.updated_at < killed_at)
    with database.begin() as connection:
        return connection.execute(update(outbox).where(of_the_dead).values(lease_until=killed_at)).rowcount


def is_whole(database: Database) -> bool:
    with database.read() as connection:
        said = connection.execute(text("PRAGMA integrity_check")).scalars().all()
        return said == ["ok"] and not connection.execute(text("PRAGMA foreign_key_check")).all()


def test_a_service_that_is_killed_again_and_again_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    random = Random(20260301)
    file, log, port = tmp_path / "served.db", tmp_path / "log", free_port()
    door = f"http://127.0.0.1:{port}"
    with ThreadPoolExecutor(CONNECTIONS) as senders, running(FakeFhir()) as fake, ExitStack() as stack:
        settings = {"DATABASE_URL": f"sqlite:///{file}", "PORT": port, **delivering_to(fake)}
        clients = Clients(door, senders)
        stack.callback(clients.leave)

        def start() -> subprocess.Popen[bytes]:
            service = stack.enter_context(started("serve", log, leads_a_group=True, **settings))
            until_ready(door, service, log)
            clients.open.set()
            return service

        every = list(cases(fake, random))
        located: dict[Case, str] = {}
        deliveries_cut_short = 0
        service = start()
        for portion in (every[number::KILLS] for number in range(KILLS)):
            clients.send(portion)
            located |= (clients.next_answered() for _ in range(random.randint(1, len(portion) - CONNECTIONS)))
            clients.open.clear()
            kill(service)
            killed_at = datetime.now(UTC)
            service = start()
            with opened(file) as database:
                assert is_whole(database)
                deliveries_cut_short += leases_run_out(database, killed_at)

        located |= (clients.next_answered() for _ in range(len(every) - len(located)))
        with opened(file) as database:
            until_all_is_delivered(database, len(every), by=[service])
        for case in every:
            again = post(door, case.body)
            assert (again.status_code, again.headers["Location"]) == (200, located[case])
            assert requests.get(located[case].replace(PUBLIC, door), timeout=PATIENCE).json() == again.json()

        kill(service)
        with opened(file) as database, database.read() as connection:
            assert is_whole(database)
            assert connection.execute(select(func.count()).select_from(submissions)).scalar_one() == len(every)
        assert charts(fake) == {case.patient: chart_of_one_result(flagged=case.flagged) for case in every}
        assert shared(fake) == ["Device", "Organization"]
        assert deliveries_cut_short > 0, "no kill met a delivery"
        assert not clients.unanswered.empty(), "no kill met a request"
