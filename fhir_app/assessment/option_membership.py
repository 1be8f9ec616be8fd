"""Whether an answer is one of the options that its question offers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from fhir_app.knowledge.answers import AnswerValue, Coding, DateText, Quantity, Reference
from fhir_app.knowledge.questionnaire import Item, Option


def option_key(value: AnswerValue) -> Hashable:
    """What makes two options the same: for a Coding its system and code (its display only where it has no code)."""
    match value:
        case Coding(system, code, display):
            key: Hashable = ("Coding", system, code) if code is not None else ("Coding", system, None, display)
        case Reference(reference):
            key = ("Reference", reference)
        case DateText(text, kind):
            key = (kind, text)
        case Quantity():
            key = ("Quantity", value.value, value.system, value.code or value.unit)
        case bool() | str():
            key = (type(value).__name__, value)
        case _:
            key = ("Number", value)
    return key


def options_by_key(item: Item) -> Mapping[Hashable, Option]:
    """The options of an item, for look-up."""
    return {option_key(option.value): option for option in item.options}
