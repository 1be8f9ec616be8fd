"""Issues as an OperationOutcome (https://hl7.org/fhir/R4/operationoutcome.html)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir_app.errors import Issue


def operation_outcome(issues: Sequence[Issue]) -> dict[str, Any]:
    """Every issue in the order given; none at all is said as one `information`, since R4 asks for at least one."""
    entries = [_entry(issue) for issue in issues]
    if not entries:
        entries = [{"severity": "information", "code": "informational", "details": {"text": "No issues were found."}}]
    return {"resourceType": "OperationOutcome", "issue": entries}


def _entry(issue: Issue) -> dict[str, Any]:
    entry: dict[str, Any] = {"severity": issue.severity, "code": issue.code, "details": {"text": issue.text}}
    if issue.link_id is not None:
        asked = f" ({issue.question})" if issue.question else ""
        entry["diagnostics"] = f"Question {issue.link_id}{asked}"
    if issue.expression is not None:
        entry["expression"] = [issue.expression]
    return entry
