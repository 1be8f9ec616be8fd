"""The clinician's summary: one screen, traceable, and true to the assessment."""

from __future__ import annotations

import re
from functools import lru_cache

import pytest

from fhir_app.assessment.assess import assess
from fhir_app.assessment.assessment import Assessment
from fhir_app.assessment.summary import MOST_LINES, clinician_summary, summary_lines
from fhir_app.knowledge.answers import Answers
from fhir_app.knowledge.cases import Case
from tests.assessment.knowledge_fixture import cases_and_stories, intake
from tests.assessment.played_forms import read
from tests.knowledge.small_intake import answered, small_intake

CASES = cases_and_stories()[0]


@lru_cache(maxsize=1)
def assessed() -> tuple[tuple[Case, Answers, Assessment], ...]:
    played = [(case, read(case.answers)) for case in CASES]
    return tuple((case, answers, assess(intake(), answers)) for case, answers in played)


def test_every_case_fits_one_screen() -> None:
    for case, answers, found in assessed():
        lines = clinician_summary(found, intake(), answers).splitlines()
        assert len(lines) <= MOST_LINES + 3, case.id
        assert max(len(line) for line in lines) <= 80, case.id


def test_nearly_every_case_fits_twenty_five_lines() -> None:
    sizes = [len(clinician_summary(found, intake()).splitlines()) for _, _, found in assessed()]
    assert sum(size <= MOST_LINES for size in sizes) >= 0.97 * len(sizes), max(sizes)


def test_every_statement_names_the_rule_it_comes_from() -> None:
    """Every line but those that list what is missing, what was not ranked, and the sources."""
    untraced = re.compile(r"No red flag|\? Red flags not assessed|Causes not ranked|Unverified|Sources: ")
    known = {flag.id for flag in intake().red_flags} | {trigger.id for trigger in intake().triggers}
    known |= {cause.id for cause in intake().causes} | {f"{cause.id}/next-step" for cause in intake().causes}
    known |= {item.id for cause in intake().causes for item in cause.evidence}
    known |= {hint.id for hint in intake().hints} | {"none-fits", "none-fits/next-step"}
    known |= set(intake().questionnaire.by_link_id)
    for _, _, found in assessed()[::3]:
        for line in summary_lines(found, intake()):
            assert line.rules or untraced.match(line.text), line.text
            assert set(line.rules) <= known, line.text


def test_every_source_number_stands_in_the_list_of_sources() -> None:
    for case, _, found in assessed()[::5]:
        lines = summary_lines(found, intake())
        listed = {int(number) for number in re.findall(r"(\d+) [A-Za-z]", lines[-1].text.partition(" J judgement")[0])}
        used = {number for line in lines for number in line.sources}
        assert used <= listed, case.id


def test_no_percentage_and_no_score_is_told() -> None:
    for _, _, found in assessed():
        text = clinician_summary(found, intake())
        assert "%" not in text
        assert "score" not in text


def test_urgency_and_flags_come_first_and_name_what_decided() -> None:
    answers = answered(age=61, danger=["fall", "cold"], where=["thigh"], gone="never")
    first, second, *_ = clinician_summary(assess(small_intake(), answers), small_intake(), answers).splitlines()
    assert first == "EMERGENCY. Age 61. Call now. [F1.1]"
    assert second.startswith('! emergency: cold now (not ruled out: "About how-cold?" unanswered) [F1.1; J]')


def test_a_cause_is_told_with_answers_for_and_against_and_its_next_step() -> None:
    answers = answered(age=30, danger=["none"], where=["thigh", "foot"], gone="never")
    text = clinician_summary(assess(small_intake(), answers), small_intake(), answers)
    assert "1. Old nerve (high): likely [old-nerve]" in text
    assert "   + in the thigh [thigh; J]; never gone [never; J]" in text
    assert "   - in the foot [foot; J]" in text
    assert "   > Test it. [old-nerve/next-step; 1]" in text
    assert "Sources: 1 Old99, J judgement. Knowledge small 1.0.0, not yet reviewed by a" in text


def test_what_was_not_asked_is_told_with_the_question_to_ask_first() -> None:
    text = clinician_summary(assess(small_intake(), answered(age=30, danger=["none"], where=["thigh"])), small_intake())
    assert "Ask first: About gone?" in text
    assert 'Also unanswered: "About shoes?"' in text


@pytest.mark.parametrize(("because", "said"), [("status", "not finished"), ("invalid", "Unverified")])
def test_causes_that_were_not_ranked_are_not_told(because: str, said: str) -> None:
    found = assess(small_intake(), answered(age=30, where=["thigh"]), rank_causes=False, because=because)  # type: ignore[arg-type]
    text = clinician_summary(found, small_intake())
    assert said.lower() in text.lower()
    assert "Old nerve" not in text


def test_a_held_back_cause_says_why() -> None:
    answers = answered(age=30, danger=["none"], where=["foot"], gone="late", shoes="tight")
    assert "held back: no evidence base" in clinician_summary(assess(small_intake(), answers), small_intake())


def test_a_narrow_screen_is_kept_too() -> None:
    text = clinician_summary(assess(intake(), read(CASES[0].answers)), intake(), width=50)
    assert max(len(line) for line in text.splitlines()) <= 50


def test_an_empty_form_says_that_nothing_was_assessed() -> None:
    text = clinician_summary(assess(small_intake(), Answers({})), small_intake())
    assert text.startswith("ROUTINE.")
    assert "None fits" in text
