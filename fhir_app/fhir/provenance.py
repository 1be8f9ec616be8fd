"""Who made the results, for whom, and from what (http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from fhir_app.fhir import codes
from fhir_app.fhir.identifiers import provenance_id, reference, response_reference
from fhir_app.fhir.observation import Circumstances
from fhir_app.fhir.parties import narrative

Activity = Literal["create", "update", "nullify"]
_ACTIVITIES: Mapping[Activity, Mapping[str, str]] = {
    "create": codes.CREATE,
    "update": codes.UPDATE,
    "nullify": codes.NULLIFY,
}


def provenance(
    circumstances: Circumstances, targets: Sequence[Mapping[str, Any]], activity: Activity
) -> dict[str, Any]:
    """R4's Provenance has no identifier: its tag finds it where its id is not ours to choose."""
    c = circumstances
    own_id = provenance_id(c.namespace, c.received, activity)
    author: dict[str, Any] = {"type": codes.concept(codes.AUTHOR), "who": reference(c.device)}
    agents = [author]
    if c.organization is not None:
        author["onBehalfOf"] = reference(c.organization)
        agents.append({"type": codes.concept(codes.TRANSMITTER), "who": reference(c.organization)})
    return {
        "resourceType": "Provenance",
        "id": own_id,
        "meta": {"tag": [{"system": c.namespace.provenance_tags, "code": own_id}]},
        "text": narrative(f"Made from the response to the questionnaire: {c.intake.title}"),
        "target": [reference(target) for target in targets],
        "recorded": c.received.accepted,
        "activity": codes.concept(_ACTIVITIES[activity]),
        "agent": agents,
        "entity": [
            {"role": "source", "what": response_reference(c.received, c.intake.title, c.response_as)},
            {"role": "source", "what": _knowledge(c)},
        ],
    }


def _knowledge(c: Circumstances) -> dict[str, Any]:
    """By identifier: servers refuse a reference to `Library|version`."""
    version = c.intake.knowledge_version
    return {
        "type": "Library",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"{c.namespace.library(c.intake.name)}|{version}"},
        "display": f"Knowledge {c.intake.name} {version}",
    }
