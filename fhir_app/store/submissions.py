"""Submissions: every QuestionnaireResponse that came in, its bytes exactly as received, valid or not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from fhir_app.errors import Issue
from fhir_app.store.assessments import unpacked
from fhir_app.store.tables import assessments, submissions, write_backs


@dataclass(frozen=True)
class Revision:
    """One revision of an identity. `order` says which is newer; equal orders are in the order of `arrival`.

    `wrote`: something was made of it that is delivered or served."""

    id: str
    order: tuple[int, str]
    arrival: int
    newest: bool
    status: str | None
    canonical: str | None
    wrote: bool


@dataclass(frozen=True)
class Submission:
    """A submission without its bytes. `valid`: no issue in it is an error."""

    id: str
    origin: str
    identity: str
    revision: str
    order: tuple[int, str]
    arrival: int
    newest: bool
    body_hash: str
    status: str | None
    valid: bool
    canonical: str | None
    subject: str | None
    encounter: str | None
    authored: str | None
    language: str | None
    issues: tuple[Issue, ...]
    accepted: datetime


@dataclass(frozen=True)
class Listed:
    """One line of a work list. `assessment` is the published JSON, None when there was nothing to assess with."""

    submission: Submission
    urgency: int
    flagged: bool
    assessment: Mapping[str, Any] | None
    mark: str


_FOR_NOBODY = -1
_NOT_ASSESSED = 35
"""Between "soon", 30, and "same-day", from 40 on: the tens are `knowledge.intake.Urgency`, see `arrival.py`."""

_PLAIN = tuple(field.name for field in fields(Submission) if field.name not in ("order", "issues"))
_COLUMNS = (*(submissions.c[name] for name in _PLAIN), submissions.c.order_key, submissions.c.issues)

# Statements of every submission are built once: to build one takes longer than to run it.
_INSERT = insert(submissions)
_WITH_BODY = (
    select(*_COLUMNS)
    .where(submissions.c.origin == bindparam("origin"), submissions.c.body_hash == bindparam("body_hash"))
    .order_by(submissions.c.accepted.desc())
    .limit(1)
)
_REVISIONS = (
    select(
        *(submissions.c[name] for name in ("id", "order_key", "arrival", "newest", "status", "canonical")),
        exists().where(write_backs.c.submission_id == submissions.c.id).label("wrote"),
    )
    .where(submissions.c.origin == bindparam("origin"), submissions.c.identity == bindparam("identity"))
    .order_by(submissions.c.arrival)
)


def add(connection: Connection, submission: Submission, body: bytes, *, replaces: bool = True) -> None:
    """Store a submission. When it is the newest of its identity and `replaces` the one that was, that one is so no
    longer."""
    if submission.newest and submission.arrival > 0 and replaces:
        connection.execute(update(submissions).where(_revisions_of(submission)).values(newest=False))
    values = {name: getattr(submission, name) for name in _PLAIN}
    values["body"] = body
    values["order_key"] = json.dumps(submission.order)
    values["issues"] = json.dumps([asdict(issue) for issue in submission.issues], ensure_ascii=False)
    connection.execute(_INSERT, values)


def get(connection: Connection, submission_id: str) -> Submission | None:
    """The submission with this id."""
    row = connection.execute(select(*_COLUMNS).where(submissions.c.id == submission_id)).first()
    return None if row is None else _submission(row)


def body(connection: Connection, submission_id: str) -> bytes | None:
    """The bytes of a submission, exactly as received."""
    found: bytes | None = connection.execute(
        select(submissions.c.body).where(submissions.c.id == submission_id)
    ).scalar()
    return found


def with_body(connection: Connection, origin: str, body_hash: str) -> Submission | None:
    """The last submission from this origin whose bytes had this hash."""
    row = connection.execute(_WITH_BODY, {"origin": origin, "body_hash": body_hash}).first()
    return None if row is None else _submission(row)


def revisions(connection: Connection, origin: str, identity: str) -> tuple[Revision, ...]:
    """What is known of an identity, in the order of arrival."""
    return tuple(
        Revision(row.id, _order(row.order_key), row.arrival, row.newest, row.status, row.canonical, bool(row.wrote))
        for row in connection.execute(_REVISIONS, {"origin": origin, "identity": identity})
    )


def is_known(connection: Connection, identity: str) -> bool:
    """Whether this identity is known from any origin. Reads the whole index: for the rare case alone."""
    return bool(connection.execute(select(exists().where(submissions.c.identity == identity))).scalar())


def remove(connection: Connection, submission_id: str) -> None:
    """Take out a refused submission that nothing was made of, so that it can be read again with newer knowledge."""
    connection.execute(delete(submissions).where(submissions.c.id == submission_id))


def listing(
    connection: Connection,
    *,
    origin: str | None = None,
    subject: str | None = None,
    flagged_only: bool = False,
    all_revisions: bool = False,
    limit: int = 50,
    after: str | None = None,
) -> tuple[Listed, ...]:
    """A work list: most urgent first, then newest first. `subject` is a reference of `origin`.

    What could not be assessed, such as a response to an unknown Questionnaire, may hide anything: it stands above all
    that is known to wait for days, and below what is known to need somebody today.
    Only the newest revision of each identity unless `all_revisions`; `after` is the `mark` of the line before.
    """
    urgency = _urgency()
    query: Select[Any] = (
        select(*_COLUMNS, urgency.label("urgency"), assessments.c.flagged, assessments.c.content)
        .select_from(submissions.outerjoin(assessments, assessments.c.submission_id == submissions.c.id))
        .where(
            true() if origin is None else submissions.c.origin == origin,
            true() if subject is None else submissions.c.subject == subject,
            true() if all_revisions else submissions.c.newest,
            assessments.c.flagged if flagged_only else true(),
            true() if after is None else _below(after),
        )
        .order_by(urgency.desc(), submissions.c.accepted.desc(), submissions.c.id)
        .limit(limit)
    )
    return tuple(_listed(row) for row in connection.execute(query))


def _urgency() -> ColumnElement[int]:
    withdrawn = submissions.c.status == "entered-in-error"
    return case((withdrawn, _FOR_NOBODY), else_=func.coalesce(assessments.c.urgency, _NOT_ASSESSED))


def _below(mark: str) -> ColumnElement[bool]:
    urgency, accepted, submission_id = json.loads(mark)
    at = datetime.fromisoformat(accepted)
    return or_(
        _urgency() < urgency,
        and_(_urgency() == urgency, submissions.c.accepted < at),
        and_(_urgency() == urgency, submissions.c.accepted == at, submissions.c.id > submission_id),
    )


def _listed(row: Row[Any]) -> Listed:
    return Listed(
        submission=_submission(row),
        urgency=row.urgency,
        flagged=bool(row.flagged),
        assessment=None if row.content is None else unpacked(row.content),
        mark=json.dumps([row.urgency, row.accepted.isoformat(), row.id]),
    )


def _revisions_of(submission: Submission) -> ColumnElement[bool]:
    return and_(submissions.c.origin == submission.origin, submissions.c.identity == submission.identity)


def _submission(row: Row[Any]) -> Submission:
    values = {name: row._mapping[name] for name in _PLAIN}
    issues = tuple(Issue(**issue) for issue in json.loads(row.issues))
    return Submission(**values, order=_order(row.order_key), issues=issues)


def _order(order_key: str) -> tuple[int, str]:
    number, text = json.loads(order_key)
    return number, text
