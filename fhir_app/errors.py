"""Every error that leaves the product, and how it looks outside. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True)
class Issue:
    """One finding about an input, ready to become an OperationOutcome.issue.

    `code` is a FHIR IssueType; `expression` a FHIRPath of the element; `link_id` and `question` name the item in
    the words of its Questionnaire. `text` is public: it never repeats what a patient answered.
    """

    severity: Severity
    code: str
    text: str
    expression: str | None = None
    link_id: str | None = None
    question: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether it makes its input invalid."""
        return self.severity in ("error", "fatal")


class FhirAppError(Exception):
    """An error with a public face: HTTP status, FHIR IssueType and a text that holds no patient data."""

    status = 500
    issue_type = "exception"

    def __init__(self, public_text: str) -> None:
        super().__init__(public_text)
        self.public_text = public_text

    @property
    def issues(self) -> tuple[Issue, ...]:
        return (Issue("error", self.issue_type, self.public_text),)


class MalformedBody(FhirAppError):
    """The body is not JSON that we can read (syntax, depth, doubled key, NaN)."""

    status = 400
    issue_type = "structure"


class NotAuthorised(FhirAppError):
    """No or a wrong credential."""

    status = 401
    issue_type = "login"


class Forbidden(FhirAppError):
    """The caller may not do this (not on loopback without authentication, or lacking a scope)."""

    status = 403
    issue_type = "forbidden"


class NotFound(FhirAppError):
    status = 404
    issue_type = "not-found"


class NotAcceptable(FhirAppError):
    status = 406
    issue_type = "not-supported"


class ReplacedSince(FhirAppError):
    """These bytes were taken before, and a newer revision has taken their place: a retry that was held up on its way
    and an answer that is meant to be restored look the same, so nothing is changed and the caller is told."""

    status = 409
    issue_type = "conflict"


class TooLarge(FhirAppError):
    status = 413
    issue_type = "too-long"


class UnsupportedMediaType(FhirAppError):
    status = 415
    issue_type = "not-supported"


class InvalidSearch(FhirAppError):
    status = 400
    issue_type = "invalid"


class UnknownQuestionnaire(FhirAppError):
    """The response names no Questionnaire version that we hold; never answered with "the latest"."""

    status = 422
    issue_type = "not-found"


class InvalidQuestionnaireResponse(FhirAppError):
    """The response breaks its Questionnaire or FHIR itself; carries every issue at once."""

    status = 422
    issue_type = "invalid"

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("The QuestionnaireResponse is not valid.")
        self._issues = tuple(issues)

    @property
    def issues(self) -> tuple[Issue, ...]:
        return self._issues


class KnowledgeError(FhirAppError):
    """The knowledge under questionnaires/ cannot be trusted; raised at start and by `fhir-app check` only.

    `problems` holds one line each: file, place in it, what is wrong.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class SettingsError(FhirAppError):
    """Environment variables that are missing or wrong, all at once."""
