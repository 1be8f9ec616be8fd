"""`fhir-app evaluate` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhir_app.cli import main
from tests.knowledge.small_intake import spoiled

STORIES = Path(__file__).parents[1] / "evaluation" / "stories.yaml"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["evaluate", *arguments])
    return result.exit_code, result.output


def test_a_table_of_measures_with_intervals_targets_and_published_figures() -> None:
    code, output = run(str(STORIES))
    assert code == 0
    assert "not yet reviewed by a clinician" in output
    for part in ("50.0 % 1/2", "9.5-90.5", "100 % not met", "34 % (31-37)", "Semigran15", "label \\ rules"):
        assert part in output


def test_a_pipe_gets_every_word_whatever_the_terminal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    _, output = run(str(STORIES))
    assert "100 % not met" in output
    assert "…" not in output


def test_json_is_nothing_but_json() -> None:
    code, output = run(str(STORIES), "--json", "--part", "report")
    assert code == 0
    assert [one["part"] for one in json.loads(output)["sets"]] == ["report"]


def test_the_page_is_written(tmp_path: Path) -> None:
    code, _ = run(str(STORIES), "--html", str(tmp_path / "report.html"))
    assert code == 0
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_case_that_fails_is_named_and_the_exit_code_says_so(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        STORIES.read_text(encoding="utf-8").replace("urgency: self-care\n", "urgency: soon\n", 1), encoding="utf-8"
    )
    code, output = run(str(path))
    assert code == 1
    assert "urgency is self-care, not soon" in " ".join(output.split())


def test_another_version_is_compared(tmp_path: Path) -> None:
    cases = tmp_path / "cases.yaml"
    cases.write_text(
        "cases:\n  - {id: fall, name: Fell today, answers: {age: 30, danger: [fall]}, expect: {urgency: soon}}\n",
        encoding="utf-8",
    )
    old = spoiled(
        tmp_path / "old", ("red_flags.yaml", "urgency: soon\n    why: bones", "urgency: emergency\n    why: bones")
    )
    new = spoiled(tmp_path / "new")
    code, output = run(str(cases), "--knowledge", str(new), "--against", str(old))
    assert code == 0
    assert "1 results change" in output
    assert "urgency emergency -> soon" in output


def test_a_folder_without_cases_is_a_message_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("cases: []\n", encoding="utf-8")
    code, output = run(str(tmp_path / "empty.yaml"))
    assert (code, output) == (1, "Error: There is no case and no story in what was given.\n")
