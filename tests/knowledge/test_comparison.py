from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_app.knowledge.answers import Coding, DateText, Quantity, Reference
from fhir_app.knowledge.comparison import Operator, stands

KG, G, BARE = Quantity(Decimal(3), "kg"), Quantity(Decimal(4), "g"), Quantity(Decimal(2))
CODED = Quantity(Decimal(3), "kilogram", "http://unitsofmeasure.org", "kg")
A, A_ELSEWHERE, B = Coding("s", "a"), Coding("t", "a"), Coding("s", "b")
OPERATORS: tuple[Operator, ...] = ("=", "!=", ">", "<", ">=", "<=")


@pytest.mark.parametrize(
    ("value", "wanted", "holding"),
    [
        (3, Decimal("3.0"), {"=", ">=", "<="}),
        (Decimal("2.9"), 3, {"!=", "<", "<="}),
        ("b", "a", {"!=", ">", ">="}),
        (True, True, {"="}),
        (True, 1, {"!="}),
        (A, Coding("s", "a", "Display"), {"="}),
        (A, A_ELSEWHERE, {"!="}),
        (A, B, {"!="}),
        (A, Coding(None, "a"), {"="}),
        (Coding(None, "a"), A, {"!="}),
        (Coding(None, None, "x"), Coding(None, None, "x"), {"="}),
        ("free text", A, {"!="}),
        (Reference("Patient/1"), Reference("Patient/1"), {"="}),
        (KG, BARE, {"!=", ">", ">="}),
        (KG, G, {"!="}),
        (CODED, Quantity(Decimal(3), None, "http://unitsofmeasure.org", "kg"), {"=", ">=", "<="}),
        (DateText("2026-03", "date"), DateText("2026", "date"), {"!=", ">=", "<="}),
        (DateText("2026", "date"), DateText("2026-03", "date"), {"!="}),
        (DateText("2027", "date"), DateText("2026-03", "date"), {"!=", ">", ">="}),
        (DateText("10:00:00", "time"), DateText("2026", "date"), {"!="}),
        (DateText("2026", "date"), "2026", {"!="}),
    ],
)
def test_exactly_these_operators_hold_between_two_values(value: Any, wanted: Any, holding: set[str]) -> None:
    assert {operator for operator in OPERATORS if stands(value, operator, wanted)} == holding
