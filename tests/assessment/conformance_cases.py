"""The table of cases behind docs/validation.md: one small form, one response, and what must be said about it."""

# One case a line reads as a table.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

R4 = "https://hl7.org/fhir/R4/"
ITEM = R4 + "questionnaire-definitions.html#Questionnaire.item"
ANSWER = R4 + "questionnaireresponse-definitions.html#QuestionnaireResponse.item"
TYPES = R4 + "valueset-item-type.html"
SYSTEM = "http://example.org/fruit"
Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """`errors` and `warnings` are (IssueType, linkId or None) in any order. `hl7_differs`: why HL7's own validator
    (6.7.9, run on this table) says something else about there being an error."""

    name: str
    paragraph: str
    items: Sequence[Json]
    given: Sequence[Json]
    errors: Sequence[tuple[str, str | None]] = ()
    warnings: Sequence[tuple[str, str | None]] = ()
    status: str = "completed"
    response: Mapping[str, Any] = field(default_factory=dict)
    questionnaire: Mapping[str, Any] = field(default_factory=dict)
    resources: Sequence[Json] = ()
    hl7_differs: str | None = None

    def questionnaire_resource(self) -> Json:
        head = {"resourceType": "Questionnaire", "url": "http://example.org/q", "version": "1", "status": "active"}
        return {**head, **self.questionnaire, "item": list(self.items)}

    def response_resource(self) -> Json:
        head = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://example.org/q|1"}
        body: Json = {**head, "status": self.status, "authored": "2026-03-04T10:00:00Z", **self.response}
        return {**body, "item": list(self.given)} if self.given else body


def q(link_id: str, kind: str, **more: Any) -> Json:
    """A question; `ext` are (url, value[x] key, value), `when` are (question, operator, answer[x] key, value)."""
    item: Json = {"linkId": link_id, "text": f"Question {link_id}", "type": kind}
    extensions = [ext(*one) for one in more.pop("ext", ())]
    if extensions:
        item["extension"] = extensions
    when = [{"question": a, "operator": b, c: d} for a, b, c, d in more.pop("when", ())]
    if when:
        item["enableWhen"] = when
    return {**item, **more}


def ext(url: str, key: str, value: Any) -> Json:
    if not url.startswith("http"):
        url = "http://hl7.org/fhir/StructureDefinition/" + url
    return {"url": url, key: value}


def a(link_id: str, *values: Json, **more: Any) -> Json:
    """An item with answers."""
    return {"linkId": link_id, **({"answer": list(values)} if values else {}), **more}


def v(kind: str, value: Any, **more: Any) -> Json:
    return {f"value{kind}": value, **more}


def coding(code: str | None, system: str | None = SYSTEM, display: str | None = None) -> Json:
    parts = {"system": system, "code": code, "display": display}
    return {key: text for key, text in parts.items() if text is not None}


def fruit(*codes: str, exclusive: str | None = None) -> list[Json]:
    options: list[Json] = [{"valueCoding": coding(code, display=code.title())} for code in codes]
    if exclusive:
        mark = ext("questionnaire-optionExclusive", "valueBoolean", True)
        options.append({"extension": [mark], "valueCoding": coding(exclusive, display=exclusive.title())})
    return options


BOOL, TEXT, NUMBER = q("b", "boolean"), q("s", "string"), q("n", "integer")
YES, NO = v("Boolean", True), v("Boolean", False)
GROUP = q("g", "group", item=[q("s", "string")])
REPEATED = q(
    "g", "group", repeats=True, item=[q("s", "string"), q("t", "string", when=[("s", "=", "answerString", "x")])]
)
FRUIT = q("c", "choice", answerOption=fruit("apple", "pear"))
FRUITS = q("c", "choice", repeats=True, answerOption=fruit("apple", "pear", exclusive="none"))
FRUIT_TRANSLATED = q(
    "c",
    "choice",
    answerOption=[
        fruit("apple")[0],
        {
            "valueCoding": {
                **coding("pear", display="Pear"),
                "_display": {
                    "extension": [
                        {
                            "url": "http://hl7.org/fhir/StructureDefinition/translation",
                            "extension": [
                                {"url": "lang", "valueCode": "es"},
                                {"url": "content", "valueString": "Pera"},
                            ],
                        }
                    ]
                },
            }
        },
    ],
)
OPEN = q("c", "open-choice", answerOption=fruit("apple", "pear"))
BY_SET = q("c", "choice", answerValueSet="#fruit")
FRUIT_SET: Json = {
    "resourceType": "ValueSet",
    "id": "fruit",
    "url": "http://example.org/ValueSet/fruit",
    "status": "active",
    "compose": {"include": [{"system": SYSTEM, "concept": [{"code": "apple"}, {"code": "pear"}]}]},
}
FRUIT_SYSTEM: Json = {
    "resourceType": "CodeSystem",
    "url": SYSTEM,
    "status": "active",
    "content": "complete",
    "caseSensitive": True,
    "concept": [
        {"code": "apple", "display": "Apple", "concept": [{"code": "boskoop", "display": "Boskoop"}]},
        {"code": "pear", "display": "Pear"},
        {"code": "rock", "display": "Rock"},
    ],
}
ALL_FRUIT: Json = {
    "resourceType": "ValueSet",
    "url": "http://example.org/ValueSet/apples",
    "status": "active",
    "compose": {"include": [{"system": SYSTEM, "filter": [{"property": "concept", "op": "is-a", "value": "apple"}]}]},
}
CONTAINED = {"contained": [FRUIT_SET]}
GENDER = "http://hl7.org/fhir/administrative-gender"
UCUM = "http://unitsofmeasure.org"
UNITS = q("x", "quantity", ext=[("questionnaire-unitOption", "valueCoding", {"system": UCUM, "code": "kg"})])
SHOWN_IF_YES = q("s", "string", when=[("b", "=", "answerBoolean", True)])
NEEDED_IF_YES = {**SHOWN_IF_YES, "required": True}
OMITTED_GROUP = [q("g", "group", item=[q("s", "string", required=True)]), BOOL]

# fmt: off
STRUCTURE = (
    Case("An answer of the right type is valid", ANSWER + ".answer", [BOOL, TEXT], [a("b", YES), a("s", v("String", "x"))]),
    Case("A linkId that the Questionnaire does not have", ANSWER + ".linkId", [TEXT], [a("z", v("String", "x"))], [("not-found", None)]),
    Case("A question inside an item that the Questionnaire does not have", ANSWER + ".linkId", [{**TEXT, "required": True}], [{"linkId": "z", "item": [a("s", v("String", "x"))]}], [("not-found", None)]),
    Case("A question under the answer of an item that the Questionnaire does not have", ANSWER + ".linkId", [{**TEXT, "required": True}], [a("z", {**v("String", "y"), "item": [a("s", v("String", "x"))]})], [("not-found", None)]),
    Case("A group under another linkId", ANSWER + ".linkId", [GROUP], [{"linkId": "z", "item": [a("s", v("String", "x"))]}], [("not-found", None), ("structure", "s")]),
    Case("A question inside an item without linkId", ANSWER + ".linkId", [{**TEXT, "required": True}], [{"item": [a("s", v("String", "x"))]}], [("required", None)]),
    Case("An item without linkId", ANSWER + ".linkId", [TEXT], [{"answer": [v("String", "x")]}], [("required", None)]),
    Case("A question outside its group", ANSWER + ".item", [GROUP], [a("s", v("String", "x"))], [("structure", "s")]),
    Case("A question inside its group", ANSWER + ".item", [GROUP], [{"linkId": "g", "item": [a("s", v("String", "x"))]}]),
    Case("An answer to a group", R4 + "questionnaireresponse.html#notes", [GROUP], [a("g", v("String", "x"))], [("structure", "g")]),
    Case("An answer to a display", TYPES, [q("d", "display"), TEXT], [a("d", v("String", "x"))], [("structure", "d")]),
    Case("A display without answer", TYPES, [q("d", "display"), TEXT], [a("d"), a("s", v("String", "x"))]),
    Case("Items under a question that are not under its answer", R4 + "questionnaireresponse.html#notes", [q("b", "boolean", item=[TEXT])], [{"linkId": "b", "answer": [YES], "item": [a("s", v("String", "x"))]}], [("structure", "b")]),
    Case("Items under an answer", ANSWER + ".answer.item", [q("b", "boolean", item=[TEXT])], [a("b", {**YES, "item": [a("s", v("String", "x"))]})]),
    Case("An item under an answer that belongs elsewhere", ANSWER + ".answer.item", [q("b", "boolean", item=[TEXT]), NUMBER], [a("b", {**YES, "item": [a("n", v("Integer", 1))]})], [("structure", "n")]),
    Case("Two items for a question that does not repeat", ITEM + ".repeats", [TEXT], [a("s", v("String", "x")), a("s", v("String", "y"))], [("structure", "s")]),
    Case("Two answers to a question that does not repeat", ITEM + ".repeats", [TEXT], [a("s", v("String", "x"), v("String", "y"))], [("structure", "s")]),
    Case("Two answers to a question that repeats", ITEM + ".repeats", [q("s", "string", repeats=True)], [a("s", v("String", "x"), v("String", "y"))]),
    Case("Two items without answer for a question that does not repeat", ITEM + ".repeats", [TEXT], [a("s"), a("s")], [("structure", "s")]),
    Case("An answer to a group that is not enabled", ITEM + ".enableWhen", [BOOL, {**GROUP, "enableWhen": SHOWN_IF_YES["enableWhen"]}], [a("b", NO), a("g", v("String", "x"))], [("structure", "g"), ("invariant", "g")]),
    Case("A group twice that does not repeat", ITEM + ".repeats", [GROUP], [{"linkId": "g", "item": [a("s", v("String", x))]} for x in "xy"], [("structure", "g")]),
    Case("A group twice that repeats", ITEM + ".repeats", [{**GROUP, "repeats": True}], [{"linkId": "g", "item": [a("s", v("String", x))]} for x in "xy"]),
    Case("The text of the Questionnaire", ANSWER + ".text", [TEXT], [a("s", v("String", "x"), text="Question s")]),
    Case("Another text", ANSWER + ".text", [TEXT], [a("s", v("String", "x"), text="Something else")], [], [("value", "s")], hl7_differs="HL7 makes it an error; a changed text is reported here without refusing the answer."),
    Case("A translation of the text", R4 + "extension-translation.html", [{**TEXT, "_text": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/translation", "extension": [ext("lang", "valueCode", "es") | {"url": "lang"}, ext("content", "valueString", "Pregunta s") | {"url": "content"}]}]}}], [a("s", v("String", "x"), text="Pregunta s")], hl7_differs="HL7 6.7.9 knows the base text only; SDC allows every translation."),
    Case("Items in another order than in the Questionnaire", ANSWER, [BOOL, TEXT], [a("s", v("String", "x")), a("b", YES)], [], [("structure", "b")], hl7_differs="HL7 makes the order an error; here it is a warning, because it changes no answer."),
    Case("A modifier extension on an item", R4 + "extensibility.html#modifierExtension", [TEXT], [a("s", v("String", "x"), modifierExtension=[ext("http://example.org/not", "valueBoolean", True)])], [("extension", "s")]),
    Case("A modifier extension on the response", R4 + "extensibility.html#modifierExtension", [TEXT], [a("s", v("String", "x"))], [("extension", None)], response={"modifierExtension": [ext("http://example.org/not", "valueBoolean", True)]}),
)

REQUIRED = (
    Case("A required question without answer", ITEM + ".required", [q("s", "string", required=True), BOOL], [a("b", YES)], [("required", "s")]),
    Case("A required question in a draft", R4 + "valueset-questionnaire-answers-status.html", [q("s", "string", required=True), BOOL], [a("b", YES)], status="in-progress"),
    Case("A required question in a stopped response", R4 + "valueset-questionnaire-answers-status.html", [q("s", "string", required=True), BOOL], [a("b", YES)], status="stopped"),
    Case("A required question in a response entered in error", R4 + "valueset-questionnaire-answers-status.html", [q("s", "string", required=True), BOOL], [a("b", YES)], status="entered-in-error"),
    Case("A required question in an amended response", ITEM + ".required", [q("s", "string", required=True), BOOL], [a("b", YES)], [("required", "s")], status="amended"),
    Case("A required question that is there without answer", ITEM + ".required", [q("s", "string", required=True)], [a("s")], [("required", "s")]),
    Case("A required question in a group that is there", ITEM + ".required", [q("g", "group", item=[q("s", "string", required=True), BOOL])], [{"linkId": "g", "item": [a("b", YES)]}], [("required", "s")]),
    Case("A required question in an optional group that is not there", ITEM + ".required", OMITTED_GROUP, [a("b", YES)], [], [("required", "s")]),
    Case("A required question in a repeating group that is not there", ITEM + ".required", [{**OMITTED_GROUP[0], "repeats": True}, BOOL], [a("b", YES)]),
    Case("A required group that is not there", ITEM + ".required", [q("g", "group", required=True, item=[TEXT]), BOOL], [a("b", YES)], [("required", "g")]),
    Case("A required group that is not there, with a required question", ITEM + ".required", [{**OMITTED_GROUP[0], "required": True}, BOOL], [a("b", YES)], [("required", "g"), ("required", "s")]),
    Case("A required question that is not enabled", ITEM + ".required", [BOOL, NEEDED_IF_YES], [a("b", NO)]),
    Case("A required question that is enabled", ITEM + ".required", [BOOL, NEEDED_IF_YES], [a("b", YES)], [("required", "s")]),
    Case("A required question under an answer", ITEM + ".required", [q("b", "boolean", item=[q("s", "string", required=True)])], [a("b", YES)], [("required", "s")]),
    Case("A required question under a question without answer", ITEM + ".required", [q("b", "boolean", item=[q("s", "string", required=True)]), NUMBER], [a("n", v("Integer", 1))]),
    Case("Fewer answers than minOccurs", R4 + "extension-questionnaire-minoccurs.html", [q("s", "string", repeats=True, required=True, ext=[("questionnaire-minOccurs", "valueInteger", 2)])], [a("s", v("String", "x"))], [("required", "s")]),
    Case("More answers than maxOccurs", R4 + "extension-questionnaire-maxoccurs.html", [q("s", "string", repeats=True, ext=[("questionnaire-maxOccurs", "valueInteger", 1)])], [a("s", v("String", "x"), v("String", "y"))], [("business-rule", "s")]),
    Case("More groups than maxOccurs", R4 + "extension-questionnaire-maxoccurs.html", [q("g", "group", repeats=True, item=[TEXT], ext=[("questionnaire-maxOccurs", "valueInteger", 1)])], [{"linkId": "g", "item": [a("s", v("String", x))]} for x in "xy"], [("business-rule", "g")], hl7_differs="HL7 6.7.9 counts answers, not repetitions of a group."),
)

_WRONG_TYPES: tuple[tuple[str, Json], ...] = (
    ("boolean", v("String", "true")), ("boolean", v("Boolean", "true")), ("integer", v("Integer", "6")), ("integer", v("Integer", Decimal("6.5"))),
    ("integer", v("Integer", True)), ("integer", v("Decimal", Decimal("6.5"))), ("integer", v("Integer", 2**31)), ("decimal", v("Decimal", "1.5")), ("decimal", v("Integer", 1)),
    ("date", v("DateTime", "2026-03-04T10:00:00Z")), ("date", v("Date", "2026-02-30")), ("date", v("Date", "2026-3-4")), ("date", v("Date", 2026)), ("dateTime", v("Date", "2026-03-04")),
    ("dateTime", v("DateTime", "2026-03-04T10:00:00")), ("dateTime", v("DateTime", "2026-03-04T25:00:00Z")), ("time", v("Time", "10:00")), ("time", v("String", "10:00:00")),
    ("string", v("Integer", 1)), ("string", v("String", 1)), ("text", v("Boolean", True)), ("url", v("String", "http://x")), ("url", v("Uri", "http://x y")),
    ("choice", v("Boolean", True)), ("reference", v("String", "Patient/1")), ("attachment", v("String", "x")), ("quantity", v("Decimal", Decimal("1.5"))),
)
_RIGHT_TYPES: tuple[tuple[str, Json], ...] = (
    ("boolean", NO), ("integer", v("Integer", -3)), ("decimal", v("Decimal", Decimal("1.50"))), ("decimal", v("Decimal", 1)), ("date", v("Date", "2026")), ("date", v("Date", "2026-03")),
    ("date", v("Date", "2024-02-29")), ("dateTime", v("DateTime", "2026-03")), ("dateTime", v("DateTime", "2026-03-04T10:00:00.123+01:00")), ("time", v("Time", "10:00:00")),
    ("string", v("String", "x")), ("text", v("String", "x\ny")), ("url", v("Uri", "urn:example:1.2.3")), ("reference", v("Reference", {"reference": "Patient/1"})),
    ("attachment", v("Attachment", {"contentType": "text/plain", "data": "aGVsbG8=", "size": 5})), ("quantity", v("Quantity", {"value": Decimal("1.5"), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"})),
)


def _said(answer: Json) -> str:
    key, value = next(iter(answer.items()))
    return f"{key} {value!r}" if not isinstance(value, dict) else key


TYPE_CASES = tuple(
    Case(f"{_said(answer)} for {kind}", TYPES, [q("x", kind)], [a("x", answer)], [("value" if next(iter(answer)).lower() == f"value{kind}".lower() or (kind, next(iter(answer))) in {("text", "valueString"), ("url", "valueUri")} else "structure", "x")])
    for kind, answer in _WRONG_TYPES
) + tuple(Case(f"{_said(answer)} for {kind} is right", TYPES, [q("x", kind)], [a("x", answer)]) for kind, answer in _RIGHT_TYPES)

PARTS = (
    Case("A Quantity whose value is text", R4 + "datatypes.html#quantity", [q("x", "quantity")], [a("x", v("Quantity", {"value": "1.5"}))], [("value", "x")]),
    Case("A Quantity with a comparator that does not exist", R4 + "datatypes.html#quantity", [q("x", "quantity")], [a("x", v("Quantity", {"value": 1, "comparator": "=="}))], [("code-invalid", "x")]),
    Case("A Quantity with a code but no system", R4 + "datatypes.html#quantity", [q("x", "quantity")], [a("x", v("Quantity", {"value": 1, "code": "kg"}))], [("invariant", "x")]),
    Case("A Coding whose code is a number", R4 + "datatypes.html#coding", [q("x", "choice")], [a("x", v("Coding", {"system": SYSTEM, "code": 1}))], [("value", "x")]),
    Case("A Coding whose userSelected is text", R4 + "datatypes.html#coding", [q("x", "choice")], [a("x", v("Coding", {"system": SYSTEM, "code": "a", "userSelected": "true"}))], [("value", "x")]),
    Case("An Attachment whose data is not base64", R4 + "datatypes.html#attachment", [q("x", "attachment")], [a("x", v("Attachment", {"contentType": "text/plain", "data": "#!*"}))], [("value", "x")]),
    Case("An Attachment whose size is not that of its data", R4 + "datatypes.html#attachment", [q("x", "attachment")], [a("x", v("Attachment", {"contentType": "text/plain", "data": "aGVsbG8=", "size": 6}))], [("value", "x")]),
    Case("An Attachment with data and no content type", R4 + "datatypes.html#attachment", [q("x", "attachment")], [a("x", v("Attachment", {"data": "aGVsbG8="}))], [("invariant", "x")]),
    Case("A Reference to a type that does not exist", R4 + "references.html#literal", [q("x", "reference")], [a("x", v("Reference", {"reference": "Persons/1"}))], [("value", "x")], hl7_differs="HL7 6.7.9 says so of Reference.type only; a reference to a type that does not exist can never be followed."),
    Case("A Reference whose type is another one", R4 + "references.html#Reference", [q("x", "reference")], [a("x", v("Reference", {"reference": "Patient/1", "type": "Practitioner"}))], [("value", "x")]),
    Case("A Reference to something contained that is not there", R4 + "references.html#contained", [q("x", "reference")], [a("x", v("Reference", {"reference": "#p"}))], [("invariant", "x")]),
    Case("A Reference to something contained", R4 + "references.html#contained", [q("x", "reference")], [a("x", v("Reference", {"reference": "#p"}))], response={"contained": [{"resourceType": "Patient", "id": "p"}]}),
    Case("A Reference to a type that referenceResource leaves out", R4 + "extension-questionnaire-referenceresource.html", [q("x", "reference", ext=[("questionnaire-referenceResource", "valueCode", "Patient")])], [a("x", v("Reference", {"reference": "Device/1"}))], [("value", "x")], hl7_differs="HL7 6.7.9 does not look at referenceResource."),
    Case("A Reference to a type of referenceResource", R4 + "extension-questionnaire-referenceresource.html", [q("x", "reference", ext=[("questionnaire-referenceResource", "valueCode", "Patient"), ("questionnaire-referenceResource", "valueCode", "Device")])], [a("x", v("Reference", {"reference": "http://example.org/fhir/Device/1"}))]),
)

OPTIONS = (
    Case("One of the options", ITEM + ".answerOption", [FRUIT], [a("c", v("Coding", coding("apple")))]),
    Case("None of the options", ITEM + ".answerOption", [FRUIT], [a("c", v("Coding", coding("stone")))], [("code-invalid", "c")]),
    Case("The code of an option in another system", ITEM + ".answerOption", [FRUIT], [a("c", v("Coding", coding("apple", "http://example.org/other")))], [("code-invalid", "c")]),
    Case("The code of an option without system", ITEM + ".answerOption", [FRUIT], [a("c", v("Coding", coding("apple", None)))], [("code-invalid", "c")]),
    Case("A text for a choice", TYPES, [FRUIT], [a("c", v("String", "apple"))], [("structure", "c")]),
    Case("A text for an open choice", TYPES, [OPEN], [a("c", v("String", "banana"))]),
    Case("A Coding without code for an open choice", TYPES, [OPEN], [a("c", v("Coding", {"display": "Banana"}))], [("code-invalid", "c")]),
    Case("An unknown code of a known code system", R4 + "datatypes.html#coding", [q("c", "choice")], [a("c", v("Coding", coding("x", GENDER)))], [("code-invalid", "c")]),
    Case("None of the options for an open choice", TYPES, [OPEN], [a("c", v("Coding", coding("stone")))], [("code-invalid", "c")]),
    Case("Another display than the option's", ITEM + ".answerOption", [FRUIT], [a("c", v("Coding", coding("apple", display="Apfel")))], [], [("value", "c")]),
    Case("The display of another option", ITEM + ".answerOption", [FRUIT], [a("c", v("Coding", coding("apple", display="Pear")))], [("value", "c")], hl7_differs="HL7 6.7.9 does not compare it with the other options; the person read one of them and the code says the other."),
    Case("The translated display of another option", ITEM + ".answerOption", [FRUIT_TRANSLATED], [a("c", v("Coding", coding("apple", display="pera")))], [("value", "c")], hl7_differs="HL7 6.7.9 does not compare it with the other options; the person read one of them and the code says the other."),
    Case("An option that excludes all others, alone", R4 + "extension-questionnaire-optionexclusive.html", [FRUITS], [a("c", v("Coding", coding("none")))]),
    Case("An option that excludes all others, with another", R4 + "extension-questionnaire-optionexclusive.html", [FRUITS], [a("c", v("Coding", coding("none")), v("Coding", coding("pear")))], [("business-rule", "c")]),
    Case("An integer among integer options", ITEM + ".answerOption.value[x]", [q("c", "choice", answerOption=[{"valueInteger": 1}, {"valueInteger": 2}])], [a("c", v("Integer", 2))]),
    Case("An integer not among integer options", ITEM + ".answerOption.value[x]", [q("c", "choice", answerOption=[{"valueInteger": 1}, {"valueInteger": 2}])], [a("c", v("Integer", 3))], [("code-invalid", "c")]),
    Case("A string not among string options", ITEM + ".answerOption.value[x]", [q("c", "choice", answerOption=[{"valueString": "one"}])], [a("c", v("String", "two"))], [("code-invalid", "c")]),
    Case("A date not among date options", ITEM + ".answerOption.value[x]", [q("c", "choice", answerOption=[{"valueDate": "2026-01-01"}])], [a("c", v("Date", "2026-01-02"))], [("code-invalid", "c")]),
    Case("A code of a contained value set", ITEM + ".answerValueSet", [BY_SET], [a("c", v("Coding", coding("apple")))], questionnaire=CONTAINED, hl7_differs="The in-memory terminology that HL7 was run with knows no code system of this name."),
    Case("A code that a contained value set does not have", ITEM + ".answerValueSet", [BY_SET], [a("c", v("Coding", coding("stone")))], [("code-invalid", "c")], questionnaire=CONTAINED),
    Case("A code of a supplied value set with a filter", ITEM + ".answerValueSet", [q("c", "choice", answerValueSet=ALL_FRUIT["url"])], [a("c", v("Coding", coding("boskoop")))], resources=[ALL_FRUIT, FRUIT_SYSTEM]),
    Case("A code that a filter leaves out", ITEM + ".answerValueSet", [q("c", "choice", answerValueSet=ALL_FRUIT["url"])], [a("c", v("Coding", coding("rock")))], [("code-invalid", "c")], resources=[ALL_FRUIT, FRUIT_SYSTEM]),
    Case("A value set that is not at hand", ITEM + ".answerValueSet", [q("c", "choice", answerValueSet="http://example.org/ValueSet/unknown")], [a("c", v("Coding", coding("rock")))], [], [("not-found", "c")]),
    Case("A code of a small HL7 value set", ITEM + ".answerValueSet", [q("c", "choice", answerValueSet="http://hl7.org/fhir/ValueSet/administrative-gender")], [a("c", v("Coding", coding("female", GENDER, "Female")))]),
    Case("A code that a small HL7 value set does not have", ITEM + ".answerValueSet", [q("c", "choice", answerValueSet="http://hl7.org/fhir/ValueSet/administrative-gender")], [a("c", v("Coding", coding("f", GENDER)))], [("code-invalid", "c"), ("code-invalid", "c")]),
    Case("A wrong display for a code of a known code system", R4 + "datatypes.html#coding", [q("c", "choice", answerValueSet="http://hl7.org/fhir/ValueSet/administrative-gender")], [a("c", v("Coding", coding("female", GENDER, "Male")))], [("value", "c")], hl7_differs="Run inside HAPI it stops at the code; with a terminology server it is an error there too."),
    Case("A text for an open choice with a value set", TYPES, [q("c", "open-choice", answerValueSet="#fruit")], [a("c", v("String", "banana"))], questionnaire=CONTAINED),
    Case("A text for a choice with a value set", TYPES, [BY_SET], [a("c", v("String", "banana"))], [("structure", "c")], questionnaire=CONTAINED, hl7_differs="HL7 lets a text pass for a choice with a value set; R4 says that a choice is a Coding."),
)


def _limited(name: str, kind: str, url: str, key: str, limit: Any, good: Json, bad: Json, code: str = "value", differs: str | None = None) -> tuple[Case, Case]:
    page = R4 + f"extension-{url.lower()}.html"
    item = q("x", kind, ext=[(url, key, limit)])
    return Case(f"{name}, kept", page, [item], [a("x", good)]), Case(f"{name}, broken", page, [item], [a("x", bad)], [(code, "x")], hl7_differs=differs)


LIMITS = (
    Case("As long as maxLength", ITEM + ".maxLength", [q("x", "string", maxLength=3)], [a("x", v("String", "abc"))]),
    Case("Longer than maxLength", ITEM + ".maxLength", [q("x", "string", maxLength=3)], [a("x", v("String", "abcd"))], [("too-long", "x")]),
    *_limited("minLength", "string", "minLength", "valueInteger", 3, v("String", "abc"), v("String", "ab")),
    *_limited("regex", "string", "regex", "valueString", "[0-9]{3}", v("String", "123"), v("String", "1234")),
    *_limited("minValue of an integer", "integer", "minValue", "valueInteger", 3, v("Integer", 3), v("Integer", 2)),
    *_limited("maxValue of an integer", "integer", "maxValue", "valueInteger", 3, v("Integer", 3), v("Integer", 4)),
    *_limited("maxValue of a decimal", "decimal", "maxValue", "valueDecimal", Decimal("0.3"), v("Decimal", Decimal("0.30")), v("Decimal", Decimal("0.30000000000000000001"))),
    *_limited("minValue of a date", "date", "minValue", "valueDate", "2026-03-04", v("Date", "2026-04"), v("Date", "2026-02")),
    Case("minValue of a date, less precise answer that begins before it", R4 + "extension-minvalue.html", [q("x", "date", ext=[("minValue", "valueDate", "2026-03-04")])], [a("x", v("Date", "2026-03"))], [("value", "x")]),
    Case("maxValue of a date, more precise answer within it", R4 + "extension-maxvalue.html", [q("x", "date", ext=[("maxValue", "valueDate", "2026-03")])], [a("x", v("Date", "2026-03-15"))], hl7_differs="HL7 compares with the first moment of the month; the 15th of March is not after March."),
    Case("A unit that is offered", R4 + "extension-questionnaire-unitoption.html", [UNITS], [a("x", v("Quantity", {"value": 2, "unit": "kg", "system": UCUM, "code": "kg"}))]),
    Case("A unit that is not offered", R4 + "extension-questionnaire-unitoption.html", [UNITS], [a("x", v("Quantity", {"value": 2, "unit": "g", "system": UCUM, "code": "g"}))], [("code-invalid", "x")]),
    *_limited("maxValue of a dateTime", "dateTime", "maxValue", "valueDateTime", "2026-03-04T10:00:00Z", v("DateTime", "2026-03-04T10:30:00+01:00"), v("DateTime", "2026-03-04T10:30:00-01:00")),
    *_limited("maxValue of a time", "time", "maxValue", "valueTime", "10:00:00", v("Time", "09:59:59"), v("Time", "10:00:01")),
    *_limited("maxDecimalPlaces", "decimal", "maxDecimalPlaces", "valueInteger", 2, v("Decimal", Decimal("1.50")), v("Decimal", Decimal("1.505"))),
    *_limited("mimeType", "attachment", "mimeType", "valueCode", "image/png", v("Attachment", {"contentType": "image/png", "url": "http://x/y"}), v("Attachment", {"contentType": "text/plain", "url": "http://x/y"})),
    *_limited("maxSize", "attachment", "maxSize", "valueDecimal", 1, v("Attachment", {"contentType": "image/png", "size": 1048576}), v("Attachment", {"contentType": "image/png", "size": 1048577}), "too-long", differs="HL7 6.7.9 does not look at maxSize."),
)


def _shown_when(name: str, source: Json, condition: tuple[str, str, Any], given: Json | None, shown: bool, **more: Any) -> Case:
    """`t` is answered, so there is an error exactly when it is not shown."""
    operator, key, value = condition
    target = q("t", "string", when=[(source["linkId"], operator, key, value)])
    answers = [a(source["linkId"], given)] if given else []
    errors = [] if shown else [("invariant", "t")]
    page = R4 + "valueset-questionnaire-enable-operator.html"
    return Case(name, page, [source, target], [*answers, a("t", v("String", "x"))], errors, **more)


WHEN = (
    _shown_when("exists true, answered", BOOL, ("exists", "answerBoolean", True), NO, True),
    _shown_when("exists true, unanswered", BOOL, ("exists", "answerBoolean", True), None, False),
    _shown_when("exists false, answered", BOOL, ("exists", "answerBoolean", False), NO, False),
    _shown_when("exists false, unanswered", BOOL, ("exists", "answerBoolean", False), None, True),
    _shown_when("= boolean, the same", BOOL, ("=", "answerBoolean", True), YES, True),
    _shown_when("= boolean, another", BOOL, ("=", "answerBoolean", True), NO, False),
    _shown_when("!= boolean, another", BOOL, ("!=", "answerBoolean", True), NO, True),
    _shown_when("!= boolean, the same", BOOL, ("!=", "answerBoolean", True), YES, False),
    _shown_when("!= boolean, unanswered", BOOL, ("!=", "answerBoolean", True), None, False),
    _shown_when("= integer", NUMBER, ("=", "answerInteger", 3), v("Integer", 3), True),
    _shown_when("> integer, equal", NUMBER, (">", "answerInteger", 3), v("Integer", 3), False),
    _shown_when("> integer, more", NUMBER, (">", "answerInteger", 3), v("Integer", 4), True),
    _shown_when(">= integer, equal", NUMBER, (">=", "answerInteger", 3), v("Integer", 3), True),
    _shown_when("< integer, less", NUMBER, ("<", "answerInteger", 3), v("Integer", 2), True),
    _shown_when("<= integer, more", NUMBER, ("<=", "answerInteger", 3), v("Integer", 4), False),
    _shown_when("< integer, unanswered", NUMBER, ("<", "answerInteger", 3), None, False),
    _shown_when("= decimal, other digits", q("n", "decimal"), ("=", "answerDecimal", Decimal("1.5")), v("Decimal", Decimal("1.50")), True),
    _shown_when("= date, the same", q("n", "date"), ("=", "answerDate", "2026-03-04"), v("Date", "2026-03-04"), True),
    _shown_when("> date, later", q("n", "date"), (">", "answerDate", "2026-03-04"), v("Date", "2026-03-05"), True),
    _shown_when("> date, later though less precise", q("n", "date"), (">", "answerDate", "2026-03-04"), v("Date", "2027"), True),
    _shown_when("< dateTime, earlier in another zone", q("n", "dateTime"), ("<", "answerDateTime", "2026-03-04T10:00:00Z"), v("DateTime", "2026-03-04T10:30:00+01:00"), True),
    _shown_when(">= time", q("n", "time"), (">=", "answerTime", "10:00:00"), v("Time", "10:00:00"), True),
    _shown_when("= string, the same", TEXT, ("=", "answerString", "x"), v("String", "x"), True),
    _shown_when("= string, other case", TEXT, ("=", "answerString", "x"), v("String", "X"), False),
    _shown_when("= Coding, the same", FRUIT, ("=", "answerCoding", coding("apple")), v("Coding", coding("apple")), True),
    _shown_when("= Coding, another code", FRUIT, ("=", "answerCoding", coding("apple")), v("Coding", coding("pear")), False),
    _shown_when("= Coding without system in the condition", FRUIT, ("=", "answerCoding", coding("apple", None)), v("Coding", coding("apple")), True),
    _shown_when("!= Coding, another code", FRUIT, ("!=", "answerCoding", coding("apple")), v("Coding", coding("pear")), True),
    _shown_when("> Quantity, the same unit", q("n", "quantity"), (">", "answerQuantity", {"value": 3, "unit": "kg"}), v("Quantity", {"value": 4, "unit": "kg"}), True),
    _shown_when("> Quantity, another unit", q("n", "quantity"), (">", "answerQuantity", {"value": 3, "unit": "kg"}), v("Quantity", {"value": 4, "unit": "g"}), False, hl7_differs="HL7 compares the numbers whatever the units; 4 g are not more than 3 kg."),
    _shown_when("= Reference, the same", q("n", "reference"), ("=", "answerReference", {"reference": "Patient/1"}), v("Reference", {"reference": "Patient/1"}), True, hl7_differs="HL7 6.7.9 stops with an exception on a Reference."),
)

_TWO = [("b", "=", "answerBoolean", True), ("n", ">", "answerInteger", 3)]
_NESTED = q("g", "group", when=[("b", "=", "answerBoolean", True)], item=[q("s", "string", required=True)])
CONDITIONS = (
    Case("any of two, one met", ITEM + ".enableBehavior", [BOOL, NUMBER, q("t", "string", when=_TWO, enableBehavior="any")], [a("b", YES), a("t", v("String", "x"))]),
    Case("any of two, none met", ITEM + ".enableBehavior", [BOOL, NUMBER, q("t", "string", when=_TWO, enableBehavior="any")], [a("b", NO), a("t", v("String", "x"))], [("invariant", "t")]),
    Case("all of two, one met", ITEM + ".enableBehavior", [BOOL, NUMBER, q("t", "string", when=_TWO, enableBehavior="all")], [a("b", YES), a("t", v("String", "x"))], [("invariant", "t")]),
    Case("all of two, both met", ITEM + ".enableBehavior", [BOOL, NUMBER, q("t", "string", when=_TWO, enableBehavior="all")], [a("b", YES), a("n", v("Integer", 4)), a("t", v("String", "x"))]),
    Case("!= with one of two answers different", ITEM + ".enableWhen", [FRUITS, q("t", "string", when=[("c", "!=", "answerCoding", coding("apple"))])], [a("c", v("Coding", coding("apple")), v("Coding", coding("pear"))), a("t", v("String", "x"))]),
    Case("= with one of two answers the same", ITEM + ".enableWhen", [FRUITS, q("t", "string", when=[("c", "=", "answerCoding", coding("apple"))])], [a("c", v("Coding", coding("apple")), v("Coding", coding("pear"))), a("t", v("String", "x"))]),
    Case("several conditions without enableBehavior", R4 + "questionnaire.html#invs", [BOOL, NUMBER, q("t", "string", when=_TWO)], [a("b", NO), a("t", v("String", "x"))]),
    Case("> date, within the less precise one", ITEM + ".enableWhen.answer[x]", [q("n", "date"), q("t", "string", when=[("n", ">", "answerDate", "2026")])], [a("n", v("Date", "2026-05")), a("t", v("String", "x"))], [("invariant", "t")], hl7_differs="HL7 compares first moments; May 2026 is not after 2026."),
    Case("= date, less precise", ITEM + ".enableWhen.answer[x]", [q("n", "date"), q("t", "string", when=[("n", "=", "answerDate", "2026-01-01")])], [a("n", v("Date", "2026")), a("t", v("String", "x"))], [("invariant", "t")], hl7_differs="HL7 compares first moments; 2026 is not the 1st of January."),
    Case("A condition on an answer that is none of the options", ITEM + ".enableWhen", [FRUIT, q("t", "string", required=True, when=[("c", "=", "answerCoding", coding("apple"))])], [a("c", v("Coding", coding("stone")))], [("code-invalid", "c")]),
    Case("A condition on an answer that is none of the options, answered", ITEM + ".enableWhen", [FRUIT, q("t", "string", when=[("c", "=", "answerCoding", coding("apple"))])], [a("c", v("Coding", coding("stone"))), a("t", v("String", "x"))], [("code-invalid", "c")]),
    Case("A condition on a question that does not exist", ITEM + ".enableWhen.question", [q("t", "string", when=[("zz", "=", "answerBoolean", True)])], [a("t", v("String", "x"))], [("invariant", "t")]),
    Case("A condition under one answer of several, met under another", ITEM + ".enableWhen.question", [q("b", "string", repeats=True, item=[q("x", "integer"), q("y", "string", when=[("x", "=", "answerInteger", 2)])])], [a("b", {"valueString": "A", "item": [a("x", v("Integer", 1)), a("y", v("String", "no"))]}, {"valueString": "B", "item": [a("x", v("Integer", 2))]})], [("invariant", "y")], hl7_differs="HL7 takes every answer of the item together; R4 says the nearest question."),
    Case("A group that is not enabled, answered", ITEM + ".enableWhen", [BOOL, _NESTED], [a("b", NO), {"linkId": "g", "item": [a("s", v("String", "x"))]}], [("invariant", "g")]),
    Case("A required question in a group that is not enabled", ITEM + ".enableWhen", [BOOL, {**_NESTED, "required": True}], [a("b", NO)]),
    Case("An item that is not enabled, without answer", ITEM + ".enableWhen", [BOOL, SHOWN_IF_YES], [a("b", NO), a("s")]),
    Case("A condition on a question that comes later", ITEM + ".enableWhen.question", [SHOWN_IF_YES, BOOL], [a("s", v("String", "x")), a("b", YES)]),
    Case("A condition on the question above", ITEM + ".enableWhen.question", [q("b", "boolean", item=[SHOWN_IF_YES])], [a("b", {**NO, "item": [a("s", v("String", "x"))]})], [("invariant", "s")]),
    Case("A condition that reads the same repetition, met", ITEM + ".enableWhen.question", [REPEATED], [{"linkId": "g", "item": [a("s", v("String", "x")), a("t", v("String", "1"))]}, {"linkId": "g", "item": [a("s", v("String", "y"))]}]),
    Case("A condition that another repetition meets", ITEM + ".enableWhen.question", [REPEATED], [{"linkId": "g", "item": [a("s", v("String", "x"))]}, {"linkId": "g", "item": [a("s", v("String", "y")), a("t", v("String", "1"))]}], [("invariant", "t")]),
    Case("A condition outside a repeated group, met by one repetition", ITEM + ".enableWhen.question", [{**GROUP, "repeats": True}, q("t", "string", when=[("s", "=", "answerString", "x")])], [{"linkId": "g", "item": [a("s", v("String", "y"))]}, {"linkId": "g", "item": [a("s", v("String", "x"))]}, a("t", v("String", "1"))]),
)

CASES = (*STRUCTURE, *REQUIRED, *TYPE_CASES, *PARTS, *OPTIONS, *LIMITS, *WHEN, *CONDITIONS)
