from __future__ import annotations

import pytest

from fhir_app.knowledge.answers import DateText
from fhir_app.knowledge.date_spans import relation, span


def date(text: str) -> DateText:
    if "T" in text:
        return DateText(text, "dateTime")
    return DateText(text, "time" if ":" in text else "date")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("2026", "2026", "same"),
        ("2026-03", "2026", "within"),
        ("2026", "2026-03", "around"),
        ("2025", "2026-03", "before"),
        ("2026-03-01", "2026-02", "after"),
        ("2026-12-31", "2027", "before"),
        ("2026-03-04T10:00:00Z", "2026-03-04T11:00:00+01:00", "same"),
        ("2026-03-04T10:00:00.001Z", "2026-03-04T10:00:00Z", "after"),
        ("2026-03-04T00:30:00+02:00", "2026-03-04", "within"),
        ("2026-03-05T00:00:00+02:00", "2026-03-04", "after"),
        ("10:00:00", "10:00:00.0", "same"),
        ("09:59:59", "10:00:00", "before"),
        ("10:00:00", "2026", "unlike"),
    ],
)
def test_two_dates_lie_to_each_other_as_their_precision_and_zone_say(left: str, right: str, expected: str) -> None:
    assert relation(date(left), date(right)) == expected


@pytest.mark.parametrize(
    "text", ["2024-02-29", "0001", "9999-12-31", "2026-06-30T23:59:60Z", "2026-03-04T10:00:00-11:30"]
)
def test_a_date_that_fhir_allows_has_a_span(text: str) -> None:
    assert span(date(text)) is not None


@pytest.mark.parametrize(
    "text",
    ["2026-02-29", "2026-00", "2026-13", "2026-3", "26", "0000", "2026-03-04T10:00Z", "2026-03-04T24:00:00Z",
     "2026-03-04T10:00:00+15:00", "2026-03-04T10:00:00", "24:00:00", "10:60:00", "२०२६"],
)  # fmt: skip
def test_a_date_that_fhir_does_not_allow_has_none(text: str) -> None:
    assert span(date(text)) is None
