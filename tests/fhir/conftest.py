"""A tiny intake and assessments of it, by hand: what the resources look like must not hang on real knowledge."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_app.assessment.assessment import (
    Answered,
    Assessment,
    CauseFinding,
    EvidenceFinding,
    HintFinding,
    RedFlagFinding,
    TriggerFinding,
)
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.received import ReceivedResponse, receive
from fhir_app.fhir.writeback import Author, DocumentContent, WriteBack, write_back
from fhir_app.knowledge.criteria import Exists
from fhir_app.knowledge.intake import (
    Cause,
    Disposition,
    Family,
    Intake,
    NoneFits,
    RedFlag,
    Rule,
    Scoring,
    Source,
    Urgency,
    Where,
)
from fhir_app.knowledge.missing_answers import Reading
from fhir_app.knowledge.questionnaire import read_questionnaire
from tests.hapi.fixture import hapi

__all__ = ["hapi"]

NAMES = Namespace()
ALWAYS = Rule("x exists", Exists("x"))
SAME_DAY = Disposition(Urgency.SAME_DAY, Where.HOSPITAL)
SOON = Disposition(Urgency.SOON)
ROUTINE = Disposition(Urgency.ROUTINE)
CANONICAL = "https://w3id.org/fhir-app/Questionnaire/tiny|1.0.0"
ORGANIZATION = {
    "resourceType": "Organization",
    "identifier": [{"system": "https://clinic.example.org/organizations", "value": "42"}],
    "name": "Example Clinic",
}

QUESTIONNAIRE: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "id": "tiny",
    "url": CANONICAL.partition("|")[0],
    "version": "1.0.0",
    "title": "Tiny",
    "status": "active",
    "language": "en",
    "item": [
        {
            "linkId": "sx-side",
            "text": "Which side?",
            "type": "choice",
            "answerOption": [
                {"valueCoding": {"system": "https://example.org/side", "code": "one", "display": "One <leg> & foot"}},
                {"valueCoding": {"system": "https://example.org/side", "code": "both", "display": "Both legs"}},
            ],
        },
        {"linkId": "rf-nerve", "text": "Any weakness?", "type": "boolean"},
    ],
}


def red_flag(row: str, says: str, kind: Any = "red-flag") -> RedFlag:
    return RedFlag(
        id=row,
        family=row.partition(".")[0],
        kind=kind,
        says=says,
        when=ALWAYS,
        disposition=SAME_DAY,
        blank=None,
        advice="Go today.",
        why="because",
        basis="published",
        citations=(),
    )


def cause(cause_id: str, label: str) -> Cause:
    return Cause(
        id=cause_id,
        label=label,
        says=label,
        coding=(),
        required=ALWAYS,
        required_says="",
        required_basis="judgement",
        required_citations=(),
        ceiling=None,
        ceiling_lifted=None,
        evidence=(),
        variants=(),
        floors=(),
        next_step="",
        next_step_citations=(),
    )


@pytest.fixture(scope="session")
def intake() -> Intake:
    none_fits = NoneFits("none-fits", "None of these fits", "none", 0, {}, (), "See somebody.")
    return Intake(
        name="tiny",
        title="Tiny",
        knowledge_version="1.2.3",
        reviewed_by=None,
        reviewed_on=None,
        questionnaire=read_questionnaire(QUESTIONNAIRE),
        reading=Reading(),
        descriptive=frozenset(),
        age_link_id="pt-age",
        adult_from=18,
        urgency_texts={"same-day hospital": "Go to a hospital today.", "soon": "In the next days.", "routine": "Soon."},
        conditions={},
        families={
            "RF01": Family("RF01", "Cold leg", ()),
            "RF10": Family("RF10", "New weakness", ()),
            "RF11": Family("RF11", "Fever", ()),
            "RF12": Family("RF12", "Dark urine", ()),
            "NA": Family("NA", "Not assessed", ()),
        },
        red_flags=(
            red_flag("RF01.1", "cold leg"),
            red_flag("RF10.1", "both legs weak"),
            red_flag("RF10.2", "one leg weak"),
            red_flag("RF11.1", "fever"),
            red_flag("RF12.1", "dark urine"),
            red_flag("NA.1", "a list was not answered", "not-assessed"),
        ),
        triggers=(),
        causes=(cause("nerve", "Nerve compression"), cause("salt", "Dehydration"), cause("b12", "Vitamin B12")),
        hints=(),
        scoring=Scoring(8, 3, 4, 3, (), (), {}, (), none_fits),
        sources={
            "BMJ19": Source(
                "BMJ19", "A review of <weak> legs", "BMJ", 2019, "https://example.org/a", None, (), True, None
            ),
            "ISSN15": Source("ISSN15", "A position stand", None, 2015, None, None, (), True, None),
        },
        leaflets={},
        languages=("en",),
        digest="0" * 64,
    )


def finding(row: str, status: Any, **changes: Any) -> RedFlagFinding:
    values: dict[str, Any] = {
        "id": row,
        "family": row.partition(".")[0],
        "status": status,
        "disposition": SAME_DAY if status == "present" else None,
        "reported": status == "present",
        "by_gap": False,
        "says": f"says {row}",
        "advice": "Go to a hospital today & do not drive.",
        "because": (Answered("sx-side", "one"),) if status == "present" else (),
        "unanswered": (),
        "basis": "published",
        "sources": ("BMJ19#page 4",),
    }
    return RedFlagFinding(**(values | changes))


def evidence(says: str, counts: Any = "for", **changes: Any) -> EvidenceFinding:
    values: dict[str, Any] = {
        "id": says,
        "says": says,
        "counts": counts,
        "strength": 2,
        "group": "side",
        "basis": "published",
        "figure": "LR 2.4",
        "counted": True,
        "because": (Answered("sx-side", "one"),),
        "unanswered": (),
        "sources": ("ISSN15#page 1",),
    }
    return EvidenceFinding(**(values | changes))


def cause_finding(rank: int, cause_id: str, label: str, likelihood: Any) -> CauseFinding:
    return CauseFinding(
        id=cause_id,
        label=label,
        rank=rank,
        likelihood=likelihood,
        score=5,
        groups_for=2,
        evidence_for=(evidence("on one side"), evidence("weaker", counted=False)),
        evidence_against=(evidence("not on a bike", "against"),),
        unknown=(evidence("not told", unanswered=("rf-nerve",), counted=False),),
        required_missing=likelihood == "less-likely",
        capped_by=None,
        variants=(),
        next_step="Change the shoe.",
    )


def assessment(**changes: Any) -> Assessment:
    values: dict[str, Any] = {
        "intake": "tiny",
        "canonical": CANONICAL,
        "knowledge_version": "1.2.3",
        "disposition": SAME_DAY,
        "floor": SOON,
        "leading_cause_asks": ROUTINE,
        "assessed": True,
        "not_assessed_because": None,
        "red_flags": (
            finding("RF10.1", "present"),
            finding("RF10.2", "present", reported=False),
            finding("RF01.1", "absent"),
            finding("RF11.1", "not-assessed", unanswered=("rf-nerve",)),
            finding("RF12.1", "not-assessed"),
        ),
        "triggers": (TriggerFinding("B2.1", SOON, "never gone", (Answered("sx-side", "one"),), (), ("BMJ19#page 1",)),),
        "causes": (
            cause_finding(1, "salt", "Dehydration", "likely"),
            cause_finding(2, "none-fits", "None of these fits", "possible"),
            cause_finding(3, "nerve", "Nerve compression", "less-likely"),
            cause_finding(4, "b12", "Vitamin B12", "not-assessed"),
        ),
        "hints": (HintFinding("hint", "a supplement", "published", ("ISSN15#page 2",)),),
        "outside_explanation": (),
        "unanswered": ("rf-nerve",),
        "best_next_question": "rf-nerve",
    }
    return Assessment(**(values | changes))


def no_flags(**changes: Any) -> Assessment:
    rows = tuple(finding(row, "absent") for row in ("RF01.1", "RF10.1", "RF10.2", "RF11.1", "RF12.1"))
    return assessment(red_flags=rows, disposition=ROUTINE, floor=None, **changes)


def questionnaire_response(**changes: Any) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse",
        "language": "es",
        "questionnaire": CANONICAL,
        "status": "completed",
        "subject": {"reference": "Patient/pat1"},
        "encounter": {"reference": "Encounter/enc1"},
        "authored": "2026-11-24T09:00:00+01:00",
        "item": [
            {
                "linkId": "sx-side",
                "text": "Which side?",
                "answer": [{"valueCoding": {"system": "https://example.org/side", "code": "one"}}],
            }
        ],
    }
    resource |= changes
    return {key: value for key, value in resource.items() if value is not None}


def received(accepted: str = "2026-11-24T10:00:00Z", **changes: Any) -> ReceivedResponse:
    resource = questionnaire_response(**changes)
    return receive(
        resource,
        origin="https://ehr.example.org/fhir",
        accepted=accepted,
        namespace=NAMES,
    )


LEAFLET = (
    DocumentContent("text/html", "<p>Tómese su tiempo</p>".encode(), "Piernas con hormigueo", "es"),
    DocumentContent("text/plain", "Tómese su tiempo".encode(), "Piernas con hormigueo", "es"),
)
AUTHOR = Author(ORGANIZATION, "0.1.0")


class Tiny:
    """What the tests of the write-back share; the functions of this file, reachable through a fixture."""

    names = NAMES
    author = AUTHOR
    leaflet = LEAFLET
    assessment = staticmethod(assessment)
    no_flags = staticmethod(no_flags)
    finding = staticmethod(finding)
    received = staticmethod(received)
    same_day = SAME_DAY
    questionnaire = QUESTIONNAIRE

    def __init__(self, intake: Intake) -> None:
        self.intake = intake

    def written(
        self, assessed: Assessment | None = None, response: ReceivedResponse | None = None, **changes: Any
    ) -> WriteBack:
        arguments: dict[str, Any] = {"author": AUTHOR, "documents": LEAFLET, "namespace": NAMES} | changes
        return write_back(response or received(), assessed or assessment(), self.intake, **arguments)


@pytest.fixture(scope="session")
def tiny(intake: Intake) -> Tiny:
    return Tiny(intake)
