"""A whole installation on a fresh SQLite file, called through Flask's own client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_app.app import Parts, create_app, load_parts
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.fhir.read_json import dump_json
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.settings import Settings

FHIR_JSON = {"Content-Type": "application/fhir+json"}

HEALTHY: dict[str, object] = {
    "pt-age": 44,
    "rf-general": "none",
    "rf-body": "none",
    "rf-legs": "none",
    "rf-nerve": "none",
    "rf-back-risk": "none",
    "sx-location": ["shin-front"],
    "sx-side": "both-same",
    "sx-onset": "same-point",
    "sx-relief-time": "30-min",
    "sx-relief-how": ["stop-any"],
    "sx-trigger": ["running"],
    "cecs-feel": ["tight-full"],
}
CAUDA_EQUINA: dict[str, object] = {
    **HEALTHY,
    "rf-nerve": ["pee", "saddle"],
    "rf-pee-kind": ["retention"],
    "rf-pee-when": "days",
    "rf-saddle-kind": "private",
    "rf-saddle-when": "not-saddle",
}

MakeResponse = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def library() -> Library:
    return load_library(questionnaires_root())


@pytest.fixture
def parts(tmp_path: Path, library: Library) -> Iterator[Parts]:
    parts = load_parts(Settings(database_url=f"sqlite:///{tmp_path}/test.db"), library)
    yield parts
    parts.database.close()


@pytest.fixture
def client(parts: Parts) -> FlaskClient:
    return create_app(parts).test_client()


@pytest.fixture
def response(parts: Parts) -> MakeResponse:
    """A valid response of Patient/1; keyword arguments replace answers (with `_` for `-`) or elements."""
    questionnaire = parts.library.intakes[0].questionnaire

    def make(answers: dict[str, object] = HEALTHY, **elements: Any) -> dict[str, Any]:
        made = build_questionnaire_response(
            questionnaire, answers, authored="2026-11-24T10:00:00+01:00", subject={"reference": "Patient/1"}
        )
        return {**made, **elements}

    return make


def body(resource: dict[str, Any]) -> bytes:
    return dump_json(resource)
