from __future__ import annotations

import copy
import importlib
import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fhir_app.fhir.model import OutboundResourceError, check_shape, parse_with_library, table
from fhir_app.fhir.r4_differences import CODES, NOT_IN_THE_LIBRARY, R4B_ONLY_TYPES
from fhir_app.fhir.read_json import dump_json, read_json

EXTENSION = {"url": "https://example.org/x", "valueString": "y"}


def rich_response() -> dict[str, Any]:
    """One answer of each type, and everything that R4's JSON can do beside it."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "qr-1",
        "meta": {"versionId": "3", "lastUpdated": "2026-11-24T09:30:00.123Z", "tag": [{"code": "t"}]},
        "implicitRules": "https://example.org/rules",
        "language": "es",
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p class="x">Hi&nbsp;<b>there</b></p></div>',
        },
        "contained": [{"resourceType": "Patient", "id": "p", "birthDate": "1980", "name": [{"given": ["Ana", "B"]}]}],
        "extension": [EXTENSION, {"url": "https://example.org/nested", "extension": [EXTENSION]}],
        "identifier": {"use": "official", "system": "https://example.org/id", "value": "1"},
        "basedOn": [{"reference": "ServiceRequest/1"}],
        "questionnaire": "https://example.org/Questionnaire/x|1.0",
        "_questionnaire": {"extension": [EXTENSION]},
        "status": "completed",
        "subject": {"reference": "#p", "display": "Ana"},
        "encounter": {"reference": "Encounter/1"},
        "authored": "2026-11-24T09:00:00+01:00",
        "author": {"reference": "Practitioner/1"},
        "source": {"identifier": {"value": "9"}},
        "item": [
            {
                "linkId": "g",
                "text": "Group",
                "_text": {"id": "t1", "extension": [EXTENSION]},
                "item": [
                    {"linkId": "b", "definition": "https://example.org/d#x", "answer": [{"valueBoolean": False}]},
                    {"linkId": "i", "answer": [{"valueInteger": -5}, {"valueInteger": 2147483647}]},
                    {"linkId": "dec", "answer": [{"valueDecimal": Decimal("1.50")}]},
                    {"linkId": "d", "answer": [{"valueDate": "2024-02-29"}, {"valueDate": "2024"}]},
                    {"linkId": "dt", "answer": [{"valueDateTime": "2024-01-01T23:59:60Z"}]},
                    {"linkId": "t", "answer": [{"valueTime": "23:59:59.5"}]},
                    {"linkId": "s", "answer": [{"valueString": "línea\n\ttwo", "_valueString": {"id": "a"}}]},
                    {"linkId": "u", "answer": [{"valueUri": "urn:oid:1.2"}]},
                    {
                        "linkId": "a",
                        "answer": [{"valueAttachment": {"contentType": "text/plain", "data": "aGk=", "size": 2}}],
                    },
                    {
                        "linkId": "c",
                        "answer": [
                            {
                                "valueCoding": {"system": "https://example.org/c", "code": "a", "display": "A"},
                                "item": [{"linkId": "c1", "answer": [{"valueBoolean": True}]}],
                            }
                        ],
                    },
                    {
                        "linkId": "q",
                        "answer": [
                            {
                                "valueQuantity": {
                                    "value": 5,
                                    "comparator": "<",
                                    "unit": "kg",
                                    "system": "http://unitsofmeasure.org",
                                    "code": "kg",
                                }
                            }
                        ],
                    },
                    {"linkId": "r", "answer": [{"valueReference": {"reference": "Patient/1"}}]},
                    {"linkId": "e", "answer": [{"_valueDate": {"extension": [EXTENSION]}}]},
                ],
            }
        ],
    }


def at(resource: dict[str, Any], *path: str | int) -> Any:
    value: Any = resource
    for step in path:
        value = value[step]
    return value


def with_answer(**answer: Any) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "item": [{"linkId": "q", "answer": [answer]}],
    }


ANSWER = "QuestionnaireResponse.item[0].answer[0]"


def places(resource: dict[str, Any]) -> list[str | None]:
    return [issue.expression for issue in check_shape(resource)]


def test_a_response_that_uses_all_of_r4_is_let_in() -> None:
    assert check_shape(rich_response(), "QuestionnaireResponse") == ()
    parse_with_library(rich_response())


WRONG_ANSWERS: list[tuple[dict[str, Any], str]] = [
    ({"valueBoolean": "true"}, "value"),
    ({"valueBoolean": "yes"}, "value"),
    ({"valueBoolean": 1}, "value"),
    ({"valueBoolean": None}, "value"),
    ({"valueInteger": "5"}, "value"),
    ({"valueInteger": True}, "value"),
    ({"valueInteger": Decimal("6.5")}, "value"),
    ({"valueInteger": Decimal("6.0")}, "value"),
    ({"valueInteger": 2147483648}, "value"),
    ({"valueInteger": -2147483649}, "value"),
    ({"valueDecimal": "1.5"}, "value"),
    ({"valueDecimal": True}, "value"),
    ({"valueDecimal": Decimal("1E+500")}, "value"),
    ({"valueDecimal": 10**400}, "value"),
    ({"valueString": "\u0085"}, "value"),
    ({"valueDate": "2026-02-30"}, "value"),
    ({"valueDate": "2023-02-29"}, "value"),
    ({"valueDate": "2026-13-01"}, "value"),
    ({"valueDate": "2026-2-1"}, "value"),
    ({"valueDate": "0000"}, "value"),
    ({"valueDate": 2026}, "value"),
    ({"valueDate": "2026-01-01T00:00:00Z"}, "value"),
    ({"valueDate": "٢٠٢٦"}, "value"),
    ({"valueDateTime": "2026-01-01T10:00:00"}, "value"),
    ({"valueDateTime": "2026-01-01T10:00Z"}, "value"),
    ({"valueDateTime": "2026-01-01T24:00:00Z"}, "value"),
    ({"valueDateTime": "2026-02-30T10:00:00Z"}, "value"),
    ({"valueDateTime": "2026-01-01T10:00:00Z\n"}, "value"),
    ({"valueTime": "24:00:00"}, "value"),
    ({"valueTime": "10:00"}, "value"),
    ({"valueString": ""}, "value"),
    ({"valueString": 5}, "value"),
    ({"valueString": "a\x00b"}, "value"),
    ({"valueUri": "a b"}, "value"),
    ({"valueUri": ""}, "value"),
    ({"valueCoding": {"code": " a"}}, "value.code"),
    ({"valueCoding": {"code": "a\tb"}}, "value.code"),
    ({"valueCoding": {"code": "a  b"}}, "value.code"),
    ({"valueCoding": "a"}, "value"),
    ({"valueCoding": {}}, "value"),
    ({"valueCoding": {"id": "only"}}, "value"),
    ({"valueCoding": [{"code": "a"}]}, "value"),
    ({"valueAttachment": {"contentType": "a/b", "data": "#!*"}}, "value.data"),
    ({"valueAttachment": {"contentType": "a/b", "data": "abc"}}, "value.data"),
    ({"valueAttachment": {"data": "aGk="}}, "value"),
    ({"valueQuantity": {"value": 1, "code": "kg"}}, "value"),
    ({"valueQuantity": {"value": 1, "comparator": "~"}}, "value.comparator"),
    ({"valueReference": {"reference": ""}}, "value.reference"),
    ({"valueString": "a", "valueInteger": 1}, "value"),
    ({"valueString": "a", "_valueInteger": {"extension": [EXTENSION]}}, "value"),
    ({"valueString": "a", "_valueString": "b"}, "value"),
    ({"valueString": "a", "_valueString": {}}, "value"),
    ({"valueString": "a", "_valueString": {"colour": 1}}, "value.colour"),
    ({"valueFood": "a"}, "valueFood"),
    ({"valueString__ext": {"id": "a"}}, "valueString__ext"),
    ({"fhir_comments": "a"}, "fhir_comments"),
    ({"resourceType": "Coding", "valueString": "a"}, "resourceType"),
    ({"valueString": "a", "_id": {"id": "b"}}, "_id"),
    ({"valueString": "a", "extension": [{"valueString": "no url"}]}, "extension[0].url"),
    ({"valueString": "a", "extension": [{"url": "https://example.org"}]}, "extension[0]"),
    ({"valueString": "a", "extension": [{**EXTENSION, "extension": [EXTENSION]}]}, "extension[0]"),
    ({"extension": [{"url": "x", "valueCodeableReference": {}}]}, "extension[0].valueCodeableReference"),
    ({"valueString": "a", "extension": []}, "extension"),
    ({"valueString": "a", "extension": [None]}, "extension[0]"),
    ({"valueString": "a", "item": {"linkId": "b"}}, "item"),
]


@pytest.mark.parametrize(("answer", "place"), WRONG_ANSWERS, ids=lambda value: json.dumps(value, default=str))
def test_a_wrong_answer_is_refused_at_its_place(answer: dict[str, Any], place: str) -> None:
    assert f"{ANSWER}.{place}" in places(with_answer(**answer))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"status": "done"}, "QuestionnaireResponse.status"),
        ({"status": None}, "QuestionnaireResponse.status"),
        ({"id": "a b"}, "QuestionnaireResponse.id"),
        ({"id": "a" * 65}, "QuestionnaireResponse.id"),
        ({"subject": {}}, "QuestionnaireResponse.subject"),
        ({"subject": None}, "QuestionnaireResponse.subject"),
        ({"authored": "2026-13-45"}, "QuestionnaireResponse.authored"),
        ({"item": []}, "QuestionnaireResponse.item"),
        ({"item": {}}, "QuestionnaireResponse.item"),
        ({"item": [None]}, "QuestionnaireResponse.item[0]"),
        ({"item": [{"text": "no linkId"}]}, "QuestionnaireResponse.item[0].linkId"),
        ({"item": [{"linkId": "a", "answer": [{}]}]}, "QuestionnaireResponse.item[0].answer[0]"),
        (
            {"item": [{"linkId": "a", "answer": [{"valueInteger": 1}], "item": [{"linkId": "b"}]}]},
            "QuestionnaireResponse.item[0]",
        ),
        ({"contained": [{"resourceType": "Nonsense"}]}, "QuestionnaireResponse.contained[0]"),
        ({"contained": [{"id": "a"}]}, "QuestionnaireResponse.contained[0]"),
        ({"contained": [{"resourceType": "SubscriptionTopic"}]}, "QuestionnaireResponse.contained[0]"),
        (
            {"contained": [{"resourceType": "Patient", "contained": [{"resourceType": "Patient", "id": "b"}]}]},
            "QuestionnaireResponse.contained[0]",
        ),
        ({"contained": [{"resourceType": "Patient", "active": "yes"}]}, "QuestionnaireResponse.contained[0].active"),
        ({"contained": [{"resourceType": "MedicinalProduct", "name": []}]}, "QuestionnaireResponse.contained[0].name"),
        ({"meta": {"lastUpdated": "2026-11-24"}}, "QuestionnaireResponse.meta.lastUpdated"),
        ({"meta": {"lastUpdated": "2026-11-24T10:00:00"}}, "QuestionnaireResponse.meta.lastUpdated"),
        ({"meta": {"profile": ["https://a.example.org", None]}}, "QuestionnaireResponse.meta.profile[1]"),
    ],
    ids=str,
)
def test_a_wrong_element_is_refused_at_its_place(changes: dict[str, Any], place: str) -> None:
    assert place in places({"resourceType": "QuestionnaireResponse", "status": "completed"} | changes)


def test_every_fault_is_reported_at_once_and_no_text_repeats_a_value() -> None:
    resource = rich_response()
    resource["status"] = "Zaphod"
    resource["authored"] = "Zaphod"
    resource["Zaphod Beeblebrox"] = "Zaphod"
    at(resource, "item", 0, "item", 0, "answer", 0)["valueBoolean"] = "Zaphod"
    del at(resource, "item", 0)["linkId"]
    issues = check_shape(resource)
    assert [issue.expression for issue in issues] == [
        "QuestionnaireResponse.status",
        "QuestionnaireResponse.authored",
        "QuestionnaireResponse.item[0].item[0].answer[0].value",
        "QuestionnaireResponse.item[0].linkId",
        "QuestionnaireResponse.(an element)",
    ]
    assert not any("Zaphod" in f"{issue.text}{issue.expression}" for issue in issues)


def test_a_hostile_body_does_not_become_a_longer_reply() -> None:
    assert len(check_shape(with_answer(extension=[None] * 5000))) == 200


def test_another_resource_type_than_the_one_wanted_is_refused() -> None:
    (issue,) = check_shape({"resourceType": "Patient"}, "QuestionnaireResponse")
    assert "QuestionnaireResponse" in issue.text
    assert check_shape({"status": "completed"}, "QuestionnaireResponse")
    assert check_shape({"status": "completed"})


DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


@pytest.mark.parametrize(
    "div",
    [
        DIV.format("<script>alert(1)</script>"),
        DIV.format("<SCRIPT>alert(1)</SCRIPT>"),
        DIV.format('<p onclick="x()">a</p>'),
        DIV.format('<p ONCLICK="x()">a</p>'),
        DIV.format('<a href="javascript:x()">a</a>'),
        DIV.format('<a href=" java&#10;script:x()">a</a>'),
        DIV.format('<a href="data:text/html,x">a</a>'),
        DIV.format("<form><input/></form>"),
        DIV.format('<iframe src="x"/>'),
        DIV.format('<object data="x">a</object>'),
        DIV.format('<svg xmlns="http://www.w3.org/2000/svg" onload="x()">a</svg>'),
        DIV.format("<style>p {}</style>a"),
        DIV.format("<p>a"),
        DIV.format("<![CDATA[a]]>"),
        DIV.format(" "),
        "<div>no namespace</div>",
        '<p xmlns="http://www.w3.org/1999/xhtml">no div</p>',
        "plain text",
        '<!DOCTYPE x [<!ENTITY a "b">]>' + DIV.format("&a;"),
        DIV.format("&unknown;"),
    ],
)
def test_a_narrative_holds_formatting_only(div: str) -> None:
    resource = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    assert places({**resource, "text": {"status": "generated", "div": div}}) == ["QuestionnaireResponse.text.div"]


@pytest.mark.parametrize(
    "content",
    ["a &lt;b&gt; &copy; &#233;", '<img src="data:image/png;base64,AAAA" alt="x"/>', '<a href="#x">a</a><!-- note -->'],
)
def test_formatting_characters_and_pictures_are_let_through(content: str) -> None:
    text = {"status": "generated", "div": DIV.format(content)}
    assert check_shape({"resourceType": "QuestionnaireResponse", "status": "completed", "text": text}) == ()


def test_a_null_in_a_list_of_primitives_is_a_place_holder_for_its_sibling_only() -> None:
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "name": [{"given": ["Ana", None], "_given": [None, {"extension": [EXTENSION]}]}],
    }
    assert check_shape(patient) == ()
    patient["name"][0]["_given"] = [{"extension": [EXTENSION]}, None]
    assert places(patient) == ["Patient.name[0].given[1]"]


def test_a_required_element_may_be_replaced_by_an_extension_that_says_why() -> None:
    resource: dict[str, Any] = {"resourceType": "QuestionnaireResponse", "_status": {"extension": [EXTENSION]}}
    assert check_shape(resource) == ()
    assert "QuestionnaireResponse.status" in places({**resource, "_status": {"id": "a"}})


# --- the library as the reference -------------------------------------------------------------------------------


def refused_by_the_library(resource: dict[str, Any]) -> bool:
    try:
        model = get_fhir_model_class(str(resource.get("resourceType")))
        model.model_validate_json(dump_json(resource))
    except (ValidationError, KeyError, RecursionError):
        return True
    return False


UUID_5 = "urn:uuid:0b5f4a0e-5a0c-5d5e-9d0a-3a3a3a3a3a3a"

LEGAL_IN_R4: list[dict[str, Any]] = [
    with_answer(extension=[{"url": "https://example.org", "_valueString": {"extension": [EXTENSION]}}]),
    with_answer(valueString="a", extension=[{"url": "https://example.org", "valueMeta": {"versionId": "1"}}]),
    with_answer(valueString="a", extension=[{"url": "https://example.org", "valueUuid": UUID_5}]),
    {**with_answer(valueString="a"), "contained": [{"resourceType": "MedicinalProduct", "id": "m"}]},
    {
        **with_answer(valueString="a"),
        "contained": [{"resourceType": "Evidence", "id": "e", "status": "active", "copyright": "R4 has it"}],
    },
]


@pytest.mark.parametrize("resource", LEGAL_IN_R4, ids=lambda resource: json.dumps(resource)[60:140])
def test_what_is_legal_in_r4_and_refused_by_the_library_is_let_in_and_sent(resource: dict[str, Any]) -> None:
    assert refused_by_the_library(resource)
    assert check_shape(resource) == ()
    parse_with_library(resource)


def places_in(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, content in steps:
        found += places_in(content, (*path, step))
    return found


ODD_VALUES: list[Any] = [None, True, False, 0, 1, -1, 5, 2147483648, Decimal("1.5"), "", " ", "a", "true", "5", "a b"]
ODD_VALUES += [[], {}, [None], ["a"], [[]], [{}], {"id": "x"}, {"extension": [EXTENSION]}, "completed", "#!*", UUID_5]
ODD_VALUES += ["2026", "2026-02-30", "10:00:00", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "a" * 300, "aGk="]
ODD_VALUES += ["https://example.org/a", "http://", {"resourceType": "Patient"}, {"resourceType": "Nonsense"}]
ODD_NAMES = [
    "valueString",
    "valueInteger",
    "valueCoding",
    "_valueString",
    "_status",
    "_text",
    "status",
    "linkId",
    "url",
]
ODD_NAMES += [
    "id",
    "extension",
    "modifierExtension",
    "resourceType",
    "fhir_comments",
    "status__ext",
    "item",
    "contained",
]


ODD_JSON = st.recursive(
    st.sampled_from(ODD_VALUES), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(ODD_NAMES), inner)
)


def odd_value(data: st.DataObject) -> Any:
    return copy.deepcopy(data.draw(st.sampled_from(ODD_VALUES), "by"))


def mutated(data: st.DataObject, resource: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(resource)
    for _ in range(data.draw(st.integers(1, 2), "how many")):
        paths = places_in(changed)
        if not paths:
            break
        *before, last = data.draw(st.sampled_from(paths), "where")
        holder = at(changed, *before)
        act = data.draw(st.sampled_from(["replace", "delete", "add", "rename", "wrap", "move"]), "what")
        if act == "replace":
            holder[last] = odd_value(data)
        elif act == "delete":
            del holder[last]
        elif act == "add" and isinstance(holder, dict):
            holder[data.draw(st.sampled_from(ODD_NAMES), "name")] = odd_value(data)
        elif act == "rename" and isinstance(holder, dict):
            holder[data.draw(st.sampled_from(ODD_NAMES), "name")] = holder.pop(last)
        elif act == "wrap":
            holder[last] = [holder[last]]
        elif act == "move":
            holder[last] = copy.deepcopy(at(changed, *data.draw(st.sampled_from(paths), "from")))
    return changed


def written_by_us(tiny: Any) -> list[dict[str, Any]]:
    return [dict(resource) for resource in tiny.written().resources]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_whatever_the_library_refuses_is_refused_here(tiny: Any, data: st.DataObject) -> None:
    """The other way round need not hold: our walk is the stricter one. What is legal in R4 is taken out first, as
    `parse_with_library` does; the cases above show each."""
    pool = [rich_response(), tiny.questionnaire, *written_by_us(tiny)]
    resource = mutated(data, data.draw(st.sampled_from(pool), "resource"))
    if not check_shape(resource):
        parse_with_library(resource)


@settings(max_examples=100, deadline=None)
@given(ODD_JSON)
@example({"resourceType": "QuestionnaireResponse", "status": ["completed"]})
@example({"resourceType": ["QuestionnaireResponse"]})
def test_no_json_at_all_surprises_the_walk(value: Any) -> None:
    body = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": value, "text": value}
    assert check_shape(body)
    check_shape(value if isinstance(value, dict) else {"resourceType": value})


def test_what_we_write_passes_the_library_and_the_walk(tiny: Any) -> None:
    for resource in written_by_us(tiny):
        parse_with_library(resource)


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "PlanDefinition", "status": "draft", "subjectCanonical": "https://example.org"},
        {"resourceType": "SubscriptionTopic", "status": "draft", "url": "https://example.org"},
        {"resourceType": "Basic", "code": {"text": "a"}, "extension": [{"url": "x", "valueRatioRange": {}}]},
        {"resourceType": "Nonsense"},
    ],
)
def test_what_only_r4b_has_is_never_sent(resource: dict[str, Any]) -> None:
    with pytest.raises(OutboundResourceError):
        parse_with_library(resource)


def test_an_outbound_error_names_places_and_no_values() -> None:
    with pytest.raises(OutboundResourceError) as caught:
        parse_with_library(with_answer(valueDate="Zaphod"))
    assert f"{ANSWER}.value" in str(caught.value)
    assert "Zaphod" not in str(caught.value)


# --- the tables -------------------------------------------------------------------------------------------------


def test_no_list_of_codes_is_cut_short() -> None:
    for name in ("Observation", "QuestionnaireItem", "Task", "Encounter", "DiagnosticReport", "DeviceUdiCarrier"):
        found = table(name)
        assert found is not None
        for element in found.elements.values():
            assert not {"+", "etc."} & (element.codes or set())
    for (name, element_name), codes in CODES.items():
        found = table(name)
        assert found is not None
        assert found.elements[element_name].codes == (None if codes is None else frozenset(codes))


def test_the_types_of_r4_and_r4b_are_kept_apart() -> None:
    for name in R4B_ONLY_TYPES:
        with pytest.raises(KeyError):
            table(name)
    for name in NOT_IN_THE_LIBRARY:
        assert table(name) is None


def test_the_elements_agree_with_an_independent_model_of_r4() -> None:
    """fhirclient was generated from R4 4.0.1 itself."""
    for name in ("QuestionnaireResponse", "Questionnaire", "Observation", "DocumentReference", "Provenance", "Device"):
        found = table(name)
        assert found is not None
        model = getattr(importlib.import_module(f"fhirclient.models.{name.lower()}"), name)
        theirs = {prop[1]: (prop[3], prop[5]) for prop in model().elementProperties()}
        for element_name, (is_list, required) in theirs.items():
            assert found.elements[element_name].is_list is is_list
            assert (element_name in dict(found.required)) is required
        assert set(found.elements) == set(theirs)


def test_a_response_is_checked_with_few_of_the_librarys_modules() -> None:
    code = """
import sys, json
from fhir_app.fhir.model import check_shape
assert check_shape(json.loads(sys.stdin.read())) == ()
print(sum(1 for name in sys.modules if name.startswith("fhir.resources.R4B.")))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], input=dump_json(rich_response()), capture_output=True, check=True
    )
    assert int(run.stdout) <= 25


def test_a_response_read_from_json_keeps_its_decimals_in_the_check() -> None:
    body = dump_json(with_answer(valueDecimal=Decimal("1.50")))
    assert b":1.50}" in body
    resource = read_json(body)
    assert check_shape(resource) == ()
    assert dump_json(resource) == body
