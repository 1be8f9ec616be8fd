"""The components of an Observation: what stands beside its urgency, each cause, and each red-flag family.

Those of causes and families are the same for everybody with the same finding, so they are made once for each intake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from fhir_app.assessment.assessment import Assessment, Likelihood, RedFlagFinding
from fhir_app.fhir import codes
from fhir_app.fhir.namespace import Namespace
from fhir_app.knowledge.intake import Disposition, Intake

Component = Mapping[str, Any]

_Absent = Literal["asked-unknown", "not-asked"]
_Family = Literal["present", "absent"] | _Absent
_ABSENT: Mapping[_Absent, Mapping[str, str]] = {"asked-unknown": codes.ASKED_UNKNOWN, "not-asked": codes.NOT_ASKED}
_MEANINGS: Mapping[Literal["present", "absent"], Mapping[str, str]] = {
    "present": codes.POSITIVE,
    "absent": codes.NEGATIVE,
}


def of_flag(namespace: Namespace, urgency: Disposition) -> list[Component]:
    """Beside a red flag: how soon, and where."""
    soon = {
        "code": codes.observation(namespace, codes.SUMMARY_CODE),
        "valueCodeableConcept": codes.urgency(namespace, urgency),
    }
    return [soon, *_place(namespace, urgency)]


def of_summary(namespace: Namespace, intake: Intake, assessment: Assessment) -> list[Component]:
    """Place and floor of the urgency, then every cause in its rank, then every red-flag family."""
    return [
        *_place(namespace, assessment.disposition),
        *_floor(namespace, assessment.floor),
        *_causes(namespace, intake, assessment),
        *_families(namespace, intake, assessment),
    ]


def _place(namespace: Namespace, disposition: Disposition) -> list[Component]:
    if disposition.where is None:
        return []
    return [
        {
            "code": codes.observation(namespace, codes.PLACE_CODE),
            "valueCodeableConcept": codes.place(namespace, disposition.where.word),
        }
    ]


def _floor(namespace: Namespace, floor: Disposition | None) -> list[Component]:
    if floor is None:
        return []
    return [
        {
            "code": codes.observation(namespace, codes.FLOOR_CODE),
            "valueCodeableConcept": codes.urgency(namespace, floor),
        }
    ]


def _causes(namespace: Namespace, intake: Intake, assessment: Assessment) -> list[Component]:
    """Ranked ones in their rank, then those that were not ranked, in the order of the knowledge."""
    absent: _Absent = "not-asked" if assessment.not_assessed_because in ("status", "under-age") else "asked-unknown"
    known = _known_causes(namespace, intake)
    ranked = {found.id: found.likelihood for found in assessment.causes}
    unranked = [cause.id for cause in intake.causes if cause.id not in ranked]
    return [
        *(known[cause_id, absent if word == "not-assessed" else word] for cause_id, word in ranked.items()),
        *(known[cause_id, absent] for cause_id in unranked),
    ]


def _families(namespace: Namespace, intake: Intake, assessment: Assessment) -> list[Component]:
    """A family is present if any row is, absent only if every row was assessed."""
    by_family: dict[str, list[RedFlagFinding]] = {family: [] for family in codes.families(intake)}
    for flag in assessment.red_flags:
        if flag.family in by_family:
            by_family[flag.family].append(flag)
    known = _known_families(namespace, intake)
    return [known[family, _status(rows)] for family, rows in by_family.items()]


def _status(rows: Sequence[RedFlagFinding]) -> _Family:
    statuses = {row.status for row in rows}
    if "present" in statuses:
        return "present"
    if statuses == {"absent"}:
        return "absent"
    return "asked-unknown" if any(row.unanswered for row in rows) else "not-asked"


@lru_cache(maxsize=32)
def _known_causes(namespace: Namespace, intake: Intake) -> Mapping[tuple[str, Likelihood | _Absent], Component]:
    found: dict[tuple[str, Likelihood | _Absent], Component] = {}
    for cause_id, label in codes.cause_labels(intake).items():
        code = codes.cause(namespace, intake, cause_id, label)
        for word in codes.LIKELIHOODS:
            found[cause_id, word] = {"code": code, "valueCodeableConcept": codes.likelihood(namespace, word)}
        for reason, coding in _ABSENT.items():
            found[cause_id, reason] = {"code": code, "dataAbsentReason": codes.concept(coding)}
    return found


@lru_cache(maxsize=32)
def _known_families(namespace: Namespace, intake: Intake) -> Mapping[tuple[str, _Family], Component]:
    found: dict[tuple[str, _Family], Component] = {}
    for family in codes.families(intake):
        code = codes.red_flag(namespace, intake, family)
        for status, meaning in _MEANINGS.items():
            found[family, status] = {
                "code": code,
                "valueCodeableConcept": codes.finding(namespace, status),
                "interpretation": [codes.concept(meaning)],
            }
        for reason, coding in _ABSENT.items():
            found[family, reason] = {"code": code, "dataAbsentReason": codes.concept(coding)}
    return found
