"""Proofs by enumeration: what holds of a red-flag row in every state of the questions that it reads."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fhir_app.knowledge.answers import Coding, State
from fhir_app.knowledge.criteria import branches, gate, link_ids
from fhir_app.knowledge.intake import Disposition, RedFlag
from tests.assessment.knowledge_fixture import intake
from tests.assessment.state_space import (
    Said,
    Space,
    Standing,
    excluding,
    interchangeable,
    only_this_row,
    say,
    size,
    space,
    standings_of,
)

ENUMERABLE = 60_000
ROWS = intake().red_flags
# Rows of the other kinds say that a question was shown and not answered: not shown, they have nothing to say.
RED_FLAGS = {flag.id for flag in ROWS if flag.kind == "red-flag"}
SMALL = [pytest.param(f.id, marks=pytest.mark.xdist_group(f.id)) for f in ROWS if size(f) <= ENUMERABLE]
LARGE = [flag.id for flag in ROWS if size(flag) > ENUMERABLE]
BLANK = Standing(State.BLANK)


@pytest.fixture(scope="module", params=SMALL)
def found(request: pytest.FixtureRequest) -> Space:
    """One row's whole space; pytest runs all tests of one row together."""
    return space(request.param)


def of_every_question(found: Space) -> Iterator[tuple[str, int, Standing]]:
    for question, standings in zip(found.questions, found.standings, strict=True):
        for place, standing in enumerate(standings):
            if standing.gap is None:
                yield question, place, standing


def rank(disposition: Disposition | None) -> tuple[int, int]:
    return (0, 0) if disposition is None else disposition.rank


def test_nearly_every_row_is_small_enough_to_be_enumerated() -> None:
    assert len(SMALL) >= 0.9 * len(ROWS), LARGE


def test_taking_an_answer_away_makes_no_row_absent_that_was_not(found: Space) -> None:
    if found.flag.id not in RED_FLAGS:
        return
    for question, place, _ in of_every_question(found):
        for gap in (State.BLANK, State.UNDETERMINED):
            for before, after in found.neighbours(question, place, found.place(question, Standing(gap))):
                assert after.status != "absent" or before.status == "absent", (question, gap)


def test_not_sure_makes_no_row_absent_that_was_not(found: Space) -> None:
    for question, standings in zip(found.questions, found.standings, strict=True):
        for unsure in (place for place, one in enumerate(standings) if one.is_not_sure):
            for place, standing in enumerate(standings):
                if standing.gap is None:
                    for before, after in found.neighbours(question, place, unsure):
                        assert after.status != "absent" or before.status == "absent", question


def test_a_follow_up_left_blank_hides_no_row_and_makes_none_less_urgent(found: Space) -> None:
    core = intake().reading.core
    gates = frozenset().union(*(link_ids(gate(branch)) for branch in branches(found.flag.when.tree)))
    for question, place, _ in of_every_question(found):
        if question not in core and question not in gates and question != intake().age_link_id:
            for before, after in found.neighbours(question, place, found.place(question, BLANK)):
                if before.status == "present":
                    assert after.status == "present", question
                    assert rank(after.disposition) >= rank(before.disposition), question


def test_another_tick_that_no_exclusion_mentions_makes_no_row_less_urgent(found: Space) -> None:
    """Of rows that are present by answers: where a gap made it present, another tick may settle what was open, and the
    row of the family that was feared speaks for itself (see test_properties.py for the whole)."""
    excluded = excluding(found.flag.when.tree)
    for question, place, standing in of_every_question(found):
        for further, other in enumerate(found.standings[found.questions.index(question)]):
            added = other.codes - standing.codes
            grown = bool(standing.codes) and standing.codes < other.codes and not standing.is_not_sure
            if grown and len(added) == 1 and not any((question, code) in excluded for code in added):
                for before, after in found.neighbours(question, place, further):
                    assert before.by_gap or rank(after.disposition) >= rank(before.disposition), (question, added)


def test_every_row_can_fire_by_answers_and_can_be_absent(found: Space) -> None:
    said = found.said
    assert any(one.status == "present" and not one.by_gap for one in said)
    assert any(one.status == "absent" for one in said)


def test_a_row_is_present_at_its_own_urgency_or_at_that_of_its_gap(found: Space) -> None:
    for one in found.said:
        expected = found.flag.blank if one.by_gap else found.flag.disposition
        assert one.disposition == (expected if one.status == "present" else None)


# With a throbbing belly ticked and the age missing, this row asks for "soon": the age is required of everybody.
GAP_ASKS_LESS = {"RF16.4"}


def test_a_gap_never_asks_for_less_than_the_row_itself(found: Space) -> None:
    asks_less = any(one.by_gap and rank(one.disposition) < rank(found.flag.disposition) for one in found.said)
    assert asks_less is (found.flag.id in GAP_ASKS_LESS)


@pytest.mark.parametrize("flag", [flag for flag in ROWS if interchangeable(flag)], ids=lambda flag: str(flag.id))
def test_options_that_are_not_tried_do_what_the_tried_ones_do(flag: RedFlag) -> None:
    only = only_this_row(flag)
    for group in interchangeable(flag):
        for state in sampled(flag, 60):
            standing = state[group.question]
            if group.tried[0] in standing.codes:
                for spared in group.spared:
                    renamed = tuple(
                        replace(value, code=spared)
                        if isinstance(value, Coding) and value.code == group.tried[0]
                        else value
                        for value in standing.values
                    )
                    assert say(only, {**state, group.question: Standing(None, renamed)}) == say(only, state), spared


# --- the few rows that are too large: a sample of their states ----------------------------------------------------


def sampled(flag: RedFlag, count: int) -> Iterator[dict[str, Standing]]:
    chance = random.Random(flag.id)
    standings = standings_of(flag)
    for _ in range(count):
        yield {question: chance.choice(some) for question, some in standings.items()}


@pytest.mark.parametrize("flag_id", LARGE)
def test_in_a_large_row_no_gap_makes_absent_and_no_tick_makes_less_urgent(flag_id: str) -> None:
    flag = next(flag for flag in ROWS if flag.id == flag_id)
    only, excluded, standings = only_this_row(flag), excluding(flag.when.tree), standings_of(flag)
    for state in sampled(flag, 300):
        before = say(only, state)
        for question, standing in state.items():
            if standing.gap is None:
                blank = say(only, {**state, question: BLANK})
                assert blank.status != "absent" or before.status == "absent", (question, state)
                for other in standings[question]:
                    added = other.codes - standing.codes
                    grown = bool(standing.codes) and standing.codes < other.codes and not standing.is_not_sure
                    if grown and len(added) == 1 and not any((question, code) in excluded for code in added):
                        after: Said = say(only, {**state, question: other})
                        assert before.by_gap or rank(after.disposition) >= rank(before.disposition), (question, state)
