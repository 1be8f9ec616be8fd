"""A folder is an intake, or a list of everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.criteria import And, Not, Ticked
from fhir_app.knowledge.intake import Disposition, Urgency, Where
from fhir_app.knowledge.loader import load_intake
from tests.knowledge.small_intake import SMALL, small_intake, spoiled


def problems(folder: Path) -> list[str]:
    with pytest.raises(KnowledgeError) as refused:
        load_intake(folder)
    return list(refused.value.problems)


def test_everything_in_the_files_is_in_the_intake() -> None:
    intake = small_intake()
    assert intake.canonical == "http://example.org/Questionnaire/small|1.0.0"
    assert [flag.id for flag in intake.red_flags] == ["F1.1", "F1.2", "F2.1", "F3.1"]
    second = intake.red_flags[1]
    assert (second.family, second.disposition) == ("F1", Disposition(Urgency.SAME_DAY, Where.CLINIC))
    assert second.blank == Disposition(Urgency.EMERGENCY)
    assert second.advice == "Clinic today."
    assert [(c.source.id, c.locator) for c in second.citations] == [("Old99", "page 2")]
    assert intake.conditions["COLDNOW"].tree == And((Ticked("danger", ("cold",)), Not(Ticked("how-cold", ("before",)))))
    assert [item.id for item in intake.causes[1].evidence][:2] == ["old-nerve/thigh", "old-nerve/never"]
    assert intake.reviewed_by is None


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("intake.yaml", "knowledge_version: 1.0.0", "knowledge_version: one"), "intake.yaml:5 (knowledge_version)"),
        (("intake.yaml", "title: Small", "titel: Small"), "intake.yaml"),
        (("intake.yaml", "  soon: Within days.\n", ""), "no text for soon"),
        (("intake.yaml", "how-cold = before", "how-cold == before"), "intake.yaml"),
        (("red_flags.yaml", "urgency: soon", "urgency: sooner"), "red_flags.yaml:25 (red_flags[2].urgency)"),
        (("red_flags.yaml", "where: clinic", "place: clinic"), "red_flags.yaml"),
        (("red_flags.yaml", "cite: [Old99#page 2]", "cite: [New20#page 2]"), "no source 'New20'"),
        (("red_flags.yaml", "cite: [Old99#page 2]", "cite: [Old99#page 3]"), "no locator 'page 3'"),
        (("red_flags.yaml", "    cite: [Old99#page 2]\n", ""), "nothing is cited"),
        (("red_flags.yaml", "when: danger includes fall", "when: '@NOBODY'"), "no condition is named @NOBODY"),
        (("causes.yaml", "strength: 3", "strength: 4"), "causes.yaml"),
        (("causes.yaml", "strength: 3", "strength: '3'"), "causes.yaml"),
        (("causes.yaml", "group: location", "group: place"), "causes.yaml"),
        (("causes.yaml", ", figure: 'LR 3'", ""), "names its figure"),
        (("causes.yaml", "cite: [Old99#page 2]}\n    variants", "cite: []}\n    variants"), "judgement"),
        (("sources.yaml", "confirmed: false", "confirmed: no"), "sources.yaml"),
        (("questionnaire.json", '"version": "1.0.0"', '"version": "1.0.0", "version": "1.0.1"'), "stands twice"),
        (("questionnaire.json", '"linkId": "age"', '"linkId": "danger"'), "linkId 'danger' is used more than once"),
    ],
)  # fmt: skip
def test_a_spoiled_file_is_refused_with_its_place(tmp_path: Path, edit: tuple[str, str, str], said: str) -> None:
    found = problems(spoiled(tmp_path, edit))
    assert any(said in problem for problem in found), found
    assert all(problem.startswith(edit[0]) for problem in found)


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    folder = spoiled(
        tmp_path,
        ("red_flags.yaml", "urgency: soon", "urgency: sooner"),
        ("causes.yaml", "strength: 3", "strength: 9"),
        ("sources.yaml", "title: An old book", "titel: An old book"),
    )
    assert {problem.partition(":")[0] for problem in problems(folder)} == {
        "red_flags.yaml",
        "causes.yaml",
        "sources.yaml",
    }


def test_conditions_that_go_round_in_a_circle_are_refused(tmp_path: Path) -> None:
    circle = ("intake.yaml", "when: danger includes cold AND NOT how-cold = before", "when: '@COLDNOW'")
    assert any("circle" in problem for problem in problems(spoiled(tmp_path, circle)))


@pytest.mark.parametrize("name", ["intake.yaml", "red_flags.yaml", "causes.yaml", "sources.yaml", "questionnaire.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = spoiled(tmp_path)
    (folder / name).unlink()
    assert problems(folder) == [f"{name}: the file is missing"]


def test_a_form_under_another_name_is_in_the_digest(tmp_path: Path) -> None:
    folder = spoiled(tmp_path, ("intake.yaml", "questionnaire: questionnaire.json", "questionnaire: form.json"))
    form = (folder / "questionnaire.json").rename(folder / "form.json")
    before = load_intake(folder).digest
    form.write_text(form.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert load_intake(folder).digest != before


@pytest.mark.parametrize("name", ["intake.yaml", "red_flags.yaml", "causes.yaml", "sources.yaml", "questionnaire.json"])
def test_any_byte_of_rules_sources_or_form_is_in_the_digest(tmp_path: Path, name: str) -> None:
    folder = spoiled(tmp_path)
    assert load_intake(folder).digest == load_intake(SMALL).digest
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert load_intake(folder).digest != load_intake(SMALL).digest
