"""Open-source Python servers that take the same response, each installed as published into an environment of its own.

None does the whole job: fhirstarter checks the shape and keeps it in memory, HealthChain checks the shape and answers a
CDS hook. Neither knows a questionnaire, assesses, or puts anything on disk.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

from tests.benchmarks.load import Measured, request_bytes, run
from tests.benchmarks.processes import FLOOR, SERVICE, Running, server
from tests.benchmarks.rounds import ROUNDS, interleaved, ratio
from tests.benchmarks.samples import bodies

CONNECTIONS = 8
PEERS = {"fhirstarter": "fhirstarter==4.2.0 uvicorn==0.51.0", "healthchain": "healthchain==0.16.1"}
HERE = Path(__file__).parent / "peers"


def measure(folder: Path) -> None:
    """Installs the peers, starts all servers on one core and prints a line for each."""
    pythons = {name: _installed(folder / name, wanted) for name, wanted in PEERS.items()}
    with ExitStack() as stack:
        servers = {
            "floor": stack.enter_context(server(FLOOR, folder)),
            "service": stack.enter_context(server(SERVICE, folder)),
        }
        for name, python in pythons.items():
            command = (str(HERE / f"{name}_server.py"),)
            servers[name] = stack.enter_context(server(command, folder, python=python, FHIR_SEQUENCE="R4B"))
        seen: dict[str, list[Measured]] = {name: [] for name in servers}
        found = interleaved({name: _second(seen[name], running, name) for name, running in servers.items()})
        print(f"\nBeside peers over HTTP, one core, {CONNECTIONS} connections, {ROUNDS} rounds of a second")
        for name, rates in found.items():
            latencies = [latency * 1000 for each in seen[name][1:] for latency in each.latencies]
            statuses = sorted({status for each in seen[name] for status in each.statuses})
            share = ratio(rates, found["floor"])
            print(
                f"  {PEERS.get(name, name).split()[0]:20}{median(rates):7.0f} /s {share:6.2f} x floor"
                f"  p50 {median(latencies):6.1f} ms  p99 {quantiles(latencies, n=100)[98]:6.1f} ms"
                f"  {servers[name].resident_mib:4.0f} MiB  ready in {servers[name].ready_after:4.1f} s  HTTP {statuses}"
            )


def _installed(environment: Path, wanted: str) -> str:
    """The Python of a new environment that holds what is wanted."""
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = str(environment / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted.split()], check=True)
    return python


def _second(seen: list[Measured], running: Running, name: str) -> Callable[[], float]:
    def measured() -> float:
        seen.append(run(running.port, _requests(name), connections=CONNECTIONS, seconds=1.0))
        return seen[-1].per_second

    return measured


def _requests(name: str) -> Iterator[bytes]:
    for body in bodies():
        match name:
            case "floor":
                yield request_bytes("/", body)
            case "service":
                yield request_bytes("/fhir/QuestionnaireResponse", body)
            case "fhirstarter":
                yield request_bytes("/QuestionnaireResponse", body)
            case _:
                yield request_bytes("/cds/cds-services/intake", _hook(body))


def _hook(body: bytes) -> bytes:
    """https://cds-hooks.org/hooks/encounter-discharge/, with the response in the prefetch."""
    return json.dumps(
        {
            "hook": "encounter-discharge",
            "hookInstance": "00000000-0000-4000-8000-000000000000",
            "context": {"userId": "Practitioner/1", "patientId": "1", "encounterId": "1"},
            "prefetch": {"response": json.loads(body)},
        }
    ).encode()
