"""Files of cases and stories are read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.cases import read_cases

CASE = """\
cases:
  - id: one
    name: Somebody with a cold foot
    answers: {danger: [cold]}
    expect: {urgency: emergency}
"""
STORY = """\
stories:
  - id: s1
    part: tune
    age: 40
    sex: male
    text: My foot is cold.
    source: made up
    answers: {danger: [cold]}
    label: {diagnosis: 'other:artery', acceptable: [], urgency: emergency, red_flag: cold, reason: artery}
"""


def read(folder: Path, text: str) -> tuple[tuple[object, ...], tuple[object, ...]]:
    path = folder / "some.yaml"
    path.write_text(text, encoding="utf-8")
    return read_cases(path)


def test_a_case_and_a_story_are_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text(CASE + STORY, encoding="utf-8")
    (case,), (story,) = read_cases(path)
    assert (case.id, case.status, case.sample, case.expected.urgency) == ("one", "completed", False, "emergency")
    assert case.answers == {"danger": ["cold"]}
    assert (story.part, story.label.diagnosis, story.label.urgency) == ("tune", "other:artery", "emergency")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("urgency: emergency}\n", "urgency: now}\n"),
        ("expect: {urgency", "expect: {present_rows: [F1], urgency"),
        ("name: Somebody with a cold foot", "name: short"),
        ("    answers: {danger: [cold]}\n    expect", "    expect"),
        ("part: tune", "part: train"),
        ("age: 40", "age: forty"),
        ("reason: artery", "because: artery"),
        ("- id: s1", "- id: s1\n    id: s2"),
    ],
)
def test_a_wrong_word_or_key_is_refused_with_the_file(tmp_path: Path, before: str, after: str) -> None:
    assert before in CASE + STORY
    with pytest.raises(KnowledgeError, match=r"some\.yaml"):
        read(tmp_path, (CASE + STORY).replace(before, after, 1))


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == ((), ())
