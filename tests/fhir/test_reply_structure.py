"""What a server's JSON must be like before anything in it is looked at."""

from __future__ import annotations

import json

import pytest

from fhir_app.fhir.reply_structure import is_usable


@pytest.mark.parametrize(
    "text",
    [
        '{"resourceType": "Bundle"}',
        '{"resourceType": "Bundle", "entry": [{"response": {"status": "201"}}, {"resource": {"resourceType": "X"}}]}',
        '{"resourceType": "QuestionnaireResponse", "identifier": {"value": "1"}}',
        '{"resourceType": "Observation", "identifier": [{"system": "s", "value": "1"}], "meta": {"tag": [{}]}}',
        '{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "expression": ["Patient"]}]}',
    ],
)
def test_what_can_be_read_is_usable(text: str) -> None:
    assert is_usable(json.loads(text))


@pytest.mark.parametrize("odd", ["null", "1", "true", '"x"', "[]", "[1]", "[null]", "{}"])
@pytest.mark.parametrize(
    "text",
    [
        '{"resourceType": ODD}',
        '{"resourceType": "Patient", "id": ODD}',
        '{"resourceType": "Patient", "meta": ODD}',
        '{"resourceType": "Patient", "meta": {"tag": ODD}}',
        '{"resourceType": "Patient", "meta": {"tag": [{"system": ODD}]}}',
        '{"resourceType": "Patient", "identifier": ODD}',
        '{"resourceType": "Patient", "identifier": [{"value": ODD}]}',
        '{"resourceType": "OperationOutcome", "issue": ODD}',
        '{"resourceType": "OperationOutcome", "issue": [{"expression": ODD}]}',
        '{"resourceType": "Bundle", "entry": ODD}',
        '{"resourceType": "Bundle", "entry": [{"resource": ODD}]}',
        '{"resourceType": "Bundle", "entry": [{"search": ODD}]}',
        '{"resourceType": "Bundle", "entry": [{"response": ODD}]}',
        '{"resourceType": "Bundle", "entry": [{"response": {"location": ODD}}]}',
        '{"resourceType": "Bundle", "link": ODD}',
        '{"resourceType": "Bundle", "link": [{"relation": "next", "url": ODD}]}',
    ],
)
def test_an_odd_shape_is_either_refused_or_what_fhir_has_there(text: str, odd: str) -> None:
    """Lists may be empty, an entry may have no resource, and a text may be any text."""
    texts = '{"resourceType": ODD}', '"id": ODD', '"system": ODD', '"value": ODD', '"location": ODD', '"url": ODD'
    if any(each in text for each in texts):
        fits = {'"x"'}
    elif '"resource": ODD' in text:
        fits = {"null"}
    elif '"meta": ODD' in text or '"search": ODD' in text or '"response": ODD' in text:
        fits = {"{}"}
    elif '"expression": ODD' in text:
        fits = {"[]", "[1]", "[null]"}
    elif '"identifier": ODD' in text or '"tag": ODD' in text:
        fits = {"[]", "{}"}
    else:
        fits = {"[]"}
    assert is_usable(json.loads(text.replace("ODD", odd))) is (odd in fits)
