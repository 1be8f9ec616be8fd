from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_app.assessment.read_answers import ReadResponse, read_answers
from fhir_app.errors import Issue
from fhir_app.knowledge.questionnaire import UnusableQuestionnaire, read_questionnaire
from tests.assessment.conformance_cases import FRUIT_SET, Case, a, coding, fruit, q, v

ITEMS = [
    q("b", "boolean", required=True),
    q("n", "integer", ext=[("minValue", "valueInteger", 0), ("maxValue", "valueInteger", 9)]),
    q("c", "choice", repeats=True, answerOption=fruit("apple", "pear", exclusive="none")),
    q("k", "choice", answerValueSet="#fruit"),
    q("g", "group", repeats=True, item=[
        q("s", "string", maxLength=3, required=True),
        q("t", "date", when=[("s", "=", "answerString", "x")]),
        q("w", "quantity", item=[q("u", "reference")]),
    ]),
    q("h", "group", when=[("b", "=", "answerBoolean", True)], item=[
        q("f", "attachment"),
        q("y", "time", required=True),
    ]),
    q("d", "display"),
    q("o", "open-choice", answerOption=fruit("apple"), when=[("h2", "exists", "answerBoolean", True)]),
    q("h2", "decimal"),
]  # fmt: skip
FORM = read_questionnaire(Case("", "", ITEMS, (), questionnaire={"contained": [FRUIT_SET]}).questionnaire_resource())
LINK_IDS = st.sampled_from([*FORM.by_link_id, "unknown"])
KEYS = st.sampled_from(
    ["linkId", "answer", "item", "text", "extension", "modifierExtension", "status", "valueBoolean", "valueCoding",
     "valueQuantity", "valueReference", "valueAttachment", "valueString", "valueDate", "valueTime", "code", "system",
     "display", "value", "reference", "type", "data", "size", "contentType", "contained", "language", "id"]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.decimals() | st.floats() | st.text(max_size=5) | LINK_IDS
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5)
)
OBJECTS = st.dictionaries(KEYS | st.text(max_size=3), ANYTHING, max_size=6)
VALUES = st.sampled_from(
    [v("Boolean", True), v("Boolean", False), v("Integer", 3), v("Integer", 99), v("String", "x"), v("String", "long"),
     v("Coding", coding("apple")), v("Coding", coding("pear")), v("Coding", coding("none")), v("Date", "2026-02-30"),
     v("Date", "2026"), v("Quantity", {"value": "x"}), v("Reference", {"reference": "Nobody/1"}), v("Time", "10:00:00")]
)  # fmt: skip


def _response_items(depth: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    inner = _response_items(depth - 1) if depth else st.just([])
    answer = st.builds(lambda value, items: {**value, **({"item": items} if items else {})}, VALUES, inner)
    answers = st.lists(answer, max_size=2)
    item = st.builds(
        lambda link_id, given, items: a(link_id, *given, **({"item": items} if items else {})), LINK_IDS, answers, inner
    )
    return st.lists(item, max_size=4)


RESPONSES = st.builds(lambda items: Case("", "", ITEMS, items).response_resource(), _response_items(2))


def errors(result: ReadResponse) -> list[Issue]:
    return [issue for issue in result.issues if issue.severity == "error"]


@given(OBJECTS | RESPONSES)
@settings(max_examples=400, deadline=None)
def test_any_json_object_is_read_without_an_exception(questionnaire_response: dict[str, Any]) -> None:
    result = read_answers(FORM, questionnaire_response)
    assert result.answers.answered.keys() <= FORM.by_link_id.keys()
    assert not result.answers.answered.keys() & result.answers.states.keys()


@given(OBJECTS)
@settings(max_examples=200, deadline=None)
def test_any_json_object_is_a_questionnaire_or_is_refused_with_reasons(resource: dict[str, Any]) -> None:
    problems: tuple[str, ...] = ()
    questionnaire = None
    try:
        questionnaire = read_questionnaire({"resourceType": "Questionnaire", **resource})
    except UnusableQuestionnaire as error:
        problems = error.problems
    assert bool(problems) is (questionnaire is None)
    if questionnaire is not None:
        read_answers(questionnaire, Case("", "", (), ()).response_resource())


@given(RESPONSES, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_order_of_items_changes_neither_the_answers_nor_the_errors(response: dict[str, Any], random: Any) -> None:
    # Questions that stand twice are left as they are: which of the two is "the second" is a matter of order.
    items = response.get("item", [])
    link_ids = [item["linkId"] for item in items]
    response["item"] = [item for item in items if link_ids.count(item["linkId"]) == 1]
    mixed = copy.deepcopy(response)
    random.shuffle(mixed["item"])
    one, other = read_answers(FORM, response), read_answers(FORM, mixed)

    def told(result: ReadResponse) -> list[tuple[str, str, str | None]]:
        return sorted(((i.code, i.text, i.link_id) for i in errors(result)), key=repr)

    assert told(one) == told(other)
    assert one.answers.states == other.answers.states

    def said(result: ReadResponse) -> dict[str, set[object]]:
        return {link_id: set(values) for link_id, values in result.answers.answered.items()}

    assert said(one) == said(other)


@given(RESPONSES, st.data())
@settings(max_examples=200, deadline=None)
def test_taking_away_an_answer_keeps_the_errors_of_items_that_do_not_hang_on_it(
    response: dict[str, Any], data: st.DataObject
) -> None:
    items = response.get("item", [])
    if not items:
        return
    index = data.draw(st.integers(0, len(items) - 1))
    taken = items[index]
    inside = {issue.link_id for issue in errors(read_answers(FORM, response)) if _is_inside(issue, index)}
    # What hangs on the item by enableWhen may be shown or hidden with it; the rest may not change.
    hanging = {"b": {"h", "f", "y"}, "s": {"t"}, "h2": {"o"}}
    removed = _link_ids(taken)
    excused = {taken["linkId"]} | inside | removed | {x for link_id in removed for x in hanging.get(link_id, set())}
    before = [(i.code, i.text, i.link_id) for i in errors(read_answers(FORM, response)) if i.link_id not in excused]
    rest = {**response, "item": items[:index] + items[index + 1 :]}
    after = [(i.code, i.text, i.link_id) for i in errors(read_answers(FORM, rest))]
    unnamed = [entry for entry in before if entry[2] is not None]
    assert all(entry in after for entry in unnamed)


def _is_inside(issue: Issue, index: int) -> bool:
    path = f"QuestionnaireResponse.item[{index}]"
    return issue.expression is not None and (issue.expression == path or issue.expression.startswith(path + "."))


def _link_ids(item: dict[str, Any]) -> set[str]:
    found = {item["linkId"]}
    for inner in [*item.get("item", []), *(i for answer in item.get("answer", []) for i in answer.get("item", []))]:
        found |= _link_ids(inner)
    return found
