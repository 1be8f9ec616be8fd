"""What this service publishes, read and searched in memory: Questionnaire, ValueSet, CodeSystem, Library and so on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request

from fhir_app.errors import NotFound
from fhir_app.fhir.read_json import dump_json
from fhir_app.web.negotiation import base_url, fhir_reply
from fhir_app.web.search_parameters import Asked, Page, SearchParameter, bundle_page

DEFINITION_TYPES = ("Questionnaire", "ValueSet", "CodeSystem", "ConceptMap", "Library", "OperationDefinition")

DEFINITION_PARAMETERS = (
    SearchParameter("_id", "token"),
    SearchParameter("url", "uri"),
    SearchParameter("version", "token"),
    SearchParameter("status", "token"),
    SearchParameter("name", "string", ("exact", "contains")),
    SearchParameter("title", "string", ("exact", "contains")),
)


@dataclass(frozen=True)
class Definition:
    """One published resource with the bytes and the ETag that it is served with."""

    resource: Mapping[str, Any]
    body: bytes
    etag: str


@dataclass(frozen=True)
class Definitions:
    """Every published resource by type and id; made once, never changed."""

    resources: Sequence[Mapping[str, Any]]
    _by_type: dict[str, dict[str, Definition]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_type: dict[str, dict[str, Definition]] = {name: {} for name in DEFINITION_TYPES}
        for resource in self.resources:
            if resource["resourceType"] in by_type:
                body = dump_json(resource)
                definition = Definition(resource, body, hashlib.sha256(body).hexdigest()[:16])
                by_type[resource["resourceType"]][resource["id"]] = definition
        object.__setattr__(self, "_by_type", by_type)

    def read(self, resource_type: str, resource_id: str) -> Response:
        """https://hl7.org/fhir/R4/http.html#read; raises NotFound."""
        definition = self._by_type[resource_type].get(resource_id)
        if definition is None:
            raise NotFound(f"No {resource_type} with this id is published here.")
        if request.if_none_match.contains_weak(definition.etag):
            return Response(status=304, headers={"ETag": f'W/"{definition.etag}"'})
        return fhir_reply(definition.body, headers={"ETag": f'W/"{definition.etag}"'})

    def search(self, resource_type: str, asked: Asked) -> Response:
        """Pages through the matches in the order of publication."""
        found = [each.resource for each in self._by_type[resource_type].values() if _matches(each.resource, asked)]
        start = int(asked.after or 0)
        page = Page(
            total=len(found),
            resources=found[start : start + asked.count],
            next_after=str(start + asked.count) if start + asked.count < len(found) else None,
        )
        return fhir_reply(bundle_page(f"{base_url()}/{resource_type}", asked, page))


def _matches(resource: Mapping[str, Any], asked: Asked) -> bool:
    return all(
        any(_matches_one(resource, each.name, each.modifier, value) for value in each.values) for each in asked.criteria
    )


def _matches_one(resource: Mapping[str, Any], name: str, modifier: str | None, wanted: str) -> bool:
    held = str(resource.get("id" if name == "_id" else name) or "")
    if name in ("name", "title"):
        if modifier == "exact":
            return held == wanted
        held, wanted = held.casefold(), wanted.casefold()
        return wanted in held if modifier == "contains" else held.startswith(wanted)
    if name == "status":
        return held == wanted.removeprefix("http://hl7.org/fhir/publication-status").removeprefix("|")
    return held == wanted.removeprefix("|")
