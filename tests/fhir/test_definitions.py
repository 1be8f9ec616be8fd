from __future__ import annotations

import importlib
import json
from collections import Counter
from typing import Any

import pytest

from fhir_app.fhir.definitions import definitions
from fhir_app.fhir.model import parse_with_library
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.read_json import dump_json
from fhir_app.fhir.writeback import Author
from fhir_app.knowledge.library import Library, load_library, questionnaires_root


@pytest.fixture(scope="session")
def real_library() -> Library:
    return load_library(questionnaires_root())


@pytest.fixture(scope="session")
def published(tiny: Any, real_library: Library) -> tuple[Any, ...]:
    return definitions(Library((tiny.intake, *real_library.intakes)), tiny.names, tiny.author)


def test_every_definition_is_r4_for_both_libraries(published: tuple[Any, ...]) -> None:
    for resource in published:
        parse_with_library(resource)
        model = importlib.import_module(f"fhirclient.models.{resource['resourceType'].lower()}")
        getattr(model, resource["resourceType"])(json.loads(dump_json(resource)))


def test_every_canonical_has_version_and_status_and_stands_once(published: tuple[Any, ...]) -> None:
    canonicals = [resource for resource in published if resource["resourceType"] not in ("Device", "Organization")]
    for resource in canonicals:
        assert resource["version"]
        assert resource["status"] == "active"
    urls = Counter((resource["url"], resource["version"]) for resource in canonicals)
    assert set(urls.values()) == {1}
    ids = Counter((resource["resourceType"], resource["id"]) for resource in published)
    assert set(ids.values()) == {1}


def test_every_code_that_is_written_is_published_with_the_same_display(tiny: Any, published: tuple[Any, ...]) -> None:
    known = {
        (resource["url"], concept["code"]): concept["display"]
        for resource in published
        if resource["resourceType"] == "CodeSystem"
        for concept in resource["concept"]
    }

    def codings(value: Any) -> list[dict[str, Any]]:
        if isinstance(value, list):
            return [found for part in value for found in codings(part)]
        if not isinstance(value, dict):
            return []
        here = [value] if "code" in value and "display" in value else []
        return here + [found for part in value.values() for found in codings(part)]

    written = [found for resource in tiny.written().resources for found in codings(resource)]
    ours = [found for found in written if found["system"].startswith(tiny.names.base)]
    assert len(ours) > 10
    for coding in ours:
        assert known[coding["system"], coding["code"]] == coding["display"]


def test_every_answer_option_of_ours_is_published(real_library: Library, published: tuple[Any, ...]) -> None:
    systems = {r["url"]: {c["code"] for c in r["concept"]} for r in published if r["resourceType"] == "CodeSystem"}
    text = dump_json({"all": list(real_library.questionnaires)}).decode()
    options = [
        json.JSONDecoder().raw_decode(part.lstrip())[0]
        for part in text.split(chr(34) + "valueCoding" + chr(34) + ":")[1:]
    ]
    mine = [option for option in options if option["system"].startswith(Namespace().base)]
    assert mine
    for option in mine:
        assert option["code"] in systems[option["system"]]


def test_the_library_cites_every_source_and_names_its_questionnaire(tiny: Any, published: tuple[Any, ...]) -> None:
    (library,) = [r for r in published if r.get("url") == tiny.names.library("tiny")]
    first, *citations = library["relatedArtifact"]
    assert first == {"type": "depends-on", "display": "Tiny", "resource": tiny.intake.canonical}
    assert [citation["label"] for citation in citations] == ["BMJ19", "ISSN15"]
    assert library["version"] == "1.2.3"
    assert "Not reviewed by a clinician" in library["description"]


def test_source_attributes_are_carried_by_the_library(tiny: Any) -> None:
    found = definitions(Library((tiny.intake,)), tiny.names, tiny.author, attributes={"tiny": {"Funding": "none"}})
    (library,) = [resource for resource in found if resource["resourceType"] == "Library"]
    assert library["usage"] == "Funding: none"


def test_every_urgency_is_mapped_or_said_to_be_unmatched_as_a_judgement(published: tuple[Any, ...]) -> None:
    (mapping,) = [resource for resource in published if resource["resourceType"] == "ConceptMap"]
    targets = {e["code"]: e["target"][0] for e in mapping["group"][0]["element"]}
    assert {code: target.get("code") for code, target in targets.items()} == {
        "emergency": "stat",
        "same-day": "asap",
        "soon": "urgent",
        "routine": "routine",
        "self-care": None,
    }
    assert all(target["comment"].startswith("Judgement") for target in targets.values())


def test_another_namespace_moves_every_canonical_of_ours(tiny: Any) -> None:
    names = Namespace("https://example.org/forms")
    for resource in definitions(Library((tiny.intake,)), names, Author(None, "0.1.0")):
        if resource["resourceType"] not in ("Device", "Questionnaire"):
            assert resource["url"].startswith("https://example.org/forms/")


def test_definitions_are_the_same_each_time(tiny: Any, published: tuple[Any, ...], real_library: Library) -> None:
    again = definitions(Library((tiny.intake, *real_library.intakes)), tiny.names, tiny.author)
    assert [dump_json(r) for r in again] == [dump_json(r) for r in published]
