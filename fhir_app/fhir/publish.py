"""Definitions (Questionnaire, CodeSystem, ValueSet, Library and so on) -> a FHIR server, each version once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Shape
from fhir_app.fhir.entries import Resource, search_for
from fhir_app.fhir.model import parse_with_library
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.replies import Delivered, Found, Outcome, Rejected, TryAgain, Unknown

Result = Literal["created", "unchanged", "updated", "differs", "rejected", "try again"]

_THE_SERVERS_OWN = {"id", "meta", "text"}


@dataclass(frozen=True)
class Published:
    """What became of one resource. `differs`: the server has other content under this very version, and keeps it."""

    resource_type: str
    name: str
    result: Result
    id: str | None = None
    reason: str | None = None

    @property
    def is_there(self) -> bool:
        """Whether the server now has it as we have it."""
        return self.result in {"created", "unchanged", "updated"}


def publish(
    client: FhirClient,
    resources: Sequence[Resource],
    *,
    shape: Shape,
    namespace: Namespace,
    overwrite: bool = False,
) -> Iterator[Published]:
    """One after the other, in the order given; publishing again changes nothing.

    Other versions stay: responses were made with them. What the server has under the same version with other content
    is left alone, because answers may rest on it, unless `overwrite` says otherwise. Raises OutboundResourceError,
    before the first request, for a resource that is not R4.
    """
    for resource in resources:
        parse_with_library(resource)
    return (_publish_one(client, resource, shape, namespace, overwrite) for resource in resources)


def _publish_one(
    client: FhirClient, resource: Resource, shape: Shape, namespace: Namespace, overwrite: bool
) -> Published:
    kind, name = str(resource["resourceType"]), _name(resource, namespace)
    found = client.search(kind, _search(resource, namespace))
    if not isinstance(found, Found):
        return _failed(kind, name, found)
    held = [each for each in found.resources if _is_same_version(each, resource)]
    if not held:
        return _create(client, resource, shape, namespace, name)
    if all(_content(each) == _content(resource) for each in held):
        return Published(kind, name, "unchanged", str(held[0]["id"]))
    if len(held) > 1 or not overwrite:
        reason = "other content is published under this version"
        return Published(kind, name, "differs", str(held[0]["id"]), reason)
    version = (held[0].get("meta") or {}).get("versionId")
    outcome = client.update({**resource, "id": held[0]["id"]}, if_match=version)
    return _written(kind, name, "updated", outcome)


def _create(client: FhirClient, resource: Resource, shape: Shape, namespace: Namespace, name: str) -> Published:
    """Where ids are ours to choose, the id is derived from url and version, so that two publishers write the same."""
    kind = str(resource["resourceType"])
    if shape.client_ids and "url" in resource:
        server_id = namespace.derived_id("definition", kind, str(resource["url"]), str(resource.get("version", "")))
        outcome = client.update({**resource, "id": server_id})
    else:
        without_id = {key: value for key, value in resource.items() if key != "id"}
        terms = (f"{key}={quote(value, safe=':/|')}" for key, value in _search(resource, namespace).items())
        outcome = client.create(without_id, if_none_exist="&".join(terms))
    return _written(kind, name, "created", outcome)


def _written(kind: str, name: str, result: Result, outcome: Outcome) -> Published:
    return Published(kind, name, result, outcome.id) if isinstance(outcome, Delivered) else _failed(kind, name, outcome)


def _failed(kind: str, name: str, outcome: TryAgain | Rejected | Unknown) -> Published:
    return Published(kind, name, "rejected" if isinstance(outcome, Rejected) else "try again", None, outcome.reason)


def _search(resource: Resource, namespace: Namespace) -> dict[str, str]:
    """By url and version as two parameters: `url=...|1.0.0` finds nothing on HAPI."""
    if "url" not in resource:
        parameter, value = search_for(resource, namespace)
        return {parameter: value}
    return {"url": str(resource["url"])} | ({"version": str(resource["version"])} if "version" in resource else {})


def _is_same_version(held: Resource, resource: Resource) -> bool:
    """Not every server heeds `version` in a search."""
    return all(held.get(key) == resource.get(key) for key in ("url", "version"))


def _name(resource: Resource, namespace: Namespace) -> str:
    if "url" in resource:
        return f"{resource['url']}|{resource.get('version', '')}".rstrip("|")
    return search_for(resource, namespace)[1]


def _content(resource: Resource) -> str:
    kept: Mapping[str, Any] = {key: value for key, value in resource.items() if key not in _THE_SERVERS_OWN}
    return json.dumps(kept, sort_keys=True, default=str)
