"""Search requests are read strictly."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_app.errors import InvalidSearch
from fhir_app.web.search_parameters import MOST, MOST_VALUES, Page, SearchParameter, bundle_page, read_search

PARAMETERS = (
    SearchParameter("_id", "token"),
    SearchParameter("date", "date"),
    SearchParameter("name", "string", ("exact",)),
)


def test_repeated_parameters_must_all_hold_and_commas_are_alternatives() -> None:
    asked = read_search([("_id", "a,b"), ("_id", r"c\,d,e\\"), ("date", "ge2026,lt2027-01")], PARAMETERS, strict=True)
    assert [each.values for each in asked.criteria] == [("a", "b"), ("c,d", "e\\"), ("ge2026", "lt2027-01")]


@pytest.mark.parametrize("key", ["date:missing", "_id:not", "name:contains", "_id:"])
def test_a_modifier_that_is_not_declared_is_refused_even_leniently(key: str) -> None:
    if key == "_id:":
        assert read_search([(key, "1")], PARAMETERS, strict=True).criteria[0].modifier is None
        return
    with pytest.raises(InvalidSearch):
        read_search([(key, "1")], PARAMETERS, strict=False)


def test_a_declared_modifier_is_read() -> None:
    assert read_search([("name:exact", "x")], PARAMETERS, strict=True).criteria[0].modifier == "exact"


def test_what_is_unknown_is_ignored_and_told_or_refused_when_strict() -> None:
    arguments = [("favourite", "MARKER-9f"), ("_id", "1")]
    asked = read_search(arguments, PARAMETERS, strict=False)
    bundle = bundle_page("https://here/fhir/Device", asked, Page(0, (), None))
    assert bundle["link"] == [{"relation": "self", "url": "https://here/fhir/Device?_id=1"}]
    assert bundle["entry"][0]["search"] == {"mode": "outcome"}
    assert "MARKER-9f" not in str(bundle)
    with pytest.raises(InvalidSearch) as caught:
        read_search(arguments, PARAMETERS, strict=True)
    assert "MARKER-9f" not in caught.value.public_text


@pytest.mark.parametrize("key", ["patient", "Patient", "patient.identifier", "subject:Patient.name", "subject.name"])
def test_a_patient_who_is_not_named_as_we_can_follow_is_never_left_out_of_a_search(key: str) -> None:
    """Or everybody's results would be shown in one chart."""
    with pytest.raises(InvalidSearch):
        read_search([(key, "1"), ("_id", "1")], PARAMETERS, strict=False)


@pytest.mark.parametrize("value", ["", ","])
def test_a_patient_without_a_value_is_refused(value: str) -> None:
    with pytest.raises(InvalidSearch):
        read_search([("patient", value)], (SearchParameter("patient", "reference"),), strict=False)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_count", "many"),
        ("_count", "-1"),
        ("_count", "1.5"),
        ("_count", "٣"),
        ("_page", "x"),
        ("date", "yesterday"),
        ("date", "2026-1-1"),
        ("date", "xx2026"),
        ("_id", "a\x00b"),
    ],
)
def test_a_bad_value_is_refused(key: str, value: str) -> None:
    with pytest.raises(InvalidSearch):
        read_search([(key, value)], PARAMETERS, strict=False)


def test_more_values_than_a_query_can_hold_are_refused_in_words() -> None:
    for arguments in ([("_id", ",".join("a" * (MOST_VALUES + 1)))], [("_id", "a")] * (MOST_VALUES + 1)):
        with pytest.raises(InvalidSearch, match=str(MOST_VALUES)):
            read_search(arguments, PARAMETERS, strict=False)
    assert read_search([("_id", ",".join("a" * MOST_VALUES))], PARAMETERS, strict=False).criteria


def test_commas_alone_are_no_value() -> None:
    assert read_search([("_id", ",,")], PARAMETERS, strict=False).ignored == ("_id",)


@pytest.mark.parametrize(
    ("arguments", "count", "only_total"),
    [
        ([], 20, False),
        ([("_count", "5")], 5, False),
        ([("_count", "999999")], MOST, False),
        ([("_count", "0")], 1, True),
        ([("_summary", "count")], 20, True),
        ([("_summary", "false")], 20, False),
    ],
)
def test_the_size_of_a_page(arguments: list[tuple[str, str]], count: int, only_total: bool) -> None:
    asked = read_search(arguments, PARAMETERS, strict=True)
    assert (asked.count, asked.only_total) == (count, only_total)


def test_a_summary_that_is_not_supported_is_refused_when_strict() -> None:
    assert read_search([("_summary", "text")], PARAMETERS, strict=False).ignored == ("_summary",)
    with pytest.raises(InvalidSearch):
        read_search([("_summary", "text")], PARAMETERS, strict=True)


def test_the_next_link_asks_the_same_and_goes_on() -> None:
    asked = read_search([("_id", "a b&c"), ("_count", "1")], PARAMETERS, strict=True)
    bundle = bundle_page("https://here/fhir/Device", asked, Page(2, ({"resourceType": "Device", "id": "1"},), "17"))
    following = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
    again = read_search(parse_qsl(urlsplit(following).query), PARAMETERS, strict=True)
    assert (again.criteria, again.count, again.after) == (asked.criteria, 1, "17")
    assert bundle["entry"][0]["fullUrl"] == "https://here/fhir/Device/1"


@given(st.lists(st.tuples(st.sampled_from(["_id", "date", "name", "name:exact", "_count", "x", ""]), st.text())))
def test_any_text_is_either_read_or_refused(arguments: list[tuple[str, str]]) -> None:
    try:
        asked = read_search(arguments, PARAMETERS, strict=False)
    except InvalidSearch:
        return
    assert 1 <= asked.count <= MOST
