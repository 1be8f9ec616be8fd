"""What an item demands of one answer beyond its type: length, range, places, pattern, size, kind of attachment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Literal

import regex

from fhir_app.knowledge.answer_values import read_choice, read_decimal
from fhir_app.knowledge.answers import AnswerValue, Coding, DateText, Quantity
from fhir_app.knowledge.base64_size import decoded_size
from fhir_app.knowledge.comparison import stands
from fhir_app.knowledge.date_spans import starts_before
from fhir_app.knowledge.extensions import extension_value, extensions
from fhir_app.knowledge.questionnaire import Item

Constraint = Callable[[Any, AnswerValue], tuple[str, str] | None]
"""Raw JSON and value of an answer -> (FHIR IssueType, what is wrong), or None."""

_HL7 = "http://hl7.org/fhir/StructureDefinition/"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
# https://hl7.org/fhir/R4/extension-maxsize.html counts in megabytes.
_MEGABYTE = 1_048_576
_PATTERN_SECONDS = 1.0
"""For one answer. An honest pattern takes microseconds; one such as `(a|aa)+` takes longer than anybody lives."""


def constraints(item: Item, kind: str) -> tuple[Constraint, ...]:
    """Everything that `item` demands of an answer of this kind (String, Integer, Attachment, ...)."""
    if kind in ("String", "Uri"):
        return _of_text(item)
    if kind in ("Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"):
        return _of_measure(item, kind)
    if kind == "Attachment":
        return _of_attachment(item)
    return ()


def _whole_number(item: Item, name: str) -> int | None:
    value = extension_value(item.resource, _HL7 + name, "valueInteger")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# --- text -------------------------------------------------------------------------------------------------------


def _of_text(item: Item) -> tuple[Constraint, ...]:
    found: list[Constraint] = []
    least = _whole_number(item, "minLength")
    if least is not None:
        found.append(_length(lambda count: count < least, f"has fewer than {least} characters", "value"))
    most = item.max_length
    if most is not None:
        found.append(_length(lambda count: count > most, f"has more than {most} characters", "too-long"))
    pattern = extension_value(item.resource, _HL7 + "regex", "valueString")
    compiled = _compiled(pattern) if isinstance(pattern, str) else None
    if compiled is not None:
        found.append(_pattern(compiled))
    return tuple(found)


def _length(is_wrong: Callable[[int], bool], text: str, code: str) -> Constraint:
    def check(raw: Any, value: AnswerValue) -> tuple[str, str] | None:
        return (code, text) if isinstance(value, str) and is_wrong(len(value)) else None

    return check


def _compiled(pattern: str) -> regex.Pattern[str] | None:
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError, MemoryError):
        return None


def _pattern(pattern: regex.Pattern[str]) -> Constraint:
    def check(raw: Any, value: AnswerValue) -> tuple[str, str] | None:
        if not isinstance(value, str):
            return None
        try:
            fits = pattern.fullmatch(value, timeout=_PATTERN_SECONDS) is not None
        except TimeoutError:
            return "too-costly", "cannot be checked: the pattern that the question asks for takes too long"
        return None if fits else ("value", "does not have the form that the question asks for")

    return check


# --- numbers and dates ------------------------------------------------------------------------------------------


def _of_measure(item: Item, kind: str) -> tuple[Constraint, ...]:
    found: list[Constraint] = []
    for name, operator, text in (("min", "<", "is less than the least"), ("max", ">", "is more than the greatest")):
        for url in (f"{_HL7}{name}Value", f"{_SDC}sdc-questionnaire-{name}Quantity"):
            limit = _limit(item, url)
            if limit is not None:
                found.append(_bound(operator, limit, f"{text} that the question takes"))  # type: ignore[arg-type]
    places = _whole_number(item, "maxDecimalPlaces")
    if places is not None and kind in ("Decimal", "Quantity"):
        found.append(_places(places))
    if kind == "Quantity":
        found.extend(_units(item))
    return tuple(found)


def _limit(item: Item, url: str) -> AnswerValue | None:
    for extension in extensions(item.resource, url):
        choice = read_choice(extension, "value")
        return choice[1] if choice is not None else None
    return None


def _bound(operator: Literal["<", ">"], limit: AnswerValue, text: str) -> Constraint:
    def check(raw: Any, value: AnswerValue) -> tuple[str, str] | None:
        # A number as limit of a Quantity counts in the unit of the answer.
        if isinstance(value, Quantity) and not isinstance(limit, Quantity):
            measured: AnswerValue | None = value.value
        else:
            measured = value
        return ("value", text) if measured is not None and _is_beyond(measured, operator, limit) else None

    return check


def _is_beyond(value: AnswerValue, operator: Literal["<", ">"], limit: AnswerValue) -> bool:
    if stands(value, operator, limit):
        return True
    # A less precise date (2026 against 2026-03-04) counts from its first moment, as HL7's validator counts it.
    is_least = operator == "<"
    return is_least and isinstance(value, DateText) and isinstance(limit, DateText) and starts_before(value, limit)


def _places(most: int) -> Constraint:
    text = f"has more than {most} decimal places"

    def check(raw: Any, value: AnswerValue) -> tuple[str, str] | None:
        number = value.value if isinstance(value, Quantity) else value
        if isinstance(number, Decimal) and -int(number.as_tuple().exponent) > most:
            return "value", text
        return None

    return check


def _units(item: Item) -> Iterator[Constraint]:
    # https://hl7.org/fhir/R4/extension-questionnaire-unitoption.html
    listed = extensions(item.resource, _HL7 + "questionnaire-unitOption")
    choices = [read_choice(extension, "value") for extension in listed]
    units = [choice[1] for choice in choices if choice is not None]
    codes = {(unit.system, unit.code) for unit in units if isinstance(unit, Coding)}
    names = {unit.display or unit.code for unit in units if isinstance(unit, Coding)}
    if not codes:
        return

    def check(raw: Any, value: AnswerValue) -> tuple[str, str] | None:
        if not isinstance(value, Quantity) or (value.system, value.code) in codes:
            return None
        if value.code is None and value.unit in names:
            return None
        return "code-invalid", "has a unit that the question does not offer"

    yield check


# --- attachments ------------------------------------------------------------------------------------------------


def _of_attachment(item: Item) -> tuple[Constraint, ...]:
    found: list[Constraint] = []
    types = [extension.get("valueCode") for extension in extensions(item.resource, _HL7 + "mimeType")]
    wanted = tuple(kind.lower() for kind in types if isinstance(kind, str))
    if wanted:
        found.append(_content_type(wanted))
    limit = read_decimal(extension_value(item.resource, _HL7 + "maxSize", "valueDecimal"))
    if limit is not None:
        found.append(_size(limit * _MEGABYTE))
    return tuple(found)


def _content_type(wanted: tuple[str, ...]) -> Constraint:
    def check(raw: Any, value: AnswerValue) -> tuple[str, str] | None:
        given = raw.get("contentType")
        kind = given.split(";")[0].strip().lower() if isinstance(given, str) else ""
        if kind in wanted or any(kind.startswith(one[:-1]) for one in wanted if one.endswith("/*")):
            return None
        return "value", "has a content type that the question does not take"

    return check


def _size(limit: Decimal) -> Constraint:
    def check(raw: Any, value: AnswerValue) -> tuple[str, str] | None:
        said = raw.get("size")
        sizes = [decoded_size(raw.get("data")), said if isinstance(said, int) and not isinstance(said, bool) else None]
        if any(size is not None and size > limit for size in sizes):
            return "too-long", "is larger than the question takes"
        return None

    return check
