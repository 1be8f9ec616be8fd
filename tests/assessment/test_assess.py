"""The assessment as a whole, on a very small intake."""

from __future__ import annotations

from typing import Literal

import pytest

from fhir_app.assessment.assess import assess
from fhir_app.knowledge.answers import Answers
from tests.knowledge.small_intake import answered, small_intake

FULL = {"age": 30, "danger": ["none"], "where": ["foot"], "gone": "soon", "shoes": "tight"}


def test_it_says_which_knowledge_it_rests_on() -> None:
    found = assess(small_intake(), answered(**FULL))
    assert (found.intake, found.knowledge_version) == ("small", "1.0.0")
    assert found.canonical == "http://example.org/Questionnaire/small|1.0.0"


@pytest.mark.parametrize(("age", "assessed"), [(17, False), (18, True)])
def test_causes_are_withheld_from_minors_and_flags_are_not(age: int, assessed: bool) -> None:
    found = assess(small_intake(), answered(**{**FULL, "age": age, "danger": ["fall"]}))
    assert found.assessed is assessed
    assert found.not_assessed_because == (None if assessed else "under-age")
    assert [flag.id for flag in found.present_flags] == ["F2.1"]


@pytest.mark.parametrize("because", ["status", "invalid"])
def test_causes_are_withheld_from_what_is_unfinished_or_invalid(because: Literal["status", "invalid"]) -> None:
    found = assess(small_intake(), answered(**FULL), rank_causes=False, because=because)
    assert (found.assessed, found.not_assessed_because) == (False, because)
    assert {cause.likelihood for cause in found.causes} == {"not-assessed"}
    assert found.best_next_question is None
    assert found.disposition.urgency.word == "routine"  # what "none fits" asks for: nothing was ranked to lower it


def test_the_highest_of_flag_trigger_and_leading_cause_stands() -> None:
    flag = assess(small_intake(), answered(**{**FULL, "danger": ["fall"]}))
    assert flag.disposition.urgency.word == "soon"
    trigger = assess(small_intake(), answered(age=30, danger=["none"], where=["foot"], gone="never", shoes="tight"))
    assert trigger.disposition.urgency.word == "routine"
    alone = assess(small_intake(), answered(**FULL))
    assert alone.disposition.urgency.word == "self-care"


def test_what_was_shown_and_not_answered_is_listed_in_the_order_of_the_form() -> None:
    found = assess(small_intake(), answered(danger=["cold"], shoes="not-sure"))
    assert found.unanswered == ("age", "how-cold", "where", "gone", "shoes")


def test_a_response_without_any_answer_is_assessed_too() -> None:
    found = assess(small_intake(), Answers({}))
    assert found.assessed
    assert found.present_flags == ()
