"""Which of the options of its question an answer is, or names in part."""

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


def options_by_code(item: Item) -> Mapping[str, tuple[Option, ...]]:
    """The options that a code names, whatever system it is said to be of."""
    found: dict[str, tuple[Option, ...]] = {}
    for option in item.options:
        if isinstance(option.value, Coding) and option.value.code is not None:
            found[option.value.code] = (*found.get(option.value.code, ()), option)
    return found


def options_by_display(item: Item) -> Mapping[str, tuple[Option, ...]]:
    """The options that a display names, in any language of the form; the keys are `folded`."""
    found: dict[str, tuple[Option, ...]] = {}
    for option in item.options:
        if isinstance(option.value, Coding):
            for display in {folded(text) for text in (option.text, *option.texts.values())}:
                found[display] = (*found.get(display, ()), option)
    return found


def folded(display: str) -> str:
    """A display without what makes no other words of it: capitals and the width of spaces."""
    return " ".join(display.split()).casefold()
