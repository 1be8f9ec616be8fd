"""FHIR JSON in and out, exactly: numbers keep every digit, and what JSON leaves open is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any, NoReturn

from fhir_app.errors import MalformedBody

MAX_DEPTH = 30
_MAX_EXPONENT = 1000
"""Decimals are unbounded in R4; a number of a billion digits is an attack, not a measurement."""

_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b'{}[]"'))
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_EMPTY_STRING = re.compile(rb'"[^"]*"')
_AS_CURLY = bytes.maketrans(b"[]", b"{}")
_OPEN = ord("{")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_NUMBER_MARK = "\udcff"
"""A lone surrogate: it cannot occur in anything that `read_json` let in or that UTF-8 can hold."""


def read_json(body: bytes, *, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """The one JSON object in `body`; numbers with a fraction or exponent as Decimal.

    Raises MalformedBody for anything that two readers could read differently (a doubled key, NaN, no UTF-8) or
    that is nested deeper than `max_depth`. Nothing recurses before the depth is known, and no error text repeats
    what was sent (https://hl7.org/fhir/R4/json.html).
    """
    if _is_too_deep(body, max_depth):
        raise MalformedBody(f"The JSON is nested deeper than {max_depth} levels.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedBody("The body is not UTF-8.") from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedBody(f"The body is not JSON: line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError):  # an integer of thousands of digits; unbalanced brackets without end
        raise MalformedBody("The body is not JSON that can be read.") from None
    if not isinstance(value, dict):
        raise MalformedBody("The body must be one JSON object.")
    if _SURROGATE_ESCAPE.search(text):
        _refuse_lone_surrogates(value)
    return value


def dump_json(resource: Mapping[str, Any], *, sort_keys: bool = False) -> bytes:
    """Compact UTF-8 JSON in the order in which `resource` was built, or sorted; Decimals with every digit they have.

    The same input gives the same bytes. Raises ValueError for NaN and infinities, TypeError for what is no JSON.
    """
    text = (_SORTING_ENCODER if sort_keys else _ENCODER).encode(resource)
    if _NUMBER_MARK in text:
        text = text.replace(f'"{_NUMBER_MARK}', "").replace(f'{_NUMBER_MARK}"', "")
    return text.encode("utf-8")


def _is_too_deep(body: bytes, max_depth: int) -> bool:
    """Whether the brackets outside of strings nest deeper, at the speed of the C loops of bytes."""
    if b"\\" in body:
        body = _STRING.sub(b"", body)
        brackets = body.translate(_AS_CURLY, _ALL_BUT_BRACKETS)
    else:
        brackets = _EMPTY_STRING.sub(b"", body.translate(_AS_CURLY, _ALL_BUT_BRACKETS))
    left = brackets
    for _ in range(max_depth):
        left = left.replace(b"{}", b"")  # one pass takes away one level, from the inside
        if not left:
            return False
    return max(accumulate(1 if byte == _OPEN else -1 for byte in brackets), default=0) > max_depth


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedBody("A property stands twice in one JSON object.")
    return found


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise MalformedBody("A number is out of range.") from None
    if abs(number.adjusted()) > _MAX_EXPONENT:
        raise MalformedBody("A number is out of range.")
    return number


def _constant(_: str) -> NoReturn:
    raise MalformedBody("NaN and Infinity are not JSON.")


def _default(value: object) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is not JSON")
    if not value.is_finite():
        raise ValueError("NaN and infinities are not JSON")
    return f"{_NUMBER_MARK}{value}{_NUMBER_MARK}"


def _refuse_lone_surrogates(value: dict[str, Any]) -> None:
    try:
        _ENCODER.encode(value).replace(_NUMBER_MARK, "").encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedBody("A string holds half of a surrogate pair.") from None


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_decimal, parse_constant=_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_default)
_SORTING_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_default, sort_keys=True
)
