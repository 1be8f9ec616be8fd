"""Sample responses, made from the cases marked `sample: true`: `python -m tests.questionnaires.make_samples`.

The people in them are invented. `--subject` names the Patient they are about, for servers that want a real reference.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.knowledge.cases import Case, read_cases
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.loader import load_intake

INTAKE = Path(__file__).parents[2] / "questionnaires" / "tingling-legs"
SYSTEM = "https://w3id.org/fhir-app/sample"
AUTHORED = "2026-11-24T10:00:00Z"


@lru_cache(maxsize=2)
def sample_cases(folder: Path = INTAKE) -> tuple[Case, ...]:
    """The cases that are published as samples."""
    files = sorted((folder / "cases").glob("*.yaml"))
    return tuple(case for path in files for case in read_cases(path)[0] if case.sample)


def sample(intake: Intake, case: Case, subject: str | None = None) -> dict[str, Any]:
    """The QuestionnaireResponse of one case. `subject`: a literal reference; by default an invented Patient."""
    return build_questionnaire_response(
        intake.questionnaire,
        case.answers,
        status=case.status,
        authored=AUTHORED,
        subject={"reference": subject or f"Patient/example-{case.id}"},
        identifier={"system": SYSTEM, "value": case.id},
    )


def samples(folder: Path = INTAKE, subject: str | None = None) -> Iterator[tuple[str, str]]:
    """File name and text of every sample."""
    intake = load_intake(folder)
    for case in sample_cases(folder):
        yield f"{case.id}.json", json.dumps(sample(intake, case, subject), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the sample responses.")
    parser.add_argument("--to", type=Path, default=INTAKE / "samples", help="folder (default: the intake's samples/)")
    parser.add_argument("--subject", help="reference to the Patient, such as Patient/123")
    arguments = parser.parse_args()
    arguments.to.mkdir(parents=True, exist_ok=True)
    made = dict(samples(subject=arguments.subject))
    for stale in set(arguments.to.glob("*.json")) - {arguments.to / name for name in made}:
        stale.unlink()
    for name, text in made.items():
        (arguments.to / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
