"""Every code that we write: our own tables with their displays, and the few codes of others that we use.

Results and definitions read the same tables, because HL7's validator refuses a display that differs from its
code system's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from fhir_app.assessment.assessment import FlagStatus, Likelihood
from fhir_app.fhir.namespace import Namespace
from fhir_app.knowledge.intake import Disposition, Intake, Urgency

VERSION: Final = "1.0.0"
"""Of the tables below that all intakes share: a new one whenever a code or its meaning changes."""

LOINC: Final = "http://loinc.org"
EDUCATION_NOTE: Final = {"system": LOINC, "code": "34895-3", "display": "Education note"}
SURVEY: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
    "code": "survey",
    "display": "Survey",
}
CLINICAL_NOTE: Final = {
    "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
    "code": "clinical-note",
    "display": "Clinical Note",
}
_INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
ABNORMAL: Final = {"system": _INTERPRETATION, "code": "A", "display": "Abnormal"}
POSITIVE: Final = {"system": _INTERPRETATION, "code": "POS", "display": "Positive"}
NEGATIVE: Final = {"system": _INTERPRETATION, "code": "NEG", "display": "Negative"}
_DATA_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
NOT_ASKED: Final = {"system": _DATA_ABSENT, "code": "not-asked", "display": "Not Asked"}
ASKED_UNKNOWN: Final = {"system": _DATA_ABSENT, "code": "asked-unknown", "display": "Asked But Unknown"}
AUTHOR: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
    "code": "author",
    "display": "Author",
}
TRANSMITTER: Final = {
    "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type",
    "code": "transmitter",
    "display": "Transmitter",
}
_DATA_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
CREATE: Final = {"system": _DATA_OPERATION, "code": "CREATE", "display": "create"}
UPDATE: Final = {"system": _DATA_OPERATION, "code": "UPDATE", "display": "revise"}
NULLIFY: Final = {"system": _DATA_OPERATION, "code": "NULLIFY", "display": "nullify"}

SUMMARY_CODE: Final = "intake-urgency"
FLOOR_CODE: Final = "urgency-floor"
PLACE_CODE: Final = "place"

OBSERVATIONS: Final[Mapping[str, tuple[str, str]]] = {
    SUMMARY_CODE: ("Urgency from this intake", "How soon somebody should act, from the answers of one intake."),
    FLOOR_CODE: (
        "Urgency at least, because of what was not assessed",
        "A floor under the urgency: a list or question that decides about red flags was not answered.",
    ),
    PLACE_CODE: ("Place of care", "Where a same-day visit should be."),
}
URGENCIES: Final[Mapping[str, tuple[str, str]]] = {
    "emergency": ("Emergency", "Call the emergency number now."),
    "same-day": ("Same day", "To be seen today, at the place of care that is given with it."),
    "soon": ("Soon", "To be seen in the next few days."),
    "routine": ("Routine", "A routine visit in the next weeks."),
    "self-care": ("Self-care", "Can be looked after at home for now; comes back if it changes."),
}
PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "hospital": ("Hospital", "A hospital emergency department."),
    "clinic": ("Clinic", "A clinician outside of a hospital."),
}
LIKELIHOODS: Final[Mapping[Likelihood, tuple[str, str]]] = {
    "likely": ("Likely", "The answers fit this cause well, in several independent ways."),
    "possible": ("Possible", "The answers fit this cause in part."),
    "less-likely": ("Less likely", "Little speaks for this cause, or much against it."),
}
FINDINGS: Final[Mapping[FlagStatus, tuple[str, str]]] = {
    "present": ("Present", "The answers meet the rule of at least one row."),
    "absent": ("Absent", "Every row was assessed and none is met."),
}


def observation(namespace: Namespace, code: str) -> dict[str, Any]:
    return _concept(namespace.observations, code, OBSERVATIONS[code][0])


def urgency(namespace: Namespace, disposition: Disposition) -> dict[str, Any]:
    return urgency_concept(namespace, disposition.urgency)


def urgency_concept(namespace: Namespace, level: Urgency) -> dict[str, Any]:
    return _concept(namespace.urgency, level.word, URGENCIES[level.word][0])


def urgency_level(concept: Mapping[str, Any]) -> Urgency:
    """The level that `urgency_concept` wrote."""
    return Urgency.from_word(concept["coding"][0]["code"])


def place(namespace: Namespace, word: str) -> dict[str, Any]:
    return _concept(namespace.place, word, PLACES[word][0])


def likelihood(namespace: Namespace, word: Likelihood) -> dict[str, Any]:
    return _concept(namespace.likelihood, word, LIKELIHOODS[word][0])


def finding(namespace: Namespace, status: FlagStatus) -> dict[str, Any]:
    return _concept(namespace.finding, status, FINDINGS[status][0])


def cause(namespace: Namespace, intake: Intake, cause_id: str, label: str) -> dict[str, Any]:
    return _concept(namespace.causes(intake.name), cause_id, label)


def red_flag(namespace: Namespace, intake: Intake, family: str) -> dict[str, Any]:
    return _concept(namespace.red_flags(intake.name), family, family_label(intake, family))


def cause_labels(intake: Intake) -> dict[str, str]:
    """Every cause and the outcome "none of these fits", in the order of the knowledge."""
    none_fits = intake.scoring.none_fits
    return {cause.id: cause.label for cause in intake.causes} | {none_fits.id: none_fits.label}


@lru_cache(maxsize=32)
def families(intake: Intake) -> tuple[str, ...]:
    """The red-flag families in the order of the table; rows that only report gaps are none."""
    return tuple(dict.fromkeys(flag.family for flag in intake.red_flags if flag.kind == "red-flag"))


def family_label(intake: Intake, family: str) -> str:
    return intake.families[family].label


def concept(coding: Mapping[str, str]) -> dict[str, Any]:
    """A CodeableConcept of one of the codings above."""
    return {"coding": [dict(coding)], "text": coding["display"]}


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}
