"""What an item demands of one answer by a pattern."""

from __future__ import annotations

from time import monotonic

import pytest

from fhir_app.assessment import value_constraints
from fhir_app.assessment.value_constraints import constraints
from fhir_app.knowledge.questionnaire import Item, read_questionnaire

REGEX = "http://hl7.org/fhir/StructureDefinition/regex"


def item_with(pattern: str) -> Item:
    item = {"linkId": "a", "type": "string", "extension": [{"url": REGEX, "valueString": pattern}]}
    return read_questionnaire({"resourceType": "Questionnaire", "url": "urn:q", "version": "1", "item": [item]}).items[
        0
    ]


def found(pattern: str, answer: str) -> str | None:
    [check] = constraints(item_with(pattern), "String")
    problem = check(answer, answer)
    return None if problem is None else problem[0]


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("[0-9]{3}", "123", "1234"),
        (r"\p{L}+", "Łódź", "a1"),
        (r"[\p{Lu}][\p{Ll}]*", "Ana", "ana"),
        ("a|b", "b", "ab"),
        ("(?:a+)+", "aaaa", "aaab"),
    ],
)
def test_the_whole_answer_must_have_the_form(pattern: str, fitting: str, other: str) -> None:
    assert found(pattern, fitting) is None
    assert found(pattern, other) == "value"


@pytest.mark.parametrize("pattern", ["(a|aa)+", "(a|a)*", "(a?a?)+"])
def test_a_pattern_that_would_take_for_ever_is_given_up_and_said_so(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(value_constraints, "_PATTERN_SECONDS", 0.05)
    began = monotonic()
    assert found(pattern, "a" * 200 + "b") in ("too-costly", "value")
    assert monotonic() - began < 5


def test_what_was_given_up_is_no_verdict_on_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_constraints, "_PATTERN_SECONDS", 0.05)
    assert found("(a|aa)+", "a" * 200 + "b") == "too-costly"


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "*", r"(?P<n>a)(?P<n"])
def test_a_pattern_that_cannot_be_read_demands_nothing(pattern: str) -> None:
    assert constraints(item_with(pattern), "String") == ()
