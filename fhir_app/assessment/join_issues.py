"""The issues of the shape and those of the Questionnaire as one list, each with the words of its question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fhir_app.errors import Issue
from fhir_app.knowledge.questionnaire import Questionnaire

_STEP = re.compile(r"\.(item|answer)\[(\d+)\]")


def join_issues(
    shape: Sequence[Issue],
    conformance: Sequence[Issue],
    questionnaire: Questionnaire,
    questionnaire_response: Mapping[str, Any],
) -> tuple[Issue, ...]:
    """Both lists, what they say twice about one element said once (in the words of the question), and every issue
    inside an item with its linkId and question."""
    told = {(issue.expression, issue.code) for issue in conformance}
    left = [issue for issue in shape if (issue.expression, issue.code) not in told]
    return (*(_with_question(issue, questionnaire, questionnaire_response) for issue in left), *conformance)


def _with_question(issue: Issue, questionnaire: Questionnaire, questionnaire_response: Mapping[str, Any]) -> Issue:
    if issue.link_id is not None or issue.expression is None:
        return issue
    link_id: str | None = None
    element: Any = questionnaire_response
    for step in _STEP.finditer(issue.expression):
        listed = element.get(step[1]) if isinstance(element, Mapping) else None
        if not isinstance(listed, list) or int(step[2]) >= len(listed):
            break
        element = listed[int(step[2])]
        found = element.get("linkId") if step[1] == "item" and isinstance(element, Mapping) else None
        link_id = found if isinstance(found, str) else link_id
    item = questionnaire.by_link_id.get(link_id) if link_id is not None else None
    # A linkId that the Questionnaire does not have is the sender's text, which is not repeated.
    return replace(issue, link_id=item.link_id, question=item.text) if item is not None else issue
