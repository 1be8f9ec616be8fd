"""The very small intake of small/, copied to a folder, so that a test can spoil one thing in it."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path

from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.assessment.read_answers import read_answers
from fhir_app.knowledge.answers import Answers
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.loader import load_intake

SMALL = Path(__file__).with_name("small")


@lru_cache(maxsize=1)
def small_intake() -> Intake:
    return load_intake(SMALL)


def spoiled(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """A copy in `folder` in which each (file, before, after) has been replaced once."""
    copy = Path(shutil.copytree(SMALL, folder / "small"))
    for name, before, after in edits:
        text = (copy / name).read_text(encoding="utf-8")
        assert before in text, (name, before)
        (copy / name).write_text(text.replace(before, after, 1), encoding="utf-8")
    return copy


def answered(**plain: object) -> Answers:
    """The answers of a form of the small intake; `how_cold` stands for `how-cold`."""
    given = {link_id.replace("_", "-"): value for link_id, value in plain.items()}
    questionnaire = small_intake().questionnaire
    response = build_questionnaire_response(questionnaire, given, authored="2026-01-01T00:00:00Z")
    return read_answers(questionnaire, response).answers
