"""What a server already holds of a result, found by our identifiers and tags and by nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Shape
from fhir_app.fhir.entries import Key, Known, Resource, escaped, key_of, search_for
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.replies import Delivered, Found, Rejected, TryAgain

AT_ONCE = 20
CHANGED_LATER = frozenset({"QuestionnaireResponse", "Observation", "DocumentReference"})
"""What a correction updates. Device and Organization are created once, Provenance is one for each revision."""
EVERYTHING = CHANGED_LATER | {"Device", "Organization", "Provenance"}


@dataclass(frozen=True)
class LookedUp:
    known: Mapping[Key, Known]


def look_up(
    client: FhirClient,
    resources: Sequence[Resource],
    namespace: Namespace,
    types: Collection[str] = CHANGED_LATER,
) -> LookedUp | TryAgain | Rejected:
    """The server's ids and versions of those resources that are of these types.

    Rejected when the server holds two resources under one of our identifiers: which of them to correct is a person's
    decision.
    """
    known: dict[Key, Known] = {}
    candidates = [each for each in resources if each["resourceType"] in types]
    for (resource_type, parameter), wanted in _grouped(candidates, namespace).items():
        tokens = list(wanted)
        for start in range(0, len(tokens), AT_ONCE):
            outcome = client.search(resource_type, {parameter: ",".join(tokens[start : start + AT_ONCE])})
            if not isinstance(outcome, Found):
                return outcome
            for resource in outcome.resources:
                for key in {wanted[token] for token in _tokens(resource, parameter) if token in wanted}:
                    if key in known and known[key].id != resource["id"]:
                        return Rejected(f"the destination holds several {resource_type} with one of our identifiers")
                    known[key] = _known(resource)
    return LookedUp(known)


def is_complete(
    client: FhirClient, resources: Sequence[Resource], shape: Shape, namespace: Namespace
) -> bool | TryAgain | Rejected:
    """Whether this very revision was written before: its Provenance, written with it or last of it, is there."""
    for resource in resources:
        if resource["resourceType"] != "Provenance":
            continue
        if shape.client_ids:
            read = client.read("Provenance", str(resource["id"]))
            if isinstance(read, Delivered) and (read.resource or {}).get("resourceType") == "Provenance":
                return True
            if not isinstance(read, Rejected) or read.status != 404:
                return _as_search(read)
            if not read.misdirected:
                return False
            # A bare 404 may be a proxy's. What answers a search with a Bundle is a FHIR server.
        parameter, value = search_for(resource, namespace)
        found = client.search("Provenance", {parameter: value})
        if not isinstance(found, Found):
            return found
        # Some servers overlook a parameter that they do not know, and find everything.
        return any(value in _tokens(each, parameter) for each in found.resources)
    return False


def _as_search(outcome: object) -> TryAgain | Rejected:
    if isinstance(outcome, TryAgain | Rejected):
        return outcome
    return TryAgain("the outcome of a read is not known", astray=True)


def _grouped(resources: Sequence[Resource], namespace: Namespace) -> dict[tuple[str, str], dict[str, Key]]:
    """Search values, each with the resource that it finds, by resource type and search parameter."""
    groups: dict[tuple[str, str], dict[str, Key]] = {}
    for resource in resources:
        parameter, value = search_for(resource, namespace)
        groups.setdefault((resource["resourceType"], parameter), {})[value] = key_of(resource)
    return groups


def _tokens(resource: Resource, parameter: str) -> Iterator[str]:
    """Everything that the resource could have been found by, as `search_for` words it."""
    if parameter == "_tag":
        for tag in (resource.get("meta") or {}).get("tag") or ():
            yield f"{escaped(tag.get('system', ''))}|{escaped(tag.get('code', ''))}"
        return
    identifiers: Any = resource.get("identifier") or []
    for each in [identifiers] if isinstance(identifiers, Mapping) else identifiers:
        yield f"{escaped(each.get('system', ''))}|{escaped(each.get('value', ''))}"


def _known(resource: Resource) -> Known:
    version = (resource.get("meta") or {}).get("versionId")
    return Known(str(resource["id"]), None if version is None else str(version), resource)
