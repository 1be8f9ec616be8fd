"""How each resource that we write is named, and how resources refer to each other before a server has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.received import ReceivedResponse

ResponseAs = Literal["reference", "identifier"]
"""How results point at the response: by reference, or, where a destination refuses it, by identifier and display."""


def response_scope(received: ReceivedResponse) -> tuple[str, str]:
    """What the ids of one response's results are derived from: the same for all of its revisions."""
    return received.origin, received.identity


def observation_id(namespace: Namespace, received: ReceivedResponse, *role: str) -> str:
    return namespace.derived_id("observation", *response_scope(received), *role)


def document_id(namespace: Namespace, received: ReceivedResponse) -> str:
    """One document for each revision: the later replaces the earlier one."""
    return namespace.derived_id("document", *response_scope(received), received.revision)


def provenance_id(namespace: Namespace, received: ReceivedResponse, activity: str) -> str:
    """One Provenance for each act on each revision."""
    return namespace.derived_id("provenance", *response_scope(received), received.revision, activity)


def identifier(system: str, value: str) -> dict[str, str]:
    return {"system": system, "value": value}


def reference(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Relative; a Bundle replaces it by the urn:uuid of its entry."""
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def response_reference(received: ReceivedResponse, title: str, as_: ResponseAs) -> dict[str, Any]:
    resource = received.questionnaire_response
    display = f"Response to the questionnaire: {title}"
    if as_ == "reference":
        return {"reference": f"QuestionnaireResponse/{resource['id']}", "display": display}
    found: dict[str, Any] = {"type": "QuestionnaireResponse", "display": display}
    if resource.get("identifier"):
        found["identifier"] = resource["identifier"]
    return found
