"""Responses accepted over HTTP (validated, assessed, on disk, 201), as a share of a Flask application that only parses
them; and what the service takes to start and to hold in memory beside that application."""

from __future__ import annotations

from pathlib import Path
from statistics import median, quantiles

from tests.benchmarks.load import Measured, request_bytes, run
from tests.benchmarks.processes import FLOOR, SERVICE, Running, server
from tests.benchmarks.rounds import ROUNDS, Budget, interleaved, ratio
from tests.benchmarks.samples import bodies

ACCEPT = Budget(0.20, 0.30, at_most=False)
MEMORY = Budget(80, 80)
CONNECTIONS = 8
STARTS = 3


def measure(folder: Path) -> None:
    """Prints rate, latency, start and memory. All servers share one core, the load has the other."""
    with server(FLOOR, folder) as floor, server(SERVICE, folder) as service:
        seen: dict[str, list[Measured]] = {"floor": [], "service": []}
        found = interleaved(
            {
                "floor": lambda: _second(seen["floor"], floor, "/"),
                "service": lambda: _second(seen["service"], service, "/fhir/QuestionnaireResponse"),
            }
        )
        more = service.resident_mib - floor.resident_mib
        print(f"\nOver HTTP, one core, {CONNECTIONS} connections, {ROUNDS} rounds of a second")
        for name, rates in found.items():
            latencies = [latency * 1000 for each in seen[name][1:] for latency in each.latencies]
            statuses = {status for each in seen[name] for status in each.statuses}
            share = ratio(rates, found["floor"])
            verdict = ACCEPT.verdict(share) if name == "service" else ""
            print(
                f"  {name:10}{median(rates):7.0f} /s {share:6.2f} x floor  p50 {median(latencies):6.1f} ms  "
                f"p99 {quantiles(latencies, n=100)[98]:6.1f} ms  HTTP {sorted(statuses)}  {verdict}"
            )
        print(
            f"  memory after that: floor {floor.resident_mib:.0f} MiB, service {service.resident_mib:.0f} MiB, "
            f"{more:.0f} more: {MEMORY.verdict(more)}"
        )
    starts = interleaved(
        {"floor": lambda: _start(FLOOR, folder), "service": lambda: _start(SERVICE, folder)}, STARTS, warm_up=False
    )
    words = ", ".join(f"{name} {median(times):.2f} s" for name, times in starts.items())
    print(f"  start to first answer: {words} ({ratio(starts['service'], starts['floor']):.1f} x floor)")


def _second(seen: list[Measured], running: Running, path: str) -> float:
    requests = (request_bytes(path, body) for body in bodies())
    seen.append(run(running.port, requests, connections=CONNECTIONS, seconds=1.0))
    return seen[-1].per_second


def _start(command: tuple[str, ...], folder: Path) -> float:
    with server(command, folder) as running:
        return running.ready_after
