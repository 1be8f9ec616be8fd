"""`make bench`: the path of a response beside floors that do next to nothing, in interleaved rounds of one run.

Names of parts may follow: in-process, http, delivery, bulk, and peers, which installs what it measures. BENCH_ROUNDS
sets the rounds. Nothing here fails for being slow: the lines say which budgets were kept, and `docs/performance.md`
says what they are.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

from fhir_app.knowledge.library import load_library, questionnaires_root
from fhir_app.scrubbed_log import configure_log
from tests.benchmarks import beside_peers, bulk, delivery, in_process, over_http

PARTS = ("in-process", "http", "delivery", "bulk")
ON_REQUEST = ("peers",)  # installs packages


def main() -> None:
    chosen = sys.argv[1:] or PARTS
    if unknown := set(chosen) - {*PARTS, *ON_REQUEST}:
        raise SystemExit(
            f"There is no part {', '.join(sorted(unknown))}; there are {', '.join((*PARTS, *ON_REQUEST))}."
        )
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start")
    configure_log("WARNING")
    library = load_library(questionnaires_root())
    with tempfile.TemporaryDirectory(prefix="fhir-app-bench-") as name:
        folder, cores = Path(name), os.sched_getaffinity(0)
        if "in-process" in chosen:
            in_process.measure(library, folder)
        if "http" in chosen:
            os.sched_setaffinity(0, {max(cores)})  # the servers have core 0
            over_http.measure(folder)
            os.sched_setaffinity(0, cores)
        if "peers" in chosen:
            os.sched_setaffinity(0, {max(cores)})
            beside_peers.measure(folder)
            os.sched_setaffinity(0, cores)
        if "delivery" in chosen:
            delivery.measure(library, folder)
        if "bulk" in chosen:
            bulk.measure(folder)


if __name__ == "__main__":
    main()
