"""The one open question that could move the ranking most."""

from __future__ import annotations

import pytest

from fhir_app.assessment.assess import assess
from tests.knowledge.small_intake import answered, small_intake


@pytest.mark.parametrize(
    ("plain", "asked"),
    [
        ({"age": 30, "danger": ["none"], "where": ["thigh"], "shoes": "tight"}, "gone"),
        ({"age": 30, "danger": ["none"], "gone": "never", "shoes": "tight"}, "where"),
        ({"age": 30, "danger": ["none"], "where": ["foot"], "gone": "soon"}, "shoes"),
        ({"age": 30, "danger": ["none"], "where": ["foot"], "gone": "soon", "shoes": "not-sure"}, "shoes"),
        ({"age": 30, "danger": ["none"], "where": ["foot"], "gone": "soon", "shoes": "loose"}, None),
    ],
)
def test_it_is_the_question_with_most_evidence_waiting_for_it(plain: dict[str, object], asked: str | None) -> None:
    assert assess(small_intake(), answered(**plain)).best_next_question == asked


def test_a_question_that_bears_on_no_cause_is_not_asked_for() -> None:
    found = assess(small_intake(), answered(age=30, where=["foot"], gone="soon", shoes="loose"))
    assert "danger" in found.unanswered
    assert found.best_next_question is None
