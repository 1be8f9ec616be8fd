"""What a destination holds of ours: under which id and version, and with which content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from fhir_app.store.tables import write_ledger


@dataclass(frozen=True)
class Written:
    """One resource at a destination. `resource_id` is ours, `server_id` and `server_version` are the server's;
    `digest` is of the content that was sent last, by the delivery of `submission_id`."""

    destination: str
    resource_type: str
    resource_id: str
    submission_id: str
    digest: str
    server_id: str
    server_version: str | None
    written_at: datetime


def note(connection: Connection, entry: Written) -> None:
    """Write down what the destination just confirmed, in place of what stood there for this resource."""
    connection.execute(
        delete(write_ledger).where(
            write_ledger.c.destination == entry.destination,
            write_ledger.c.resource_type == entry.resource_type,
            write_ledger.c.resource_id == entry.resource_id,
        )
    )
    connection.execute(insert(write_ledger).values(**vars(entry)))


def known(connection: Connection, destination: str, resource_ids: Iterable[str]) -> dict[str, Written]:
    """What the destination holds of these resources, by `Type/our id`."""
    query = select(write_ledger).where(
        write_ledger.c.destination == destination, write_ledger.c.resource_id.in_(tuple(resource_ids))
    )
    return {f"{row.resource_type}/{row.resource_id}": Written(**row._mapping) for row in connection.execute(query)}
