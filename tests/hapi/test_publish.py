"""The definitions on a real server."""

from __future__ import annotations

import pytest

from fhir_app.fhir.namespace import Namespace
from fhir_app.knowledge.library import Library
from tests.hapi.conftest import Ehr

pytestmark = pytest.mark.hapi


def test_publishing_again_changes_nothing(ehr: Ehr, library: Library) -> None:
    results = ehr.publish(library)

    assert [each for each in results if each.result != "unchanged"] == []
    kinds = {each.resource_type for each in results}
    assert {"Questionnaire", "CodeSystem", "ValueSet", "Library", "Device", "Organization"} <= kinds
    for each in results:
        # By search: HAPI answers a read of an OperationDefinition from its own list.
        (held,) = ehr.search(each.resource_type, _id=str(each.id))
        assert held["meta"]["versionId"] == "1"


def test_a_questionnaire_is_found_by_url_and_version(ehr: Ehr, library: Library) -> None:
    for intake in library.intakes:
        url, version = intake.canonical.split("|")
        (found,) = ehr.search("Questionnaire", url=url, version=version)
        assert found["status"] == "active"


def test_the_server_finds_no_error_in_what_is_published(ehr: Ehr, library: Library) -> None:
    for intake in library.intakes:
        url, version = intake.canonical.split("|")
        (questionnaire,) = ehr.search("Questionnaire", url=url, version=version)
        assert ehr.errors(questionnaire) == []
    for kind in ("CodeSystem", "ValueSet", "Library", "OperationDefinition", "ConceptMap"):
        for resource in ehr.search(kind):
            if str(resource.get("url", "")).startswith(Namespace().base):
                assert ehr.errors(resource) == [], resource["url"]
