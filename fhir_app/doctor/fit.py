"""Which kind of destination a server is, by what its CapabilityStatement declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_app.doctor.findings import plain

WRITTEN = ("Organization", "Device", "QuestionnaireResponse", "Observation", "DocumentReference", "Provenance")


@dataclass(frozen=True)
class Fit:
    """`undeclared`: types that are written and that the server, which lists its types, does not list."""

    kind: str
    because: str
    undeclared: tuple[str, ...] = ()


def fit(capability: Mapping[str, Any]) -> Fit:
    """The first kind in the order hapi, generic-r4, sequential of which the server declares what it needs.

    A transaction needs creation on a condition, or a second delivery would double it; `hapi` needs as well that
    a PUT under an id of ours creates (http://hl7.org/fhir/R4/capabilitystatement.html). HAPI does not declare that
    it does, so there its name counts.
    """
    rest = next((each for each in _objects(capability.get("rest")) if each.get("mode", "server") == "server"), {})
    declared = {str(each.get("type")): each for each in _objects(rest.get("resource"))}
    undeclared = tuple(kind for kind in WRITTEN if declared and kind not in declared)
    transactions = any(each.get("code") == "transaction" for each in _objects(rest.get("interaction")))
    if not transactions:
        return Fit("sequential", "it does not declare transactions", undeclared)
    unconditional = [
        kind for kind in WRITTEN if kind in declared and declared[kind].get("conditionalCreate") is not True
    ]
    if unconditional or not declared:
        return Fit("sequential", "it declares transactions, but not creation on a condition", undeclared)
    if (declared.get("Provenance") or {}).get("updateCreate") is True:
        because = "it declares transactions, creation on a condition, and ids of the client's choice"
        return Fit("hapi", because, undeclared)
    if "hapi" in software(capability).lower():
        because = "it is HAPI, and declares transactions and creation on a condition"
        return Fit("hapi", because, undeclared)
    because = "it declares transactions and creation on a condition, but no ids of the client's choice"
    return Fit("generic-r4", because, undeclared)


def software(capability: Mapping[str, Any]) -> str:
    """Name and version of what runs there, as far as it says."""
    said = capability.get("software")
    parts = [said.get("name"), said.get("version")] if isinstance(said, Mapping) else []
    return plain(" ".join(str(part) for part in parts if part) or "unnamed software", 80)


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects in what should be a list of objects: servers err even here."""
    return (each for each in value if isinstance(each, Mapping)) if isinstance(value, list) else iter(())
