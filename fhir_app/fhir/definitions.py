"""Everything that is published before the first result: Questionnaires, terminology, knowledge, operation, parties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_app.fhir import codes
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.parties import Author, device, organization
from fhir_app.fhir.report import source_words
from fhir_app.fhir.terminology_definitions import definition, intake_terminology, shared_terminology
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library


def definitions(
    library: Library, namespace: Namespace, author: Author, *, attributes: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[Mapping[str, Any], ...]:
    """Every definition, each after what it refers to; the same input gives the same resources.

    `attributes`: for each intake by its name, source attributes of decision support (developer, funding and so on) as
    names and texts, which its knowledge Library carries in `usage`.
    """
    return tuple(_all(library, namespace, author, attributes or {}))


def _all(
    library: Library, namespace: Namespace, author: Author, attributes: Mapping[str, Mapping[str, str]]
) -> Iterator[Mapping[str, Any]]:
    yield from shared_terminology(namespace)
    for intake in library.intakes:
        yield from intake_terminology(intake, namespace)
    yield from map(_without_profiles, library.questionnaires)
    for intake in library.intakes:
        yield knowledge(intake, namespace, attributes.get(intake.name, {}))
    yield assess_operation(namespace)
    responsible = organization(author, namespace)
    if responsible is not None:
        yield responsible
    yield device(author, namespace)


def _without_profiles(questionnaire: Mapping[str, Any]) -> Mapping[str, Any]:
    """A server that does not know a claimed profile refuses the resource (HAPI with request validation: 422)."""
    meta = {name: value for name, value in questionnaire.get("meta", {}).items() if name != "profile"}
    rest = {name: value for name, value in questionnaire.items() if name != "meta"}
    return {**rest, "meta": meta} if meta else rest


def knowledge(intake: Intake, namespace: Namespace, attributes: Mapping[str, str]) -> dict[str, Any]:
    """The knowledge of one intake as a Library: what it depends on, and every source as a citation."""
    resource = definition(
        "Library",
        namespace.library(intake.name),
        intake.knowledge_version,
        f"Knowledge: {intake.title}",
        "Red flags and likely causes as rules over the answers of one questionnaire. "
        f"{_reviewed(intake)} Digest of the knowledge: {intake.digest}.",
    )
    resource["type"] = {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/library-type",
                "code": "logic-library",
                "display": "Logic Library",
            }
        ]
    }
    if date := intake.questionnaire.resource.get("date"):
        resource["date"] = date
    if intake.reviewed_on is not None:
        resource["lastReviewDate"] = intake.reviewed_on
    if attributes:
        resource["usage"] = "\n".join(f"{name}: {text}" for name, text in attributes.items())
    resource["relatedArtifact"] = [
        {"type": "depends-on", "display": intake.title, "resource": intake.canonical},
        *(_citation(intake, source_id) for source_id in sorted(intake.sources)),
    ]
    return resource


def _reviewed(intake: Intake) -> str:
    if intake.reviewed_by is None:
        return "Not reviewed by a clinician."
    return f"Reviewed by {intake.reviewed_by}."


def _citation(intake: Intake, source_id: str) -> dict[str, Any]:
    source = intake.sources[source_id]
    artifact = {"type": "citation", "label": source.id, "display": source.title, "citation": source_words(source)}
    if not source.confirmed:
        artifact["citation"] += " (a part of it is from memory and must be checked before use)"
    return artifact | ({"url": source.url} if source.url else {})


def assess_operation(namespace: Namespace) -> dict[str, Any]:
    """Our own operation: it keeps nothing and executes nothing, and it is not SDC's $extract."""
    resource = definition(
        "OperationDefinition",
        namespace.assess_operation,
        codes.VERSION,
        "Assess a questionnaire response",
        "Validates and assesses a response, and returns what would be written for it. Nothing is stored or sent.",
    )
    return {
        **resource,
        "name": "AssessQuestionnaireResponse",
        "kind": "operation",
        "affectsState": False,
        "code": "assess",
        "resource": ["QuestionnaireResponse"],
        "system": False,
        "type": True,
        "instance": False,
        "parameter": [
            {
                "name": "resource",
                "use": "in",
                "min": 1,
                "max": "1",
                "documentation": "The response, which names the exact version of its Questionnaire.",
                "type": "QuestionnaireResponse",
            },
            {
                "name": "return",
                "use": "out",
                "min": 1,
                "max": "1",
                "documentation": "The transaction that a destination would get.",
                "type": "Bundle",
            },
        ],
    }
