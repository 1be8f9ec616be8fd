"""Partial dates as spans of time, so that 2026, 2026-03 and 2026-03-04T10:00:00Z can be compared."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from fhir_app.knowledge.answers import DateText

# https://hl7.org/fhir/R4/datatypes.html#date, #dateTime and #time
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d(?:\.\d+)?)(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)")
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d(?:\.\d+)?)")
_DAY = 86_400

Span = tuple[Decimal, Decimal, Decimal | None]
"""First second, end (not included), and offset from UTC in seconds where a zone was given."""


def span(value: DateText) -> Span | None:
    """The time that `value` covers; None when its text is not a FHIR date, dateTime or time."""
    return _span(value.text, value.kind)


@lru_cache(maxsize=4096)
def _span(text: str, kind: str) -> Span | None:
    if not text.isascii():
        return None
    if kind == "time":
        return _time_span(text)
    if kind == "dateTime" and "T" in text:
        return _instant_span(text)
    return _date_span(text)


def _date_span(text: str) -> Span | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    try:
        first = date(year, month or 1, day or 1).toordinal()
        if match[3]:
            end = first + 1
        elif match[2]:
            end = _month_end(year, month)
        else:
            end = first + (date(year, 12, 31).toordinal() - first) + 1
    except ValueError:
        return None
    if (match[2] and not month) or (match[3] and not day):
        return None
    return Decimal(first * _DAY), Decimal(end * _DAY), None


def _month_end(year: int, month: int) -> int:
    if month == 12:
        return date(year, 12, 31).toordinal() + 1
    return date(year, month + 1, 1).toordinal()


def _seconds(hour: str, minute: str, second: str) -> Decimal | None:
    # A leap second (60) is legal in FHIR.
    if int(hour) > 23 or int(minute) > 59 or Decimal(second) >= 61:
        return None
    return int(hour) * 3600 + int(minute) * 60 + Decimal(second)


def _instant_span(text: str) -> Span | None:
    match = _DATE_TIME.fullmatch(text)
    day = _date_span(match[1]) if match else None
    if match is None or day is None:
        return None
    seconds = _seconds(match[2], match[3], match[4])
    if seconds is None:
        return None
    zone = match[5]
    offset = Decimal(0)
    if zone != "Z":
        offset = Decimal(int(zone[1:3]) * 3600 + int(zone[4:6]) * 60) * (-1 if zone[0] == "-" else 1)
    local = day[0] + seconds
    return local, local, offset


def _time_span(text: str) -> Span | None:
    match = _TIME.fullmatch(text)
    seconds = _seconds(match[1], match[2], match[3]) if match else None
    return None if seconds is None else (seconds, seconds, None)


Relation = Literal["before", "same", "after", "within", "around", "unlike"]


def relation(left: DateText, right: DateText) -> Relation:
    """How `left` lies to `right`. `within`: it is the more precise of the two (2026-03 within 2026), so neither is
    before the other; `around`: it is the less precise; `unlike`: a time against a date, or a text that is none.

    Two zones are compared as instants. A date without a zone is compared with the calendar day that the zoned one
    names, because a day has no zone.
    """
    a, b = span(left), span(right)
    if a is None or b is None or (left.kind == "time") is not (right.kind == "time"):
        return "unlike"
    shift_a = shift_b = Decimal(0)
    if a[2] is not None and b[2] is not None:
        shift_a, shift_b = a[2], b[2]
    start_a, end_a, start_b, end_b = a[0] - shift_a, a[1] - shift_a, b[0] - shift_b, b[1] - shift_b
    if start_a == start_b and end_a == end_b:
        return "same"
    if _ends_before(start_a, end_a, start_b):
        return "before"
    if _ends_before(start_b, end_b, start_a):
        return "after"
    return "within" if start_a >= start_b and end_a <= end_b else "around"


def _ends_before(start: Decimal, end: Decimal, other_start: Decimal) -> bool:
    # A moment has no length: it is before what starts later; a day is before what starts at its end.
    return end < other_start or (end == other_start and end > start)


def starts_before(left: DateText, right: DateText) -> bool:
    """Whether `left`, being less precise, begins before `right` does."""
    a, b = span(left), span(right)
    return a is not None and b is not None and relation(left, right) == "around" and a[0] < b[0]
