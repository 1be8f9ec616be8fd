"""Whether a server's JSON has the structure of FHIR in those places that are looked into: even here servers err."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JsonObject = Mapping[str, Any]


def is_usable(resource: JsonObject) -> bool:
    """Whether the parts of a reply that are looked into are objects, lists and texts where FHIR has them."""
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not _has_texts(resource, "id"):
        return False
    if kind == "Bundle":
        links, entries = resource.get("link", []), resource.get("entry", [])
        return (
            _are_objects(links)
            and all(_has_texts(link, "relation", "url") for link in links)
            and _are_objects(entries)
            and all(map(_is_usable_entry, entries))
        )
    if kind == "OperationOutcome":
        issues = resource.get("issue", [])
        places = ("expression", "location")
        return _are_objects(issues) and all(
            isinstance(issue.get(name, []), list) for issue in issues for name in places
        )
    meta, identifiers = resource.get("meta", {}), resource.get("identifier", [])
    return (
        isinstance(meta, Mapping)
        and _have_texts(meta.get("tag", []), "system", "code")
        and _have_texts(identifiers, "system", "value")
    )


def _is_usable_entry(entry: JsonObject) -> bool:
    resource = entry.get("resource")
    if resource is not None and not (isinstance(resource, Mapping) and is_usable(resource)):
        return False
    search, reply = entry.get("search", {}), entry.get("response", {})
    return isinstance(search, Mapping) and isinstance(reply, Mapping) and _has_texts(reply, "location")


def _have_texts(value: object, *names: str) -> bool:
    """Of one object (in R4 some elements do not repeat) or a list of them."""
    objects = [value] if isinstance(value, Mapping) else value
    return isinstance(objects, list) and _are_objects(objects) and all(_has_texts(each, *names) for each in objects)


def _has_texts(found: JsonObject, *names: str) -> bool:
    return all(isinstance(found.get(name, ""), str) for name in names)


def _are_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)
