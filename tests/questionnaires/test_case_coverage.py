"""The cases together: no rule without a case in which it speaks, and one in which it rightly stays silent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_app.knowledge.answers import Coding, State
from fhir_app.knowledge.criteria import (
    And,
    Compare,
    Criterion,
    Named,
    Not,
    Or,
    Ticked,
    branches,
    expand,
    gate,
    link_ids,
)
from fhir_app.knowledge.criteria_text import parse_criterion
from fhir_app.knowledge.intake import Disposition, Urgency
from tests.questionnaires.tried import FOLDERS, Tried, all_tried, intake_in, reader, rows_of

pytestmark = pytest.mark.parametrize("folder", [pytest.param(folder, id=folder.name) for folder in FOLDERS])

NEVER: Criterion = Or(())


# --- red flags and triggers -------------------------------------------------------------------------------------


def test_each_row_and_trigger_fires_in_a_case_that_names_it(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    rows = [row.id for row in rows_of(intake)]
    assert [r for r in rows if not any(r in one.case.expected.present and one.fires(r) for one in tries)] == []


def test_each_row_is_absent_in_a_case_that_answers_the_question_it_opens_on(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    missing = []
    for row in intake.red_flags:
        asked = [link_ids(gate(branch)) for branch in branches(row.when.tree)]
        if not any(one.is_silent(row.id) and any(_all_answered(ids, one) for ids in asked) for one in tries):
            missing.append(row.id)
    assert missing == []


def test_each_row_with_further_terms_has_a_near_miss(folder: Path) -> None:
    """Its own option is ticked, and the follow-ups rightly keep it silent."""
    intake, tries = intake_in(folder), all_tried(folder)
    missing = []
    for row in intake.red_flags:
        gates = tuple(gate(branch) for branch in branches(row.when.tree))
        if gates == branches(row.when.tree):
            continue
        opens = reader(Or(gates), intake)
        if not any(one.is_silent(row.id) and opens(one) for one in tries):
            missing.append(row.id)
    assert missing == []


def test_each_row_is_not_assessed_or_fires_by_a_gap_in_a_case_that_names_it(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    missing = []
    for row in intake.red_flags:
        # Rows that report a gap are about nothing else.
        if row.kind != "not-assessed" and not any(_is_open(row.id, one) for one in tries):
            missing.append(row.id)
    assert missing == []


def _is_open(row: str, one: Tried) -> bool:
    by_gap = one.flags[row].by_gap and row in one.case.expected.present
    return by_gap or row in one.case.expected.not_assessed


def _all_answered(ids: frozenset[str], one: Tried) -> bool:
    """Whether the questions of a gate were answered, or not asked because an answer made them pointless."""
    states = {one.read.answers.state(link_id) for link_id in ids}
    return State.ANSWERED in states and states <= {State.ANSWERED, State.NOT_ASKED}


def test_each_trigger_is_absent_in_a_case_that_names_it(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    silent = {row for one in tries for row in one.case.expected.absent if one.is_silent(row)}
    assert [trigger.id for trigger in intake.triggers if trigger.id not in silent] == []


def test_each_row_and_trigger_above_self_care_alone_decides_how_urgent_a_case_is(folder: Path) -> None:
    """Were its urgency another, a case would notice: no other row, trigger or cause asks for as much."""
    intake, tries = intake_in(folder), all_tried(folder)
    decided = {row for one in tries for row in _decides(one)}
    rows = [row for row in rows_of(intake) if row.disposition.urgency > Urgency.SELF_CARE]
    assert [row.id for row in rows if row.id not in decided] == []


def _decides(one: Tried) -> Iterator[str]:
    asked: dict[str, Disposition | None] = {"": one.assessment.leading_cause_asks}
    asked.update({flag.id: flag.disposition for flag in one.assessment.red_flags})
    asked.update({trigger.id: trigger.disposition for trigger in one.assessment.triggers})
    if one.case.expected.urgency is None:
        return
    top = [row for row, disposition in asked.items() if disposition == one.assessment.disposition]
    if len(top) == 1 and top[0] and one.fires(top[0]):
        yield top[0]


# --- what lowers a row ------------------------------------------------------------------------------------------


def test_each_answer_that_lowers_a_row_is_given_and_withheld(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    missing = []
    for row in intake.red_flags:
        opens = reader(Or(tuple(gate(branch) for branch in branches(row.when.tree))), intake)
        raising = set(_options(row.when.tree, under_not=False))
        for link_id, code in dict.fromkeys(_options(row.when.tree, under_not=True)):
            if (link_id, code) in raising:
                continue
            given = [one for one in tries if code in one.read.answers.codes(link_id)]
            withheld = [one for one in tries if code not in one.read.answers.codes(link_id)]
            if not any(one.is_silent(row.id) and opens(one) for one in given):
                missing.append(f"{row.id}: no case in which {link_id}/{code} keeps it silent")
            if not any(one.fires(row.id) for one in withheld):
                missing.append(f"{row.id}: fires in no case without {link_id}/{code}")
    assert missing == []


def test_each_named_condition_that_lowers_a_row_decides_a_case(folder: Path) -> None:
    """With the condition the row is silent; were the condition not there, the same answers would make it fire."""
    intake, tries = intake_in(folder), all_tried(folder)
    known = {name: rule.tree for name, rule in intake.conditions.items()}
    missing = []
    for row in rows_of(intake):
        written = parse_criterion(row.when.text)
        for name in dict.fromkeys(_names(written, under_not=True)):
            without = reader(expand(written, {**known, name: NEVER}), intake)
            if not any(one.is_silent(row.id) and without(one) for one in tries):
                missing.append(f"{row.id}: @{name} decides no case")
    assert missing == []


def _options(tree: Criterion, *, under_not: bool, negated: bool = False) -> Iterator[tuple[str, str]]:
    """The options that stand under an odd (`under_not`) or an even number of NOTs."""
    match tree:
        case And(terms) | Or(terms):
            for term in terms:
                yield from _options(term, under_not=under_not, negated=negated)
        case Not(term):
            yield from _options(term, under_not=under_not, negated=not negated)
        case Ticked(link_id, codes, _) if negated is under_not:
            yield from ((link_id, code) for code in codes)
        case Compare(link_id, "=", Coding(_, str() as code)) if negated is under_not:
            yield link_id, code
        case _:
            pass


def _names(tree: Criterion, *, under_not: bool, negated: bool = False) -> Iterator[str]:
    match tree:
        case And(terms) | Or(terms):
            for term in terms:
                yield from _names(term, under_not=under_not, negated=negated)
        case Not(term):
            yield from _names(term, under_not=under_not, negated=not negated)
        case Named(name) if negated is under_not:
            yield name
        case _:
            pass
