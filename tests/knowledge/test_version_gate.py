"""What was given out under a version stays what it was."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.loader import load_intake
from fhir_app.knowledge.version_gate import check_version, digests, write_lock
from tests.knowledge.small_intake import small_intake, spoiled


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


RULES, TEXTS = "the rules, sources or form changed", "the texts that people read changed"


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
    assert problems(folder) == [f"knowledge.lock: {RULES}, but the knowledge version is still 1.0.0: raise it"]
    with pytest.raises(KnowledgeError, match=f"{RULES} after 1.0.0 was locked"):
        write_lock(folder, load_intake(folder))


def test_one_line_less_in_an_emergency_leaflet_is_a_problem(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    leaflet = sorted((folder / "leaflets" / "rf").glob("*.md"))[0]
    lines = leaflet.read_text(encoding="utf-8").splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if line.strip() and not line.startswith("#"))
    leaflet.write_text("".join(lines[:last] + lines[last + 1 :]), encoding="utf-8")
    assert check_version(folder, small_intake()) == [
        f"knowledge.lock: {TEXTS}, but the knowledge version is still 1.0.0: raise it"
    ]
    with pytest.raises(KnowledgeError, match=f"{TEXTS} after 1.0.0 was locked"):
        write_lock(folder, small_intake())


def test_every_file_that_somebody_reads_is_locked(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    rules = {"intake.yaml", "red_flags.yaml", "causes.yaml", "sources.yaml", "questionnaire.json"}
    read = [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).as_posix() not in rules]
    for path in [*read, folder / "translations" / "es.yaml", folder / "source_attributes.yaml"]:
        name = path.relative_to(folder).as_posix()
        before = path.read_bytes() if path.exists() else None
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((before or b"") + b"\n")
        found = [problem for problem in check_version(folder, small_intake()) if TEXTS in problem]
        assert len(found) == (name not in ("CHANGELOG.md", "knowledge.lock", "leaflets/rules.yaml")), name
        path.write_bytes(before) if before is not None else path.unlink()
    assert check_version(folder, small_intake()) == []


def test_a_text_that_was_moved_or_taken_away_is_a_problem(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    plan = folder / "leaflets" / "plan.yaml"
    plan.rename(folder / "leaflets" / "plans.yaml")
    assert [TEXTS in problem for problem in check_version(folder, small_intake())] == [True]
    (folder / "leaflets" / "plans.yaml").unlink()
    assert [TEXTS in problem for problem in check_version(folder, small_intake())] == [True]


@pytest.mark.parametrize("name", [
    "cases/more.yaml", "samples/one.json", "leaflets/rules.yaml", "leaflets/.plan.yaml.swp", "leaflets/.old/K.en.md",
    "leaflets/plan.yaml~", ".DS_Store",
])  # fmt: skip
def test_a_case_or_what_an_editor_leaves_behind_changes_nothing(tmp_path: Path, name: str) -> None:
    folder = locked(tmp_path)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("new\n", encoding="utf-8")
    assert problems(folder) == []


def test_rules_and_texts_that_both_changed_are_both_named(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    edit(folder, "causes.yaml", "strength: 3", "strength: 2")
    (folder / "source_attributes.yaml").write_text("developer: somebody\n", encoding="utf-8")
    assert [problem for problem in problems(folder) if "form and the texts that people read changed" in problem]


def test_the_digests_do_not_depend_on_where_the_folder_is_or_in_which_order_it_was_written(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    other = tmp_path / "other"
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            copy = other / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    assert digests(other, load_intake(other)) == digests(folder, load_intake(folder))


def test_a_version_that_was_locked_without_its_texts_is_told_and_can_be_completed(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    whole = (folder / "knowledge.lock").read_text(encoding="utf-8")
    (folder / "knowledge.lock").write_text(re.sub(" texts:.*", "", whole), encoding="utf-8")
    assert problems(folder) == [
        f"knowledge.lock: version 1.0.0 was locked without its texts: run `fhir-app knowledge {folder} --lock`"
    ]
    write_lock(folder, load_intake(folder))
    assert (folder / "knowledge.lock").read_text(encoding="utf-8") == whole


def test_the_line_of_an_older_version_stays_as_it_is(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    older = f"0.9.0 sha256:{'0' * 64}\n"
    with (folder / "knowledge.lock").open("a", encoding="utf-8") as file:
        file.write(older)
    write_lock(folder, load_intake(folder))
    assert older in (folder / "knowledge.lock").read_text(encoding="utf-8")
    assert problems(folder) == []


def test_a_raised_version_must_be_locked_in_its_turn(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    edit(folder, "red_flags.yaml", "urgency: soon", "urgency: routine")
    release(folder, "1.1.0")
    assert problems(folder) == [
        f"knowledge.lock: version 1.1.0 is not locked: when all else is done, run `fhir-app knowledge {folder} --lock`"
    ]
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
    assert problems(folder) == [f"knowledge.lock: the file is missing: run `fhir-app knowledge {folder} --lock`"]


def test_a_folder_with_a_space_in_its_name_can_be_pasted(tmp_path: Path) -> None:
    (tmp_path / "my intakes").mkdir()
    folder = locked(tmp_path / "my intakes")
    (folder / "knowledge.lock").unlink()
    assert f"run `fhir-app knowledge '{folder}' --lock`" in problems(folder)[0]


@pytest.mark.parametrize(
    "line",
    [
        "1.0.0",
        "1.0.0 sha256:abc",
        "one sha256:" + "0" * 64,
        "1.0.0 md5:" + "0" * 64,
        f"1.0.0 sha256:{'0' * 64} texts:1",
    ],
)
def test_a_line_that_is_no_lock_is_named_with_its_number(tmp_path: Path, line: str) -> None:
    folder = locked(tmp_path)
    (folder / "knowledge.lock").write_text(f"# head\n{line}\n", encoding="utf-8")
    assert any(problem.startswith("knowledge.lock:2:") for problem in problems(folder))
