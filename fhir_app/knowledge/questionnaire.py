"""Questionnaire JSON -> items, options, enableWhen, texts by language. Any R4 Questionnaire, not only ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_app.knowledge.answer_values import read_choice
from fhir_app.knowledge.answers import AnswerValue, Coding, DateText, Quantity, Reference
from fhir_app.knowledge.comparison import Operator
from fhir_app.knowledge.criteria import And, Compare, Criterion, Exists, Or
from fhir_app.knowledge.extensions import extension_value, extensions, translations

# https://hl7.org/fhir/R4/valueset-item-type.html; `question` is abstract and may not be used.
ITEM_TYPES = frozenset(
    (
        *("group", "display", "boolean", "decimal", "integer", "date", "dateTime", "time", "string", "text", "url"),
        *("choice", "open-choice", "attachment", "reference", "quantity"),
    )
)
_OPERATORS: Mapping[str, Operator] = {"=": "=", "!=": "!=", ">": ">", "<": "<", ">=": ">=", "<=": "<="}
_OPTION_EXCLUSIVE = "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive"
_ENABLE_WHEN_EXPRESSIONS = (
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression",
    "http://phr.kanta.fi/StructureDefinition/fiphr-ext-questionnaire-enablewhen",
)


class UnusableQuestionnaire(ValueError):
    """A resource that no response can be checked against; `problems` names each reason with its path."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Option:
    """One answerOption. `texts` is by language; the empty key holds the Questionnaire's own language."""

    value: AnswerValue
    text: str
    texts: Mapping[str, str]
    exclusive: bool


@dataclass(frozen=True, eq=False)
class Item:
    """One item of a Questionnaire, with everything that a check of answers needs.

    `condition_unread`: whether the item is shown depends on an expression, which is not evaluated here, so neither its
    absence nor its presence is held against a response.
    """

    link_id: str
    type: str
    text: str | None
    texts: Mapping[str, str]
    required: bool
    repeats: bool
    options: tuple[Option, ...]
    answer_value_set: str | None
    enable_when: Criterion | None
    max_length: int | None
    items: tuple[Item, ...]
    resource: Mapping[str, Any]
    condition_unread: bool = False

    @property
    def is_question(self) -> bool:
        return self.type not in ("group", "display")


@dataclass(frozen=True, eq=False)
class Questionnaire:
    """A Questionnaire; `by_link_id` finds every item at any depth."""

    url: str | None
    version: str | None
    title: str | None
    language: str | None
    items: tuple[Item, ...]
    by_link_id: Mapping[str, Item]
    resource: Mapping[str, Any]


def read_questionnaire(resource: Mapping[str, Any]) -> Questionnaire:
    """A Questionnaire resource (R4) -> its items in memory. Raises UnusableQuestionnaire, a ValueError, that lists
    every reason why responses cannot be checked against it."""
    if resource.get("resourceType") != "Questionnaire":
        raise UnusableQuestionnaire(["Questionnaire.resourceType: must be Questionnaire"])
    problems: list[str] = []
    items = _read_items(resource, "Questionnaire", problems)
    by_link_id: dict[str, Item] = {}
    for item in _every(items):
        if item.link_id in by_link_id:
            # https://hl7.org/fhir/R4/questionnaire.html#invs que-2
            problems.append(f"Questionnaire.item: linkId {item.link_id!r} is used more than once")
        by_link_id[item.link_id] = item
    if problems:
        raise UnusableQuestionnaire(problems)
    url, version, title, language = (_text(resource.get(key)) for key in ("url", "version", "title", "language"))
    return Questionnaire(url, version, title, language, items, by_link_id, resource)


def _every(items: Sequence[Item]) -> Iterator[Item]:
    for item in items:
        yield item
        yield from _every(item.items)


def _read_items(parent: Mapping[str, Any], path: str, problems: list[str]) -> tuple[Item, ...]:
    raw_items = parent.get("item", [])
    if not isinstance(raw_items, list):
        problems.append(f"{path}.item: must be a list")
        return ()
    items = []
    for index, raw in enumerate(raw_items):
        here = f"{path}.item[{index}]"
        if isinstance(raw, Mapping):
            item = _read_item(raw, here, problems)
            if item is not None:
                items.append(item)
        else:
            problems.append(f"{here}: must be an object")
    return tuple(items)


def _read_item(raw: Mapping[str, Any], path: str, problems: list[str]) -> Item | None:
    link_id, kind = _text(raw.get("linkId")), _text(raw.get("type"))
    children = _read_items(raw, path, problems)
    if link_id is None:
        problems.append(f"{path}.linkId: must be there, as text")
    if kind not in ITEM_TYPES:
        problems.append(f"{path}.type: must be one of the R4 item types that a question can have")
    enable_when, unread = _read_conditions(raw, path, problems)
    if link_id is None or kind is None:
        return None
    max_length = raw.get("maxLength")
    return Item(
        link_id=link_id,
        type=kind,
        text=_text(raw.get("text")),
        texts=_texts(raw.get("text"), raw.get("_text")),
        required=raw.get("required") is True,
        repeats=raw.get("repeats") is True,
        options=_read_options(raw, path, problems),
        answer_value_set=_text(raw.get("answerValueSet")),
        enable_when=enable_when,
        max_length=max_length if isinstance(max_length, int) and not isinstance(max_length, bool) else None,
        items=children,
        resource=raw,
        condition_unread=unread,
    )


def _text(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and raw else None


def _texts(text: Any, element: Any) -> Mapping[str, str]:
    """A text in its own language (the empty key) and in those of its translation extensions."""
    own = {"": text} if isinstance(text, str) else {}
    return {**translations(element), **own}


# --- options ----------------------------------------------------------------------------------------------------


def _read_options(raw: Mapping[str, Any], path: str, problems: list[str]) -> tuple[Option, ...]:
    options = []
    for index, option in enumerate(_list_of_objects(raw.get("answerOption"))):
        choice = read_choice(option, "value")
        if choice is None:
            problems.append(f"{path}.answerOption[{index}]: has no value[x] that can be read")
            continue
        kind, value = choice
        element = option.get(f"_value{kind}")
        if kind == "Coding":
            element = option["valueCoding"].get("_display")
        text = option_text(value)
        exclusive = extension_value(option, _OPTION_EXCLUSIVE, "valueBoolean") is True
        options.append(Option(value, text, _texts(text, element), exclusive))
    return tuple(options)


def option_text(value: AnswerValue) -> str:
    """What a person reads for an option."""
    match value:
        case Coding(_, code, display):
            return display or code or ""
        case Reference(reference):
            return reference or ""
        case Quantity():
            return f"{value.value} {value.unit or value.code or ''}".strip()
        case DateText(text):
            return text
        case _:
            return str(value)


def _list_of_objects(raw: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in raw if isinstance(entry, Mapping)] if isinstance(raw, list) else []


# --- conditions -------------------------------------------------------------------------------------------------


def _read_conditions(raw: Mapping[str, Any], path: str, problems: list[str]) -> tuple[Criterion | None, bool]:
    """enableWhen and enableBehavior as one criterion, and whether the condition cannot be evaluated here."""
    if any(next(extensions(raw, url), None) is not None for url in _ENABLE_WHEN_EXPRESSIONS):
        return None, True
    terms = []
    for index, condition in enumerate(_list_of_objects(raw.get("enableWhen"))):
        term = _read_condition(condition, f"{path}.enableWhen[{index}]", problems)
        if term is not None:
            terms.append(term)
    if len(terms) < 2:
        return (terms[0] if terms else None), False
    behavior = raw.get("enableBehavior")
    if behavior not in ("all", "any"):
        # https://hl7.org/fhir/R4/questionnaire.html#invs que-12 is broken: nobody can say what was meant, so the item
        # is always shown, as in HL7's validator.
        return None, False
    return (And(tuple(terms)) if behavior == "all" else Or(tuple(terms))), False


def _read_condition(condition: Mapping[str, Any], path: str, problems: list[str]) -> Criterion | None:
    question, operator = _text(condition.get("question")), condition.get("operator")
    choice = read_choice(condition, "answer")
    if question is None:
        problems.append(f"{path}.question: must be there, as text")
        return None
    if choice is None:
        problems.append(f"{path}: has no answer[x] that can be read")
        return None
    _, value = choice
    if operator == "exists":
        if not isinstance(value, bool):
            # https://hl7.org/fhir/R4/questionnaire.html#invs que-7
            problems.append(f"{path}.answerBoolean: the operator `exists` needs it")
            return None
        return Exists(question, value)
    if not isinstance(operator, str) or operator not in _OPERATORS:
        problems.append(f"{path}.operator: must be exists, =, !=, >, <, >= or <=")
        return None
    return Compare(question, _OPERATORS[operator], value)
