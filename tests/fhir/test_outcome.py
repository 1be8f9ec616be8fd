from __future__ import annotations

from fhir_app.errors import Issue
from fhir_app.fhir.outcome import operation_outcome


def test_every_issue_keeps_its_order_path_and_question() -> None:
    issues = [
        Issue("error", "required", "An answer is required.", "QuestionnaireResponse", "pt-age", "How old are you?"),
        Issue("warning", "invalid", "The text differs."),
    ]
    assert operation_outcome(issues) == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "required",
                "details": {"text": "An answer is required."},
                "diagnostics": "Question pt-age (How old are you?)",
                "expression": ["QuestionnaireResponse"],
            },
            {"severity": "warning", "code": "invalid", "details": {"text": "The text differs."}},
        ],
    }


def test_no_issue_is_said_as_information_because_r4_asks_for_one() -> None:
    (issue,) = operation_outcome([])["issue"]
    assert issue["severity"] == "information"
    assert issue["code"] == "informational"
