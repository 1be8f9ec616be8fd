"""What was given out under a version stays what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.loader import load_intake
from fhir_app.knowledge.version_gate import check_version, write_lock
from tests.knowledge.small_intake import spoiled


def problems(folder: Path) -> list[str]:
    return check_version(folder, load_intake(folder))


def locked(folder: Path) -> Path:
    copy = spoiled(folder)
    (copy / "CHANGELOG.md").write_text("# Changes\n\n## 1.0.0 (2026-11-24)\n\nThe first.\n", encoding="utf-8")
    write_lock(copy, load_intake(copy))
    return copy


def edit(folder: Path, name: str, before: str, after: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert before in text
    (folder / name).write_text(text.replace(before, after, 1), encoding="utf-8")


def release(folder: Path, version: str) -> None:
    edit(folder, "intake.yaml", "knowledge_version: 1.0.0", f"knowledge_version: {version}")
    edit(folder, "CHANGELOG.md", "# Changes\n", f"# Changes\n\n## {version}\n\nA reason.\n")


def test_a_locked_version_with_its_entry_is_in_order(tmp_path: Path) -> None:
    assert problems(locked(tmp_path)) == []


@pytest.mark.parametrize("change", [
    ("red_flags.yaml", "urgency: soon", "urgency: routine"),
    ("causes.yaml", "strength: 3", "strength: 2"),
    ("intake.yaml", "core: [danger, where, gone]", "core: [danger, where]"),
    ("sources.yaml", "An old book", "A new book"),
    ("questionnaire.json", "About gone?", "How long until it is gone?"),
])  # fmt: skip
def test_a_changed_rule_under_a_locked_version_is_a_problem(tmp_path: Path, change: tuple[str, str, str]) -> None:
    folder = locked(tmp_path)
    edit(folder, *change)
    assert len(problems(folder)) == 1
    assert "still 1.0.0" in problems(folder)[0]
    with pytest.raises(KnowledgeError, match="locked with other rules"):
        write_lock(folder, load_intake(folder))


def test_a_raised_version_must_be_locked_in_its_turn(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    edit(folder, "red_flags.yaml", "urgency: soon", "urgency: routine")
    release(folder, "1.1.0")
    assert [problem for problem in problems(folder) if "1.1.0 is not locked" in problem] == problems(folder)
    write_lock(folder, load_intake(folder))
    assert problems(folder) == []
    assert "1.0.0 sha256:" in (folder / "knowledge.lock").read_text(encoding="utf-8")


def test_a_version_without_an_entry_in_the_changelog_is_a_problem(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    for text in ("", "# Changes\n\n## 1.0.0\n", "# Changes\n\n## 1.0.01\n\nText.\n", "# Changes\n\n1.0.0 is out.\n"):
        (folder / "CHANGELOG.md").write_text(text, encoding="utf-8")
        assert len(problems(folder)) == 1, text
    (folder / "CHANGELOG.md").unlink()
    assert len(problems(folder)) == 1


def test_going_back_behind_a_locked_version_is_a_problem(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    release(folder, "1.1.0")
    write_lock(folder, load_intake(folder))
    edit(folder, "intake.yaml", "knowledge_version: 1.1.0", "knowledge_version: 1.0.0")
    assert any("older than 1.1.0" in problem for problem in problems(folder))
    edit(folder, "intake.yaml", "knowledge_version: 1.0.0", "knowledge_version: 1.0.5")
    with pytest.raises(KnowledgeError, match="newer"):
        write_lock(folder, load_intake(folder))


def test_locking_twice_changes_nothing(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    before = (folder / "knowledge.lock").read_bytes()
    write_lock(folder, load_intake(folder))
    assert (folder / "knowledge.lock").read_bytes() == before


def test_without_a_lock_file_the_check_says_how_to_make_one(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    (folder / "knowledge.lock").unlink()
    assert problems(folder) == ["knowledge.lock: the file is missing: run `fhir-app knowledge --lock`"]


@pytest.mark.parametrize("line", ["1.0.0", "1.0.0 sha256:abc", "one sha256:" + "0" * 64, "1.0.0 md5:" + "0" * 64])
def test_a_line_that_is_no_lock_is_named_with_its_number(tmp_path: Path, line: str) -> None:
    folder = locked(tmp_path)
    (folder / "knowledge.lock").write_text(f"# head\n{line}\n", encoding="utf-8")
    assert any(problem.startswith("knowledge.lock:2:") for problem in problems(folder))
