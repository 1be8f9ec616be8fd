"""Our code systems with their value sets, and the one map out of them, as FHIR resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fhir_app.fhir import codes
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.parties import SOFTWARE_NAME, narrative
from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.intake import CodingRef, Intake
from fhir_app.knowledge.questionnaire import Item

Concept = dict[str, Any]

_PRIORITIES: Final = {
    "emergency": ("stat", "Emergency is a call for help, before any request is made."),
    "same-day": ("asap", "Same day is a limit in hours; asap has none."),
    "soon": ("urgent", "Soon means days; urgent says only: before routine."),
    "routine": ("routine", "Routine here means a visit in the next weeks."),
}
_ABOUT: Final = {
    "code": "about",
    "description": "A disorder that this concept speaks of, in another code system; never a finding about a patient.",
    "type": "Coding",
}


def definition(resource_type: str, url: str, version: str, title: str, description: str) -> dict[str, Any]:
    """What every published definition starts with."""
    name = url.rpartition("/")[2]
    return {
        "resourceType": resource_type,
        "id": f"{name}-{version}",
        "language": "en",
        "text": narrative(f"{title}. {description}"),
        "url": url,
        "version": version,
        "name": "".join(part.capitalize() for part in name.split("-")),
        "title": title,
        "status": "active",
        "experimental": False,
        "publisher": SOFTWARE_NAME,
        "description": description,
    }


def shared_terminology(namespace: Namespace) -> Iterator[dict[str, Any]]:
    """What all intakes have in common."""
    shared: Sequence[tuple[str, str, str, Mapping[Any, tuple[str, str]]]] = (
        (namespace.observations, "What is observed", "Codes for what an intake tells about.", codes.OBSERVATIONS),
        (namespace.urgency, "Urgency", "How soon somebody should act, the most urgent first.", codes.URGENCIES),
        (namespace.place, "Place of care", "Where a same-day visit should be.", codes.PLACES),
        (namespace.likelihood, "Likelihood", "How well the answers fit a cause.", codes.LIKELIHOODS),
        (namespace.finding, "Finding", "Whether a red flag is present; not assessed is never absent.", codes.FINDINGS),
    )
    for url, title, description, table in shared:
        concepts = [_concept(code, display, meaning) for code, (display, meaning) in table.items()]
        yield from _system_and_values(namespace, url, codes.VERSION, title, description, concepts)
    yield _request_priorities(namespace)


def intake_terminology(intake: Intake, namespace: Namespace) -> Iterator[dict[str, Any]]:
    """The causes and red flags of one intake, and the answer options of its Questionnaire."""
    causes = {cause.id: cause for cause in intake.causes}
    none_fits = intake.scoring.none_fits
    yield from _system_and_values(
        namespace,
        namespace.causes(intake.name),
        intake.knowledge_version,
        f"Likely causes: {intake.title}",
        "The causes that this intake ranks. A code here says nothing about a patient without its likelihood.",
        [
            *(_concept(cause.id, cause.label, cause.says, cause.coding) for cause in causes.values()),
            _concept(none_fits.id, none_fits.label, none_fits.says),
        ],
    )
    yield from _system_and_values(
        namespace,
        namespace.red_flags(intake.name),
        intake.knowledge_version,
        f"Red flags: {intake.title}",
        "Families of red-flag rows; each row that is met is named in the Observation.",
        [
            _concept(
                family,
                codes.family_label(intake, family),
                "; ".join(f"{row.id} {row.says}" for row in intake.red_flags if row.family == family),
                intake.families[family].coding,
            )
            for family in codes.families(intake)
        ],
    )
    yield from _answer_systems(intake, namespace)


def _answer_systems(intake: Intake, namespace: Namespace) -> Iterator[dict[str, Any]]:
    """A CodeSystem for every answer list of ours, in all languages; those of others are theirs to publish."""
    systems: dict[str, dict[str, Concept]] = {}
    questions: dict[str, str] = {}
    for item in _items(intake.questionnaire.items):
        for option in item.options:
            value = option.value
            if isinstance(value, Coding) and value.code and (value.system or "").startswith(f"{namespace.base}/"):
                system = str(value.system)
                questions.setdefault(system, item.text or item.link_id)
                concept = _concept(value.code, option.text)
                if texts := [{"language": lang, "value": text} for lang, text in sorted(option.texts.items()) if lang]:
                    concept["designation"] = texts
                systems.setdefault(system, {}).setdefault(value.code, concept)
    version = str(intake.questionnaire.version)
    for system, concepts in systems.items():
        description = f"The options to choose from in the questionnaire {intake.title}."
        yield _code_system(system, version, f"Answers: {questions[system]}", description, list(concepts.values()))


def _items(items: Sequence[Item]) -> Iterator[Item]:
    for item in items:
        yield item
        yield from _items(item.items)


def _concept(code: str, display: str, meaning: str = "", coding: Sequence[CodingRef] = ()) -> Concept:
    concept: Concept = {"code": code, "display": display}
    if meaning:
        concept["definition"] = meaning
    if coding:
        concept["property"] = [
            {"code": "about", "valueCoding": {"system": ref.system, "code": ref.code, "display": ref.display}}
            for ref in coding
        ]
    return concept


def _system_and_values(
    namespace: Namespace, url: str, version: str, title: str, description: str, concepts: list[Concept]
) -> Iterator[dict[str, Any]]:
    values = namespace.canonical("ValueSet", url.rpartition("/")[2])
    system = _code_system(url, version, title, description, concepts)
    yield {**system, "valueSet": values}
    all_of_it = definition("ValueSet", values, version, title, description)
    yield {**all_of_it, "compose": {"include": [{"system": url, "version": version}]}}


def _code_system(url: str, version: str, title: str, description: str, concepts: list[Concept]) -> dict[str, Any]:
    resource = definition("CodeSystem", url, version, title, description)
    resource |= {"caseSensitive": True, "content": "complete", "count": len(concepts)}
    if any("property" in concept for concept in concepts):
        resource["property"] = [_ABOUT]
    return {**resource, "concept": concepts}


def _request_priorities(namespace: Namespace) -> dict[str, Any]:
    """Urgency to the priority that a request would carry. Every line is our judgement, and says so."""
    resource = definition(
        "ConceptMap",
        namespace.urgency_to_request_priority,
        codes.VERSION,
        "Urgency to request priority",
        "For systems that turn a result into a request. The mapping is our judgement, taken from no publication.",
    )
    elements: list[dict[str, Any]] = []
    for code, (display, _) in codes.URGENCIES.items():
        if code in _PRIORITIES:
            priority, why = _PRIORITIES[code]
            target = {"code": priority, "equivalence": "inexact", "comment": f"Judgement. {why}"}
        else:
            target = {"equivalence": "unmatched", "comment": "Judgement. Nothing is to be requested."}
        elements.append({"code": code, "display": display, "target": [target]})
    return {
        **resource,
        "sourceCanonical": namespace.canonical("ValueSet", "urgency"),
        "targetCanonical": "http://hl7.org/fhir/ValueSet/request-priority",
        "group": [{"source": namespace.urgency, "target": "http://hl7.org/fhir/request-priority", "element": elements}],
    }
