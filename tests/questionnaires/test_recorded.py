"""The record of results is that of this knowledge: a change of any result is seen, and recorded on purpose."""

from __future__ import annotations

from tests.questionnaires.recorded import PATH, lines

AGAIN = "run `python -m tests.questionnaires.recorded`, and read the difference before you commit it"


def test_every_case_and_story_comes_out_as_recorded() -> None:
    recorded = dict(line.split(": ", 1) for line in PATH.read_text(encoding="utf-8").splitlines()[1:])
    now = dict(line.split(": ", 1) for line in lines()[1:])
    assert {name: result for name, result in now.items() if recorded.get(name) != result} == {}, AGAIN
    assert sorted(recorded.keys() - now.keys()) == [], AGAIN


def test_the_record_names_the_version_of_the_knowledge() -> None:
    assert PATH.read_text(encoding="utf-8").splitlines()[0] == lines()[0], AGAIN
