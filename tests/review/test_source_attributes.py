"""The 13 source attributes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fhir_app.errors import KnowledgeError
from fhir_app.review.source_attributes import attribute_texts, source_attributes
from tests.assessment.knowledge_fixture import FOLDER, intake


def test_there_are_thirteen_in_the_order_of_the_regulation() -> None:
    found = source_attributes(intake(), FOLDER)
    assert [attribute.number for attribute in found] == list(range(1, 14))
    assert [attribute.name for attribute in found][:4] == [
        "Bibliographic citation of the intervention", "Developer of the intervention",
        "Funding source of the technical implementation", "Release and revision dates",
    ]  # fmt: skip
    assert all(attribute.text for attribute in found)


def test_which_rules_read_the_age_is_read_off_the_rules() -> None:
    age = source_attributes(intake(), FOLDER)[10]
    assert age.name == "Use of date of birth"
    assert "RF00.1" in age.rules
    assert "RF01.1" not in age.rules
    assert any(rule.startswith("peripheral-artery-disease/background") for rule in age.rules)


def test_pregnancy_is_named_under_sex() -> None:
    assert "RF18.1" in source_attributes(intake(), FOLDER)[9].rules


def test_the_library_carries_each_as_a_line() -> None:
    texts = attribute_texts(source_attributes(intake(), FOLDER))
    assert len(texts) == 13
    assert texts["5. Use of race"] == "Not asked and not used."
    assert "Read by" in texts["11. Use of date of birth"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("funding:", "founding:", "funding"),
        ("  race:\n    says: Not asked and not used.\n", "", "says nothing of the use of race"),
        ("questions: [pt-age]", "questions: [pt-years]", "has no 'pt-years'"),
    ],
)
def test_a_file_that_leaves_one_out_or_names_no_question_is_refused(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    text = (FOLDER / "source_attributes.yaml").read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "source_attributes.yaml").write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=said):
        source_attributes(intake(), tmp_path)


def test_an_intake_without_the_file_is_refused(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "intake.yaml", tmp_path)
    with pytest.raises(KnowledgeError, match="missing"):
        source_attributes(intake(), tmp_path)
