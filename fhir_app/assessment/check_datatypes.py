"""What is wrong inside a Coding, Quantity, Reference or Attachment, whatever the question
(https://hl7.org/fhir/R4/datatypes.html, https://hl7.org/fhir/R4/references.html)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fhir_app.knowledge.answer_values import read_decimal
from fhir_app.knowledge.base64_size import decoded_size
from fhir_app.knowledge.resource_types import RESOURCE_TYPES

Problem = tuple[str, str, str]
"""FHIR IssueType, what is wrong, and where below the value ("" or ".data")."""

_TEXT, _YES_NO, _NUMBER, _COUNT = "text", "true or false", "a number", "a whole number of 0 or more"
_PARTS: Mapping[str, Mapping[str, str]] = {
    "valueCoding": {"system": _TEXT, "version": _TEXT, "code": _TEXT, "display": _TEXT, "userSelected": _YES_NO},
    "valueQuantity": {"value": _NUMBER, "comparator": _TEXT, "unit": _TEXT, "system": _TEXT, "code": _TEXT},
    "valueReference": {"reference": _TEXT, "type": _TEXT, "display": _TEXT},
    "valueAttachment": {
        **dict.fromkeys(("contentType", "language", "data", "url", "hash", "title", "creation"), _TEXT),
        "size": _COUNT,
    },
}
_COMPARATORS = frozenset({"<", "<=", ">=", ">"})
_LOCAL_REFERENCE = re.compile(
    r"(?:https?://[^\s]+/)?([A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)


def datatype_problems(key: str, raw: Any) -> Iterator[Problem]:
    """Everything that is wrong with the parts of one `value[x]` of a complex type."""
    parts = _PARTS.get(key)
    if parts is None or not isinstance(raw, Mapping):
        return
    for name, wanted in parts.items():
        if name in raw and not _fits(raw[name], wanted):
            yield "value", f"has a {name} that is not {wanted}", f".{name}"
    for check in _CHECKS.get(key, ()):
        yield from check(raw)


def _fits(raw: Any, wanted: str) -> bool:
    if wanted is _TEXT:
        return isinstance(raw, str) and bool(raw.strip())
    if wanted is _YES_NO:
        return isinstance(raw, bool)
    if wanted is _NUMBER:
        return read_decimal(raw) is not None
    return isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0


def _coding(raw: Mapping[str, Any]) -> Iterator[Problem]:
    code = raw.get("code")
    if isinstance(code, str) and code.strip() and (code != code.strip() or "  " in code):
        yield "value", "has a code with spaces at its ends or two in a row", ".code"


def _quantity(raw: Mapping[str, Any]) -> Iterator[Problem]:
    comparator = raw.get("comparator")
    if isinstance(comparator, str) and comparator not in _COMPARATORS:
        yield "code-invalid", "has a comparator other than <, <=, >= and >", ".comparator"
    if "code" in raw and "system" not in raw:
        yield "invariant", "has the code of a unit without its system (qty-3)", ""


def _attachment(raw: Mapping[str, Any]) -> Iterator[Problem]:
    data, size = raw.get("data"), raw.get("size")
    held = decoded_size(data)
    if isinstance(data, str) and held is None:
        yield "value", "has data that is not base64", ".data"
    if "data" in raw and "contentType" not in raw:
        yield "invariant", "has data without a contentType (att-1)", ""
    if held is not None and isinstance(size, int) and not isinstance(size, bool) and size != held:
        yield "value", "has a size that is not that of its data", ".size"


def _reference(raw: Mapping[str, Any]) -> Iterator[Problem]:
    named, pointed = raw.get("type"), referenced_type(raw)
    for resource_type, part in ((named, ".type"), (pointed, ".reference")):
        if isinstance(resource_type, str) and resource_type not in RESOURCE_TYPES:
            yield "value", "refers to a type of resource that does not exist in R4", part
            return
    if isinstance(named, str) and pointed is not None and named != pointed:
        yield "value", "names a type that is not that of its reference", ".type"


def referenced_type(raw: Mapping[str, Any]) -> str | None:
    """The type of resource that a literal reference names, or None where it cannot be seen from the text."""
    reference = raw.get("reference")
    match = _LOCAL_REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if match is None:
        return None
    is_url = reference is not None and "://" in str(reference)
    # Behind an absolute URL of no FHIR server there may be anything: https://hl7.org/fhir/R4/references.html#literal
    return match[1] if not is_url or match[1] in RESOURCE_TYPES else None


_CHECKS: Mapping[str, tuple[Callable[[Mapping[str, Any]], Iterator[Problem]], ...]] = {
    "valueCoding": (_coding,),
    "valueQuantity": (_quantity,),
    "valueAttachment": (_attachment,),
    "valueReference": (_reference,),
}
