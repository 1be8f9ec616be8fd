"""Responses to measure with: the samples of the intake, again and again, each time another response."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import count

from fhir_app.knowledge.library import questionnaires_root

FOLDER = questionnaires_root() / "tingling-legs" / "samples"
FULL = FOLDER / "compartment-runner.json"


def bodies(subject: str | None = None) -> Iterator[bytes]:
    """The full sample without end, no two alike, by default of its own patient."""
    sample = json.loads(FULL.read_bytes())
    if subject is not None:
        sample["subject"] = {"reference": subject}
    for number in count():
        sample["identifier"] = {"system": "urn:bench", "value": f"{os.getpid()}-{id(sample)}-{number}"}
        yield json.dumps(sample, ensure_ascii=False).encode()


def lines(how_many: int) -> Iterator[bytes]:
    """NDJSON of all finished samples in turn."""
    samples = [json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))]
    finished = [json.dumps(each, ensure_ascii=False).encode() for each in samples if each["status"] == "completed"]
    for number in range(how_many):
        yield finished[number % len(finished)] + b"\n"
