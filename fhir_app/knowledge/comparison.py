"""Whether one answer stands in a relation to a value, type by type
(https://hl7.org/fhir/R4/valueset-questionnaire-enable-operator.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any, Literal

from fhir_app.knowledge.answers import AnswerValue, Coding, DateText, Quantity, Reference
from fhir_app.knowledge.date_spans import Relation, relation

Operator = Literal["=", "!=", ">", "<", ">=", "<="]


def stands(value: AnswerValue, operator: Operator, wanted: AnswerValue) -> bool:
    """Whether `value operator wanted` holds, with FHIR's types: only like is compared with like."""
    if operator in ("=", "!="):
        return _same(value, wanted) is (operator == "=")
    if isinstance(value, DateText) and isinstance(wanted, DateText):
        return relation(value, wanted) in _DATE_RELATIONS[operator]
    if isinstance(value, Quantity) and isinstance(wanted, Quantity) and not _same_unit(value, wanted):
        return False
    left, right = _ordered(value), _ordered(wanted)
    comparable = left is not None and right is not None and isinstance(left, str) is isinstance(right, str)
    return comparable and bool(_BY_ORDER[operator](left, right))


# A date within the other one (2026-03 and 2026) is neither before nor after it.
_DATE_RELATIONS: Mapping[str, frozenset[Relation]] = {
    ">": frozenset({"after"}),
    "<": frozenset({"before"}),
    ">=": frozenset({"after", "same", "within"}),
    "<=": frozenset({"before", "same", "within"}),
}


_BY_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {">": gt, "<": lt, ">=": ge, "<=": le}


def _same(value: AnswerValue, wanted: AnswerValue) -> bool:
    match value, wanted:
        case (bool(), _) | (_, bool()):
            return value is wanted
        case Coding(), Coding():
            return _same_coding(value, wanted)
        case Reference(), Reference():
            return value.reference == wanted.reference
        case Quantity(), Quantity():
            return value.value == wanted.value and _same_unit(value, wanted)
        case DateText(), DateText():
            return relation(value, wanted) == "same"
    left, right = _ordered(value), _ordered(wanted)
    return left is not None and left == right


def _same_coding(value: Coding, wanted: Coding) -> bool:
    """Same system and code, as HL7's validator compares; a wanted Coding without system is met by its code alone.
    Without codes, the display must match (open-choice)."""
    if value.code is None and wanted.code is None:
        return value.display == wanted.display
    return value.code == wanted.code and wanted.system in (None, value.system)


def _same_unit(value: Quantity, wanted: Quantity) -> bool:
    """Units are not converted: one that differs is not comparable. A wanted number without unit takes any."""
    if wanted.code is None and wanted.unit is None:
        return True
    if wanted.code is not None and value.code is not None:
        return wanted.code == value.code and wanted.system == value.system
    return (value.unit or value.code) == (wanted.unit or wanted.code)


def _ordered(value: AnswerValue) -> int | Decimal | str | None:
    """What stands in an order, if anything does."""
    match value:
        case bool() | Coding() | Reference() | DateText():
            return None
        case Quantity():
            return value.value
        case _:
            return value
