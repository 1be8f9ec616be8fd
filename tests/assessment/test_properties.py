"""What must hold for every form that somebody can fill in, tried on many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_app.assessment.as_json import assessment_json
from fhir_app.assessment.assess import assess
from fhir_app.assessment.assessment import Assessment
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.assessment.read_answers import read_answers
from fhir_app.knowledge.answers import Answers, Coding, State
from fhir_app.knowledge.criteria import link_ids
from fhir_app.knowledge.intake import Disposition
from tests.assessment.knowledge_fixture import intake
from tests.assessment.played_forms import Plain, bases, codes_of, exclusive, options, plain_forms, read, ticked
from tests.assessment.state_space import excluding

EXCLUDED = frozenset().union(*(excluding(flag.when.tree) for flag in intake().red_flags))
READ_BY = {flag.id: flag for flag in intake().red_flags}
many = settings(max_examples=70, deadline=None, derandomize=True)


def statuses(assessment: Assessment) -> dict[str, tuple[str, Disposition | None]]:
    return {flag.id: (flag.status, flag.disposition) for flag in assessment.red_flags}


def most_urgent(assessment: Assessment) -> tuple[int, int]:
    return max((f.disposition.rank for f in assessment.red_flags if f.disposition is not None), default=(0, 0))


def by_answers(assessment: Assessment) -> set[str]:
    return {flag.id for flag in assessment.red_flags if flag.status == "present" and not flag.by_gap}


# --- ticks --------------------------------------------------------------------------------------------------------


@many
@given(plain_forms(), st.sampled_from([one for one in options() if one not in EXCLUDED]))
def test_one_more_tick_that_no_exclusion_mentions_never_lowers_the_urgency_of_red_flags(
    plain: Plain, option: tuple[str, str]
) -> None:
    link_id, code = option
    item = intake().questionnaire.by_link_id[link_id]
    before = codes_of(plain, link_id)
    alone = exclusive(item)
    if not item.repeats or not before or set(before) & alone or code in alone:
        return  # that would replace an answer, or answer what was left open
    assert most_urgent(assess(intake(), read(ticked(plain, link_id, code)))) >= most_urgent(
        assess(intake(), read(plain))
    )


# --- answers taken away -------------------------------------------------------------------------------------------


@many
@given(plain_forms(), st.data())
def test_taking_any_answer_away_never_turns_not_assessed_or_present_into_absent(
    plain: Plain, data: st.DataObject
) -> None:
    left_out = data.draw(st.sampled_from(sorted(plain)))
    before = assess(intake(), read(plain))
    after = statuses(assess(intake(), read({k: v for k, v in plain.items() if k != left_out})))
    for flag in before.red_flags:
        red_flag = READ_BY[flag.id].kind == "red-flag"
        if red_flag and (flag.status == "not-assessed" or (flag.status == "present" and not flag.by_gap)):
            assert after[flag.id][0] != "absent", (flag.id, left_out)


def test_on_an_empty_form_every_red_flag_is_not_assessed_and_none_is_absent() -> None:
    flags = assess(intake(), read({})).red_flags
    assert {flag.status for flag in flags if READ_BY[flag.id].kind == "red-flag"} == {"not-assessed"}


def test_an_empty_form_asks_for_a_visit_within_days() -> None:
    assert assess(intake(), read({})).disposition.urgency.word == "soon"


# --- nothing hides a flag -----------------------------------------------------------------------------------------


@many
@given(plain_forms(), st.sampled_from(options()))
def test_an_answer_to_a_question_that_a_row_does_not_read_leaves_the_row_as_it_was(
    plain: Plain, option: tuple[str, str]
) -> None:
    link_id, code = option
    answers = read(plain)
    other = Answers({**answers.answered, link_id: (Coding(None, code),)}, answers.states)
    before, after = statuses(assess(intake(), answers)), statuses(assess(intake(), other))
    readers = {flag.id for flag in intake().red_flags if link_id in _questions(flag.id)}
    assert {k: v for k, v in before.items() if k not in readers} == {k: v for k, v in after.items() if k not in readers}


def _questions(flag_id: str) -> frozenset[str]:
    return link_ids(READ_BY[flag_id].when.tree)


@many
@given(plain_forms(), st.sampled_from(["status", "invalid"]))
def test_red_flags_are_the_same_whether_causes_are_ranked_or_not(plain: Plain, because: Any) -> None:
    answers = read(plain)
    ranked = assess(intake(), answers)
    unranked = assess(intake(), answers, rank_causes=False, because=because)
    assert ranked.red_flags == unranked.red_flags
    assert not unranked.assessed
    assert {cause.likelihood for cause in unranked.causes} == {"not-assessed"}


@many
@given(plain_forms())
def test_the_urgency_is_never_below_any_present_row_or_trigger(plain: Plain) -> None:
    assessment = assess(intake(), read(plain))
    asked = [flag.disposition for flag in assessment.red_flags if flag.disposition is not None]
    asked += [trigger.disposition for trigger in assessment.triggers]
    if assessment.leading_cause_asks is not None:
        asked.append(assessment.leading_cause_asks)
    assert assessment.disposition == max(asked)


@many
@given(plain_forms())
def test_of_a_family_one_most_urgent_row_is_reported_and_none_is_lost(plain: Plain) -> None:
    assessment = assess(intake(), read(plain))
    assert {flag.id for flag in assessment.red_flags} == set(READ_BY)
    present = [
        flag for flag in assessment.red_flags if flag.status == "present" and READ_BY[flag.id].kind == "red-flag"
    ]
    for family in {flag.family for flag in present}:
        rows = [flag for flag in present if flag.family == family]
        reported = [flag for flag in rows if flag.reported]
        assert len(reported) == 1
        assert reported[0].disposition == max(flag.disposition for flag in rows if flag.disposition is not None)


# --- order, extras, determinism -----------------------------------------------------------------------------------


@many
@given(plain_forms(), st.randoms(use_true_random=False))
def test_the_order_of_answers_and_unknown_extra_items_change_nothing(plain: Plain, chance: Any) -> None:
    answers = read(plain)
    shuffled = list(answers.answered.items())
    chance.shuffle(shuffled)
    turned = {link_id: tuple(reversed(values)) for link_id, values in shuffled}
    extra: dict[str, Any] = {"no-such-question": (Coding("http://example.org/other", "weak-both"),)}
    states = {**dict(reversed(answers.states.items())), "nor-this": State.BLANK}
    one, other = assess(intake(), answers), assess(intake(), Answers({**extra, **turned}, states))
    assert assessment_json(one) == assessment_json(other)


@pytest.mark.parametrize("place", ["top", "group"])
def test_an_unknown_item_in_the_response_is_an_issue_and_changes_no_finding(place: str) -> None:
    plain = bases()[2]
    response = build_questionnaire_response(intake().questionnaire, plain, authored="2026-01-01T00:00:00Z")
    clean = assess(intake(), read_answers(intake().questionnaire, response).answers)
    extra = {"linkId": "made-up", "answer": [{"valueCoding": {"code": "weak-both"}}]}
    if place == "top":
        response["item"].append(extra)
    else:
        response["item"][1]["item"].append(extra)
    read_again = read_answers(intake().questionnaire, response)
    assert read_again.has_errors
    assert assess(intake(), read_again.answers) == clean


@many
@given(plain_forms())
def test_the_same_answers_give_the_same_assessment(plain: Plain) -> None:
    assert assess(intake(), read(plain)) == assess(intake(), read(dict(reversed(list(plain.items())))))


SAID = """
import hashlib, json
from fhir_app.assessment.as_json import assessment_json
from fhir_app.assessment.assess import assess
from tests.assessment.knowledge_fixture import intake
from tests.assessment.played_forms import bases, read
said = [assessment_json(assess(intake(), read(plain))) for plain in bases()[::9]]
digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()
"""


def test_another_process_with_another_hash_seed_says_the_same_to_the_byte() -> None:
    here: dict[str, str] = {}
    exec(SAID, here)
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    command = [sys.executable, "-c", SAID + "print(digest)"]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": seed}
    )
    assert done.stdout.strip() == here["digest"]


@many
@given(plain_forms())
def test_no_number_that_looks_like_a_probability_is_published(plain: Plain) -> None:
    text = json.dumps(assessment_json(assess(intake(), read(plain))))
    published = json.loads(text, parse_float=lambda number: pytest.fail(f"{number} is a fraction"))
    assert {cause["likelihood"] for cause in published["causes"]} <= {
        "likely",
        "possible",
        "less-likely",
        "not-assessed",
    }
