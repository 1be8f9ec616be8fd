"""What no single file can show: dead links, doubled ids, rules that cannot fire, options that nothing reads."""

# ruff: noqa: E501  (a table reads better unbroken)
from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.loader import load_intake
from fhir_app.knowledge.rules import every_rule
from tests.assessment.knowledge_fixture import intake
from tests.knowledge.small_intake import spoiled


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("red_flags.yaml", "when: danger includes fall", "when: danger includes flood"), "has no option 'flood'"),
        (("red_flags.yaml", "when: danger includes fall", "when: peril includes fall"), "no item 'peril'"),
        (("red_flags.yaml", "when: gone = never", "when: 'gone all of {never, late}'"), "takes one answer only"),
        (("red_flags.yaml", "when: danger includes fall", "when: danger n>=3 of {fall, cold}"), "can never be ticked"),
        (("red_flags.yaml", "when: danger includes fall", "when: danger > 3"), "is no number"),
        (("red_flags.yaml", "when: danger includes fall", "when: danger includes fall AND gone = late AND gone = never"), "can never be true"),
        (("red_flags.yaml", "when: gone = never", "when: gone = never OR NOT gone = never"), "can never be false"),
        (("red_flags.yaml", "when: danger includes fall", "when: NOT danger includes none"), "F2.1 would be present on an empty form"),
        (("red_flags.yaml", "{id: T1, says", "{id: T2, says"), "phrases.en.yaml: there is no trigger T1"),
        (("red_flags.yaml", "{id: T1, says", "{id: T2, says"), "phrases.en.yaml: trigger-T2 is missing"),
        (("intake.yaml", "languages: [en]", "languages: [en, fr]"), "translations/fr.yaml: the file is missing"),
        (("leaflets/plan.yaml", "F2.1: 2", "F2.9: 2"), "plan.yaml: there is no red flag F2.9"),
        (("red_flags.yaml", "id: F2.1", "id: F1.1"), "stands 2 times"),
        (("red_flags.yaml", "{id: F2, label: A fall}", "{id: F9, label: A fall}"), "no family 'F2'"),
        (("red_flags.yaml", "{id: F2, label: A fall}", "{id: F2, label: A fall}\n  - {id: F9, label: X}"), "belongs to family 'F9'"),
        (("causes.yaml", "{id: never, says: never gone, when: gone = never, counts: against", "{id: foot, says: never gone, when: gone = never, counts: against"), "stands 2 times"),
        (("causes.yaml", "causes: [tight-shoes, old-nerve]", "causes: [tight-shoes]"), "is not in both"),
        (("causes.yaml", "rows: {F1: [old-nerve]}", "rows: {F7: [old-nerve]}"), "no red flag begins with 'F7'"),
        (("causes.yaml", "rows: {F1: [old-nerve]}", "rows: {F1: [nobody]}"), "no cause 'nobody'"),
        (("intake.yaml", "core: [danger, where, gone]", "core: [danger, where, gone, nowhere]"), "no item 'nowhere'"),
        (("intake.yaml", "descriptive: [how-cold/now, ", "descriptive: ["), "no rule reads how-cold/now"),
        (("intake.yaml", "descriptive: [", "descriptive: [where/moon, "), "has no 'where/moon'"),
        (("sources.yaml", "sources:\n", "sources:\n  - {id: Never00, title: x, locators: [y], confirmed: true}\n"), "is cited nowhere"),
    ],
)  # fmt: skip
def test_a_fault_between_files_is_found_and_placed(tmp_path: Path, edit: tuple[str, str, str], said: str) -> None:
    with pytest.raises(KnowledgeError) as refused:
        load_intake(spoiled(tmp_path, edit))
    found = refused.value.problems
    assert any(said in problem for problem in found), found
    assert all(problem.partition(":")[0].endswith(".yaml") for problem in found)


def test_an_intake_without_phrases_in_its_language_is_refused(tmp_path: Path) -> None:
    folder = spoiled(tmp_path)
    shutil.rmtree(folder / "leaflets")
    with pytest.raises(KnowledgeError, match=r"there is no phrases\.en\.yaml"):
        load_intake(folder)


def test_every_criterion_of_the_real_knowledge_is_among_the_checked_rules() -> None:
    names = [name for _, name, _ in every_rule(intake())]
    assert {flag.id for flag in intake().red_flags} <= set(names)
    assert {trigger.id for trigger in intake().triggers} <= set(names)
    assert {item.id for cause in intake().causes for item in cause.evidence} <= set(names)
    assert {f"@{name}" for name in intake().conditions} <= set(names)
    assert {hint.id for hint in intake().hints} <= set(names)
