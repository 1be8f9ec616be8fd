"""What a patient would get, as plain text. Apart, because to load it takes long and few assessments need it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fhir_app.app import care_where_it_runs
from fhir_app.assessment.assessment import Assessment
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library
from fhir_app.leaflets.care import CareSetting
from fhir_app.leaflets.compose import compose
from fhir_app.leaflets.language import choose_language
from fhir_app.settings import Settings


def leaflet(intake: Intake, assessment: Assessment, *, care: CareSetting, wanted: tuple[str | None, ...]) -> str:
    """Dated today, in the first of the `wanted` languages that there is."""
    language = choose_language(intake.languages, wanted, intake.languages[0])
    return compose(intake, assessment, language=language, today=datetime.now(UTC).date(), care=care).text


def care_here(root: Path, library: Library) -> CareSetting:
    """The names of FHIR_APP_COUNTRY for the library that `root` holds. Raises SettingsError or KnowledgeError."""
    return care_where_it_runs(Settings.from_env(), root, library)
