"""`make bench`: what the path of a response costs, beside floors that do next to nothing, in interleaved rounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, process_time, sleep

import requests

from fhir_app.app import Parts, load_parts
from fhir_app.assessment.as_json import assessment_json
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.reading import read_response
from fhir_app.settings import Settings
from tests.benchmarks.load import Measured, request_bytes, run

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
SAMPLE = questionnaires_root() / "tingling-legs" / "samples" / "compartment-runner.json"
PORTS = {"floor": 18801, "service": 18802}


def bodies() -> Iterator[bytes]:
    """The sample again and again, each time another response."""
    sample = json.loads(SAMPLE.read_bytes())
    for number in count():
        sample["identifier"] = {"system": "urn:bench", "value": f"{os.getpid()}-{number}"}
        yield json.dumps(sample, ensure_ascii=False).encode()


def in_process(library: Library, parts: Parts) -> None:
    """CPU time for one response, as a multiple of parsing and writing its JSON."""
    body = SAMPLE.read_bytes()
    every = bodies()
    work: dict[str, Callable[[], object]] = {
        "json.loads + json.dumps (floor)": lambda: json.dumps(json.loads(body)),
        "check + assess": lambda: read_response(body, library),
        "check + assess + published JSON (bulk)": lambda: json.dumps(
            assessment_json(read_response(body, library).assessment)  # type: ignore[arg-type]
        ),
        "check + assess + Bundle (no disk)": lambda: parts.submissions.assess_only(body, origin="local"),
        "whole submission, committed": lambda: parts.submissions.submit(next(every), origin="local"),
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, call in work.items():
            times[name].append(_cpu(call, 400 if "floor" in name else 40))
    floor = times["json.loads + json.dumps (floor)"]
    print(f"\nIn process, {len(body)} bytes, {ROUNDS} rounds (CPU time)")
    for name, measured in times.items():
        ratio = median(each / base for each, base in zip(measured, floor, strict=True))
        print(f"  {name:42} {median(measured) * 1e6:8.0f} us {ratio:8.1f} x floor {1 / median(measured):8.0f} /s")


def _cpu(call: Callable[[], object], times: int) -> float:
    call()
    begin = process_time()
    for _ in range(times):
        call()
    return (process_time() - begin) / times


def over_http(folder: Path) -> None:
    """Requests a second through gunicorn, as a share of a Flask application that only parses the body."""
    every = bodies()
    sent = {
        "floor": (request_bytes("/", body) for body in every),
        "service": (request_bytes("/fhir/QuestionnaireResponse", body) for body in every),
    }
    results: dict[str, list[Measured]] = {name: [] for name in sent}
    with ExitStack() as stack:
        env = {**os.environ, "FHIR_APP_LOG_LEVEL": "WARNING"}
        env |= {"FHIR_APP_PORT": str(PORTS["service"]), "FHIR_APP_DATABASE_URL": f"sqlite:///{folder}/bench.db"}
        stack.enter_context(
            _process([sys.executable, "-m", "tests.benchmarks.floor", str(PORTS["floor"])], env, "floor")
        )
        service = stack.enter_context(_process([sys.executable, "-m", "fhir_app.cli", "serve"], env, "service"))
        for number in range(ROUNDS + 1):
            for name, stream in sent.items():
                measured = run(PORTS[name], stream, connections=8, seconds=1.0)
                if number:  # the first round warms up
                    results[name].append(measured)
        memory = _resident(service)
    print(f"\nOver HTTP, 8 connections, {ROUNDS} rounds of a second each")
    for name, found in results.items():
        ratio = median(a.per_second / b.per_second for a, b in zip(found, results["floor"], strict=True))
        latencies = sorted(latency for each in found for latency in each.latencies)
        p50, p99 = median(latencies) * 1000, quantiles(latencies, n=100)[98] * 1000
        statuses = {status for each in found for status in each.statuses}
        print(
            f"  {name:10} {median(each.per_second for each in found):7.0f} /s {ratio:6.2f} x floor   "
            f"p50 {p50:5.1f} ms  p99 {p99:5.1f} ms   HTTP {sorted(statuses)}"
        )
    print(f"  resident memory of the service: {memory:.0f} MiB in all its processes")


@contextmanager
def _process(command: list[str], env: dict[str, str], name: str) -> Iterator[int]:
    begin = monotonic()
    process = subprocess.Popen(command, env=env, preexec_fn=lambda: os.sched_setaffinity(0, {0}))
    try:
        while True:
            try:
                if requests.get(f"http://127.0.0.1:{PORTS[name]}/readyz", timeout=5).ok:
                    break
            except requests.ConnectionError:
                if process.poll() is not None:
                    raise SystemExit(f"{name} did not start") from None
                sleep(0.02)
        print(f"  {name:10} ready after {monotonic() - begin:.2f} s")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _resident(pid: int) -> float:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0
    for each in (str(pid), *children):
        status = Path(f"/proc/{each}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Pss:"))
    return total / 1024


def main() -> None:
    library = load_library(questionnaires_root())
    with tempfile.TemporaryDirectory(prefix="fhir-app-bench-") as name:
        folder = Path(name)
        parts = load_parts(Settings(database_url=f"sqlite:///{folder}/process.db"), library)
        in_process(library, parts)
        parts.database.close()
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the servers have the other core
        over_http(folder)


if __name__ == "__main__":
    main()
