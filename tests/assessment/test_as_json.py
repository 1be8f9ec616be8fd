"""The published JSON keeps to its schema, and holds words and whole numbers only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from fhir_app.assessment.as_json import assessment_json, assessment_schema
from fhir_app.assessment.assess import assess
from tests.assessment.knowledge_fixture import cases_and_stories, intake
from tests.assessment.played_forms import read
from tests.knowledge.small_intake import answered, small_intake

VALIDATOR = Draft202012Validator(dict(assessment_schema()))


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def test_the_schema_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(dict(assessment_schema()))


def test_cases_of_every_kind_keep_to_the_schema() -> None:
    for case in cases_and_stories()[0][::12]:
        for ranked in (True, False):
            found = assess(intake(), read(case.answers), rank_causes=ranked, because=None if ranked else "invalid")
            VALIDATOR.validate(assessment_json(found))


def test_only_words_whole_numbers_and_truths_are_published() -> None:
    found = assessment_json(assess(small_intake(), answered(age=17, danger=["cold"], gone="never")))
    assert {type(leaf) for leaf in leaves(found)} <= {str, int, bool, type(None)}
    assert json.loads(json.dumps(found)) == found


def test_a_result_says_why_in_full() -> None:
    found = assessment_json(assess(small_intake(), answered(age=30, danger=["cold"], where=["thigh"], gone="never")))
    first = found["red_flags"][0]
    assert (first["id"], first["status"], first["urgency"], first["because_unanswered"]) == (
        "F1.1", "present", "emergency", True,
    )  # fmt: skip
    assert first["unanswered"] == ["how-cold"]
    assert first["answers"] == [{"question": "danger", "answer": "cold"}]
    nerve = next(cause for cause in found["causes"] if cause["id"] == "old-nerve")
    assert [item["id"] for item in nerve["for"]] == ["old-nerve/thigh", "old-nerve/never"]
    assert nerve["next_step"] == "Test it."
