"""The PDF of a leaflet: rendered once by the worker, kept, and the same bytes at every try."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import datetime

from fhir_app.fhir.destinations import HTML, PDF, PLAIN_TEXT, Shape
from fhir_app.fhir.document_reference import DocumentContent, with_contents
from fhir_app.fhir.entries import Resource
from fhir_app.leaflets.page import PatientDocument
from fhir_app.store import renderings
from fhir_app.store.database import Database

Render = Callable[[PatientDocument], bytes]


def with_pdf(
    resources: Sequence[Resource],
    *,
    submission_id: str,
    shape: Shape,
    render: Render,
    database: Database,
    now: datetime,
) -> tuple[Resource, ...]:
    """The resources, with a PDF in the current document if the destination takes PDF.

    A withdrawn document is left as it is: what was filed stays filed.
    """
    if PDF not in shape.document_types:
        return tuple(resources)
    found: list[Resource] = []
    for resource in resources:
        is_current = resource["resourceType"] == "DocumentReference" and resource["status"] == "current"
        document = _document(resource) if is_current else None
        if document is None:
            found.append(resource)
            continue
        data = _rendered(document, submission_id, render, database, now)
        found.append(with_contents(resource, [DocumentContent(PDF, data, document.title, document.language)]))
    return tuple(found)


def _rendered(
    document: PatientDocument, submission_id: str, render: Render, database: Database, now: datetime
) -> bytes:
    with database.read() as connection:
        kept = renderings.find(connection, submission_id, PDF, document.language)
    if kept is not None:
        return kept
    data = render(document)
    with database.begin() as connection:
        return renderings.keep(connection, submission_id, PDF, document.language, data, now)


def _document(resource: Resource) -> PatientDocument | None:
    """The leaflet as it was composed, out of the forms that the document has; None without HTML."""
    forms = {each["attachment"]["contentType"].split(";")[0]: each["attachment"] for each in resource["content"]}
    if HTML not in forms:
        return None
    texts = {
        name: base64.b64decode(form["data"]).decode() for name, form in forms.items() if name in {HTML, PLAIN_TEXT}
    }
    return PatientDocument(
        language=forms[HTML]["language"],
        title=forms[HTML]["title"],
        html=texts[HTML],
        text=texts.get(PLAIN_TEXT, ""),
    )
