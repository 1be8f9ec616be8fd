"""`fhir-app check`"""

from __future__ import annotations

import re
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


def locked_copy(folder: Path) -> Path:
    copy = Path(shutil.copytree(questionnaires_root() / "tingling-legs", folder / "tingling-legs"))
    (copy / "knowledge.lock").unlink()
    assert CliRunner().invoke(main, ["knowledge", str(copy), "--lock"]).exit_code == 0
    assert CliRunner().invoke(main, ["check", str(folder)]).exit_code == 0
    return copy


def test_a_rule_that_changed_under_a_locked_version_is_a_problem(tmp_path: Path) -> None:
    folder = locked_copy(tmp_path)
    path = folder / "sources.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    for checked in (tmp_path, folder):
        shown = CliRunner().invoke(main, ["check", str(checked)])
        assert shown.exit_code == 1
        assert "the rules, sources or form changed" in shown.stderr
        assert "raise it" in shown.stderr


def test_a_line_taken_out_of_an_emergency_leaflet_under_a_locked_version_is_a_problem(tmp_path: Path) -> None:
    folder = locked_copy(tmp_path)
    path = folder / "leaflets" / "rf" / "RF02.en.md"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    line = next(number for number, line in enumerate(lines) if line.startswith("- "))
    path.write_text("".join(lines[:line] + lines[line + 1 :]), encoding="utf-8")
    shown = CliRunner().invoke(main, ["check", str(folder)])
    assert shown.exit_code == 1
    assert "tingling-legs/knowledge.lock: the texts that people read changed" in shown.stderr


def test_a_version_that_is_not_locked_yet_hides_no_other_problem(tmp_path: Path) -> None:
    folder = locked_copy(tmp_path)
    intake = folder / "intake.yaml"
    text = intake.read_text(encoding="utf-8")
    intake.write_text(re.sub(r"(?m)^knowledge_version: .*", "knowledge_version: 99.0.0", text), encoding="utf-8")
    (folder / "source_attributes.yaml").unlink()
    shown = CliRunner().invoke(main, ["check", str(tmp_path)])
    assert shown.exit_code == 1
    assert f"run `fhir-app knowledge {folder} --lock`" in shown.stderr
    assert "tingling-legs/source_attributes.yaml" in shown.stderr
    assert "there is no entry `## 99.0.0`" in shown.stderr
    assert "3 problems." in shown.stderr
