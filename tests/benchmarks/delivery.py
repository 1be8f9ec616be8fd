"""What delivery adds to posting the same Bundle straight to the server: claim, read, build, check, send, settle."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from subprocess import PIPE, Popen
from time import perf_counter
from uuid import uuid4

import requests

from fhir_app.app import Parts, load_parts
from fhir_app.fhir.read_json import dump_json
from fhir_app.knowledge.library import Library
from fhir_app.settings import Settings
from tests.benchmarks.rounds import Budget, interleaved, ratio
from tests.benchmarks.samples import bodies

ADDED = Budget(1.10, 1.10)
ROUNDS = 40
_SERVE_FAKE = "from tests.contract.fake_fhir import *\nwith running(FakeFhir()) as f: print(f.url, flush=True); input()"


def measure(library: Library, folder: Path) -> None:
    """Prints one line for each server: the fake, and the one that FHIR_APP_BENCH_SERVER names."""
    print(f"\nDelivery, {ROUNDS} rounds, wall time (the leaflet's PDF, made once by the worker, left out)")
    with _fake() as url:
        _measure_at(url, "fake", library, folder)
    if url := os.environ.get("FHIR_APP_BENCH_SERVER", ""):
        _measure_at(url, "server", library, folder)


def _measure_at(url: str, name: str, library: Library, folder: Path) -> None:
    settings = Settings(
        database_url=f"sqlite:///{folder}/delivery-{name}.db",
        fhir_server_url=url,
        fhir_server_kind="generic-r4",
        organization_name="Example Clinic",
        organization_identifier="https://clinic.example.org/organizations|42",
        log_level="WARNING",
    )
    parts = load_parts(settings, library)
    parts.delivery.render = None
    session = requests.Session()
    session.trust_env = False
    patient = f"bench-{uuid4()}"
    session.put(f"{url}/Patient/{patient}", json={"resourceType": "Patient", "id": patient}).raise_for_status()
    every = bodies(f"Patient/{patient}")
    found = interleaved(
        {
            "straight": lambda: _straight(parts, session, url, next(every)),
            "delivered": lambda: _delivered(parts, url, next(every)),
        },
        ROUNDS,
    )
    parts.database.close()
    times = ratio(found["delivered"], found["straight"])
    print(
        f"  {name:8}straight {median(found['straight']) * 1000:6.1f} ms, delivered "
        f"{median(found['delivered']) * 1000:6.1f} ms: {times:.2f} x  {ADDED.verdict(times)}"
    )


def _straight(parts: Parts, session: requests.Session, url: str, body: bytes) -> float:
    bundle = dump_json(parts.submissions.assess_only(body, origin=url))
    begin = perf_counter()
    session.post(url, data=bundle, headers={"Content-Type": "application/fhir+json"}).raise_for_status()
    return perf_counter() - begin


def _delivered(parts: Parts, url: str, body: bytes) -> float:
    parts.submissions.submit(body, origin=url)
    begin = perf_counter()
    settled = parts.delivery.deliver_one()
    assert settled is not None
    assert settled.state == "delivered", settled
    return perf_counter() - begin


@contextmanager
def _fake() -> Iterator[str]:
    process = Popen([sys.executable, "-c", _SERVE_FAKE], stdin=PIPE, stdout=PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate("\n")
