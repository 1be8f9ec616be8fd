from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.assessment.read_answers import read_answers
from fhir_app.fhir.model import check_shape
from fhir_app.knowledge.questionnaire import Questionnaire, read_questionnaire
from tests.assessment.conformance_cases import Case, a, coding, fruit, q, v

AUTHORED = "2026-03-04T10:00:00Z"
SPANISH = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/translation", "extension": [
    {"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "Pregunta n"}]}]}  # fmt: skip
ITEMS = [
    q("g", "group", item=[
        q("n", "integer", _text=SPANISH),
        q("c", "choice", repeats=True, answerOption=fruit("apple", "pear", exclusive="none"), item=[q("d", "date")]),
    ]),
    q("x", "open-choice", answerOption=fruit("fig")),
    q("s", "string", when=[("n", ">", "answerInteger", 3)]),
    q("t", "text", when=[("s", "exists", "answerBoolean", True)]),
    q("w", "quantity"),
    q("p", "decimal"),
    q("i", "display"),
]  # fmt: skip


def form() -> Questionnaire:
    return read_questionnaire(Case("", "", ITEMS, (), questionnaire={"language": "en"}).questionnaire_resource())


def build(answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return build_questionnaire_response(form(), answers, authored=AUTHORED, **more)


def test_groups_are_opened_and_options_get_their_system_and_display() -> None:
    response = build({"n": 1, "c": ["apple"], "d": "2026-03"}, subject={"reference": "Patient/1"})
    given = v("Coding", coding("apple", display="Apple"), item=[a("d", v("Date", "2026-03"), text="Question d")])
    assert response == {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "http://example.org/q|1",
        "status": "completed",
        "subject": {"reference": "Patient/1"},
        "authored": AUTHORED,
        "item": [
            {
                "linkId": "g",
                "text": "Question g",
                "item": [a("n", v("Integer", 1), text="Question n"), a("c", given, text="Question c")],
            }
        ],
    }


def test_what_is_not_enabled_is_left_out_with_all_that_hangs_on_it() -> None:
    assert [item["linkId"] for item in build({"n": 3, "s": "x", "t": "y"})["item"]] == ["g"]
    assert [item["linkId"] for item in build({"n": 4, "s": "x", "t": "y"})["item"]] == ["g", "s", "t"]


def test_text_and_elements_are_taken_as_they_are() -> None:
    response = build({"x": "dates", "w": {"value": Decimal("1.50"), "unit": "kg"}, "p": Decimal("0.10")})
    answers = {item["linkId"]: item["answer"] for item in response["item"]}
    assert answers == {
        "x": [v("String", "dates")],
        "w": [v("Quantity", {"value": Decimal("1.50"), "unit": "kg"})],
        "p": [v("Decimal", Decimal("0.10"))],
    }


def test_a_translation_stands_beside_the_text_of_the_questionnaire() -> None:
    item = build({"n": 1}, language="es")["item"][0]["item"][0]
    assert (item["text"], item["_text"]) == ("Question n", SPANISH)
    assert "_text" not in build({"n": 1}, language="en")["item"][0]["item"][0]


@pytest.mark.parametrize(
    "answers", [{"z": 1}, {"g": 1}, {"i": "x"}, {"n": "1"}, {"n": [1, 2]}, {"c": ["stone"]}, {"p": "x"}, {"n": True}]
)
def test_what_the_questionnaire_does_not_have_is_refused(answers: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(answers))):
        build(answers)


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(-5, 5),
        "c": st.lists(st.sampled_from(["apple", "pear"]), unique=True) | st.just(["none"]),
        "d": st.sampled_from(["2026", "2026-03", "2026-03-04"]),
        "x": st.sampled_from(["fig", "something else"]),
        "s": st.just("x"),
        "t": st.just("y"),
        "p": st.decimals(-9, 9, places=2),
    },
)


@given(ANSWERS, st.sampled_from(["en", "es", None]))
@settings(max_examples=150, deadline=None)
def test_what_is_built_is_valid_and_reads_back_as_it_was_given(answers: dict[str, Any], language: str | None) -> None:
    response = build(answers, language=language)
    read = read_answers(form(), response)
    assert not read.issues
    assert not check_shape(response, "QuestionnaireResponse")
    if "n" in answers:
        assert read.answers.values("n") == (answers["n"],)
    assert read.answers.codes("c") == set(answers.get("c", []))
