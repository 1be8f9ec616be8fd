"""`fhir-app check`"""

from __future__ import annotations

import shutil
from pathlib import Path

from click.testing import CliRunner

from fhir_app.cli import main
from fhir_app.knowledge.library import questionnaires_root


def test_the_knowledge_that_is_shipped_is_fit_to_be_used() -> None:
    shown = CliRunner().invoke(main, ["check"])
    assert shown.exit_code == 0, shown.output
    assert "tingling-legs" in shown.stdout


def test_one_intake_can_be_checked_by_itself() -> None:
    shown = CliRunner().invoke(main, ["check", str(questionnaires_root() / "tingling-legs")])
    assert shown.exit_code == 0, shown.output


def test_every_problem_of_every_file_is_told_with_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "questionnaires" / "tingling-legs"
    shutil.copytree(questionnaires_root() / "tingling-legs", folder)
    for name in ("causes.yaml", "red_flags.yaml"):
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8") + "\nstranger: 1\n", encoding="utf-8")
    shown = CliRunner().invoke(main, ["check", str(tmp_path / "questionnaires")])
    assert shown.exit_code == 1
    assert "tingling-legs/causes.yaml" in shown.stderr
    assert "tingling-legs/red_flags.yaml" in shown.stderr


def test_source_attributes_that_cannot_be_read_are_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "tingling-legs"
    shutil.copytree(questionnaires_root() / "tingling-legs", folder)
    path = folder / "source_attributes.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("questions: [pt-age]", "questions: [pt-aeg]"), "utf-8")
    shown = CliRunner().invoke(main, ["check", str(tmp_path)])
    assert shown.exit_code == 1
    assert "tingling-legs/source_attributes.yaml: date-of-birth: the questionnaire has no 'pt-aeg'" in shown.stderr


def test_a_folder_without_an_intake_is_a_problem(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["check", str(tmp_path)]).exit_code == 1


def test_a_rule_that_changed_under_a_locked_version_is_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "tingling-legs"
    shutil.copytree(questionnaires_root() / "tingling-legs", folder)
    assert CliRunner().invoke(main, ["knowledge", str(folder), "--lock"]).exit_code == 0
    assert CliRunner().invoke(main, ["check", str(tmp_path)]).exit_code == 0
    path = folder / "sources.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    for checked in (tmp_path, folder):
        shown = CliRunner().invoke(main, ["check", str(checked)])
        assert shown.exit_code == 1
        assert "raise it" in shown.stderr
