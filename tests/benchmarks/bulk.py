"""Bulk assessment of NDJSON: responses for each second of a core, what more processes add, constant memory."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, Popen
from time import perf_counter

from tests.benchmarks.rounds import interleaved
from tests.benchmarks.samples import lines

FEW, MANY = 400, 2400
ROUNDS = 3


def measure(folder: Path) -> None:
    """Prints rates, start and loading of the knowledge taken out, and the largest process."""
    for count in (FEW, MANY):
        (folder / f"{count}.ndjson").write_bytes(b"".join(lines(count)))
    largest: dict[int, float] = {}
    busy: dict[str, list[float]] = {}

    def seconds(name: str, count: int, job: int) -> float:
        took, core_seconds, largest[count] = _assess(folder / f"{count}.ndjson", job)
        busy.setdefault(name, []).append(core_seconds)
        return took

    jobs = (1, len(os.sched_getaffinity(0)))
    runs = {f"{count} lines, {job} jobs": (count, job) for job in jobs for count in (FEW, MANY)}
    work = {name: partial(seconds, name, *run) for name, run in runs.items()}
    found = interleaved(work, ROUNDS, warm_up=False)
    print(f"\nBulk, fhir-app assess --json, {ROUNDS} rounds, start and loading taken out")
    rates = []
    for job in jobs:
        few, many = f"{FEW} lines, {job} jobs", f"{MANY} lines, {job} jobs"
        rates.append(_rate(found[few], found[many]))
        print(
            f"  --jobs {job}: {rates[-1]:6.0f} responses/s, {_rate(busy[few], busy[many]):6.0f} for each second of a"
            " core (on an idle machine at least 2000, aim 4000)"
        )
    print(f"  {jobs[1]} jobs to 1: {rates[1] / rates[0]:.2f} x")
    print(f"  largest process: {largest[FEW]:.0f} MiB for {FEW} lines, {largest[MANY]:.0f} MiB for {MANY}")


def _rate(few: list[float], many: list[float]) -> float:
    return (MANY - FEW) / (median(many) - median(few))


def _assess(file: Path, jobs: int) -> tuple[float, float, float]:
    """Seconds, seconds of all cores together, and MiB of the largest process."""
    begin = perf_counter()
    command = [sys.executable, "-m", "fhir_app.cli", "assess", "--json", "--jobs", str(jobs), str(file)]
    process = Popen(command, stdout=DEVNULL, stderr=DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"fhir-app assess ended with {process.returncode}")
    return perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
