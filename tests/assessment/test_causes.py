"""The ranking on a very small intake: groups, ceilings, required features, ties, words, and none fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_app.assessment.assess import assess
from fhir_app.assessment.assessment import Assessment, CauseFinding
from fhir_app.knowledge.loader import load_intake
from tests.assessment.knowledge_fixture import cases_and_stories, intake
from tests.assessment.played_forms import read
from tests.knowledge.small_intake import answered, small_intake, spoiled


def assessed(**plain: object) -> Assessment:
    return assess(small_intake(), answered(**{"age": 30, "danger": ["none"], **plain}))


def cause(assessment: Assessment, cause_id: str) -> CauseFinding:
    return next(found for found in assessment.causes if found.id == cause_id)


def test_of_a_group_only_the_best_counts_and_the_rest_is_shown() -> None:
    found = cause(assessed(where=["foot"], gone="soon", shoes="tight"), "tight-shoes")
    assert found.score == 3 + 2 + 3
    assert found.groups_for == 3
    assert [(item.id, item.counted) for item in found.evidence_for] == [
        ("tight-shoes/foot-only", True),
        ("tight-shoes/tight", True),
        ("tight-shoes/soon", True),
        ("tight-shoes/foot", False),
    ]


def test_evidence_against_is_taken_off() -> None:
    found = cause(assessed(where=["thigh", "foot"], gone="never"), "old-nerve")
    assert found.score == 3 + 3 - 1
    assert [item.id for item in found.evidence_against] == ["old-nerve/foot"]


def test_without_evidence_base_a_cause_stops_at_its_ceiling_until_that_is_lifted() -> None:
    below = cause(assessed(where=["foot"], gone="late", shoes="tight"), "tight-shoes")
    assert (below.score, below.capped_by) == (4, "ceiling")
    lifted = cause(assessed(where=["foot"], gone="soon", shoes="tight"), "tight-shoes")
    assert (lifted.score, lifted.capped_by) == (8, None)


@pytest.mark.parametrize("shoes", [{}, {"shoes": "loose"}, {"shoes": "not-sure"}])
def test_a_cause_without_its_required_feature_is_held_back(shoes: dict[str, object]) -> None:
    found = cause(assessed(where=["foot"], gone="soon", **shoes), "tight-shoes")
    assert (found.score, found.required_missing, found.capped_by) == (2, True, "required")


def test_a_cause_without_its_required_feature_stops_at_three() -> None:
    """In the real knowledge: nothing of the defining feature, however much else agrees."""
    assert intake().scoring.without_required == 3
    held_back = 0
    for case in cases_and_stories()[0]:
        for found in assess(intake(), read(case.answers)).causes:
            if found.required_missing:
                assert found.score <= 3
                held_back += found.capped_by == "required"
    assert held_back > 0


def test_unknown_evidence_counts_for_nothing_and_is_shown_with_its_question() -> None:
    found = cause(assessed(where=["thigh"]), "old-nerve")
    assert found.score == 3
    assert [(item.id, item.unanswered) for item in found.unknown] == [
        ("old-nerve/never", ("gone",)),
        ("old-nerve/late", ("gone",)),
    ]


@pytest.mark.parametrize(("age", "first"), [(30, "tight-shoes"), (49, "tight-shoes"), (50, "old-nerve")])
def test_ties_are_broken_by_age(age: int, first: str, tmp_path: Path) -> None:
    folder = spoiled(tmp_path, ("causes.yaml", "when: age >= 50", "when: age >= 90"))
    found = assess(load_intake(folder), answered(age=age, danger=["none"], where=["hands"], shoes="loose"))
    ranked = [one for one in found.causes if one.id != "none-fits"]
    assert {one.score for one in ranked} == {0}
    assert ranked[0].id == first


def test_words_follow_score_and_groups() -> None:
    likely = cause(assessed(where=["thigh"], gone="never"), "old-nerve")
    assert (likely.score, likely.groups_for, likely.likelihood) == (6, 2, "likely")
    possible = cause(assessed(where=["thigh"], gone="soon"), "old-nerve")
    assert (possible.score, possible.likelihood) == (3, "possible")
    assert cause(assessed(where=["foot"], gone="soon"), "old-nerve").likelihood == "less-likely"


@pytest.mark.parametrize("plain", [{"where": ["thigh"]}, {"gone": "never"}, {}])
def test_without_place_or_duration_no_word_is_given_but_the_order_is(plain: dict[str, object]) -> None:
    found = assessed(**plain)
    assert {one.likelihood for one in found.causes if one.id != "none-fits"} == {"not-assessed"}
    assert [one.rank for one in found.causes] == [1, 2, 3]


def test_none_fits_is_first_when_no_cause_is_possible() -> None:
    found = assessed(where=["hands"], gone="late", shoes="loose")
    assert (found.causes[0].id, found.causes[0].likelihood) == ("none-fits", "possible")
    assert found.causes[0].next_step == "Examine."
    assert found.disposition.urgency.word == "routine"


def test_none_fits_is_second_to_a_weak_leader_and_last_to_a_strong_one() -> None:
    assert assessed(where=["thigh"], gone="soon").causes[1].id == "none-fits"
    assert assessed(where=["thigh"], gone="never").causes[-1].id == "none-fits"


def test_a_flag_that_belongs_to_no_possible_cause_speaks_for_a_disease_off_the_list() -> None:
    cold = {"danger": ["cold"], "how_cold": "now"}
    assert assessed(**cold, where=["thigh"], gone="never").outside_explanation == ()
    hinted = assessed(danger=["fall"], where=["thigh"], gone="soon")
    assert hinted.outside_explanation == ("hint-fall",)
    assert hinted.causes[0].id == "none-fits"
    assert [hint.id for hint in hinted.hints] == ["hint-fall"]


def test_a_variant_is_named_when_its_criterion_is_yes() -> None:
    assert cause(assessed(where=["thigh"], gone="never"), "old-nerve").variants == ("high",)
    assert cause(assessed(where=["foot"], gone="never"), "old-nerve").variants == ()


@pytest.mark.parametrize(
    ("plain", "asked"),
    [
        ({"where": ["thigh"], "gone": "never"}, "same-day"),
        ({"where": ["thigh"], "gone": "soon"}, "routine"),
        ({"where": ["foot"], "gone": "soon", "shoes": "tight"}, "self-care"),
    ],
)
def test_the_leading_cause_asks_for_its_first_floor_that_holds(plain: dict[str, object], asked: str) -> None:
    found = assessed(**plain)
    assert found.leading_cause_asks is not None
    assert found.leading_cause_asks.urgency.word == asked
