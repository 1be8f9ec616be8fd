"""The real knowledge and its cases, loaded once for all tests."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fhir_app.knowledge.cases import Case, Story, read_cases
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import questionnaires_root
from fhir_app.knowledge.loader import load_intake

FOLDER: Path = questionnaires_root() / "tingling-legs"


@lru_cache(maxsize=1)
def intake() -> Intake:
    return load_intake(FOLDER)


@lru_cache(maxsize=1)
def cases_and_stories() -> tuple[tuple[Case, ...], tuple[Story, ...]]:
    """Every case, and the stories that rules may be tuned on: the others are looked at by nobody but a report."""
    found = [read_cases(path) for path in sorted((FOLDER / "cases").glob("*.yaml"))]
    cases = tuple(case for some, _ in found for case in some)
    return cases, tuple(story for _, some in found for story in some if story.part == "tune")
