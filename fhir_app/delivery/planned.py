"""What would be sent, for `--dry-run`: read from store and destination, written nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fhir_app.delivery.attempt import NOTHING_TO_WRITE, is_correction
from fhir_app.delivery.deliver import NOT_CONFIGURED, NOTHING_RECORDED, Delivery
from fhir_app.delivery.look_up import LookedUp, look_up
from fhir_app.fhir.bundle import transaction_bundle
from fhir_app.fhir.client import FhirClient
from fhir_app.store import outbox
from fhir_app.store.outbox import Queued

WAITING: tuple[outbox.State, ...] = ("pending", "unknown")


@dataclass(frozen=True)
class Planned:
    """The Bundle for one row, or why there is none; `failed` when it could not be found out."""

    row: Queued
    bundle: Mapping[str, Any] | None
    reason: str | None = None
    failed: bool = False


def planned(delivery: Delivery) -> Iterator[Planned]:
    """Every row that waits, in the order in which they were queued; the PDF of a leaflet is left out."""
    after = 0
    while True:
        with delivery.database.read() as connection:
            rows = outbox.listing(connection, states=WAITING, after=after)
        if not rows:
            return
        yield from (plan(delivery, row) for row in rows)
        after = rows[-1].id


def plan(delivery: Delivery, row: Queued) -> Planned:
    """The Bundle that would be sent now for one row. A destination without transactions gets the same, one by one."""
    destination = delivery.destinations.get(row.destination)
    if destination is None:
        return Planned(row, None, NOT_CONFIGURED)
    resources = replace(delivery, render=None).resources(row.submission_id, destination)
    if not resources:
        return Planned(row, None, NOTHING_RECORDED)
    known = LookedUp({})
    if is_correction(resources):
        client = delivery.client(destination)
        found = look_up(client, resources, delivery.namespace) if isinstance(client, FhirClient) else client
        if not isinstance(found, LookedUp):
            return Planned(row, None, found.reason, failed=True)
        known = found
    bundle = transaction_bundle(resources, destination.shape, namespace=delivery.namespace, known=known.known)
    return Planned(row, bundle, None if bundle else NOTHING_TO_WRITE)
