"""What an item demands of one answer beyond its type: length, range, places, pattern, size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_app.knowledge.answers import AnswerValue
from fhir_app.knowledge.questionnaire import Item

Constraint = Callable[[Any, AnswerValue], tuple[str, str] | None]
"""Raw JSON and value of an answer -> (FHIR IssueType, what is wrong), or None."""


def constraints(item: Item, kind: str) -> tuple[Constraint, ...]:
    """Everything that `item` demands of an answer of this kind."""
    found: list[Constraint] = []
    if kind in ("String", "Uri") and item.max_length is not None:
        found.append(_max_length(item.max_length))
    return tuple(found)


def _max_length(limit: int) -> Constraint:
    def check(raw: Any, value: AnswerValue) -> tuple[str, str] | None:
        if isinstance(value, str) and len(value) > limit:
            return "too-long", f"has more than {limit} characters"
        return None

    return check
