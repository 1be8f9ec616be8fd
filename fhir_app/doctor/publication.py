"""The definitions put onto the server and, because others may come to rely on them, left there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fhir_app.doctor.findings import Notes
from fhir_app.doctor.patience import FINAL, LONGEST_PAUSE, Patience
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Shape
from fhir_app.fhir.entries import Resource
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.publish import Published, publish


def publish_all(
    definitions: Sequence[Resource],
    client: FhirClient,
    shape: Shape,
    namespace: Namespace,
    patience: Patience,
    notes: Notes,
) -> Counter[str]:
    """The finding `published`; returns how many were created, unchanged and so on. Raises GaveUp."""
    settled: list[Published] = []
    for number, resource in enumerate(definitions, start=1):
        notes.tell(f"publishing {number} of {len(definitions)}: {resource['resourceType']}")
        settled.append(_publish_one(resource, client, shape, namespace, patience))
        if (settled[-1].reason or "").startswith(FINAL):
            break
    problems = [f"{each.resource_type} {each.name}: {each.reason}" for each in settled if not each.is_there]
    counted: Counter[str] = Counter(each.result for each in settled)
    notes.judge("published", problems, ", ".join(f"{number} {result}" for result, number in sorted(counted.items())))
    return counted


def _publish_one(
    resource: Resource, client: FhirClient, shape: Shape, namespace: Namespace, patience: Patience
) -> Published:
    """Again while the server is busy: publishing looks first, so that nothing is made twice."""
    started, pause = patience.clock(), 0.5
    while True:
        (result,) = publish(client, [resource], shape=shape, namespace=namespace)
        reason = result.reason or ""
        if result.result != "try again" or reason.startswith(FINAL) or not patience.wait(started, pause, reason):
            return result
        pause = min(2 * pause, LONGEST_PAUSE)
