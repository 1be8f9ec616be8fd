"""The JSON of one `value[x]` -> an answer value, strictly: "true" is not a boolean and "6" is not a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from fhir_app.knowledge.answers import AnswerValue, Coding, DateText, Quantity, Reference
from fhir_app.knowledge.date_spans import span

# https://hl7.org/fhir/R4/datatypes.html#integer and #decimal
_LEAST_INTEGER, _GREATEST_INTEGER = -(2**31), 2**31 - 1
_URI = re.compile(r"\S+")

Reader = Callable[[Any], AnswerValue | None]


def _boolean(raw: Any) -> bool | None:
    return raw if isinstance(raw, bool) else None


def _integer(raw: Any) -> int | None:
    if isinstance(raw, int) and not isinstance(raw, bool) and _LEAST_INTEGER <= raw <= _GREATEST_INTEGER:
        return raw
    return None


def read_decimal(raw: Any) -> Decimal | None:
    """A JSON number as Decimal (never through binary floating point when the JSON was read with Decimal)."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, float):
        raw = Decimal(repr(raw))
    if isinstance(raw, int):
        return Decimal(raw)
    return raw if isinstance(raw, Decimal) and raw.is_finite() else None


def _string(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and raw else None


def _uri(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and _URI.fullmatch(raw) else None


def _dated(kind: str) -> Reader:
    def read(raw: Any) -> DateText | None:
        if not isinstance(raw, str):
            return None
        value = DateText(raw, kind)
        return value if span(value) is not None else None

    return read


def _text_or_none(raw: Any) -> str | None:
    return raw if isinstance(raw, str) else None


def _coding(raw: Any) -> Coding | None:
    if not isinstance(raw, dict):
        return None
    get = raw.get
    return Coding(_text_or_none(get("system")), _text_or_none(get("code")), _text_or_none(get("display")))


def _quantity(raw: Any) -> Quantity | None:
    if not isinstance(raw, dict):
        return None
    unit, system, code, comparator = (_text_or_none(raw.get(key)) for key in ("unit", "system", "code", "comparator"))
    return Quantity(read_decimal(raw.get("value")), unit, system, code, comparator)


def _reference(raw: Any) -> Reference | None:
    if not isinstance(raw, dict):
        return None
    return Reference(_text_or_none(raw.get("reference")), _text_or_none(raw.get("type")))


def _attachment(raw: Any) -> str | None:
    """No rule reads an attachment; that there is one counts as an answer."""
    if not isinstance(raw, dict):
        return None
    return _text_or_none(raw.get("title")) or _text_or_none(raw.get("url")) or "attachment"


# What may stand behind `value` or `answer` in R4 (https://hl7.org/fhir/R4/questionnaireresponse.html).
READERS: Mapping[str, Reader] = {
    "Boolean": _boolean,
    "Decimal": read_decimal,
    "Integer": _integer,
    "Date": _dated("date"),
    "DateTime": _dated("dateTime"),
    "Time": _dated("time"),
    "String": _string,
    "Uri": _uri,
    "Attachment": _attachment,
    "Coding": _coding,
    "Quantity": _quantity,
    "Reference": _reference,
}


def read_choice(element: Mapping[str, Any], prefix: str) -> tuple[str, AnswerValue] | None:
    """The one `value[x]` or `answer[x]` of an element -> (type, value); None when there is none that can be read."""
    for kind, read in READERS.items():
        if prefix + kind in element:
            value = read(element[prefix + kind])
            return None if value is None else (kind, value)
    return None
