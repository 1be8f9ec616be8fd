"""R4's primitive types on plain JSON values: strict about the JSON type, the pattern and the range.

Each check returns None or what the value must be; it never repeats the value
(https://hl7.org/fhir/R4/datatypes.html#primitive).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Final

from fhir_app.fhir.xhtml import check_xhtml

Check = Callable[[object], str | None]

_MAX_STRING = 1024 * 1024
_MAX_EXPONENT = 300
_MOST_BITS = 990
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SPACE = re.compile(r"[ \t\r\n]")
_YEAR = r"([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_MONTH = r"(0[1-9]|1[0-2])"
_DAY = r"(0[1-9]|[1-2][0-9]|3[0-1])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_ZONE = r"(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_DATE = re.compile(f"{_YEAR}(-{_MONTH}(-{_DAY})?)?")
_DATE_TIME = re.compile(f"{_YEAR}(-{_MONTH}(-{_DAY}(T{_CLOCK}{_ZONE})?)?)?")
_INSTANT = re.compile(f"{_YEAR}-{_MONTH}-{_DAY}T{_CLOCK}{_ZONE}")
_BASE64_SPACE = re.compile(r"\s+")


def _boolean(value: object) -> str | None:
    return None if value is True or value is False else "must be true or false, without quotes"


def _integer(least: int, what: str) -> Check:
    def check(value: object) -> str | None:
        if type(value) is not int:
            return f"must be {what}, without quotes, fraction or exponent"
        return None if least <= value <= 2147483647 else f"must be {what} of 32 bits"

    return check


def _decimal(value: object) -> str | None:
    if type(value) is int:
        in_range = value.bit_length() <= _MOST_BITS
    elif type(value) is Decimal:
        in_range = value.is_finite() and abs(value.adjusted()) <= _MAX_EXPONENT
    elif type(value) is float:
        in_range = isfinite(value)
    else:
        return "must be a number, without quotes"
    return None if in_range else "must be a number that a double can hold"


def _string(value: object) -> str | None:
    if type(value) is not str:
        return "must be a string"
    if not value:
        return "must not be empty"
    if len(value) > _MAX_STRING:
        return "must not be longer than 1 MB"
    if value.isprintable():
        return None
    if _CONTROL.search(value):
        return "must not hold control characters"
    return None if not value.isspace() or _SPACE.search(value) else "must not be empty"


def _matching(pattern: str, what: str) -> Check:
    matches = re.compile(pattern).fullmatch

    def check(value: object) -> str | None:
        if type(value) is not str:
            return "must be a string"
        return None if matches(value) and len(value) <= _MAX_STRING else f"must be {what}"

    return check


def _date_like(pattern: re.Pattern[str], what: str) -> Check:
    matches = pattern.fullmatch

    def check(value: object) -> str | None:
        if type(value) is not str:
            return "must be a string"
        if not matches(value):
            return f"must be {what}"
        if len(value) >= 10:
            try:
                date(int(value[:4]), int(value[5:7]), int(value[8:10]))
            except ValueError:
                return "must be a date that exists"
        return None

    return check


def _base64(value: object) -> str | None:
    if type(value) is not str:
        return "must be a string"
    compact = _BASE64_SPACE.sub("", value)
    try:
        base64.b64decode(compact.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return "must be base64"
    return None if compact else "must not be empty"


def _xhtml(value: object) -> str | None:
    return check_xhtml(value) if type(value) is str else "must be a string"


_URI = _matching(r"[^\s\x00-\x1f]+", "a URI, without spaces")

CHECKS: Final[Mapping[str, Check]] = {
    "boolean": _boolean,
    "integer": _integer(-2147483648, "an integer"),
    "unsignedInt": _integer(0, "an integer from 0"),
    "positiveInt": _integer(1, "an integer from 1"),
    "decimal": _decimal,
    "string": _string,
    "markdown": _string,
    "code": _matching(r"[^\s\x00-\x1f]+( [^\s\x00-\x1f]+)*", "a code, without spaces around it"),
    "id": _matching(r"[A-Za-z0-9\-.]{1,64}", "an id of at most 64 letters, digits, '-' and '.'"),
    "uri": _URI,
    "url": _URI,
    "canonical": _URI,
    "oid": _matching(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+", "an OID as a URI"),
    "uuid": _matching(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a UUID as a URI"),
    "base64Binary": _base64,
    "date": _date_like(_DATE, "a date: YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": _date_like(_DATE_TIME, "a date, or a date and time with seconds and time zone"),
    "instant": _date_like(_INSTANT, "a date and time with seconds and time zone"),
    "time": _matching(_CLOCK, "a time: hh:mm:ss"),
    "xhtml": _xhtml,
}
