"""Assessment -> Observations: one summary, and one for each red-flag family that is present."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fhir_app.assessment.assessment import Assessment, RedFlagFinding
from fhir_app.assessment.summary import clinician_summary
from fhir_app.fhir import codes, components
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
    resource["component"] = components.of_summary(c.namespace, c.intake, assessment)
    return with_flags(resource, flags) if flags else _in_order(resource)


def with_flags(summary: Mapping[str, Any], flags: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The summary with these flags as its members and the families of all of them present."""
    present = {_code(flag): {name: flag[name] for name in _FINDING} for flag in flags}
    return _in_order(
        {
            **summary,
            "interpretation": [codes.concept(codes.ABNORMAL)],
            "hasMember": [reference(flag) for flag in flags],
            "component": [present.get(_code(component), component) for component in summary["component"]],
        }
    )


_FINDING = ("code", "valueCodeableConcept", "interpretation")


def _code(coded: Mapping[str, Any]) -> str:
    return str(coded["code"]["coding"][0]["code"])


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
    resource["component"] = components.of_flag(c.namespace, urgency)
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


_ORDER = (
    *("resourceType", "id", "meta", "language", "text", "identifier", "status", "category", "code", "subject"),
    *("encounter", "effectiveDateTime", "issued", "performer", "valueCodeableConcept", "interpretation", "note"),
    *("method", "device", "hasMember", "derivedFrom", "component"),
)


def _in_order(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The elements in the order of the specification, for people who read the JSON."""
    return {name: resource[name] for name in _ORDER if name in resource}
