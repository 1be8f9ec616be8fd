"""Dates of every precision as ranges."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_app.store.date_ranges import date_range, microseconds


def at(text: str) -> int:
    return microseconds(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2028-02", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("2026-03-04", "2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z"),
        ("2026-03-04T05:06", "2026-03-04T05:06:00Z", "2026-03-04T05:07:00Z"),
        ("2026-03-04T05:06:07Z", "2026-03-04T05:06:07Z", "2026-03-04T05:06:08Z"),
        ("2026-03-04T05:06:07.8Z", "2026-03-04T05:06:07.800Z", "2026-03-04T05:06:07.900Z"),
        ("2026-03-04T05:06:07-05:00", "2026-03-04T10:06:07Z", "2026-03-04T10:06:08Z"),
        ("2000", "2000-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
        ("2026-03-04T05:06:60Z", "2026-03-04T05:06:59Z", "2026-03-04T05:07:00Z"),
    ],
)
def test_a_date_covers_all_of_its_precision(text: str, first: str, after: str) -> None:
    span = date_range(text)
    assert span is not None
    assert (span.low, span.high) == (at(first), at(after) - 1)


@pytest.mark.parametrize(
    "text", ["", "26", "2026-13", "2026-02-30", "2026-1-1", "yesterday", "0000", "2026-03-04T25:00:00Z", "٢٠٢٦"]
)
def test_what_is_no_date_has_no_range(text: str) -> None:
    assert date_range(text) is None


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2900, 1, 1)))
def test_every_moment_lies_in_its_day_its_second_and_its_year(moment: datetime) -> None:
    counted = microseconds(moment.replace(tzinfo=UTC))
    for text in (f"{moment:%Y}", f"{moment:%Y-%m-%d}", f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{moment.isoformat()}Z"):
        span = date_range(text)
        assert span is not None
        assert span.low <= counted <= span.high


def test_the_last_day_that_can_be_written_has_an_end() -> None:
    span = date_range("9999-12-31")
    assert span is not None
    assert span.high - span.low == 86_400_000_000 - 1
