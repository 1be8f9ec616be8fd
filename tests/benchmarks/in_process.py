"""What a response costs in processor time, as a multiple of parsing and writing its JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median

from fhir_app.app import load_parts
from fhir_app.assessment.as_json import assessment_json
from fhir_app.cli._steady import keep_loaded
from fhir_app.fhir.read_json import dump_json
from fhir_app.knowledge.library import Library
from fhir_app.reading import read_response
from fhir_app.settings import Settings
from tests.benchmarks.rounds import ROUNDS, Budget, cpu_seconds, interleaved, ratio
from tests.benchmarks.samples import FULL, bodies

FLOOR = "json.loads + json.dumps (floor)"
BUDGETS = {"check + assess": Budget(12, 6), "whole submission without the disk": Budget(25, 12)}


def measure(library: Library, folder: Path) -> None:
    """Prints one line for each stage. The knowledge is kept as `serve` and `assess` keep it."""
    keep_loaded(library)
    parts = load_parts(Settings(database_url=f"sqlite:///{folder}/in-process.db"), library)
    body, every = FULL.read_bytes(), bodies()

    def published() -> object:
        assessment = read_response(body, library).assessment
        assert assessment is not None
        return dump_json(assessment_json(assessment))

    work: dict[str, Callable[[], object]] = {
        FLOOR: lambda: json.dumps(json.loads(body)),
        "check + assess": lambda: read_response(body, library),
        "check + assess + published JSON": published,
        "whole submission without the disk": lambda: dump_json(parts.submissions.assess_only(body, origin="local")),
        "whole submission, committed": lambda: parts.submissions.submit(next(every), origin="local"),
    }
    found = interleaved({name: cpu_seconds(call, 200 if name == FLOOR else 20) for name, call in work.items()})
    parts.database.close()
    print(f"\nIn process, one response of {len(body)} bytes, {ROUNDS} rounds, processor time")
    for name, measured in found.items():
        times = ratio(measured, found[FLOOR])
        verdict = BUDGETS[name].verdict(times) if name in BUDGETS else ""
        print(f"  {name:36}{median(measured) * 1e6:8.0f} us {times:8.1f} x floor  {verdict}")
