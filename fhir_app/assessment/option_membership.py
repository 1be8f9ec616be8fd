"""Whether an answer is one of the options that its question offers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from fhir_app.knowledge.answers import AnswerValue, Coding, DateText, Quantity, Reference
from fhir_app.knowledge.questionnaire import Item, Option


def option_key(value: AnswerValue) -> Hashable:
    """What makes two options the same: for a Coding its system and code (its display only where it has no code)."""
    match value:
        case Coding(system, None, display):
            return "Coding", system, None, display
        case Coding(system, code):
            return "Coding", system, code
        case Reference(reference):
            return "Reference", reference
        case DateText(text, kind):
            return kind, text
        case Quantity():
            return "Quantity", value.value, value.system, value.code or value.unit
        case bool():
            return "Boolean", value
        case str():
            return "String", value
        case _:
            return "Number", value


def options_by_key(item: Item) -> Mapping[Hashable, Option]:
    """The options of an item, for look-up."""
    return {option_key(option.value): option for option in item.options}
