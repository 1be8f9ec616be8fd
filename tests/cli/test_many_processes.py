"""Four web processes and two workers on one PostgreSQL: the same response at several doors at once is one result."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from threading import Barrier
from time import monotonic, sleep
from typing import Any

import pytest
import requests
from sqlalchemy import func, select

from fhir_app.fhir.codes import SUMMARY_CODE
from fhir_app.store import outbox
from fhir_app.store.database import Database
from fhir_app.store.tables import submissions
from tests.cli.test_serve import FHIR_JSON, environment, free_port
from tests.contract.fake_fhir import FakeFhir, running
from tests.store.databases import database, postgres_server, url
from tests.submitting import CALM, FLAGGED, response

__all__ = ["database", "postgres_server", "url"]

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

WEB_PROCESSES, WORKERS = 4, 2
RESPONSES, AT_A_TIME = 120, 8
PATIENCE = 300.0
PUBLIC = "https://intake.example"


@contextmanager
def started(
    command: str, log: Path, *, leads_a_group: bool = False, **settings: object
) -> Iterator[subprocess.Popen[bytes]]:
    """`fhir-app serve` or `worker` as a process of its own, which ends with the block."""
    program, env = [sys.executable, "-m", "fhir_app.cli", command], environment(**settings)
    with log.open("ab") as stream:
        process = subprocess.Popen(program, env=env, stdout=stream, stderr=stream, start_new_session=leads_a_group)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(so: Callable[[], bool], what: str) -> None:
    """Asks again and again until it is so; fails with `what` was waited for when patience ends."""
    deadline = monotonic() + PATIENCE
    while not so():
        assert monotonic() < deadline, f"waited in vain: {what}"
        sleep(0.05)


def until_ready(base: str, process: subprocess.Popen[bytes], log: Path) -> None:
    def ready() -> bool:
        assert process.poll() is None, f"it ended: {log.read_text()}"
        try:
            return requests.get(f"{base}/readyz", timeout=30).ok
        except requests.RequestException:
            return False

    until(ready, "a service that is ready")


def delivering_to(fake: FakeFhir) -> dict[str, object]:
    return {
        "FHIR_SERVER_URL": fake.url,
        "ORGANIZATION_NAME": "Example Clinic",
        "ORGANIZATION_IDENTIFIER": "https://clinic.example/organizations|42",
        "BASE_URL": PUBLIC,
    }


def new_patient(fake: FakeFhir) -> str:
    _, patient = fake.create({"resourceType": "Patient"})
    return f"Patient/{patient['id']}"


def until_all_is_delivered(database: Database, rows: int, by: list[subprocess.Popen[bytes]]) -> None:
    """The outbox has so many rows, and in the end these processes have delivered all of them."""

    def states() -> Counter[str]:
        with database.read() as connection:
            return +Counter(outbox.counts(connection))

    def settled() -> bool:
        assert all(process.poll() is None for process in by), "who delivers has ended"
        return not {"pending", "unknown"} & set(states())

    assert states().total() == rows
    until(settled, "every result settled")
    assert states() == {"delivered": rows}


def charts(fake: FakeFhir) -> dict[str, Counter[str]]:
    """What the server holds about each patient, by kind and status."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    patient_of: dict[str, str] = {}
    for (resource_type, own_id), resource in fake.resources.items():
        if patient := resource.get("subject", {}).get("reference"):
            patient_of[f"{resource_type}/{own_id}"] = patient
            found[patient][f"{_kind(resource)} {resource['status']}"] += 1
    for (resource_type, _), resource in fake.resources.items():
        if resource_type == "Provenance":
            targets = (target["reference"].partition("/_history/")[0] for target in resource["target"])
            (patient,) = {patient_of[target] for target in targets}
            found[patient]["Provenance"] += 1
    return found


def shared(fake: FakeFhir) -> list[str]:
    """What all results have in common and the server holds once."""
    return sorted(resource_type for resource_type, _ in fake.resources if resource_type in {"Device", "Organization"})


def _kind(resource: Mapping[str, Any]) -> str:
    if resource["resourceType"] != "Observation":
        return str(resource["resourceType"])
    return "summary" if SUMMARY_CODE in {coding["code"] for coding in resource["code"]["coding"]} else "flag"


def chart_of_one_result(*, flagged: bool) -> Counter[str]:
    once = ["QuestionnaireResponse completed", "summary final", "DocumentReference current", "Provenance"]
    return Counter([*once, *(["flag final"] if flagged else [])])


def chart_of_an_amended_result(*, flagged_before: bool) -> Counter[str]:
    """The flag either came with the second revision or went with it."""
    return Counter(
        {
            "QuestionnaireResponse amended": 1,
            "summary amended": 1,
            "flag entered-in-error" if flagged_before else "flag amended": 1,
            "DocumentReference superseded": 1,
            "DocumentReference current": 1,
            "Provenance": 2,
        }
    )


@dataclass(frozen=True)
class Case:
    """One response: the doors that get it at the same time, and those that then get its second revision."""

    patient: str
    flagged: bool
    first: bytes
    first_doors: tuple[str, ...]
    amended: bytes | None
    amended_doors: tuple[str, ...]

    @property
    def chart(self) -> Counter[str]:
        if self.amended is None:
            return chart_of_one_result(flagged=self.flagged)
        return chart_of_an_amended_result(flagged_before=self.flagged)


def cases(fake: FakeFhir, doors: list[str]) -> Iterator[Case]:
    """Every third one is amended; some of the others have no identifier, so that only their content names them."""
    random = Random(7)
    for number in range(RESPONSES):
        patient, flagged, is_amended = new_patient(fake), random.random() < 0.5, number % 3 == 0
        about: dict[str, Any] = {"subject": {"reference": patient}}
        if is_amended or number % 2:
            about["identifier"] = {"system": "urn:many", "value": str(number)}
        first = response(FLAGGED if flagged else CALM, **about)
        second = response(CALM if flagged else FLAGGED, **about, status="amended", authored="2026-03-02T09:00:00Z")
        mixed = random.sample(doors, len(doors))
        yield Case(
            patient=patient,
            flagged=flagged,
            first=json.dumps(first).encode(),
            first_doors=tuple(mixed[: random.choice([2, 3])]),
            amended=json.dumps(second).encode() if is_amended else None,
            amended_doors=tuple(mixed[2:]),
        )


class Copies:
    """The same bytes, sent to several doors at the same moment."""

    def __init__(self, senders: ThreadPoolExecutor, body: bytes, doors: tuple[str, ...]) -> None:
        self._body = body
        self._together = Barrier(len(doors))
        self._replies = [senders.submit(self._post, door) for door in doors]

    def _post(self, door: str) -> requests.Response:
        self._together.wait(PATIENCE)
        return post(door, self._body)

    def wait_for_one(self) -> None:
        wait(self._replies, PATIENCE, FIRST_COMPLETED)

    def wait_for_all(self) -> None:
        wait(self._replies, PATIENCE)

    def check(self, later_door: str, *, replaced: bool) -> None:
        """One caller is told that it was new, all of them the same about it, also one that asks later. Who comes after
        a revision that `replaced` it is told so."""
        replies = [reply.result(PATIENCE) for reply in self._replies]
        again = post(later_door, self._body)
        assert again.status_code == (409 if replaced else 200)
        told = [reply for reply in (*replies, again) if not (replaced and reply.status_code == 409)]
        assert [reply.status_code for reply in told].count(201) == 1
        assert {reply.status_code for reply in told} <= {200, 201}
        assert len({(reply.headers["Location"], reply.content) for reply in told}) == 1


def post(door: str, body: bytes) -> requests.Response:
    return requests.post(f"{door}/fhir/QuestionnaireResponse", body, headers=FHIR_JSON, timeout=PATIENCE)


def send(senders: ThreadPoolExecutor, case: Case) -> None:
    """The second revision leaves as soon as the first was accepted anywhere, while its copies are on their way."""
    sent = [Copies(senders, case.first, case.first_doors)]
    if case.amended is not None:
        sent[0].wait_for_one()
        sent.append(Copies(senders, case.amended, case.amended_doors))
    for copies in sent:
        copies.wait_for_all()
    for copies in sent:
        copies.check(case.amended_doors[0], replaced=copies is not sent[-1])


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_response_that_several_web_processes_get_at_once_is_one_submission_and_delivered_once(
    database: Database, url: str, tmp_path: Path
) -> None:
    with running(FakeFhir()) as fake, ExitStack() as stack:
        common = {"DATABASE_URL": url, **delivering_to(fake)}
        worker_logs = [tmp_path / f"worker-{number}.log" for number in range(WORKERS)]
        workers = [stack.enter_context(started("worker", log, **common)) for log in worker_logs]
        web = []
        for number in range(WEB_PROCESSES):
            log, port = tmp_path / f"serve-{number}.log", free_port()
            process = stack.enter_context(started("serve", log, PORT=port, DELIVER=False, **common))
            web.append((f"http://127.0.0.1:{port}", process, log))
        for each in web:
            until_ready(*each)

        every = list(cases(fake, [door for door, _, _ in web]))
        with ThreadPoolExecutor(AT_A_TIME * 5) as senders, ThreadPoolExecutor(AT_A_TIME) as clients:
            list(clients.map(partial(send, senders), every))

        revisions = len(every) + sum(case.amended is not None for case in every)
        until_all_is_delivered(database, revisions, by=workers)
        with database.read() as connection:
            assert connection.execute(select(func.count()).select_from(submissions)).scalar_one() == revisions
        assert charts(fake) == {case.patient: case.chart for case in every}
        assert shared(fake) == ["Device", "Organization"]
        assert len(fake.writes) == revisions, "a result was sent more than once"
        assert all('"delivery"' in log.read_text() for log in worker_logs), "a worker had nothing to do"
