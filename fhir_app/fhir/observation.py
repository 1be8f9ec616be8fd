"""Assessment -> Observations: one summary, and one for each red-flag family that is present."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fhir_app.assessment.assessment import Assessment, RedFlagFinding
from fhir_app.assessment.summary import clinician_summary
from fhir_app.fhir import codes
from fhir_app.fhir.identifiers import ResponseAs, identifier, observation_id, reference, response_reference
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.parties import SOFTWARE_NAME
from fhir_app.fhir.received import ReceivedResponse
from fhir_app.fhir.report import (
    NOT_RANKED,
    Line,
    Report,
    Section,
    as_brief_text,
    as_xhtml,
    disposition_words,
    flag_lines,
    report,
)
from fhir_app.knowledge.intake import Intake

ResultStatus = Literal["preliminary", "final", "amended"]


@dataclass(frozen=True)
class Circumstances:
    """Everything that the resources of one revision share."""

    received: ReceivedResponse
    intake: Intake
    namespace: Namespace
    status: ResultStatus
    device: dict[str, Any]
    organization: dict[str, Any] | None
    software_version: str
    response_as: ResponseAs

    @property
    def language(self) -> str:
        """Of what clinicians read: the language in which the knowledge is written."""
        return self.intake.questionnaire.language or "en"


def summary(circumstances: Circumstances, assessment: Assessment, flags: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The urgency, with one component for each cause and each red-flag family
    (http://hl7.org/fhir/us/core/StructureDefinition/us-core-simple-observation)."""
    c = circumstances
    resource = _observation(c, report(assessment, c.intake), clinician_summary(assessment, c.intake), "summary")
    resource["code"] = codes.observation(c.namespace, codes.SUMMARY_CODE)
    resource["valueCodeableConcept"] = codes.urgency(c.namespace, assessment.disposition)
    if flags:
        resource["interpretation"] = [codes.concept(codes.ABNORMAL)]
        resource["hasMember"] = [reference(flag) for flag in flags]
    resource["component"] = [
        *_urgency_components(c, assessment),
        *_cause_components(c, assessment),
        *_flag_components(c, assessment),
    ]
    return _in_order(resource)


def flags(circumstances: Circumstances, assessment: Assessment) -> tuple[dict[str, Any], ...]:
    """One Observation for each family with a reported present row, most urgent first."""
    rows: dict[str, list[RedFlagFinding]] = {}
    known = set(codes.families(circumstances.intake))
    for flag in assessment.present_flags:
        if flag.family in known:
            rows.setdefault(flag.family, []).append(flag)
    return tuple(_flag(circumstances, assessment, family, found) for family, found in rows.items())


def _flag(c: Circumstances, assessment: Assessment, family: str, rows: Sequence[RedFlagFinding]) -> dict[str, Any]:
    lines = tuple(Line(f"{row.id} {row.says}", flag_lines(row, c.intake)) for row in rows)
    urgency = max(row.disposition for row in rows if row.disposition is not None)
    unverified = assessment.not_assessed_because
    attention = (Section("Attention", (Line(NOT_RANKED[unverified]),)),) if unverified else ()
    headline = f"Red flag: {codes.family_label(c.intake, family)}. {disposition_words(urgency, c.intake)}"
    content = Report(headline, (*attention, Section("Rules that are met", lines)))
    resource = _observation(c, content, as_brief_text(content), "flag", family)
    resource["code"] = codes.red_flag(c.namespace, c.intake, family)
    resource["valueCodeableConcept"] = codes.finding(c.namespace, "present")
    resource["interpretation"] = [codes.concept(codes.POSITIVE)]
    resource["component"] = [
        {
            "code": codes.observation(c.namespace, codes.SUMMARY_CODE),
            "valueCodeableConcept": codes.urgency(c.namespace, urgency),
        }
    ]
    if urgency.where is not None:
        resource["component"].append(_place(c, urgency.where.word))
    return _in_order(resource)


def _observation(c: Circumstances, content: Report, note: str, *role: str) -> dict[str, Any]:
    own_id = observation_id(c.namespace, c.received, *role)
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": own_id,
        "language": c.language,
        "text": {"status": "generated", "div": as_xhtml(content, c.language)},
        "identifier": [identifier(c.namespace.observation_identifiers, own_id)],
        "status": c.status,
        "category": [{"coding": [dict(codes.SURVEY)], "text": "Survey"}],
        "subject": {"reference": c.received.subject},
        "effectiveDateTime": c.received.authored or c.received.accepted,
        "issued": c.received.accepted,
        "device": reference(c.device),
        "derivedFrom": [response_reference(c.received, c.intake.title, c.response_as)],
        "method": {"text": _method(c)},
        "note": [{"time": c.received.accepted, "text": note}],
    }
    if c.received.encounter is not None:
        resource["encounter"] = {"reference": c.received.encounter}
    if c.organization is not None:  # a Device is not allowed as performer
        resource["performer"] = [reference(c.organization)]
    return resource


def _method(c: Circumstances) -> str:
    return (
        f"Rule-based assessment by {SOFTWARE_NAME} {c.software_version}: intake {c.intake.canonical}, "
        f"knowledge {c.intake.knowledge_version}"
    )


def _urgency_components(c: Circumstances, assessment: Assessment) -> list[dict[str, Any]]:
    components = []
    if assessment.disposition.where is not None:
        components.append(_place(c, assessment.disposition.where.word))
    if assessment.floor is not None:
        components.append(
            {
                "code": codes.observation(c.namespace, codes.FLOOR_CODE),
                "valueCodeableConcept": codes.urgency(c.namespace, assessment.floor),
            }
        )
    return components


def _place(c: Circumstances, word: str) -> dict[str, Any]:
    return {
        "code": codes.observation(c.namespace, codes.PLACE_CODE),
        "valueCodeableConcept": codes.place(c.namespace, word),
    }


def _cause_components(c: Circumstances, assessment: Assessment) -> list[dict[str, Any]]:
    """Ranked ones in their rank, then those that were not ranked, in the order of the knowledge."""
    absent = codes.NOT_ASKED if assessment.not_assessed_because in ("status", "under-age") else codes.ASKED_UNKNOWN
    ranked = {found.id: found for found in assessment.causes}
    none_fits = c.intake.scoring.none_fits.id
    labels = codes.cause_labels(c.intake)
    components = []
    for cause_id in (*ranked, *(cause.id for cause in c.intake.causes if cause.id not in ranked)):
        component: dict[str, Any] = {"code": codes.cause(c.namespace, c.intake, cause_id, labels[cause_id])}
        found = ranked.get(cause_id)
        if found is None or found.likelihood == "not-assessed":
            component["dataAbsentReason"] = codes.concept(absent)
        else:
            component["valueCodeableConcept"] = codes.likelihood(c.namespace, found.likelihood)
        if found is not None or cause_id != none_fits:
            components.append(component)
    return components


def _flag_components(c: Circumstances, assessment: Assessment) -> list[dict[str, Any]]:
    """A family is present if any row is, absent only if every row was assessed."""
    components = []
    by_family: dict[str, list[RedFlagFinding]] = {}
    for flag in assessment.red_flags:
        by_family.setdefault(flag.family, []).append(flag)
    for family in codes.families(c.intake):
        rows = by_family.get(family, [])
        component: dict[str, Any] = {"code": codes.red_flag(c.namespace, c.intake, family)}
        if any(row.status == "present" for row in rows):
            component["valueCodeableConcept"] = codes.finding(c.namespace, "present")
            component["interpretation"] = [codes.concept(codes.POSITIVE)]
        elif rows and all(row.status == "absent" for row in rows):
            component["valueCodeableConcept"] = codes.finding(c.namespace, "absent")
            component["interpretation"] = [codes.concept(codes.NEGATIVE)]
        else:
            asked = any(row.unanswered for row in rows)
            component["dataAbsentReason"] = codes.concept(codes.ASKED_UNKNOWN if asked else codes.NOT_ASKED)
        components.append(component)
    return components


_ORDER = (
    *("resourceType", "id", "meta", "language", "text", "identifier", "status", "category", "code", "subject"),
    *("encounter", "effectiveDateTime", "issued", "performer", "valueCodeableConcept", "interpretation", "note"),
    *("method", "device", "hasMember", "derivedFrom", "component"),
)


def _in_order(resource: dict[str, Any]) -> dict[str, Any]:
    """The elements in the order of the specification, for people who read the JSON."""
    return {name: resource[name] for name in _ORDER if name in resource}
