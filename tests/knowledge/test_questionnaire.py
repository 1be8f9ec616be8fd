from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_app.knowledge.answers import Coding, DateText
from fhir_app.knowledge.criteria import And, Compare, Exists, Or
from fhir_app.knowledge.questionnaire import Questionnaire, UnusableQuestionnaire, read_questionnaire

TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def form(*items: Any, **more: Any) -> Questionnaire:
    return read_questionnaire({"resourceType": "Questionnaire", "status": "active", "item": list(items), **more})


def in_spanish(text: str) -> dict[str, Any]:
    parts = [{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": text}]
    return {"extension": [{"url": TRANSLATION, "extension": parts}]}


def test_items_at_any_depth_are_found_by_link_id() -> None:
    inner = {"linkId": "s", "type": "string"}
    questionnaire = form(
        {"linkId": "g", "type": "group", "item": [{"linkId": "b", "type": "boolean", "item": [inner]}]},
        url="http://example.org/q", version="2", title="Title", language="en",
    )  # fmt: skip
    assert list(questionnaire.by_link_id) == ["g", "b", "s"]
    assert (questionnaire.url, questionnaire.version, questionnaire.language) == ("http://example.org/q", "2", "en")


def test_texts_and_options_are_read_in_every_language() -> None:
    coding = {"system": "http://x", "code": "a", "display": "Apple", "_display": in_spanish("Manzana")}
    item = form({
        "linkId": "c", "type": "choice", "text": "Which?", "_text": in_spanish("¿Cuál?"), "answerOption": [
            {"valueCoding": coding},
            {"valueInteger": 3},
            {"valueDate": "2026-03"},
        ],
    }).by_link_id["c"]  # fmt: skip
    assert item.texts == {"": "Which?", "es": "¿Cuál?"}
    assert [option.value for option in item.options] == [
        Coding("http://x", "a", "Apple"),
        3,
        DateText("2026-03", "date"),
    ]
    assert item.options[0].texts == {"": "Apple", "es": "Manzana"}


def test_an_option_that_excludes_the_others_is_known_as_such() -> None:
    url = "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive"
    options = [
        {"valueString": "none", "extension": [{"url": url, "valueBoolean": True}]},
        {"valueString": "some"},
    ]
    item = form({"linkId": "c", "type": "choice", "answerOption": options}).by_link_id["c"]
    assert [option.exclusive for option in item.options] == [True, False]


@pytest.mark.parametrize(("behavior", "joined"), [("all", And), ("any", Or)])
def test_conditions_compile_into_the_criteria_tree(behavior: str, joined: type[And] | type[Or]) -> None:
    conditions = [
        {"question": "n", "operator": ">", "answerDecimal": Decimal("1.5")},
        {"question": "b", "operator": "exists", "answerBoolean": False},
    ]
    item = {"linkId": "t", "type": "string", "enableWhen": conditions, "enableBehavior": behavior}
    tree = form(item).by_link_id["t"].enable_when
    assert tree == joined((Compare("n", ">", Decimal("1.5")), Exists("b", False)))


def test_several_conditions_without_behavior_leave_the_item_always_shown() -> None:
    conditions = [{"question": "b", "operator": "=", "answerBoolean": value} for value in (True, False)]
    assert form({"linkId": "t", "type": "string", "enableWhen": conditions}).by_link_id["t"].enable_when is None


def test_every_reason_against_a_questionnaire_is_told_at_once() -> None:
    items = [
        {"linkId": "a", "type": "question"},
        {"type": "string"},
        {"linkId": "a", "type": "string", "enableWhen": [{"question": "x", "operator": "exists", "answerInteger": 1}]},
        {"linkId": "c", "type": "choice", "answerOption": [{"valueInteger": "3"}], "item": [{"linkId": 7}]},
        {"linkId": "d", "type": "string", "enableWhen": [{"question": "x", "operator": "~", "answerBoolean": True}]},
        "no item",
    ]
    with pytest.raises(UnusableQuestionnaire) as refused:
        form(*items)
    assert len(refused.value.problems) == 9
    assert "Questionnaire.item[0].type: must be one of the R4 item types that a question can have" in str(refused.value)
    assert "Questionnaire.item: linkId 'a' is used more than once" in str(refused.value)


def test_another_resource_is_no_questionnaire() -> None:
    with pytest.raises(ValueError, match="resourceType"):
        read_questionnaire({"resourceType": "Patient"})
