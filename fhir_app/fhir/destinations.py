"""What a given kind of FHIR server takes, and in what shape. Data: a new kind of server is a new entry here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HTML = "text/html"
PDF = "application/pdf"
PLAIN_TEXT = "text/plain"


@dataclass(frozen=True)
class Shape:
    """One kind of server.

    `transactions`: it takes a whole result as one transaction Bundle. Without, each resource is written by itself and
    recorded in a ledger, so that a result that was cut short goes on where it stopped.
    `client_ids`: a PUT under an id that we chose creates the resource. It is the surest way to write what R4 gives no
    identifier (Provenance); without it, such a resource is created on the condition that none has its tag.
    `takes_responses`: it stores QuestionnaireResponses. Where it does not, results name theirs by its identifier.
    `document_types`: the forms of a leaflet that it takes, in the order in which they stand in the document.
    """

    kind: str
    transactions: bool
    client_ids: bool
    takes_responses: bool
    document_types: tuple[str, ...]


SHAPES: Mapping[str, Shape] = {
    shape.kind: shape
    for shape in (
        Shape("hapi", True, True, True, (HTML, PDF, PLAIN_TEXT)),
        Shape("generic-r4", True, False, True, (HTML, PDF, PLAIN_TEXT)),
        # US Core's "Writing Clinical Notes": single requests only, and plain text and PDF are what every server takes.
        Shape("sequential", False, False, True, (PLAIN_TEXT, PDF)),
    )
}


@dataclass(frozen=True)
class Destination:
    """A server that results are written to: its base URL, which is also its name in the outbox, and its shape."""

    base_url: str
    shape: Shape

    @staticmethod
    def of_kind(kind: str, base_url: str) -> Destination:
        """Raises KeyError for a kind that is none of ours."""
        return Destination(base_url.rstrip("/"), SHAPES[kind])
