from __future__ import annotations

from typing import Any

import pytest

from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.terminology import built_in, read_terminology
from fhir_app.knowledge.truth import Truth

SYSTEM = "http://example.org/fruit"
FRUIT: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "url": SYSTEM,
    "content": "complete",
    "concept": [
        {"code": "pome", "concept": [{"code": "apple", "concept": [{"code": "boskoop"}]}, {"code": "pear"}]},
        {"code": "fig", "property": [{"code": "sweet", "valueBoolean": True}]},
    ],
}
OTHER = "http://example.org/unknown"
EVERY = ("pome", "apple", "boskoop", "pear", "fig")


def members(*include: Any, exclude: tuple[Any, ...] = (), others: tuple[Any, ...] = ()) -> list[str]:
    compose = {"include": list(include), "exclude": list(exclude)}
    value_set = {"resourceType": "ValueSet", "url": "v", "compose": compose}
    terminology = read_terminology([FRUIT, value_set, *others])
    return [code for code in EVERY if terminology.member("v", Coding(SYSTEM, code)) is Truth.YES]


def condition(operator: str, value: str, prop: str = "concept") -> dict[str, Any]:
    return {"system": SYSTEM, "filter": [{"property": prop, "op": operator, "value": value}]}


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ({"system": SYSTEM}, list(EVERY)),
        ({"system": SYSTEM, "concept": [{"code": "fig"}]}, ["fig"]),
        (condition("is-a", "apple"), ["apple", "boskoop"]),
        (condition("descendent-of", "pome"), ["apple", "boskoop", "pear"]),
        (condition("is-not-a", "pome"), ["fig"]),
        (condition("generalizes", "boskoop"), ["pome", "apple", "boskoop"]),
        (condition("in", "fig, pear"), ["pear", "fig"]),
        (condition("not-in", "fig,pear"), ["pome", "apple", "boskoop"]),
        (condition("=", "true", "sweet"), ["fig"]),
        (condition("exists", "true", "sweet"), ["fig"]),
        (condition("regex", "p.*"), ["pome", "pear"]),
        (condition("no-such-operator", "x"), []),
    ],
)
def test_an_include_takes_in_what_it_says(include: dict[str, Any], expected: list[str]) -> None:
    assert members(include) == expected


def test_an_exclude_takes_out_and_imported_sets_intersect() -> None:
    pears = {"resourceType": "ValueSet", "url": "pears", "compose": {"include": [condition("is-a", "pear")]}}
    assert members({"system": SYSTEM}, exclude=(condition("is-a", "pome"),)) == ["fig"]
    assert members({"valueSet": ["pears"]}, others=(pears,)) == ["pear"]
    assert members({"system": SYSTEM, "valueSet": ["pears"]}, others=(pears,)) == ["pear"]


def test_a_set_that_imports_itself_is_unknown_and_does_not_hang() -> None:
    value_set = {"resourceType": "ValueSet", "url": "v", "compose": {"include": [{"valueSet": ["v", "v"]}]}}
    assert read_terminology([value_set]).member("v", Coding(SYSTEM, "x")) is Truth.UNKNOWN


def test_membership_is_unknown_when_set_or_system_is_not_at_hand() -> None:
    value_set = {"resourceType": "ValueSet", "url": "v", "compose": {"include": [{"system": OTHER}]}}
    terminology = read_terminology([value_set])
    assert terminology.member("v", Coding(OTHER, "x")) is Truth.UNKNOWN
    assert terminology.member("v", Coding(SYSTEM, "x")) is Truth.NO
    assert terminology.member("w", Coding(SYSTEM, "x")) is Truth.UNKNOWN


def test_an_expansion_decides_where_the_compose_cannot() -> None:
    contains = [{"system": OTHER, "code": "x", "contains": [{"system": OTHER, "code": "y"}]}]
    value_set = {
        "resourceType": "ValueSet",
        "url": "v",
        "compose": {"include": [{"system": OTHER}]},
        "expansion": {"contains": contains},
    }
    terminology = read_terminology([{"resourceType": "Bundle", "entry": [{"resource": value_set}]}])
    assert [terminology.member("v", Coding(OTHER, code)) for code in "xyz"] == [Truth.YES, Truth.YES, Truth.NO]


def test_a_version_is_honoured() -> None:
    value_set = {"resourceType": "ValueSet", "url": "v", "version": "1", "compose": {"include": [{"system": SYSTEM}]}}
    terminology = read_terminology([FRUIT, value_set])
    apple = Coding(SYSTEM, "apple")
    assert [terminology.member(name, apple) for name in ("v", "v|1", "v|2")] == [Truth.YES, Truth.YES, Truth.UNKNOWN]


def test_contained_resources_are_seen_from_their_resource_alone() -> None:
    value_set = {"resourceType": "ValueSet", "id": "x", "compose": {"include": [{"system": SYSTEM}]}}
    terminology = read_terminology([FRUIT])
    apple = Coding(SYSTEM, "apple")
    assert terminology.within({"contained": [value_set]}).member("#x", apple) is Truth.YES
    assert terminology.member("#x", apple) is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("value_set", "system", "code", "expected"),
    [
        ("administrative-gender", "http://hl7.org/fhir/administrative-gender", "other", Truth.YES),
        ("administrative-gender", "http://hl7.org/fhir/administrative-gender", "x", Truth.NO),
        ("yesnodontknow", "http://terminology.hl7.org/CodeSystem/v2-0136", "Y", Truth.YES),
        ("yesnodontknow", "http://terminology.hl7.org/CodeSystem/v2-0136", "maybe", Truth.NO),
        ("marital-status", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "M", Truth.YES),
        ("languages", "urn:ietf:bcp:47", "de-CH", Truth.YES),
    ],
)
def test_the_small_sets_of_hl7_are_there(value_set: str, system: str, code: str, expected: Truth) -> None:
    assert built_in().member(f"http://hl7.org/fhir/ValueSet/{value_set}", Coding(system, code)) is expected


def test_resources_of_any_shape_are_passed_over() -> None:
    value_set = {"resourceType": "ValueSet", "url": "v", "compose": 3}
    code_system = {"resourceType": "CodeSystem", "url": 4}
    odd: list[Any] = [{}, value_set, code_system, 5]
    assert read_terminology(odd).member("v", Coding(SYSTEM, "x")) is Truth.UNKNOWN
