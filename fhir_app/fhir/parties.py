"""Who wrote the results: this software as a Device, on behalf of an Organization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from fhir_app.fhir.identifiers import identifier
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.report import div

SOFTWARE_NAME = "fhir-app"
_LANGUAGE = "en"


@dataclass(frozen=True)
class Author:
    """The responsible Organization (a resource; required for delivery) and the version of this software."""

    organization: Mapping[str, Any] | None
    software_version: str


def device(author: Author, namespace: Namespace) -> dict[str, Any]:
    """One Device for each version of this software; no UDI, since none was issued."""
    device_id = namespace.derived_id("device", SOFTWARE_NAME, author.software_version)
    words = f"{SOFTWARE_NAME} {author.software_version}, software that assesses questionnaire responses"
    return {
        "resourceType": "Device",
        "id": device_id,
        "text": narrative(words),
        "identifier": [identifier(namespace.device_identifiers, device_id)],
        "status": "active",
        "deviceName": [{"name": SOFTWARE_NAME, "type": "user-friendly-name"}],
        "version": [{"value": author.software_version}],
        "type": {"text": "Software: rule-based decision support"},
    }


def organization(author: Author, namespace: Namespace) -> dict[str, Any] | None:
    """The configured Organization, with an id and an identifier when it came without."""
    if author.organization is None:
        return None
    given = dict(author.organization)
    known = (given.get("identifier") or [{}])[0]
    derived = namespace.derived_id(
        "organization", str(known.get("system", "")), str(known.get("value", "")), str(given.get("name", ""))
    )
    resource: dict[str, Any] = {"resourceType": "Organization", "id": given.get("id", derived)}
    resource["text"] = given.get("text") or narrative(str(given.get("name", "Organization")))
    resource["identifier"] = given.get("identifier") or [identifier(namespace.organization_identifiers, derived)]
    return resource | {key: value for key, value in given.items() if key not in resource}


def narrative(words: str, language: str = _LANGUAGE) -> dict[str, str]:
    """One escaped sentence as a generated narrative."""
    return {"status": "generated", "div": div(f"<p>{escape(words)}</p>", language)}
