from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_app.assessment.read_answers import ReadResponse, read_answers
from fhir_app.knowledge.answers import Coding, DateText, Quantity, State
from fhir_app.knowledge.questionnaire import read_questionnaire
from fhir_app.knowledge.terminology import read_terminology
from tests.assessment.conformance_cases import (
    BOOL,
    CASES,
    FRUIT,
    FRUITS,
    NO,
    NUMBER,
    SYSTEM,
    TEXT,
    YES,
    Case,
    a,
    coding,
    ext,
    q,
    v,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "validation.md"


def read(items: list[dict[str, Any]], given: list[dict[str, Any]], **more: Any) -> ReadResponse:
    case = Case("", "", items, given, **more)
    return read_answers(read_questionnaire(case.questionnaire_resource()), case.response_resource())


def found(result: ReadResponse, severity: str) -> list[tuple[str, str]]:
    return sorted((issue.code, issue.link_id or "") for issue in result.issues if issue.severity == severity)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_of_the_table_gets_its_verdict(case: Case) -> None:
    terminology = read_terminology(case.resources)
    result = read_answers(read_questionnaire(case.questionnaire_resource()), case.response_resource(), terminology)
    assert found(result, "error") == sorted((code, link_id or "") for code, link_id in case.errors)
    assert found(result, "warning") == sorted((code, link_id or "") for code, link_id in case.warnings)
    assert result.has_errors is bool(case.errors)


def test_the_document_lists_every_case_with_its_paragraph() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert len({case.name for case in CASES}) == len(CASES)
    missing = [case.name for case in CASES if f"| [{case.name}]({case.paragraph}) | " not in text]
    assert not missing


def test_every_issue_names_the_path_the_question_and_never_the_answer() -> None:
    secret = "Ottokar-4711"
    items = [q("g", "group", item=[q("s", "string", maxLength=3), FRUIT]), NUMBER]
    given = [
        {"linkId": "g", "item": [a("s", v("String", secret)), a("c", v("Coding", coding(secret, display=secret)))]},
        a("n", v("String", secret)),
    ]
    result = read(items, given)
    assert [(issue.expression, issue.question) for issue in result.issues] == [
        ("QuestionnaireResponse.item[0].item[0].answer[0].value", "Question s"),
        ("QuestionnaireResponse.item[0].item[1].answer[0].value", "Question c"),
        ("QuestionnaireResponse.item[1].answer[0].value", "Question n"),
    ]
    assert secret not in json.dumps([issue.text for issue in result.issues])


def test_every_type_of_answer_is_read_to_the_digit() -> None:
    kinds = {
        "boolean": (NO, False),
        "integer": (v("Integer", 3), 3),
        "decimal": (v("Decimal", Decimal("1.50")), Decimal("1.50")),
        "date": (v("Date", "2026-03"), DateText("2026-03", "date")),
        "quantity": (v("Quantity", {"value": Decimal("0.10"), "unit": "kg"}), Quantity(Decimal("0.10"), "kg")),
        "open-choice": (v("Coding", coding("apple")), Coding(SYSTEM, "apple")),
    }
    items = [q(kind, kind) for kind in kinds]
    result = read(items, [a(kind, answer) for kind, (answer, _) in kinds.items()])
    assert result.answers.answered == {kind: (value,) for kind, (_, value) in kinds.items()}
    assert str(result.answers.values("decimal")[0]) == "1.50"


def test_a_shown_question_without_answer_is_blank_and_one_not_shown_is_not_asked() -> None:
    hidden = q("t", "string", when=[("b", "=", "answerBoolean", True)])
    result = read([BOOL, TEXT, hidden], [a("b", NO)])
    assert result.answers.states == {"s": State.BLANK}
    assert result.answers.state("t") is State.NOT_ASKED


def test_a_question_that_hangs_on_a_blank_one_is_undetermined_with_all_that_hang_on_it() -> None:
    second = q("t", "string", when=[("b", "=", "answerBoolean", True)])
    third = q("g", "group", when=[("t", "exists", "answerBoolean", True)], item=[q("u", "string")])
    result = read([BOOL, second, third, TEXT], [a("s", v("String", "x"))])
    assert result.answers.states == {"b": State.BLANK, "t": State.UNDETERMINED, "u": State.UNDETERMINED}


def test_a_question_that_hangs_on_a_later_blank_one_is_undetermined_too() -> None:
    first = q("u", "string", when=[("t", "exists", "answerBoolean", True)])
    second = q("t", "string", when=[("b", "=", "answerBoolean", True)])
    result = read([first, second, BOOL], [])
    assert result.answers.states == {"u": State.UNDETERMINED, "t": State.UNDETERMINED, "b": State.BLANK}


def test_a_question_is_not_asked_when_another_term_of_its_condition_is_certainly_false() -> None:
    terms = [("b", "=", "answerBoolean", True), ("n", ">", "answerInteger", 3)]
    both = q("t", "string", when=terms, enableBehavior="all")
    result = read([BOOL, NUMBER, both], [a("n", v("Integer", 1))])
    assert result.answers.states == {"b": State.BLANK}


def test_an_item_whose_condition_is_an_expression_is_neither_demanded_nor_refused() -> None:
    url = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression"
    item = q("t", "string", required=True)
    item["extension"] = [{"url": url, "valueExpression": {"language": "text/fhirpath", "expression": "true"}}]
    left_out, given = read([BOOL, item], [a("b", YES)]), read([BOOL, item], [a("b", YES), a("t", v("String", "x"))])
    assert not left_out.issues
    assert left_out.answers.states == {"t": State.UNDETERMINED}
    assert not given.issues


def test_answers_of_disabled_misplaced_and_wrong_items_are_still_gathered() -> None:
    hidden = q("t", "string", when=[("b", "=", "answerBoolean", True)])
    items = [BOOL, hidden, q("g", "group", item=[FRUIT]), q("d", "boolean", item=[NUMBER])]
    given = [
        a("b", NO),
        a("t", v("String", "x")),
        a("c", v("Coding", coding("apple"))),
        {"linkId": "d", "item": [a("n", v("Integer", 4))]},
    ]
    result = read(items, given)
    assert result.has_errors
    assert result.answers.values("t") == ("x",)
    assert result.answers.codes("c") == {"apple"}
    assert result.answers.values("n") == (4,)


def test_answers_of_every_repetition_are_gathered_and_one_blank_does_not_hide_them() -> None:
    group = q("g", "group", repeats=True, item=[TEXT, NUMBER])
    given = [{"linkId": "g", "item": [a("s", v("String", text))]} for text in ("x", "y")]
    result = read([group], given)
    assert result.answers.values("s") == ("x", "y")
    assert result.answers.states == {"n": State.BLANK}


def test_all_issues_come_back_at_once() -> None:
    hidden = q("t", "string", when=[("b", "=", "answerBoolean", True)])
    items = [q("s", "string", required=True), NUMBER, FRUITS, BOOL, hidden]
    given = [a("n", v("String", "x")), a("c", v("Coding", coding("stone"))), a("t", v("String", "x")), a("z", YES)]
    assert found(read(items, given), "error") == [
        ("code-invalid", "c"),
        ("invariant", "t"),
        ("not-found", ""),
        ("required", "s"),
        ("structure", "n"),
    ]


def test_a_regex_that_python_cannot_read_is_passed_over() -> None:
    item = q("s", "string")
    item["extension"] = [ext("regex", "valueString", r"\p{L}+(")]
    assert not read([item], [a("s", v("String", "x"))]).issues
