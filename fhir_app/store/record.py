"""The embedded record: every resource that we made or hold, with its versions, to be read under /fhir."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, delete, insert, select, update

from fhir_app.fhir.read_json import dump_json, read_json
from fhir_app.store.packed import pack, unpack
from fhir_app.store.search_parameters import index_rows
from fhir_app.store.tables import record, record_search, submissions
from fhir_app.store.turns import take_turns

Key = tuple[str, str]

# What all responses have in common: two transactions may come to write it for the first time at once.
SHARED = frozenset({"Device", "Organization"})
_INSERT = insert(record).returning(record.c.id, record.c.resource_type, record.c.resource_id)
_INSERT_INDEX = insert(record_search)
# Statements of every submission are built once: to build one takes longer than to run it.
_CURRENT = select(record).where(record.c.resource_id.in_(bindparam("ids", expanding=True)), record.c.is_current)


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


@dataclass(frozen=True)
class Kept:
    """Where `write` put a resource: the row that holds it, and its version."""

    row_id: int
    version: int


def write(
    connection: Connection,
    resources: Sequence[Mapping[str, Any]],
    *,
    submission_id: str,
    origin: str,
    now: datetime,
    received: Mapping[str, Any],
) -> tuple[Kept, ...]:
    """Keep resources that one submission led to, in this order; what says the same as before gets no new version.

    `received` is the parsed body of that submission: of a QuestionnaireResponse only what differs from it is kept
    here, so that the answers are stored once.
    """
    before = _current(connection, resources)
    if any(resource["resourceType"] in SHARED and _key(resource) not in before for resource in resources):
        take_turns(connection, "record")
        before = _current(connection, resources)
    kept: dict[Key, Kept] = {}
    changed: list[Mapping[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for resource in resources:
        old = before.get(_key(resource))
        is_overlay = resource["resourceType"] == "QuestionnaireResponse"
        content = dump_json(difference(resource, received) if is_overlay else resource)
        if old is not None and not is_overlay and unpack(old.content) == content:
            kept[_key(resource)] = Kept(old.id, old.version)
            continue
        changed.append(resource)
        rows.append(
            {
                "resource_type": resource["resourceType"],
                "resource_id": resource["id"],
                "version": 1 if old is None else old.version + 1,
                "is_current": True,
                "origin": origin,
                "last_updated": now,
                "content": pack(content),
                "is_overlay": is_overlay,
                "submission_id": submission_id,
            }
        )
    _retire(connection, [before[_key(resource)].id for resource in changed if _key(resource) in before])
    # Databases do not promise to return rows in the order in which they were given.
    returned = connection.execute(_INSERT, rows) if rows else ()
    row_ids = {(row.resource_type, row.resource_id): row.id for row in returned}
    kept |= {
        _key(resource): Kept(row_ids[_key(resource)], row["version"])
        for resource, row in zip(changed, rows, strict=True)
    }
    _index(connection, row_ids, changed)
    return tuple(kept[_key(resource)] for resource in resources)


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
    resource = read_json(unpack(row.content))
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


def _key(resource: Mapping[str, Any]) -> Key:
    return resource["resourceType"], resource["id"]


def _current(connection: Connection, resources: Sequence[Mapping[str, Any]]) -> dict[Key, Row[Any]]:
    ids = {"ids": [resource["id"] for resource in resources]}
    return {(row.resource_type, row.resource_id): row for row in connection.execute(_CURRENT, ids)}


def _retire(connection: Connection, row_ids: Sequence[int]) -> None:
    """These are no longer the current versions, and searches find current ones alone."""
    if row_ids:
        connection.execute(update(record).where(record.c.id.in_(row_ids)).values(is_current=False))
        connection.execute(delete(record_search).where(record_search.c.record_id.in_(row_ids)))


def _index(connection: Connection, row_ids: Mapping[Key, int], resources: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        {
            "record_id": row_ids[_key(resource)],
            "parameter": row.parameter,
            "system": row.system,
            "value": row.value,
            "low": None if row.span is None else row.span.low,
            "high": None if row.span is None else row.span.high,
        }
        for resource in resources
        for row in index_rows(resource)
    ]
    if rows:
        connection.execute(_INSERT_INDEX, rows)
