"""Causes ranked by grouped, capped evidence, and the honest outcome that none of them fits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fhir_app.assessment.assessment import CauseFinding, EvidenceFinding, Likelihood, RedFlagFinding
from fhir_app.assessment.compiled import CompiledCause, CompiledEvidence, CompiledFloor, CompiledIntake
from fhir_app.knowledge.answers import ANSWERED, Answers
from fhir_app.knowledge.intake import Disposition, Scoring, Urgency
from fhir_app.knowledge.truth import UNKNOWN, YES


class Score(NamedTuple):
    """A cause's score: the sum over groups of the best evidence for minus the worst against, then capped."""

    value: int
    groups_for: int
    required_missing: bool
    capped_by_ceiling: bool
    capped_by_required: bool
    held: tuple[CompiledEvidence, ...]
    unknown: tuple[CompiledEvidence, ...]
    counted: frozenset[str]


def score(cause: CompiledCause, answers: Answers, turned: frozenset[str], scoring: Scoring) -> Score:
    """The score of one cause. Evidence counts only when its criterion is yes; unknown counts for nothing."""
    held, unknown = _weigh(cause, answers, turned)
    best = _best_of_groups(held)
    strengths = [item.signed_strength for item in best]
    value = sum(strengths)
    ceiling = cause.cause.ceiling
    over_ceiling = ceiling is not None and value > ceiling and not _lifted(cause, answers)
    if over_ceiling and ceiling is not None:
        value = ceiling
    missing = cause.required(answers) is not YES
    over_required = missing and value > scoring.without_required
    return Score(
        value=scoring.without_required if over_required else value,
        groups_for=len([strength for strength in strengths if strength > 0]),
        required_missing=missing,
        capped_by_ceiling=over_ceiling,
        capped_by_required=over_required,
        held=tuple(held),
        unknown=tuple(unknown),
        counted=frozenset([item.id for item in best]),
    )


def _weigh(
    cause: CompiledCause, answers: Answers, turned: frozenset[str]
) -> tuple[list[CompiledEvidence], list[CompiledEvidence]]:
    """The evidence that holds and the evidence that is unknown; only what an answer or a gap turns is evaluated."""
    held, unknown = [], []
    for item in cause.evidence:
        truth = item.when(answers) if item.id in turned else item.quiet
        if truth is YES:
            held.append(item)
        elif truth is UNKNOWN:
            unknown.append(item)
    return held, unknown


def _lifted(cause: CompiledCause, answers: Answers) -> bool:
    return cause.ceiling_lifted is not None and cause.ceiling_lifted(answers) is YES


def _best_of_groups(held: Iterable[CompiledEvidence]) -> list[CompiledEvidence]:
    """The strongest piece for and the strongest against in each group; the first of equals."""
    best: dict[tuple[str, str], CompiledEvidence] = {}
    for item in held:
        known = best.get(item.key)
        if known is None or abs(item.signed_strength) > abs(known.signed_strength):
            best[item.key] = item
    return list(best.values())


def ranked(rules: CompiledIntake, answers: Answers, turned: frozenset[str]) -> list[tuple[CompiledCause, Score]]:
    """Every cause with its score, best first; ties by age."""
    scoring = rules.intake.scoring
    order = _tie_order(scoring, _age(rules, answers))
    scored = [(cause, score(cause, answers, turned, scoring)) for cause in rules.causes]
    return sorted(scored, key=lambda pair: (-pair[1].value, order[pair[0].cause.id]))


def _age(rules: CompiledIntake, answers: Answers) -> int:
    for value in answers.values(rules.intake.age_link_id):
        if isinstance(value, int):
            return value
    return 0


def _tie_order(scoring: Scoring, age: int) -> dict[str, int]:
    band = max((tie for tie in scoring.tie_orders if tie.from_age <= age), key=lambda tie: tie.from_age, default=None)
    causes = (band or scoring.tie_orders[0]).causes
    return {cause: position for position, cause in enumerate(causes)}


def likelihood(result: Score, scoring: Scoring) -> Likelihood:
    if result.value >= scoring.likely_score and result.groups_for >= scoring.likely_groups:
        return "likely"
    return "possible" if result.value >= scoring.possible_score else "less-likely"


# --- none of these fits -----------------------------------------------------------------------------------------


def outside_explanation(
    scoring: Scoring, flags: Iterable[RedFlagFinding], outside_hints: Iterable[str], possible: frozenset[str]
) -> tuple[str, ...]:
    """The rows and hints that speak for a disease off the list; empty when none does.

    `flags`: present red-flag rows. `possible`: causes that are at least possible.
    """
    present = [flag for flag in flags if flag.status == "present" and flag.disposition is not None]
    found = [flag.id for flag in present if flag.id.startswith(scoring.always_outside)]
    urgent = [f for f in present if f.disposition is not None and f.disposition.urgency >= Urgency.SAME_DAY]
    if urgent:
        top = max(flag.disposition for flag in urgent if flag.disposition is not None)
        rows = [(flag.id, _belongs_to(flag.id, scoring)) for flag in urgent if flag.disposition == top]
        if not any(possible & set(causes) for _, causes in rows):
            found.extend(row_id for row_id, causes in rows if not causes)
    found.extend(outside_hints)
    return tuple(dict.fromkeys(found))


def _belongs_to(row_id: str, scoring: Scoring) -> tuple[str, ...]:
    prefixes = [prefix for prefix in scoring.outside_rows if row_id.startswith(prefix)]
    return scoring.outside_rows[max(prefixes, key=len)] if prefixes else ()


def none_fits_position(
    rules: CompiledIntake, answers: Answers, order: list[tuple[CompiledCause, Score]], outside: bool
) -> int:
    """Where "none of these fits" stands, counted from 0."""
    scoring = rules.intake.scoring
    best_cause, best = order[0]
    if best.value < scoring.possible_score or (outside and best.value < scoring.likely_score):
        return 0
    weak = best_cause.cause.id in rules.weak_leaders
    unless = rules.weak_leaders.get(best_cause.cause.id)
    if weak and unless is not None and unless(answers) is YES:
        weak = False
    if outside or best.value <= scoring.none_fits.second_up_to or weak:
        return 1
    return len(order)


def floor_of(floors: tuple[CompiledFloor, ...], answers: Answers, word: Likelihood | None) -> Disposition | None:
    """What a leading entry asks for: its first floor whose criterion is yes and whose likelihood is reached."""
    for compiled_floor in floors:
        floor = compiled_floor.floor
        if floor.likelihood == "likely" and word != "likely":
            continue
        if compiled_floor.when is None or compiled_floor.when(answers) is YES:
            return floor.disposition
    return None


# --- findings ---------------------------------------------------------------------------------------------------


def cause_finding(
    cause: CompiledCause, result: Score, rank: int, word: Likelihood, answers: Answers, gaps: frozenset[str]
) -> CauseFinding:
    """One cause as it is shown: what counted for and against, what is unknown, and why the score stopped."""
    held = [evidence_finding(item, item.id in result.counted, answers, gaps) for item in result.held]
    if len(held) > 1:
        held.sort(key=lambda finding: (not finding.counted, -finding.strength))
    capped = "required" if result.capped_by_required else "ceiling" if result.capped_by_ceiling else None
    return CauseFinding(
        id=cause.cause.id,
        label=cause.cause.label,
        rank=rank,
        likelihood=word,
        score=result.value,
        groups_for=result.groups_for,
        evidence_for=tuple([finding for finding in held if finding.counts == "for"]),
        evidence_against=tuple([finding for finding in held if finding.counts == "against"]),
        unknown=tuple([evidence_finding(item, False, answers, gaps) for item in result.unknown]),
        required_missing=result.required_missing,
        capped_by=capped,  # type: ignore[arg-type]  # a conditional of literals
        variants=tuple([variant.id for variant, when in cause.variants if when(answers) is YES]),
        next_step=cause.cause.next_step,
    )


def evidence_finding(item: CompiledEvidence, counted: bool, answers: Answers, gaps: frozenset[str]) -> EvidenceFinding:
    unanswered = () if item.link_ids.isdisjoint(gaps) else tuple(sorted(item.link_ids & gaps))
    return EvidenceFinding(*item.constant, counted, item.because(answers), unanswered)


def needed_answered(scoring: Scoring, answers: Answers) -> bool:
    """Whether the questions without which no likelihood word is given were answered, so that all of it can be read."""
    return all(answers.state(link_id) is ANSWERED and link_id not in answers.unread for link_id in scoring.needed)
