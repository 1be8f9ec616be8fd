"""Red flags first: every row, whatever else was answered."""

from __future__ import annotations

from fhir_app.assessment.assessment import FlagStatus, RedFlagFinding, TriggerFinding
from fhir_app.assessment.compiled import Branch, CompiledFlag, CompiledIntake
from fhir_app.knowledge.answers import Answers
from fhir_app.knowledge.intake import Disposition
from fhir_app.knowledge.truth import NO, UNKNOWN, YES

_Fires = tuple[Disposition | None, bool, Answers]
"""The disposition at which a row fires (None: it does not), whether a gap set it, and the answers in which it does."""


def find_red_flags(
    rules: CompiledIntake, answers: Answers, gaps: frozenset[str], turned: frozenset[str]
) -> tuple[RedFlagFinding, ...]:
    """Every row with its status: present and reported rows first, most urgent first; then those not assessed, then
    the absent ones, each in the order of the knowledge.

    A row is `present` when its condition is yes, or unknown while its gate is yes; `absent` only when its condition
    stays no even if every gap is read as unknown; anything between is `not-assessed`. `turned`: the rows that an
    answer or a gap can turn (`CompiledIntake.turned`).

    Where an answer could not be read in full, each row is read twice: by what could be read, so that no tick is lost,
    and as if the question were blank, so that a tick which excludes something, or makes it less urgent, comforts
    nobody while the rest of the answer is unknown. The more urgent of the two stands.
    """
    readings = _readings(answers)
    # A row that nothing turns stands as it does on an empty form: absent.
    fired = [(flag, _fires(flag, readings)) for flag in rules.flags if flag.flag.id in turned]
    reported = _most_urgent_of_each_family(fired)
    found = {flag.flag.id: _finding(flag, fires, flag.flag.id in reported, readings, gaps) for flag, fires in fired}
    rows = [found.get(flag.flag.id, flag.absent) for flag in rules.flags]
    absent = [row for row in rows if row.status == "absent"]
    return (*sorted((row for row in found.values() if row.status != "absent"), key=_order), *absent)


def _readings(answers: Answers) -> tuple[Answers, ...]:
    return (answers, answers.with_unread_left_blank()) if answers.unread else (answers,)


def _fires(flag: CompiledFlag, readings: tuple[Answers, ...]) -> _Fires:
    """How the row fires in the reading in which it is most urgent; the first of equals."""
    first, *others = [_fires_by(flag, answers) for answers in readings]
    for other in others:
        if other[0] is not None and (first[0] is None or other[0] > first[0]):
            first = other
    return first


def _fires_by(flag: CompiledFlag, answers: Answers) -> _Fires:
    disposition, by_gap = None, False
    blank = flag.flag.blank
    for branch in flag.branches:
        truth = branch.when(answers)
        if truth is YES and (disposition is None or flag.flag.disposition > disposition):
            disposition, by_gap = flag.flag.disposition, False
        elif truth is UNKNOWN and blank is not None and _is_open(branch, blank, disposition, answers):
            disposition, by_gap = blank, True
    return disposition, by_gap, answers


def _is_open(branch: Branch, blank: Disposition, so_far: Disposition | None, answers: Answers) -> bool:
    """Whether the gap of a branch counts: its gate is yes, and (each branch being a row of its own) no other branch
    is more urgent already."""
    return (so_far is None or blank > so_far) and branch.gate(answers) is YES


def _most_urgent_of_each_family(fired: list[tuple[CompiledFlag, _Fires]]) -> frozenset[str]:
    best: dict[str, tuple[Disposition, str]] = {}
    for flag, (disposition, _, _) in fired:
        if disposition is None:
            continue
        # Rows that report a gap each speak of another gap, so none stands for the others.
        family = flag.flag.family if flag.flag.kind == "red-flag" else flag.flag.id
        if family not in best or disposition > best[family][0]:
            best[family] = (disposition, flag.flag.id)
    return frozenset(row_id for _, row_id in best.values())


def _finding(
    flag: CompiledFlag, fires: _Fires, reported: bool, readings: tuple[Answers, ...], gaps: frozenset[str]
) -> RedFlagFinding:
    row = flag.flag
    disposition, by_gap, answers = fires
    present = disposition is not None
    status: FlagStatus = "present" if present else _absent_or_not_assessed(flag, readings, gaps)
    return RedFlagFinding(
        id=row.id,
        family=row.family,
        status=status,
        disposition=disposition,
        reported=present and reported,
        by_gap=by_gap,
        says=row.says,
        advice=row.advice,
        because=flag.because(answers) if present else (),
        unanswered=() if status == "absent" else tuple(sorted(flag.link_ids & gaps)),
        basis=row.basis,
        sources=flag.absent.sources,
    )


def _absent_or_not_assessed(flag: CompiledFlag, readings: tuple[Answers, ...], gaps: frozenset[str]) -> FlagStatus:
    if flag.link_ids.isdisjoint(gaps):
        return "absent"
    return "absent" if all(flag.strict(answers) is NO for answers in readings) else "not-assessed"


def _order(finding: RedFlagFinding) -> tuple[int, int, int]:
    if finding.disposition is None:
        return (2, 0, 0)
    urgency, where = finding.disposition.rank
    return (0 if finding.reported else 1, -urgency, -where)


def find_triggers(rules: CompiledIntake, answers: Answers, gaps: frozenset[str]) -> tuple[TriggerFinding, ...]:
    """The article's own triggers that fire, most urgent first; where an answer could not be read in full, also those
    that would fire if its question were blank, since an exclusion in it was not affirmed for certain."""
    readings = _readings(answers)
    found = [
        TriggerFinding(
            id=rule.trigger.id,
            disposition=rule.trigger.disposition,
            says=rule.trigger.says,
            because=rule.because(answers),
            unanswered=tuple(sorted(rule.link_ids & gaps)),
            sources=rule.sources,
        )
        for rule in rules.triggers
        if any(rule.when(read) is YES for read in readings)
    ]
    return tuple(sorted(found, key=lambda finding: finding.disposition, reverse=True))
