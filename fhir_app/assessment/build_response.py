"""Plain answers by linkId -> a valid, nested QuestionnaireResponse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from fhir_app.assessment.form import FormItem, Scope, prepare
from fhir_app.knowledge.answer_values import READERS
from fhir_app.knowledge.answers import AnswerValue, Coding, DateText, Reference
from fhir_app.knowledge.extensions import TRANSLATION
from fhir_app.knowledge.questionnaire import Item, Option, Questionnaire
from fhir_app.knowledge.truth import Truth

Element = dict[str, Any]


def build_questionnaire_response(
    questionnaire: Questionnaire,
    answers: Mapping[str, object],
    *,
    status: str = "completed",
    authored: str,
    subject: Mapping[str, Any] | None = None,
    identifier: Mapping[str, Any] | None = None,
    language: str | None = None,
) -> dict[str, Any]:
    """`{"pt-age": 27, "rf-nerve": ["weak-both"], "note": "..."}` -> the resource.

    An option is named by its code, several answers are a list, a Quantity, Reference, Attachment or a Coding without
    option is the FHIR element itself. Questions whose condition is not met are left out, with what depends on them.
    Texts stand in the Questionnaire's own language, as HL7's validator demands, with the translation into `language`
    beside them. Raises ValueError for a linkId, option or type that the Questionnaire does not have.
    """
    form = prepare(questionnaire)
    given = {link_id: _elements(form.every.get(link_id), link_id, value) for link_id, value in answers.items()}
    given = {link_id: elements for link_id, elements in given.items() if elements}
    kept = _shown_only(form.items, given)
    resource: dict[str, Any] = {"resourceType": "QuestionnaireResponse"}
    if language is not None:
        resource["language"] = language
    if identifier is not None:
        resource["identifier"] = dict(identifier)
    if questionnaire.url is not None:
        version = f"|{questionnaire.version}" if questionnaire.version else ""
        resource["questionnaire"] = questionnaire.url + version
    resource["status"] = status
    if subject is not None:
        resource["subject"] = dict(subject)
    resource["authored"] = authored
    wanted = language if language != questionnaire.language else None
    items = _items(form.items, kept, wanted)
    if items:
        resource["item"] = items
    return resource


# --- one value -> answers ---------------------------------------------------------------------------------------


def _elements(form_item: FormItem | None, link_id: str, value: object) -> list[Element]:
    if form_item is None or not form_item.item.is_question:
        raise ValueError(f"{link_id}: is not a question of the Questionnaire")
    if value is None:
        return []
    values = value if isinstance(value, list | tuple | set | frozenset) else [value]
    if len(values) > 1 and not form_item.item.repeats:
        raise ValueError(f"{link_id}: takes one answer")
    if isinstance(values, set | frozenset):
        values = sorted(values, key=lambda code: _rank(form_item.item, code))
    return [_element(form_item, one) for one in values]


def _rank(item: Item, code: object) -> tuple[int, str]:
    for index, option in enumerate(item.options):
        if _named(option, code):
            return index, ""
    return len(item.options), str(code)


def _named(option: Option, code: object) -> bool:
    if isinstance(option.value, Coding):
        return option.value.code == code
    return not isinstance(option.value, bool) and option.value == code


def _element(form_item: FormItem, value: object) -> Element:
    item = form_item.item
    for option in item.options:
        if _named(option, value):
            return _option_element(option)
    if isinstance(value, float):
        value = Decimal(repr(value))
    for key, read in form_item.kinds:
        if key == "valueCoding" and not isinstance(value, Mapping):
            continue
        if form_item.options and key != "valueString":
            continue
        if form_item.options and item.type != "open-choice":
            continue
        if read(value) is not None:
            return {key: dict(value) if isinstance(value, Mapping) else value}
    raise ValueError(f"{item.link_id}: does not take this value")


def _option_element(option: Option) -> Element:
    match option.value:
        case Coding(system, code, display):
            coding = {"system": system, "code": code, "display": display}
            return {"valueCoding": {key: text for key, text in coding.items() if text is not None}}
        case DateText(text, kind):
            return {f"value{kind[0].upper()}{kind[1:]}": text}
        case Reference(reference):
            return {"valueReference": {"reference": reference}}
        case str():
            return {"valueString": option.value}
        case _:
            return {"valueInteger": option.value}


# --- which are shown --------------------------------------------------------------------------------------------


def _shown_only(items: Sequence[FormItem], given: Mapping[str, list[Element]]) -> Mapping[str, list[Element]]:
    """The answers whose question is shown, when the others are not there either."""
    while True:
        scope = Scope(None)
        for link_id, elements in given.items():
            for element in elements:
                for value in _read(element):
                    scope.add(link_id, value)
        shown = {link_id: given[link_id] for link_id in _shown(items, scope) if link_id in given}
        if len(shown) == len(given):
            return shown
        given = shown


def _read(element: Element) -> Sequence[AnswerValue]:
    for kind, read in READERS.items():
        if f"value{kind}" in element:
            value = read(element[f"value{kind}"])
            return () if value is None else (value,)
    return ()


def _shown(items: Sequence[FormItem], scope: Scope) -> list[str]:
    found = []
    for form_item in items:
        if form_item.shown is not None and form_item.shown(scope) is not Truth.YES:
            continue
        found.append(form_item.link_id)
        if form_item.item.type == "group" or form_item.link_id in scope.answered:
            found.extend(_shown(form_item.children, scope))
    return found


# --- nesting ----------------------------------------------------------------------------------------------------


def _items(items: Sequence[FormItem], given: Mapping[str, list[Element]], language: str | None) -> list[Element]:
    found = []
    for form_item in items:
        children = _items(form_item.children, given, language)
        element: Element = {"linkId": form_item.link_id, **_texts(form_item.item, language)}
        if form_item.item.type == "group":
            if children:
                found.append({**element, "item": children})
        elif form_item.link_id in given:
            answers = [_translated(form_item.item, answer, language) for answer in given[form_item.link_id]]
            if children:
                answers[0] = {**answers[0], "item": children}
            found.append({**element, "answer": answers})
    return found


def _texts(item: Item, language: str | None) -> Element:
    if item.text is None:
        return {}
    return {"text": item.text, **_translation("_text", item.texts, language)}


def _translated(item: Item, answer: Element, language: str | None) -> Element:
    coding = answer.get("valueCoding")
    if coding is None or language is None:
        return answer
    for option in item.options:
        if isinstance(option.value, Coding) and option.value.code == coding.get("code"):
            return {"valueCoding": {**coding, **_translation("_display", option.texts, language)}}
    return answer


def _translation(key: str, texts: Mapping[str, str], language: str | None) -> Element:
    if language is None or language not in texts:
        return {}
    parts = [{"url": "lang", "valueCode": language}, {"url": "content", "valueString": texts[language]}]
    return {key: {"extension": [{"url": TRANSLATION, "extension": parts}]}}
