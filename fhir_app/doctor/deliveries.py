"""Queued results sent until each has arrived or been refused, or the patience is at an end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fhir_app.delivery import Delivery
from fhir_app.doctor.findings import plain
from fhir_app.doctor.patience import FINAL, Patience
from fhir_app.store import outbox
from fhir_app.store.outbox import Queued

_REFUSES_TRANSACTIONS = ("400", "404", "405", "501")


def deliver_all(delivery: Delivery, patience: Patience) -> tuple[Queued, ...]:
    """The rows of the outbox afterwards, as the delivery of a running service would leave them. Raises GaveUp."""
    started = patience.clock()
    while True:
        settled = delivery.deliver_one()
        if settled is not None:
            if (settled.reason or "").startswith(FINAL):
                break
            if settled.state == "delivered" or patience.since(started) <= patience.seconds:
                continue
        waiting = [row for row in _rows(delivery) if row.state in ("pending", "unknown")]
        if not waiting:
            break
        first = min(waiting, key=lambda row: row.next_attempt_at)
        pause = max(0.1, (first.next_attempt_at - patience.clock()).total_seconds())
        if not patience.wait(started, pause, first.reason or "nothing"):
            break
    return _rows(delivery)


def problems(rows: Sequence[Queued], delivery: Delivery) -> list[str]:
    """Why rows were not delivered, in the server's words too: nothing here is about a real person."""
    return [_problem(row, delivery) for row in rows if row.state != "delivered"]


def _rows(delivery: Delivery) -> tuple[Queued, ...]:
    with delivery.database.read() as connection:
        return outbox.listing(connection)


def _problem(row: Queued, delivery: Delivery) -> str:
    reason = row.reason or "not tried"
    said = next(_diagnostics(row.outcome), None) if row.state == "rejected" else None
    words = f"{row.state}: {reason}" + (f" (it says: {plain(said)})" if said else "")
    shape = delivery.destinations[row.destination].shape if row.destination in delivery.destinations else None
    if shape is not None and shape.transactions and reason.startswith(_REFUSES_TRANSACTIONS):
        words += "; if it takes no transactions, try --destination sequential"
    return words


def _diagnostics(outcome: Any) -> Iterator[str]:
    for issue in (outcome or {}).get("issue") or ():
        details = issue.get("details")
        said = issue.get("diagnostics") or (details.get("text") if isinstance(details, dict) else None)
        if said:
            yield str(said)
