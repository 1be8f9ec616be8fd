"""Every rule of an intake as one row of a review: what it says, when, with what weight, on which basis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_app.knowledge.intake import Basis, Cause, Citation, Disposition, Evidence, Floor, Intake, Rule
from fhir_app.review.criterion_words import rule_in_words


@dataclass(frozen=True)
class ReviewedRule:
    """One row to sign off. `id` is unique in the document and its anchor. `weight`: urgency, or strength and group.
    `when` is the rule as written, `words` the same in the questionnaire's words."""

    id: str
    kind: str
    says: str
    when: str
    words: str
    weight: str
    why: str
    basis: Basis
    figure: str | None
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class ReviewedCause:
    """A cause with the rows that belong to it."""

    cause: Cause
    required: ReviewedRule
    ceiling: ReviewedRule | None
    evidence: tuple[ReviewedRule, ...]
    variants: tuple[ReviewedRule, ...]
    floors: tuple[ReviewedRule, ...]
    next_step: ReviewedRule


def in_words(disposition: Disposition | None) -> str:
    """`same-day hospital`."""
    if disposition is None:
        return ""
    return disposition.urgency.word + (f" {disposition.where.word}" if disposition.where is not None else "")


def named_conditions(intake: Intake) -> tuple[ReviewedRule, ...]:
    return tuple(
        _row(intake, f"@{name}", "named condition", "used in other rules by this name", rule)
        for name, rule in intake.conditions.items()
    )


def red_flags(intake: Intake, family: str) -> tuple[ReviewedRule, ...]:
    """The rows of one family, in the order of the file."""
    return tuple(
        _row(
            intake, flag.id, flag.kind, flag.says, flag.when,
            weight=in_words(flag.disposition)
            + (f"; follow-up unanswered or not sure: {in_words(flag.blank)}" if flag.blank is not None else ""),
            why=flag.why, basis=flag.basis, citations=flag.citations,
        )
        for flag in intake.red_flags
        if flag.family == family
    )  # fmt: skip


def triggers(intake: Intake) -> tuple[ReviewedRule, ...]:
    return tuple(
        _row(intake, t.id, "trigger", t.says, t.when, in_words(t.disposition), t.why, t.basis, t.citations)
        for t in intake.triggers
    )


def hints(intake: Intake) -> tuple[ReviewedRule, ...]:
    return tuple(
        _row(
            intake, h.id, "hint", h.says, h.when,
            weight="speaks for a disease outside the list" if h.outside else "named only",
            basis=h.basis, citations=h.citations,
        )
        for h in intake.hints
    )  # fmt: skip


def causes(intake: Intake) -> tuple[ReviewedCause, ...]:
    return tuple(_cause(intake, cause) for cause in intake.causes)


def none_fits_floors(intake: Intake) -> tuple[ReviewedRule, ...]:
    return tuple(_floors(intake, intake.scoring.none_fits.id, intake.scoring.none_fits.floors))


def all_rules(intake: Intake) -> Iterator[ReviewedRule]:
    """Every row of the document, in its order."""
    yield from named_conditions(intake)
    for family in intake.families:
        yield from red_flags(intake, family)
    yield from triggers(intake)
    for one in causes(intake):
        yield one.required
        if one.ceiling is not None:
            yield one.ceiling
        yield from (*one.evidence, *one.variants, *one.floors, one.next_step)
    yield from none_fits_floors(intake)
    yield from hints(intake)


# --- one row ------------------------------------------------------------------------------------------------------


def _row(
    intake: Intake, rule_id: str, kind: str, says: str, when: Rule | None, weight: str = "", why: str = "",
    basis: Basis = "judgement", citations: tuple[Citation, ...] = (), figure: str | None = None,
) -> ReviewedRule:  # fmt: skip
    text = "" if when is None else when.text
    words = "" if when is None else rule_in_words(when, intake.questionnaire)
    return ReviewedRule(rule_id, kind, says, text, words, weight, why, basis, figure, citations)


def _cause(intake: Intake, cause: Cause) -> ReviewedCause:
    return ReviewedCause(
        cause=cause,
        required=_row(
            intake, f"{cause.id}/required", "required feature", cause.required_says, cause.required,
            weight=f"without it the score stops at {intake.scoring.without_required}",
            basis=cause.required_basis, citations=cause.required_citations,
        ),
        ceiling=None if cause.ceiling is None else _row(
            intake, f"{cause.id}/ceiling", "ceiling", f"the score stops at {cause.ceiling}, whatever else agrees",
            cause.ceiling_lifted, weight="lifted when the rule holds" if cause.ceiling_lifted is not None else "always",
        ),
        evidence=tuple(_evidence(intake, item) for item in cause.evidence),
        variants=tuple(
            _row(intake, f"{cause.id}/{v.id}", "variant", f"{v.label}: {v.says}", v.when, basis=v.basis,
                 citations=v.citations)
            for v in cause.variants
        ),
        floors=tuple(_floors(intake, cause.id, cause.floors)),
        next_step=_row(
            intake, f"{cause.id}/next-step", "next step", cause.next_step, None,
            basis="published" if cause.next_step_citations else "judgement", citations=cause.next_step_citations,
        ),
    )  # fmt: skip


def _evidence(intake: Intake, item: Evidence) -> ReviewedRule:
    sign = "+" if item.counts == "for" else "\N{MINUS SIGN}"
    return _row(
        intake, item.id, f"evidence {item.counts}", item.says, item.when, f"{sign}{item.strength}, {item.group}",
        basis=item.basis, citations=item.citations, figure=item.figure,
    )  # fmt: skip


def _floors(intake: Intake, owner: str, floors: tuple[Floor, ...]) -> Iterator[ReviewedRule]:
    for number, floor in enumerate(floors, start=1):
        condition = f"when at least {floor.likelihood}" if floor.likelihood else ""
        says = f"leading, it asks for {in_words(floor.disposition)} {condition}".strip()
        yield _row(intake, f"{owner}/floor-{number}", "floor", says, floor.when, in_words(floor.disposition))
