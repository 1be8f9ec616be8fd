"""Whether an assessment is what a case says must come out."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_app.assessment.assessment import Assessment
from fhir_app.evaluation.played import in_words, play_case
from fhir_app.knowledge.cases import Case, Expected
from fhir_app.knowledge.intake import Intake


def unmet(intake: Intake, case: Case) -> tuple[str, ...]:
    """What of a case's expectations the rules do not meet, one sentence each. Raises KnowledgeError for answers that
    the questionnaire does not take."""
    return tuple(unmet_by(play_case(intake, case), case.expected))


def unmet_by(assessment: Assessment, expected: Expected) -> Iterator[str]:
    """Each expectation that the assessment does not meet."""
    came = in_words(assessment.disposition)
    if expected.urgency is not None and came != expected.urgency:
        yield f"urgency is {came}, not {expected.urgency}"
    yield from _rows(assessment, expected)
    yield from _causes(assessment, expected)


def _rows(assessment: Assessment, expected: Expected) -> Iterator[str]:
    statuses: dict[str, str] = {flag.id: flag.status for flag in assessment.red_flags}
    statuses.update({trigger.id: "present" for trigger in assessment.triggers})
    for wanted, rows in (
        ("present", expected.present),
        ("absent", expected.absent),
        ("not-assessed", expected.not_assessed),
    ):
        for row in rows:
            # A trigger that does not fire is not listed, so it counts as absent.
            if statuses.get(row, "absent") != wanted:
                yield f"{row} is {statuses.get(row, 'absent')}, not {wanted}"
    if expected.no_flag:
        for flag in assessment.red_flags:
            if flag.status == "present":
                yield f"{flag.id} is present, but no row may be"


def _causes(assessment: Assessment, expected: Expected) -> Iterator[str]:
    by_id = {cause.id: cause for cause in assessment.causes}
    first = assessment.causes[0].id if assessment.assessed and assessment.causes else None
    if expected.first is not None and first != expected.first:
        yield f"first is {first}, not {expected.first}"
    for cause_id, word in expected.likelihoods.items():
        came = by_id[cause_id].likelihood if cause_id in by_id else None
        if came != word:
            yield f"{cause_id} is {came}, not {word}"
    for cause_id, capped in expected.capped.items():
        by = by_id[cause_id].capped_by if cause_id in by_id else None
        if by != capped:
            yield f"{cause_id} is capped by {by or 'nothing'}, not by {capped}"
    variants = {variant for cause in assessment.causes for variant in cause.variants}
    hints = {hint.id for hint in assessment.hints}
    for kind, named, wanted in (("variant", variants, expected.variants), ("hint", hints, expected.hints)):
        for row in wanted:
            if row not in named:
                yield f"{kind} {row} is not named"
