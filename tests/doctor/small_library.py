"""The very small intake in two languages, with the cases that the doctor takes its samples from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from fhir_app.assessment.assessment import Assessment
from fhir_app.fhir.received import ReceivedResponse
from fhir_app.fhir.writeback import DocumentContent
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library, load_library
from fhir_app.knowledge.translations import translatable
from fhir_app.review.source_attributes import FILE, USES
from tests.knowledge.small_intake import SMALL

CASES = """
cases:
  - id: fallen
    name: Somebody has fallen.
    sample: true
    answers: {age: 30, danger: [fall], where: [foot], gone: soon}
    expect: {}
  - id: tight
    name: The shoes are tight.
    sample: true
    answers: {age: 30, danger: [none], where: [foot], gone: soon, shoes: tight}
    expect: {}
  - id: cold
    name: A cold foot, and the form is not finished.
    sample: true
    status: in-progress
    answers: {age: 30, danger: [cold]}
    expect: {}
"""
ATTRIBUTES = {
    "developer": "An example.",
    "funding": "None.",
    "released": "2026-11-24",
    "revised": "never",
    "use": {kind: {"says": "Not used."} for kind in USES},
}


def write(root: Path) -> Library:
    """Puts the folder `small` into `root`, and loads it."""
    folder = Path(shutil.copytree(SMALL, root / "small"))
    questionnaire = json.loads((folder / "questionnaire.json").read_text(encoding="utf-8"))
    spanish = {
        key: {"of": holder[name], "text": f"¿{holder[name]}"} for key, holder, name in translatable(questionnaire)
    }
    (folder / "translations").mkdir()
    (folder / "translations" / "es.yaml").write_text(json.dumps(spanish), encoding="utf-8")
    intake = (folder / "intake.yaml").read_text(encoding="utf-8").replace("languages: [en]", "languages: [en, es]")
    (folder / "intake.yaml").write_text(intake, encoding="utf-8")
    for english in (folder / "leaflets").rglob("*.en.*"):
        text = english.read_text(encoding="utf-8").replace("language: en", "language: es")
        english.with_name(english.name.replace(".en.", ".es.")).write_text(text, encoding="utf-8")
    (folder / "cases").mkdir(exist_ok=True)
    (folder / "cases" / "cases.yaml").write_text(CASES, encoding="utf-8")
    (folder / FILE).write_text(json.dumps(ATTRIBUTES), encoding="utf-8")
    return load_library(root)


def leaflet(intake: Intake, assessment: Assessment, received: ReceivedResponse) -> tuple[DocumentContent, ...]:
    """Two forms of a document, cheaper than the real one."""
    language = received.language or "en"
    words = f"Urgency {assessment.disposition.urgency.word}"
    return (
        DocumentContent("text/html", f"<p>{words}</p>".encode(), "Leaflet", language),
        DocumentContent("text/plain", words.encode(), "Leaflet", language),
    )
