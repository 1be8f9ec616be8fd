"""Write-backs: what each revision led to. Its resources stand in the embedded record, once for all revisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from fhir_app.fhir.read_json import dump_json, read_json
from fhir_app.fhir.writeback import WriteBack
from fhir_app.store.record import applied, difference, recorded, with_body, write
from fhir_app.store.tables import record, submissions, write_backs, written

_RESPONSE = "questionnaire_response"
_ROLES = {
    "organization": "organization",
    "device": "device",
    _RESPONSE: _RESPONSE,
    "flags": "flags",
    "retracted_flags": "retracted_flags",
    "summary": "summary",
    "superseded_document": "earlier_documents",
    "document": "document",
    "provenance": "provenance",
}
"""What the table calls each part, in dependency order, and the field of a WriteBack that holds it."""
_SEVERAL = ("flags", "retracted_flags", "earlier_documents")
_INSERT = insert(write_backs)
_INSERT_WRITTEN = insert(written)


def add(
    connection: Connection,
    write_back: WriteBack,
    *,
    submission_id: str,
    origin: str,
    now: datetime,
    received: Mapping[str, Any],
) -> int | None:
    """Keep a write-back with every resource of it; `received` is the parsed body of its submission.

    A response that is not written (its origin holds it, or its result is unverified) is kept here and not put into the
    record, where it would be read like any other. Returns its version in the record, None when it is not there.
    """
    apart = not write_back.writes_response
    response = difference(write_back.questionnaire_response, received) if apart else None
    connection.execute(
        _INSERT,
        {
            "submission_id": submission_id,
            "held_by_origin": write_back.held_by_origin,
            "released": write_back.released,
            "response": None if response is None else dump_json(response),
        },
    )
    parts = list(_parts(write_back))
    resources = [resource for _, resource in parts]
    kept = write(connection, resources, submission_id=submission_id, origin=origin, now=now, received=received)
    links = [
        {"submission_id": submission_id, "position": position, "role": role, "record_id": where.row_id}
        for position, ((role, _), where) in enumerate(zip(parts, kept, strict=True))
    ]
    connection.execute(_INSERT_WRITTEN, links)
    versions = (where.version for (role, _), where in zip(parts, kept, strict=True) if role == _RESPONSE)
    return next(versions, None)


def get(connection: Connection, submission_id: str) -> WriteBack | None:
    """The write-back of a submission, equal to the one that was added; None when nothing was made of it."""
    query = (
        select(write_backs, submissions.c.body)
        .join(submissions, submissions.c.id == write_backs.c.submission_id)
        .where(write_backs.c.submission_id == submission_id)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    found: dict[str, Any] = dict.fromkeys(_ROLES.values()) | dict.fromkeys(_SEVERAL, ())
    if row.response is not None:
        found[_RESPONSE] = applied(read_json(row.response), read_json(row.body))
    for role, resource in _resources(connection, submission_id):
        name = _ROLES[role]
        found[name] = (*found[name], resource) if name in _SEVERAL else resource
    return WriteBack(**found, held_by_origin=row.held_by_origin, released=row.released)


def _parts(write_back: WriteBack) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for role, name in _ROLES.items():
        part = getattr(write_back, name)
        if name in _SEVERAL:
            yield from ((role, resource) for resource in part)
        elif part is not None and (role != _RESPONSE or write_back.writes_response):
            yield role, part


def _resources(connection: Connection, submission_id: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    query = (
        with_body()
        .add_columns(written.c.role)
        .join(written, written.c.record_id == record.c.id)
        .where(written.c.submission_id == submission_id)
        .order_by(written.c.position)
    )
    for row in connection.execute(query):
        yield row.role, recorded(row).resource
