"""An answer that cannot be read is never a "no": on small forms, and on the real one for every way to spoil it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_app.assessment.as_json import assessment_json
from fhir_app.assessment.assess import assess
from fhir_app.assessment.assessment import Assessment
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.assessment.read_answers import ReadResponse, read_answers
from fhir_app.knowledge.answers import Answers, Coding, State
from fhir_app.knowledge.criteria import link_ids
from fhir_app.knowledge.intake import Disposition
from fhir_app.knowledge.questionnaire import read_questionnaire
from tests.assessment.conformance_cases import (
    FRUIT,
    FRUITS,
    NUMBER,
    OPEN,
    SYSTEM,
    TEXT,
    Case,
    a,
    coding,
    ext,
    q,
    v,
)
from tests.assessment.knowledge_fixture import intake
from tests.assessment.played_forms import Plain, plain_forms
from tests.knowledge.small_intake import small_intake

Json = dict[str, Any]

# --- what is read of a refused answer -----------------------------------------------------------------------------

APPLE, PEAR, NONE = Coding(SYSTEM, "apple", "Apple"), Coding(SYSTEM, "pear", "Pear"), Coding(SYSTEM, "none", "None")


def read(items: list[Json], *given: Json) -> ReadResponse:
    case = Case("", "", items, given)
    return read_answers(read_questionnaire(case.questionnaire_resource()), case.response_resource())


@pytest.mark.parametrize(
    ("answer", "read_as"),
    [
        (v("Coding", coding("stone")), ()),
        (v("Coding", coding("APPLE")), ()),
        (v("Coding", {"extension": [ext("data-absent-reason", "valueCode", "asked-declined")]}), ()),
        (v("Coding", {"code": 1}), ()),
        (v("Coding", "apple"), ()),
        (v("String", "apple"), ()),
        (v("Coding", coding("apple", None)), (APPLE,)),
        (v("Coding", coding("apple", "http://example.org/other")), (APPLE,)),
        (v("Coding", {"display": "Apple"}), (APPLE,)),
        (v("Coding", coding("stone", display="apple ")), (APPLE,)),
        (v("Coding", coding("none", display="Pear")), (NONE, PEAR)),
        (v("Coding", coding("apple"), valueString="x"), (APPLE,)),
        ("apple", ()),
    ],
)
def test_a_refused_answer_ticks_what_it_plainly_names_and_leaves_its_question_open(
    answer: Any, read_as: tuple[Coding, ...]
) -> None:
    result = read([FRUITS, TEXT], a("c", answer), a("s", v("String", "x")))
    assert result.has_errors
    assert result.answers.unread == {"c"}
    assert result.answers.values("c") == read_as
    assert result.answers.state("c") is (State.ANSWERED if read_as else State.BLANK)


def test_answers_that_are_no_list_leave_their_question_open() -> None:
    assert read([FRUITS], {"linkId": "c", "answer": v("Coding", coding("apple"))}).answers.unread == {"c"}


def test_what_stands_beside_an_answer_that_cannot_be_read_still_counts() -> None:
    result = read([FRUITS], a("c", v("Coding", coding("apple")), v("Coding", coding("stone"))))
    assert (result.answers.codes("c"), result.answers.unread) == ({"apple"}, {"c"})


@pytest.mark.parametrize(
    "answer", [v("Coding", coding("apple")), v("Coding", coding("apple", display="Apfel")), v("String", "banana")]
)
def test_an_answer_without_error_is_read_in_full(answer: Json) -> None:
    result = read([OPEN], a("c", answer))
    assert not result.has_errors
    assert not result.answers.unread


_AGE = q("n", "integer", ext=[("minValue", "valueInteger", 0), ("maxValue", "valueInteger", 120)])


@pytest.mark.parametrize(
    "answer",
    [v("String", "35"), v("Integer", "35"), v("Integer", Decimal("35.0")), v("Integer", -1), v("Integer", 999)],
)
def test_a_number_that_the_question_does_not_take_is_no_number(answer: Json) -> None:
    adults = q("t", "string", required=True, when=[("n", ">=", "answerInteger", 18)])
    left_out, given_too = read([_AGE, adults], a("n", answer)), read([_AGE, adults], a("n", answer), a("t", TEXT_X))
    for result in (left_out, given_too):
        assert result.answers.values("n") == ()
        assert result.answers.state("n") is State.BLANK
        assert [issue.link_id for issue in result.issues] == ["n"], "nobody can say whether t had to be answered"
    assert left_out.answers.state("t") is State.UNDETERMINED
    assert given_too.answers.values("t") == ("x",)


TEXT_X = v("String", "x")


def test_a_follow_up_of_an_answer_that_cannot_be_read_is_read_and_a_missing_one_is_unknown() -> None:
    first = q("t", "string", when=[("c", "=", "answerCoding", coding("apple"))])
    group = q("g", "group", when=[("c", "=", "answerCoding", coding("pear"))], item=[q("u", "string"), NUMBER])
    given = [a("c", v("Coding", coding("stone"))), {"linkId": "g", "item": [a("u", TEXT_X)]}]
    result = read([FRUITS, first, group], *given)
    assert [issue.link_id for issue in result.issues] == ["c"]
    assert result.answers.values("u") == ("x",)
    assert result.answers.state("n") is State.BLANK, "its group was filled in, so it was shown"
    assert result.answers.state("t") is State.UNDETERMINED


def test_in_a_repeated_group_an_answer_that_cannot_be_read_is_that_of_its_own_repetition() -> None:
    shown = q("t", "string", when=[("c", "=", "answerCoding", coding("apple"))])
    group = q("g", "group", repeats=True, item=[FRUIT, shown])
    given = [{"linkId": "g", "item": [a("c", v("Coding", coding(code))), a("t", TEXT_X)]} for code in ("stone", "pear")]
    issues = read([group], *given).issues
    assert [(issue.code, issue.link_id) for issue in issues] == [("code-invalid", "c"), ("invariant", "t")]
    assert issues[1].expression == "QuestionnaireResponse.item[1].item[1]"


def test_what_stands_inside_an_unknown_item_is_read_as_if_it_stood_in_its_place() -> None:
    group = q("g", "group", item=[FRUIT, q("t", "string", when=[("c", "=", "answerCoding", coding("apple"))])])
    known = {"linkId": "g", "item": [a("c", v("Coding", coding("apple")))]}
    plain = read([group, NUMBER], known, a("n", v("Integer", 1))).answers
    inside: list[Json] = [
        {"linkId": "page-1", "item": [known]},
        {"item": [known]},
        {"linkId": 7, "item": [known]},
        {"linkId": "page-1", "answer": [{**TEXT_X, "item": [known]}]},
        {"linkId": "page-1", "item": [{"linkId": "page-2", "item": [known]}]},
    ]
    for wrapped in inside:
        result = read([group, NUMBER], wrapped, a("n", v("Integer", 1)))
        assert result.answers == plain
        assert {issue.code for issue in result.issues} <= {"not-found", "required"}


# --- what it means for the findings -------------------------------------------------------------------------------


def test_a_row_that_reads_an_answer_of_which_something_is_unread_is_present_or_not_assessed() -> None:
    small, unread = small_intake(), frozenset({"danger"})
    for codes, present in (((), set()), (("none",), set()), (("fall",), {"F2.1"})):
        ticked = {"danger": tuple(Coding(None, code) for code in codes)} if codes else {}
        found = assess(small, Answers(ticked, {}, unread))
        rows = {flag.id: flag.status for flag in found.red_flags if flag.family in ("F1", "F2")}
        assert {row for row, status in rows.items() if status == "present"} == present
        assert "absent" not in rows.values()
        assert "danger" in found.unanswered
        assert found.floor is not None, "the rule for a list that was left open fires"


def test_a_tick_that_excludes_a_row_comforts_nobody_while_the_rest_is_unread() -> None:
    cold = {"danger": (Coding(None, "cold"),), "how-cold": (Coding(None, "before"),)}
    statuses = [
        {flag.id: (flag.status, flag.by_gap) for flag in assess(small_intake(), Answers(cold, {}, unread)).red_flags}
        for unread in (frozenset[str](), frozenset({"how-cold"}))
    ]
    assert statuses[0]["F1.1"] == ("absent", False)
    assert statuses[1]["F1.1"] == ("present", True)


def test_an_age_that_is_no_age_makes_nobody_a_minor_and_nobody_an_adult() -> None:
    for answer in ({"valueInteger": -1}, {"valueInteger": Decimal("16.0")}, {"valueString": "16"}):
        response = _response({"pt-age": 16})
        next(_found(response, "pt-age"))["answer"] = [answer]
        found = _assessed(response)
        assert found.not_assessed_because == "invalid"
        assert next(flag.status for flag in found.red_flags if flag.id == "RF00.1") == "not-assessed"
        assert "pt-age" in found.unanswered


# --- the real form, spoiled ---------------------------------------------------------------------------------------

many = settings(max_examples=120, deadline=None, derandomize=True)
GARBAGE: tuple[Json, ...] = (
    {"valueCoding": {"system": "http://example.org/x", "code": "zzz"}},
    {"valueCoding": {"code": "zzz", "display": "Something else"}},
    {"valueCoding": {"extension": [ext("data-absent-reason", "valueCode", "error")]}},
    {"valueCoding": "none"},
    {"valueCoding": {"code": None}},
    {"valueString": "none"},
    {"valueInteger": 7},
)


def _response(plain: Plain) -> Json:
    return build_questionnaire_response(intake().questionnaire, plain, authored="2026-01-01T00:00:00Z")


def _walk(element: Json) -> Iterator[Json]:
    for item in element.get("item", []):
        yield item
        yield from _walk(item)
        for answer in item.get("answer", []):
            yield from _walk(answer)


def _found(response: Json, link_id: str) -> Iterator[Json]:
    return (item for item in _walk(response) if item["linkId"] == link_id)


def _assessed(response: Json) -> Assessment:
    """As the service assesses a response that is refused; red flags do not depend on it."""
    result = read_answers(intake().questionnaire, response)
    return assess(intake(), result.answers, rank_causes=False, because="invalid")


def _choices(response: Json) -> list[str]:
    return [i["linkId"] for i in _walk(response) if any("valueCoding" in answer for answer in i.get("answer", []))]


def _without(response: Json, link_id: str) -> Json:
    left = copy.deepcopy(response)
    for element in (left, *_walk(left)):
        element["item"] = [item for item in element.get("item", []) if item["linkId"] != link_id]
    return left


def _rows(assessment: Assessment) -> dict[str, tuple[str, Disposition | None]]:
    return {flag.id: (flag.status, flag.disposition) for flag in assessment.red_flags}


READS = {flag.id: link_ids(flag.when.tree) for flag in intake().red_flags}


def _must_be_as_careful_as_blank(response: Json, spoiled: Json, link_id: str) -> Assessment:
    """Against the same response with the question left blank, its follow-ups being answered as they are."""
    found, blank = _assessed(spoiled), _assessed(_without(response, link_id))
    assert found.disposition >= blank.disposition
    rows = _rows(found)
    for row_id, (status, disposition) in _rows(blank).items():
        if link_id in READS[row_id]:
            assert rows[row_id][0] != "absent" or status == "absent", row_id
        if disposition is not None:
            assert rows[row_id][1] is not None, row_id
            assert rows[row_id][1] >= disposition, row_id  # type: ignore[operator]
    assert link_id in found.unanswered
    return found


@many
@given(plain_forms(), st.sampled_from(GARBAGE), st.data())
def test_an_option_whose_code_is_garbage_is_read_as_carefully_as_a_blank_and_the_other_ticks_count(
    plain: Plain, garbage: Json, data: st.DataObject
) -> None:
    response = _response(plain)
    link_id = data.draw(st.sampled_from(_choices(response)))
    spoiled, others = copy.deepcopy(response), copy.deepcopy(response)
    answers = next(_found(spoiled, link_id))["answer"]
    place = data.draw(st.integers(0, len(answers) - 1))
    answers[place] = garbage
    found = _must_be_as_careful_as_blank(response, spoiled, link_id)
    if len(answers) > 1:
        del next(_found(others, link_id))["answer"][place]
        _no_row_is_lost(_assessed(others), found)


@many
@given(plain_forms(), st.sampled_from(GARBAGE), st.booleans(), st.data())
def test_garbage_beside_the_ticks_is_read_as_carefully_as_a_blank_and_loses_no_tick(
    plain: Plain, garbage: Json, first: bool, data: st.DataObject
) -> None:
    response = _response(plain)
    link_id = data.draw(st.sampled_from(_choices(response)))
    spoiled = copy.deepcopy(response)
    next(_found(spoiled, link_id))["answer"].insert(0 if first else 99, garbage)
    found = _must_be_as_careful_as_blank(response, spoiled, link_id)
    _no_row_is_lost(_assessed(response), found)
    assert found.disposition >= _assessed(response).disposition


def _no_row_is_lost(before: Assessment, after: Assessment) -> None:
    rows = _rows(after)
    lost = [flag.id for flag in before.red_flags if flag.status == "present" and rows[flag.id][0] != "present"]
    assert not [row_id for row_id in lost if not row_id.startswith("NA.")]


@many
@given(plain_forms(), st.data())
def test_a_code_with_the_display_of_another_option_loses_neither_of_the_two(plain: Plain, data: st.DataObject) -> None:
    response = _response(plain)
    link_id = data.draw(st.sampled_from(_choices(response)))
    options = [option.value for option in intake().questionnaire.by_link_id[link_id].options]
    spoiled, both = copy.deepcopy(response), copy.deepcopy(response)
    answer = next(_found(spoiled, link_id))["answer"][0]["valueCoding"]
    other = data.draw(st.sampled_from([o for o in options if isinstance(o, Coding) and o.code != answer["code"]]))
    answer["display"] = other.display
    next(_found(both, link_id))["answer"].append({"valueCoding": {"system": other.system, "code": other.code}})
    assert read_answers(intake().questionnaire, spoiled).has_errors
    found = _must_be_as_careful_as_blank(response, spoiled, link_id)
    _no_row_is_lost(_assessed(both), found)


@many
@given(plain_forms(), st.sampled_from([{"linkId": "page-1"}, {}, {"linkId": ""}]), st.booleans(), st.data())
def test_a_group_inside_an_unknown_item_or_under_another_name_is_read_to_the_same_end(
    plain: Plain, head: Json, renamed: bool, data: st.DataObject
) -> None:
    response = _response(plain)
    before = read_answers(intake().questionnaire, response)
    groups = [
        (element, index) for element in (response, *_walk(response)) for index in range(len(element.get("item", [])))
    ]
    element, index = data.draw(st.sampled_from([(e, i) for e, i in groups if "item" in e["item"][i]]))
    group = element["item"][index]
    element["item"][index] = {**head, "item": group["item"] if renamed else [group]}
    after = read_answers(intake().questionnaire, response)
    assert after.has_errors
    assert after.answers == before.answers
    assert assessment_json(assess(intake(), after.answers)) == assessment_json(assess(intake(), before.answers))
