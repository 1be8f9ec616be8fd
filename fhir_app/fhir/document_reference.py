"""The leaflet as a DocumentReference for the patient (http://hl7.org/fhir/R4/documentreference.html)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_app.fhir import codes
from fhir_app.fhir.identifiers import document_id, identifier, reference
from fhir_app.fhir.observation import Circumstances
from fhir_app.fhir.parties import narrative


@dataclass(frozen=True)
class DocumentContent:
    """One form of the leaflet; every content of a document says the same."""

    content_type: str
    data: bytes
    title: str
    language: str


def document(
    circumstances: Circumstances,
    contents: Sequence[DocumentContent],
    summary: Mapping[str, Any],
    replaces: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Patient education: it holds the leaflet, never the ranking."""
    c = circumstances
    own_id = document_id(c.namespace, c.received)
    resource: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": own_id,
        "text": narrative(contents[0].title, contents[0].language),
        "identifier": [identifier(c.namespace.document_identifiers, own_id)],
        "status": "current",
        "docStatus": "preliminary" if c.status == "preliminary" else "final",
        "type": codes.concept(codes.EDUCATION_NOTE),
        "category": [codes.concept(codes.CLINICAL_NOTE)],
        "subject": {"reference": c.received.subject},
        "date": c.received.accepted,
        "author": [reference(c.device)],
    }
    if c.organization is not None:
        resource["custodian"] = reference(c.organization)
    if replaces:
        resource["relatesTo"] = [{"code": "replaces", "target": reference(earlier)} for earlier in replaces]
    resource["description"] = contents[0].title
    resource["content"] = [{"attachment": attachment(content, c.received.accepted)} for content in contents]
    context: dict[str, Any] = {}
    if c.received.encounter is not None:
        context["encounter"] = [{"reference": c.received.encounter}]
    context["related"] = [reference(summary)]
    resource["context"] = context
    return resource


def attachment(content: DocumentContent, creation: str) -> dict[str, Any]:
    """Inline data with its size and the SHA-1 that R4 asks for (a checksum here, not a protection)."""
    return {
        "contentType": content.content_type,
        "language": content.language,
        "data": base64.b64encode(content.data).decode("ascii"),
        "size": len(content.data),
        "hash": base64.b64encode(hashlib.sha1(content.data, usedforsecurity=False).digest()).decode("ascii"),
        "title": content.title,
        "creation": creation,
    }


def with_contents(document_reference: Mapping[str, Any], contents: Sequence[DocumentContent]) -> dict[str, Any]:
    """The same document with further forms (a PDF rendered by the worker); one that is there already is replaced."""
    creation = document_reference["date"]
    added = {content.content_type: {"attachment": attachment(content, creation)} for content in contents}
    kept = [content for content in document_reference["content"] if content["attachment"]["contentType"] not in added]
    return {**document_reference, "content": [*kept, *added.values()]}
