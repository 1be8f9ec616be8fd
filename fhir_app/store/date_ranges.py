"""FHIR dates as ranges of whole microseconds, the way that search compares them.

https://hl7.org/fhir/R4/search.html#date
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Range:
    """The first and the last microsecond since 1970 that a date of some precision covers."""

    low: int
    high: int


def date_range(text: str) -> Range | None:
    """What `text` covers: a year, a month, a day, a minute, a second or less. None when it is no date.

    Without a zone it is read as UTC: the standard leaves the choice to the server.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        low = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),  # FHIR allows the leap second 60, Python does not
            int((fraction or "0")[:6].ljust(6, "0")),
            tzinfo=_zone(zone),
        )
    except ValueError:
        return None
    first = microseconds(low)
    return Range(first, first + _length(low, match.groups()) - 1)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:6])))


def _length(low: datetime, parts: tuple[str | None, ...]) -> int:
    _, month, day, hour, _, second, fraction, _ = parts
    if month is None:
        return (366 if isleap(low.year) else 365) * _DAY
    if day is None:
        return monthrange(low.year, low.month)[1] * _DAY
    if hour is None:
        return _DAY
    if second is None:
        return 60_000_000
    return 1_000_000 if fraction is None else int(10 ** max(0, 6 - len(fraction)))
