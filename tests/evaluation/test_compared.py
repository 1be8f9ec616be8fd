"""Two knowledge versions on the same cases."""

from __future__ import annotations

from pathlib import Path

from fhir_app.evaluation.compared import changes
from fhir_app.evaluation.played import Result
from fhir_app.knowledge.cases import Case, Expected
from fhir_app.knowledge.loader import load_intake
from tests.knowledge.small_intake import small_intake, spoiled


def case(case_id: str, **answers: object) -> Case:
    nothing = Expected(None, (), (), (), False, None, {}, {}, (), ())
    return Case(case_id, "A case of the tests", answers, nothing, "completed", False)


FALL = case("fall", age=30, danger=["fall"], where=["foot"], gone="soon", shoes="tight")
THIGH = case("thigh", age=30, danger=["none"], where=["thigh"], gone="never")


def test_every_case_whose_result_changes_is_listed_with_what_changed(tmp_path: Path) -> None:
    other = load_intake(
        spoiled(tmp_path, ("red_flags.yaml", "urgency: soon\n    why: bones", "urgency: emergency\n    why: bones"))
    )
    found = changes(small_intake(), other, [FALL, THIGH], [])
    assert [(change.id, change.said[0]) for change in found] == [("fall", "urgency soon -> emergency")]


def test_rows_and_causes_that_come_and_go_are_named(tmp_path: Path) -> None:
    other = load_intake(
        spoiled(
            tmp_path,
            ("red_flags.yaml", "when: danger includes fall", "when: danger includes fall AND where includes hands"),
            (
                "causes.yaml",
                "when: gone = never, counts: for, strength: 3",
                "when: gone = never, counts: against, strength: 3",
            ),
        )
    )
    said = {change.id: change.said for change in changes(small_intake(), other, [FALL, THIGH], [])}
    assert "no longer present: F2.1" in said["fall"]
    assert any(one.startswith("causes old-nerve") for one in said["thigh"])


def test_the_same_knowledge_changes_nothing() -> None:
    assert changes(small_intake(), small_intake(), [FALL, THIGH], []) == ()


def test_an_answer_that_one_version_does_not_take_is_a_change(tmp_path: Path) -> None:
    edit = ("questionnaire.json", '"code": "tight"', '"code": "narrow"')
    other = load_intake(
        spoiled(
            tmp_path,
            edit,
            ("causes.yaml", "shoes = tight", "shoes = narrow"),
            ("causes.yaml", "shoes = tight", "shoes = narrow"),
        )
    )
    (change,) = changes(small_intake(), other, [FALL], [])
    assert isinstance(change.before, Result)
    assert "cannot be played" in change.said[0]
