"""A whole result as one transaction Bundle (https://hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fhir_app.fhir.destinations import Shape
from fhir_app.fhir.entries import Key, Known, Resource, Write, key_of, urn, with_references, writes
from fhir_app.fhir.namespace import Namespace


def transaction_bundle(
    resources: Sequence[Resource],
    shape: Shape,
    *,
    namespace: Namespace,
    known: Mapping[Key, Known] | None = None,
) -> dict[str, Any] | None:
    """The Bundle that writes `resources` to a server of this shape, or None when there is nothing to write.

    `known` is what the server already holds of them: those are updated, on the condition that they still are as they
    were read (`ifMatch`), and all others are created on the condition that nobody did so before (`ifNoneExist`).
    References inside the Bundle are `urn:uuid` of the entries, or the server's own ids; none is absolute, since HAPI
    refuses even its own base. The same input gives the same Bundle.
    """
    known = known or {}
    planned = writes(resources, known, shape, namespace)
    if not planned:
        return None
    created = {write.key for write in planned if write.method == "POST"}

    def replacement(key: Key) -> dict[str, str] | None:
        if key in created:
            return {"reference": urn(key)}
        return {"reference": f"{key[0]}/{known[key].id}"} if key in known else None

    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": urn(write.key),
                "resource": with_references(write.resource, replacement),
                "request": _request(write),
            }
            for write in planned
        ],
    }


def _request(write: Write) -> dict[str, str]:
    if write.method == "POST":
        return {"method": "POST", "url": write.key[0], "ifNoneExist": str(write.condition)}
    request = {"method": "PUT", "url": "/".join(key_of(write.resource))}
    return request if write.version is None else {**request, "ifMatch": f'W/"{write.version}"'}
