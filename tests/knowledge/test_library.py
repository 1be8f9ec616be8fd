"""Intakes are found by their exact canonical."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.library import load_library, questionnaires_root
from tests.knowledge.small_intake import spoiled


def test_an_intake_is_found_by_its_url_and_version(tmp_path: Path) -> None:
    spoiled(tmp_path)
    library = load_library(tmp_path)
    found = library.by_canonical("http://example.org/Questionnaire/small|1.0.0")
    assert found is library.intakes[0]
    assert library.questionnaires == (found.questionnaire.resource,)


URL = "http://example.org/Questionnaire/small"


@pytest.mark.parametrize("canonical", ["", "|", URL, f"{URL}|", f"{URL}|1.0", f"{URL}|1.0.1"])
def test_a_bare_url_or_another_version_finds_nothing(tmp_path: Path, canonical: str) -> None:
    spoiled(tmp_path)
    assert load_library(tmp_path).by_canonical(canonical) is None


def test_problems_of_every_intake_are_named_with_its_folder(tmp_path: Path) -> None:
    spoiled(tmp_path / "one", ("causes.yaml", "strength: 3", "strength: 9")).rename(tmp_path / "first")
    spoiled(tmp_path / "two", ("intake.yaml", "title: Small", "titel: Small")).rename(tmp_path / "second")
    with pytest.raises(KnowledgeError) as refused:
        load_library(tmp_path)
    assert {problem.partition("/")[0] for problem in refused.value.problems} == {"first", "second"}


def test_a_folder_without_an_intake_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="no intake found"):
        load_library(tmp_path)


def test_the_intakes_of_this_program_load_without_a_problem() -> None:
    assert "tingling-legs" in {intake.name for intake in load_library(questionnaires_root()).intakes}


def test_a_copy_left_beside_the_original_is_refused_since_it_would_be_used_in_its_place(tmp_path: Path) -> None:
    original = spoiled(tmp_path)
    copytree(original, tmp_path / "a-backup")
    with pytest.raises(KnowledgeError) as refused:
        load_library(tmp_path)
    assert refused.value.problems == (
        f"{original.name}: {URL}|1.0.0 stands in a-backup as well; move one of them away",
    )
