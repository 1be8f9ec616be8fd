"""The embedded record: every resource that we made or hold, with its versions, to be read under /fhir."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, insert, select, update

from fhir_app.fhir.read_json import dump_json, read_json
from fhir_app.store.search_parameters import index_rows
from fhir_app.store.tables import record, record_search, submissions


@dataclass(frozen=True)
class Recorded:
    """One version of one resource, as it was made (without server's meta), and what the record knows about it."""

    resource: Mapping[str, Any]
    origin: str
    version: int
    last_updated: datetime
    is_current: bool

    @property
    def served(self) -> dict[str, Any]:
        """The resource as a server shows it, with version and time (https://hl7.org/fhir/R4/resource.html#Meta).

        `meta.source` names the server that its references belong to, when that is another one.
        """
        meta = dict(self.resource.get("meta") or {})
        meta["versionId"] = str(self.version)
        meta["lastUpdated"] = self.last_updated.astimezone(UTC).isoformat(timespec="milliseconds")
        if self.origin != "local":
            meta["source"] = self.origin
        head = {"resourceType": self.resource["resourceType"], "id": self.resource["id"], "meta": meta}
        return head | {key: value for key, value in self.resource.items() if key not in head}


def write(
    connection: Connection,
    resources: Sequence[Mapping[str, Any]],
    *,
    submission_id: str,
    origin: str,
    now: datetime,
    received: Mapping[str, Any],
) -> list[int]:
    """Keep resources that one submission led to; what says the same as before gets no new version.

    Returns the id of the row that holds each. `received` is the parsed body of that submission: of a
    QuestionnaireResponse only what differs from it is kept here, so that the answers are stored once.
    """
    before = _current(connection, [resource["id"] for resource in resources])
    return [
        _write_one(
            connection,
            resource,
            before.get((resource["resourceType"], resource["id"])),
            received if resource["resourceType"] == "QuestionnaireResponse" else None,
            {"submission_id": submission_id, "origin": origin, "last_updated": now},
        )
        for resource in resources
    ]


def _write_one(
    connection: Connection,
    resource: Mapping[str, Any],
    known: Row[Any] | None,
    received: Mapping[str, Any] | None,
    where_from: Mapping[str, Any],
) -> int:
    content = dump_json(resource if received is None else difference(resource, received))
    if known is not None and received is None and not known.is_overlay and known.content == content:
        return int(known.id)
    if known is not None:
        _retire(connection, known.id)
    row_id: int = connection.execute(
        insert(record)
        .returning(record.c.id)
        .values(
            resource_type=resource["resourceType"],
            resource_id=resource["id"],
            version=1 if known is None else known.version + 1,
            is_current=True,
            content=content,
            is_overlay=received is not None,
            **where_from,
        )
    ).scalar_one()
    _index(connection, row_id, resource)
    return row_id


def read(connection: Connection, resource_type: str, resource_id: str, version: int | None = None) -> Recorded | None:
    """The current version, or the one asked for; None when there is none."""
    wanted = record.c.is_current if version is None else record.c.version == version
    row = connection.execute(
        with_body().where(record.c.resource_type == resource_type, record.c.resource_id == resource_id, wanted)
    ).first()
    return None if row is None else recorded(row)


def response_of(connection: Connection, submission_id: str) -> Recorded | None:
    """The version of the QuestionnaireResponse that this submission brought."""
    row = connection.execute(with_body().where(record.c.submission_id == submission_id, record.c.is_overlay)).first()
    return None if row is None else recorded(row)


def recorded(row: Row[Any]) -> Recorded:
    """A row of the record, joined with the body of its submission."""
    resource = read_json(row.content)
    if row.is_overlay:
        resource = applied(resource, read_json(row.body))
    return Recorded(resource, row.origin, row.version, row.last_updated, row.is_current)


def difference(resource: Mapping[str, Any], received: Mapping[str, Any]) -> dict[str, Any]:
    """The members that differ; None for those that are gone (FHIR has no null at this level)."""
    changed = {key: value for key, value in resource.items() if key not in received or received[key] != value}
    return changed | {key: None for key in received if key not in resource}


def applied(changed: Mapping[str, Any], received: Mapping[str, Any]) -> dict[str, Any]:
    """The resource that `difference` was taken of."""
    return {key: value for key, value in {**received, **changed}.items() if value is not None}


def with_body() -> Select[Any]:
    """Rows that `recorded` reads."""
    both = record.outerjoin(submissions, and_(record.c.is_overlay, record.c.submission_id == submissions.c.id))
    return select(*record.c, submissions.c.body).select_from(both)


def _current(connection: Connection, resource_ids: Sequence[str]) -> dict[tuple[str, str], Row[Any]]:
    query = select(record).where(record.c.resource_id.in_(resource_ids), record.c.is_current)
    return {(row.resource_type, row.resource_id): row for row in connection.execute(query)}


def _retire(connection: Connection, row_id: int) -> None:
    connection.execute(update(record).where(record.c.id == row_id).values(is_current=False))
    connection.execute(delete(record_search).where(record_search.c.record_id == row_id))


def _index(connection: Connection, row_id: int, resource: Mapping[str, Any]) -> None:
    rows = [
        {
            "record_id": row_id,
            "parameter": row.parameter,
            "system": row.system,
            "value": row.value,
            "low": None if row.span is None else row.span.low,
            "high": None if row.span is None else row.span.high,
        }
        for row in index_rows(resource)
    ]
    if rows:
        connection.execute(insert(record_search), rows)
