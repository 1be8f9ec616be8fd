"""FHIR JSON in and out, exactly: numbers keep every digit, and what JSON leaves open is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any, NoReturn

import orjson

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
_LONGEST_INT = 19
"""In characters: what 64 bits hold for certain. Longer ones are Decimals, too large for any integer of FHIR."""


def read_json(body: bytes, *, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """The one JSON object in `body`; numbers with a fraction, an exponent or too many digits for 64 bits as Decimal.

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
    except RecursionError:  # unbalanced brackets without end
        raise MalformedBody("The body is not JSON that can be read.") from None
    if not isinstance(value, dict):
        raise MalformedBody("The body must be one JSON object.")
    if _SURROGATE_ESCAPE.search(text):
        _refuse_lone_surrogates(value)
    return value


def dump_json(resource: Mapping[str, Any], *, sort_keys: bool = False) -> bytes:
    """Compact UTF-8 JSON in the order in which `resource` was built, or sorted; Decimals with every digit they have.

    The same input gives the same bytes. Raises TypeError for what is no JSON, a Decimal that is no finite number
    included. Floats, which nothing that `read_json` read has, are not meant for it: a NaN among them becomes null.
    """
    return orjson.dumps(resource, default=_exact, option=orjson.OPT_SORT_KEYS if sort_keys else None)


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


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INT else _decimal(text)


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


def _exact(value: object) -> orjson.Fragment:
    """A number as its digits stand."""
    if not (isinstance(value, Decimal) and value.is_finite()):
        raise TypeError("this is not JSON")
    return orjson.Fragment(str(value))


def _refuse_lone_surrogates(value: dict[str, Any]) -> None:
    try:
        dump_json(value)
    except orjson.JSONEncodeError:
        raise MalformedBody("A string holds half of a surrogate pair.") from None


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
)
