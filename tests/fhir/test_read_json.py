from __future__ import annotations

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_app.errors import MalformedBody
from fhir_app.fhir.read_json import dump_json, read_json


@pytest.mark.parametrize("digits", ["1.50", "19.00", "0.1234567890123456789", "123456789012345678.5", "-0.0", "0.00"])
def test_numbers_keep_every_digit_on_the_way_through(digits: str) -> None:
    body = f'{{"value":{digits}}}'.encode()
    assert dump_json(read_json(body)) == body


@pytest.mark.parametrize(
    "digits", ["9223372036854775807", "-9223372036854775808", "18446744073709551616", "-" + "9" * 40]
)
def test_whole_numbers_of_any_length_come_through(digits: str) -> None:
    body = f'{{"value":{digits}}}'.encode()
    assert dump_json(read_json(body)) == body


def test_an_exponent_keeps_value_and_precision() -> None:
    assert read_json(b'{"value": 1.50e3}')["value"] == Decimal("1.50E+3")
    assert json.loads(dump_json({"value": Decimal("1.50E+3")})) == {"value": 1500.0}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"null",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1',
        b'{"a": 1} x',
        b'{"a": 01}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": 1e99999999999999999999}',
        b'{"a": 1e-5000}',
        b'{"a": ' + b"9" * 5000 + b"}",
        "{}".encode("utf-16"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read_json(body)


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert read_json(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def test_the_deepest_allowed_body_is_read_and_one_level_more_is_refused() -> None:
    assert read_json(nested(30))
    with pytest.raises(MalformedBody, match="30 levels"):
        read_json(nested(31))


@pytest.mark.parametrize("body", [nested(100_000), b"[" * 200_000, b'{"a":' * 200_000])
def test_a_very_deep_body_is_refused_before_anything_recurses(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read_json(body)


@pytest.mark.parametrize("text", ["[" * 50, "{[" * 50 + '\\"', '"[' * 40, "\\\\[" * 40, 'a"]]]]"b'])
def test_brackets_inside_strings_are_no_depth(text: str) -> None:
    body = json.dumps({"a": text, "b": [text]}).encode()
    assert read_json(body)["a"] == text


@pytest.mark.parametrize("text", ["]]]]]]", "}" * 40, '"}}}}', "\\"])
def test_brackets_inside_strings_do_not_hide_depth(text: str) -> None:
    value: object = 1
    for _ in range(31):
        value = {text: text, "a": value}
    with pytest.raises(MalformedBody, match="30 levels"):
        read_json(json.dumps(value).encode())


def test_a_body_that_was_cut_off_is_not_called_too_deep() -> None:
    with pytest.raises(MalformedBody, match="line 1, column 8"):
        read_json(b'{"a": [')


def test_an_error_never_repeats_what_was_sent() -> None:
    with pytest.raises(MalformedBody) as caught:
        read_json(b'{"answer": "Zaphod" oops}')
    assert "Zaphod" not in caught.value.public_text
    assert "oops" not in caught.value.public_text


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**19 - 1)
    | st.decimals(-1000, 1000, places=3)
    | st.text(st.characters(codec="utf-8")),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), children),
    max_leaves=20,
)


def exact(value: object) -> object:
    """Decimals by their digits: Decimal("1.0") == Decimal("1.00") would hide a lost zero."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return [exact(v) for v in value]
    if isinstance(value, dict):
        return {k: exact(v) for k, v in value.items()}
    return value


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), json_values))
def test_whatever_is_written_is_read_back_the_same(value: dict[str, object]) -> None:
    body = dump_json(value)
    assert exact(read_json(body, max_depth=100)) == exact(value)
    assert dump_json(read_json(body, max_depth=100)) == body


@given(st.binary())
def test_any_bytes_are_read_or_refused_as_malformed(body: bytes) -> None:
    with contextlib.suppress(MalformedBody):
        assert isinstance(read_json(body), dict)


def test_what_is_no_number_of_json_is_not_written() -> None:
    with pytest.raises(TypeError):
        dump_json({"a": Decimal("NaN")})
    with pytest.raises(TypeError):
        dump_json({"a": {1, 2}})
