"""An assessment as the JSON that we publish; its schema is assessment.schema.json beside this file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from fhir_app.assessment.assessment import (
    Answered,
    Assessment,
    CauseFinding,
    EvidenceFinding,
    HintFinding,
    RedFlagFinding,
    TriggerFinding,
)
from fhir_app.knowledge.intake import Disposition

SCHEMA_NAME = "assessment.schema.json"


@lru_cache(maxsize=1)
def assessment_schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of what `assessment_json` returns."""
    text = resources.files(__package__).joinpath(SCHEMA_NAME).read_text(encoding="utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return schema


def assessment_json(assessment: Assessment) -> dict[str, Any]:
    """Plain JSON data: words and whole numbers only; causes in rank order, present red flags first."""
    return {
        "intake": assessment.intake,
        "questionnaire": assessment.canonical,
        "knowledge_version": assessment.knowledge_version,
        "urgency": assessment.disposition.urgency.word,
        "where": _where(assessment.disposition),
        "floor": _urgency(assessment.floor),
        "leading_cause_asks": _urgency(assessment.leading_cause_asks),
        "assessed": assessment.assessed,
        "not_assessed_because": assessment.not_assessed_because,
        "red_flags": [_red_flag(flag) for flag in assessment.red_flags],
        "triggers": [_trigger(trigger) for trigger in assessment.triggers],
        "causes": [_cause(cause) for cause in assessment.causes],
        "hints": [_hint(hint) for hint in assessment.hints],
        "outside_explanation": list(assessment.outside_explanation),
        "unanswered": list(assessment.unanswered),
        "best_next_question": assessment.best_next_question,
    }


def _urgency(disposition: Disposition | None) -> str | None:
    return None if disposition is None else disposition.urgency.word


def _where(disposition: Disposition | None) -> str | None:
    return None if disposition is None or disposition.where is None else disposition.where.word


def _answers(answers: tuple[Answered, ...]) -> list[dict[str, str]]:
    return [{"question": answered.link_id, "answer": answered.code} for answered in answers]


def _red_flag(flag: RedFlagFinding) -> dict[str, Any]:
    """A row that is absent is told by its status alone: there are a hundred of them in a response."""
    status = {"id": flag.id, "family": flag.family, "status": flag.status, "urgency": None, "where": None}
    if flag.status == "absent":
        return status
    return {
        **status,
        "urgency": _urgency(flag.disposition),
        "where": _where(flag.disposition),
        "reported": flag.reported,
        "because_unanswered": flag.by_gap,
        "says": flag.says,
        "advice": flag.advice,
        "answers": _answers(flag.because),
        "unanswered": list(flag.unanswered),
        "basis": flag.basis,
        "sources": list(flag.sources),
    }


def _trigger(trigger: TriggerFinding) -> dict[str, Any]:
    return {
        "id": trigger.id,
        "urgency": _urgency(trigger.disposition),
        "where": _where(trigger.disposition),
        "says": trigger.says,
        "answers": _answers(trigger.because),
        "unanswered": list(trigger.unanswered),
        "sources": list(trigger.sources),
    }


def _cause(cause: CauseFinding) -> dict[str, Any]:
    return {
        "id": cause.id,
        "label": cause.label,
        "rank": cause.rank,
        "likelihood": cause.likelihood,
        "score": cause.score,
        "for": [_evidence(item) for item in cause.evidence_for],
        "against": [_evidence(item) for item in cause.evidence_against],
        "unknown": [_evidence(item) for item in cause.unknown],
        "required_missing": cause.required_missing,
        "capped_by": cause.capped_by,
        "variants": list(cause.variants),
        "next_step": cause.next_step,
    }


def _evidence(item: EvidenceFinding) -> dict[str, Any]:
    return {
        "id": item.id,
        "says": item.says,
        "strength": item.strength,
        "group": item.group,
        "counted": item.counted,
        "basis": item.basis,
        "figure": item.figure,
        "answers": _answers(item.because),
        "unanswered": list(item.unanswered),
        "sources": list(item.sources),
    }


def _hint(hint: HintFinding) -> dict[str, Any]:
    return {"id": hint.id, "says": hint.says, "basis": hint.basis, "sources": list(hint.sources)}
