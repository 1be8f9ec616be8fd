"""answers -> assessment. Red flags first, then causes; pure and deterministic."""

from __future__ import annotations

from typing import Literal

from fhir_app.assessment.assessment import Assessment, CauseFinding, HintFinding, RedFlagFinding, TriggerFinding
from fhir_app.assessment.because import sources_of
from fhir_app.assessment.causes import (
    Score,
    cause_finding,
    floor_of,
    likelihood,
    needed_answered,
    none_fits_position,
    outside_explanation,
    ranked,
)
from fhir_app.assessment.compiled import CompiledCause, CompiledIntake, compiled
from fhir_app.assessment.next_question import best_next_question
from fhir_app.assessment.open_questions import gaps_of, with_open_questions
from fhir_app.assessment.red_flags import find_red_flags, find_triggers
from fhir_app.knowledge.answers import UNDETERMINED, Answers
from fhir_app.knowledge.intake import Disposition, Intake, NoneFits
from fhir_app.knowledge.truth import YES

NotRanked = Literal["status", "invalid", "under-age"]


def assess(
    intake: Intake, answers: Answers, *, rank_causes: bool = True, because: NotRanked | None = None
) -> Assessment:
    """The assessment of one response.

    Red flags are found whatever the response's status or validity; causes are ranked only when `rank_causes` is true
    and the person is of age. `because` says why they are not (the response's status, or its issues); it goes before
    the age, which an unverified response does not tell for certain.
    """
    rules = compiled(intake)
    answers = with_open_questions(rules, answers)
    gaps = gaps_of(answers, intake.reading)
    turned = rules.turned(answers, gaps)
    flags = find_red_flags(rules, answers, gaps, turned)
    triggers = find_triggers(rules, answers, gaps)
    reason: NotRanked | None = because or ("under-age" if _is_minor(intake, answers) else None)
    floor = _highest(flag.disposition for flag in flags if flag.status == "present" and _is_floor(intake, flag))
    hints = tuple(
        HintFinding(hint.id, hint.says, hint.basis, sources_of(hint.citations))
        for hint, when in rules.hints
        if when(answers) is YES
    )
    if rank_causes and reason is None:
        causes, outside, asks, best_question = _rank(rules, answers, gaps, turned, flags, hints)
    else:
        causes, outside, best_question = _unranked(rules), (), None
        # Nothing was ranked, so nothing may lower what the outcome "none fits" asks for.
        asks = intake.scoring.none_fits.floors[-1].disposition
    return Assessment(
        intake=intake.name,
        canonical=intake.canonical,
        knowledge_version=intake.knowledge_version,
        disposition=_overall(flags, triggers, asks),
        floor=floor,
        leading_cause_asks=asks,
        assessed=rank_causes and reason is None,
        not_assessed_because=reason,
        red_flags=flags,
        triggers=triggers,
        causes=causes,
        hints=hints,
        outside_explanation=outside,
        unanswered=_unanswered(intake, answers, gaps),
        best_next_question=best_question,
    )


def _is_minor(intake: Intake, answers: Answers) -> bool:
    return any(isinstance(age, int) and age < intake.adult_from for age in answers.values(intake.age_link_id))


def _is_floor(intake: Intake, flag: RedFlagFinding) -> bool:
    return any(row.id == flag.id and row.kind != "red-flag" for row in intake.red_flags)


def _highest(dispositions: object) -> Disposition | None:
    found = [d for d in dispositions if d is not None]  # type: ignore[attr-defined]
    return max(found, default=None)


def _overall(flags: tuple[RedFlagFinding, ...], triggers: tuple[TriggerFinding, ...], asks: Disposition) -> Disposition:
    """The highest of present flags (with the rows that set a floor), triggers and what the leading cause asks."""
    every = [flag.disposition for flag in flags if flag.disposition is not None]
    return max([*every, *(trigger.disposition for trigger in triggers), asks])


def _rank(
    rules: CompiledIntake,
    answers: Answers,
    gaps: frozenset[str],
    turned: frozenset[str],
    flags: tuple[RedFlagFinding, ...],
    hints: tuple[HintFinding, ...],
) -> tuple[tuple[CauseFinding, ...], tuple[str, ...], Disposition, str | None]:
    scoring = rules.intake.scoring
    order = ranked(rules, answers, turned)
    possible = frozenset(c.cause.id for c, result in order if likelihood(result, scoring) != "less-likely")
    off_list = {hint.id for hint, _ in rules.hints if hint.outside}
    outside = outside_explanation(scoring, flags, (h.id for h in hints if h.id in off_list), possible)
    position = none_fits_position(rules, answers, order, bool(outside))
    words_given = needed_answered(scoring, answers)
    findings: list[CauseFinding] = []
    for place, (cause, result) in enumerate(order):
        if place == position:
            findings.append(_none_fits(scoring.none_fits, len(findings) + 1, position == 0))
        word = likelihood(result, scoring) if words_given else "not-assessed"
        findings.append(cause_finding(cause, result, len(findings) + 1, word, answers, gaps))
    if position >= len(order):
        findings.append(_none_fits(scoring.none_fits, len(findings) + 1, False))
    asks = _asked_by_leader(rules, answers, order, position)
    return tuple(findings), outside, asks, best_next_question(rules.askable, answers, order, gaps)


def _asked_by_leader(
    rules: CompiledIntake, answers: Answers, order: list[tuple[CompiledCause, Score]], position: int
) -> Disposition:
    none_fits = rules.intake.scoring.none_fits
    if position == 0:
        asked = floor_of(rules.none_fits_floors, answers, None)
    else:
        leader, result = order[0]
        asked = floor_of(leader.floors, answers, likelihood(result, rules.intake.scoring))
    return asked if asked is not None else none_fits.floors[-1].disposition


def _none_fits(none_fits: NoneFits, rank: int, first: bool) -> CauseFinding:
    return CauseFinding(
        id=none_fits.id,
        label=none_fits.label,
        rank=rank,
        likelihood="possible" if first or rank == 2 else "less-likely",
        score=0,
        groups_for=0,
        evidence_for=(),
        evidence_against=(),
        unknown=(),
        required_missing=False,
        capped_by=None,
        variants=(),
        next_step=none_fits.next_step,
    )


def _unranked(rules: CompiledIntake) -> tuple[CauseFinding, ...]:
    return tuple(
        CauseFinding(
            id=cause.cause.id,
            label=cause.cause.label,
            rank=position,
            likelihood="not-assessed",
            score=0,
            groups_for=0,
            evidence_for=(),
            evidence_against=(),
            unknown=(),
            required_missing=False,
            capped_by=None,
            variants=(),
            next_step=cause.cause.next_step,
        )
        for position, cause in enumerate(rules.causes, start=1)
    )


def _unanswered(intake: Intake, answers: Answers, gaps: frozenset[str]) -> tuple[str, ...]:
    """Questions that were shown and have no usable answer, in the order of the form."""
    return tuple(
        link_id
        for link_id in intake.questionnaire.by_link_id
        if link_id in gaps and answers.state(link_id) is not UNDETERMINED
    )
