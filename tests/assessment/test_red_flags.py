"""Red flags on a very small intake: by answers, by a gap, absent, not assessed; families and rows that report gaps."""

from __future__ import annotations

import pytest

from fhir_app.assessment.assess import assess
from fhir_app.assessment.assessment import Answered, Assessment, RedFlagFinding
from fhir_app.knowledge.answers import Answers, Coding, State
from tests.knowledge.small_intake import answered, small_intake


def assessed(**plain: object) -> Assessment:
    return assess(small_intake(), answered(**plain))


def row(assessment: Assessment, row_id: str) -> RedFlagFinding:
    return next(flag for flag in assessment.red_flags if flag.id == row_id)


def test_a_row_is_present_with_the_answers_that_made_it_so() -> None:
    found = row(assessed(danger=["cold"], how_cold="before"), "F1.2")
    assert (found.status, found.by_gap, found.unanswered) == ("present", False, ())
    assert found.because == (Answered("danger", "cold"), Answered("how-cold", "before"))
    assert found.sources == ("Old99#page 2",)
    assert found.advice == "Clinic today."


def test_a_blank_follow_up_makes_its_rows_present_at_the_most_urgent_branch() -> None:
    for plain in ({"danger": ["cold"]}, {"danger": ["cold"], "how_cold": "not-sure"}):
        found = row(assessed(**plain), "F1.2")
        assert (found.status, found.by_gap, found.unanswered) == ("present", True, ("how-cold",))
        assert found.disposition is not None
        assert found.disposition.urgency.word == "emergency"


def test_an_exclusion_counts_only_when_it_was_answered() -> None:
    assert row(assessed(danger=["cold"], how_cold="before"), "F1.1").status == "absent"
    assert row(assessed(danger=["cold"], how_cold="now"), "F1.1").by_gap is False
    assert row(assessed(danger=["cold"]), "F1.1").by_gap is True


def test_an_unticked_option_is_no_and_an_unanswered_list_is_not_assessed() -> None:
    assert row(assessed(danger=["none"]), "F2.1").status == "absent"
    assert row(assessed(danger=["cold"], how_cold="now"), "F2.1").status == "absent"
    found = row(assessed(), "F2.1")
    assert (found.status, found.disposition, found.unanswered) == ("not-assessed", None, ("danger",))


def test_a_row_that_hangs_on_a_blank_question_is_not_assessed() -> None:
    assert row(assessed(), "F1.2").status == "not-assessed"


def test_of_a_family_the_most_urgent_row_is_reported_and_the_other_is_kept() -> None:
    found = assessed(danger=["cold"])
    assert [flag.id for flag in found.red_flags if flag.status == "present"][:2] == ["F1.1", "F1.2"]
    assert [flag.id for flag in found.present_flags] == ["F1.1"]
    assert row(found, "F1.2").reported is False


def test_present_rows_come_first_and_the_most_urgent_of_them_first() -> None:
    found = assessed(danger=["fall", "cold"], how_cold="now")
    assert [(flag.id, flag.status) for flag in found.red_flags[:2]] == [("F1.1", "present"), ("F2.1", "present")]


def test_an_unanswered_list_sets_a_floor_beside_the_flags() -> None:
    found = assessed()
    assert found.floor is not None
    assert (found.floor.urgency.word, found.disposition.urgency.word) == ("soon", "soon")
    assert assessed(danger=["none"]).floor is None


def test_a_trigger_names_its_answers_and_is_no_red_flag() -> None:
    found = assessed(danger=["none"], gone="never")
    assert [(t.id, t.because) for t in found.triggers] == [("T1", (Answered("gone", "never"),))]
    assert found.present_flags == ()
    assert assessed(danger=["none"], gone="late").triggers == ()


@pytest.mark.parametrize("system", [None, "http://example.org/small", "http://example.org/other"])
def test_a_row_reads_codes_whatever_system_they_came_with(system: str | None) -> None:
    answers = Answers({"danger": (Coding(system, "fall"),)})
    assert row(assess(small_intake(), answers), "F2.1").status == "present"


def test_a_follow_up_that_was_never_reached_is_not_assessed_and_never_absent() -> None:
    answers = Answers({}, {"danger": State.BLANK, "how-cold": State.UNDETERMINED})
    found = assess(small_intake(), answers)
    assert {flag.status for flag in found.red_flags if flag.family in ("F1", "F2")} == {"not-assessed"}
