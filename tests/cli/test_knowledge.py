"""`fhir-app knowledge` at the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhir_app.cli import main
from fhir_app.fhir.model import check_shape
from fhir_app.knowledge.library import questionnaires_root
from fhir_app.knowledge.loader import load_intake

FOLDER = questionnaires_root() / "tingling-legs"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["knowledge", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "tingling-legs"
    folder.mkdir()
    for path in FOLDER.iterdir():
        if path.is_file() and path.name != "knowledge.lock":
            shutil.copy(path, folder)
    if (FOLDER / "translations").is_dir():
        shutil.copytree(FOLDER / "translations", folder / "translations")
    leaflets = FOLDER / "leaflets"
    shutil.copytree(leaflets, folder / "leaflets")
    return folder


def test_without_options_it_says_what_there_is_and_who_reviewed_it() -> None:
    code, output = run()
    assert code == 0
    assert "not yet reviewed by a clinician" in output
    assert "13. Use of health status assessments data" in output


def test_both_documents_are_written(tmp_path: Path) -> None:
    code, output = run("--html", str(tmp_path / "k.html"), "--markdown", str(tmp_path / "k.md"))
    assert code == 0
    assert f"to {tmp_path / 'k.html'}." in output
    assert f"to {tmp_path / 'k.md'}." in output
    assert "13." not in output
    assert 'id="RF01.1"' in (tmp_path / "k.html").read_text(encoding="utf-8")
    assert 'id="RF01.1"' in (tmp_path / "k.md").read_text(encoding="utf-8")


def test_json_holds_thirteen_attributes_and_every_rule() -> None:
    code, output = run("--json")
    data = json.loads(output)
    assert code == 0
    assert len(data["source_attributes"]) == 13
    assert {"RF01.1", "cecs/required"} <= {rule["id"] for rule in data["rules"]}


def test_what_was_written_is_told_beside_the_json_and_not_in_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["knowledge", "--json", "--html", str(tmp_path / "k.html")])
    assert len(json.loads(result.stdout)["source_attributes"]) == 13
    assert "Wrote every rule of tingling-legs" in result.stderr


def test_the_library_is_r4_and_carries_the_attributes() -> None:
    code, output = run("--library")
    library = json.loads(output)
    assert code == 0
    assert library["resourceType"] == "Library"
    assert "13. Use of health status assessments data" in library["usage"]
    assert [issue for issue in check_shape(library) if issue.severity == "error"] == []


def test_a_version_without_an_entry_in_the_changelog_is_told_when_it_is_locked(copy: Path) -> None:
    (copy / "CHANGELOG.md").write_text("# Changes\n", encoding="utf-8")
    code, output = run(str(copy), "--lock")
    assert code == 0
    assert "Version: CHANGELOG.md: there is no entry" in output


def test_a_version_is_locked_once_and_then_kept(copy: Path) -> None:
    code, output = run(str(copy), "--lock")
    assert code == 0
    assert output == f"Locked {load_intake(copy).knowledge_version} in {copy}.\n"
    locked = (copy / "knowledge.lock").read_bytes()
    assert run(str(copy), "--lock")[0] == 0
    assert (copy / "knowledge.lock").read_bytes() == locked
    with (copy / "causes.yaml").open("a", encoding="utf-8") as file:
        file.write("# a changed rule\n")
    code, output = run(str(copy), "--lock")
    assert code == 1
    assert "raise `knowledge_version` first" in output


def test_knowledge_whose_cases_fail_is_not_locked(copy: Path) -> None:
    case = {"id": "child", "name": "A child of twelve.", "answers": {"pt-age": 12}, "expect": {"urgency": "self-care"}}
    (copy / "cases").mkdir()
    (copy / "cases" / "wrong.yaml").write_text(json.dumps({"cases": [case]}), encoding="utf-8")
    code, output = run(str(copy), "--lock")
    assert code == 1
    assert "not as expected: child" in output
    assert not (copy / "knowledge.lock").exists()
