"""YAML is read without guesses."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_app.knowledge.strict_yaml import read_yaml


def read(folder: Path, text: str) -> tuple[object, list[str]]:
    path = folder / "some.yaml"
    path.write_text(text, encoding="utf-8")
    document, problems = read_yaml(path)
    return document.data, problems


@pytest.mark.parametrize(
    "word",
    ["yes", "no", "on", "off", "Yes", "NO", "True", "0123", "1_000", "2026-11-24", "12:30", "1.5", "0x1f", "1e3"],
)
def test_only_true_false_null_and_whole_numbers_are_not_text(tmp_path: Path, word: str) -> None:
    assert read(tmp_path, f"a: {word}") == ({"a": word}, [])


@pytest.mark.parametrize(
    ("word", "value"),
    [("true", True), ("false", False), ("null", None), ("~", None), ("", None), ("12", 12), ("-3", -3)],
)
def test_true_false_null_and_whole_numbers_are_what_they_say(tmp_path: Path, word: str, value: object) -> None:
    assert read(tmp_path, f"a: {word}") == ({"a": value}, [])


def test_a_key_that_stands_twice_is_a_problem_with_its_line(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "a:\n  b: 1\n  b: 2\n")
    assert problems == ["some.yaml:3: the key 'b' stands twice"]


@pytest.mark.parametrize("text", ["a: [1", "a: b: c", "\ta: 1", "a: !!python/object:os.system x", "a: *nobody"])
def test_what_is_not_yaml_is_a_problem_and_never_an_exception(tmp_path: Path, text: str) -> None:
    _, problems = read(tmp_path, text)
    assert len(problems) == 1
    assert problems[0].startswith("some.yaml:")


def test_a_place_is_named_by_line_and_path_and_a_missing_one_by_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text("rows:\n  - id: one\n  - id: two\n", encoding="utf-8")
    document, _ = read_yaml(path)
    assert document.place(("rows", 1, "id")) == "some.yaml:3 (rows[1].id)"
    assert document.place(("rows", 1, "when")) == "some.yaml:3 (rows[1].when)"
    assert document.place(()) == "some.yaml:1"
