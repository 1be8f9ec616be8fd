"""The outbox: one row for each submission that a destination is owed, and the one truth about its delivery."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Row, Select, and_, bindparam, exists, func, insert, or_, select, update

from fhir_app.store.tables import outbox

State = Literal["pending", "delivered", "rejected", "unknown", "held", "superseded"]
STATES: tuple[State, ...] = get_args(State)
NEWER_WAS_SENT = "a newer revision was sent before"
# The destination of a held row that nobody has mapped to one.
UNMAPPED = ""

_INSERT = insert(outbox).returning(outbox.c.id)


@dataclass(frozen=True)
class Queued:
    """One row. `outcome` is what the destination said last (an OperationOutcome, or what we know about its reply)."""

    id: int
    submission_id: str
    origin: str
    identity: str
    sequence: int
    destination: str
    state: State
    attempts: int
    next_attempt_at: datetime
    lease_owner: str | None
    lease_until: datetime | None
    reason: str | None
    outcome: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Claimed:
    """A row that is ours to send until `lease_until`.

    `attempts` counts this try. `look_up_first`: an earlier try may have reached the destination (its reply was
    lost, or its worker died holding the lease), so ask for our identifiers before sending anything.
    """

    id: int
    submission_id: str
    origin: str
    identity: str
    sequence: int
    destination: str
    attempts: int
    lease_until: datetime
    look_up_first: bool


def put(
    connection: Connection,
    *,
    submission_id: str,
    origin: str,
    identity: str,
    sequence: int,
    destination: str,
    now: datetime,
    state: State = "pending",
    reason: str | None = None,
) -> int:
    """Queue a submission; returns the id of the row. `sequence` orders the revisions of one (origin, identity)."""
    inserted = connection.execute(
        _INSERT,
        {
            "submission_id": submission_id,
            "origin": origin,
            "identity": identity,
            "destination": destination,
            "sequence": sequence,
            "state": state,
            "next_attempt_at": now,
            "reason": reason,
            "created_at": now,
            "updated_at": now,
        },
    )
    return int(inserted.scalar_one())


def claim(connection: Connection, owner: str, now: datetime, lease_seconds: float) -> Claimed | None:
    """Take the row that has been due for longest, or None when nothing is due.

    Never a revision before an earlier one of the same identity is settled (delivered, rejected, superseded), and
    never an older one after a newer one was sent: that one becomes `superseded`.
    """
    while (row := connection.execute(_next_due(now)).first()) is not None:
        if _newer_was_sent(connection, row):
            _change(connection, row.id, now, state="superseded", reason=NEWER_WAS_SENT, lease_owner=None)
            continue
        lease_until = now + timedelta(seconds=lease_seconds)
        look_up_first = row.state == "unknown" or row.lease_owner is not None
        _change(
            connection,
            row.id,
            now,
            state="unknown" if look_up_first else row.state,
            attempts=row.attempts + 1,
            lease_owner=owner,
            lease_until=lease_until,
        )
        return Claimed(
            id=row.id,
            submission_id=row.submission_id,
            origin=row.origin,
            identity=row.identity,
            sequence=row.sequence,
            destination=row.destination,
            attempts=row.attempts + 1,
            lease_until=lease_until,
            look_up_first=look_up_first,
        )
    return None


def settle(
    connection: Connection,
    row_id: int,
    owner: str,
    state: Literal["delivered", "rejected", "held", "superseded"],
    now: datetime,
    *,
    reason: str | None = None,
    outcome: Mapping[str, Any] | None = None,
) -> bool:
    """End our try. False, and nothing changed, when the lease is no longer ours."""
    return _release(connection, row_id, owner, now, state=state, reason=reason, outcome=_dumped(outcome))


def retry(
    connection: Connection,
    row_id: int,
    owner: str,
    next_attempt_at: datetime,
    now: datetime,
    *,
    state: Literal["pending", "unknown"] = "pending",
    reason: str | None = None,
    outcome: Mapping[str, Any] | None = None,
) -> bool:
    """Try again later: `pending` when nothing was written, `unknown` when that cannot be known.

    False, and nothing changed, when the lease is no longer ours.
    """
    return _release(
        connection,
        row_id,
        owner,
        now,
        state=state,
        next_attempt_at=next_attempt_at,
        reason=reason,
        outcome=_dumped(outcome),
    )


def renew(connection: Connection, row_id: int, owner: str, lease_until: datetime, now: datetime) -> bool:
    """Keep a row longer, for a destination that is slow. False when the lease is no longer ours."""
    changed = connection.execute(
        update(outbox).where(_leased_by(row_id, owner)).values(lease_until=lease_until, updated_at=now)
    )
    return changed.rowcount == 1


def requeue(connection: Connection, row_id: int, now: datetime, *, destination: str | None = None) -> bool:
    """Make a rejected, held or unknown row due again, by a person's decision; `destination` maps a held one.

    An unknown row stays unknown, so that it is looked up first. False, and nothing changed, when the row is in no
    such state, is being sent at this moment, or has no destination yet and gets none.
    """
    row = connection.execute(
        select(outbox).where(
            outbox.c.id == row_id,
            outbox.c.state.in_(("rejected", "held", "unknown")),
            or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now),
        )
    ).first()
    if row is None or (destination or row.destination) == UNMAPPED:
        return False
    _change(
        connection,
        row_id,
        now,
        state="unknown" if row.state == "unknown" else "pending",
        destination=destination or row.destination,
        next_attempt_at=now,
        reason=None,
    )
    return True


def get(connection: Connection, row_id: int) -> Queued | None:
    """One row by its id."""
    row = connection.execute(select(outbox).where(outbox.c.id == row_id)).first()
    return None if row is None else _queued(row)


def of_submission(connection: Connection, submission_id: str) -> tuple[Queued, ...]:
    """The rows of one submission, first queued first."""
    query = select(outbox).where(outbox.c.submission_id == submission_id).order_by(outbox.c.id)
    return tuple(_queued(row) for row in connection.execute(query))


def is_known_at(connection: Connection, *, origin: str, identity: str, destination: str) -> bool:
    """Whether any revision of this identity is or was to be sent to this destination."""
    return bool(connection.execute(select(exists().where(_same_identity(origin, identity, destination)))).scalar())


def listing(
    connection: Connection, *, states: Sequence[State] = STATES, after: int = 0, limit: int = 100
) -> tuple[Queued, ...]:
    """Rows in these states with an id above `after`, oldest first."""
    query = select(outbox).where(outbox.c.state.in_(states), outbox.c.id > after).order_by(outbox.c.id).limit(limit)
    return tuple(_queued(row) for row in connection.execute(query))


def counts(connection: Connection) -> dict[State, int]:
    """How many rows are in each state, zeros included."""
    found = dict.fromkeys(STATES, 0)
    for state, number in connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state)):
        found[state] = number
    return found


def next_due(connection: Connection) -> datetime | None:
    """When the next unsettled row is due (it may still be leased or wait for an earlier revision), None if none."""
    moment: datetime | None = connection.execute(
        select(func.min(outbox.c.next_attempt_at)).where(_unsettled())
    ).scalar()
    return moment


def _next_due(now: datetime) -> Select[Any]:
    earlier = outbox.alias("earlier")
    waits_for_earlier = exists().where(
        earlier.c.origin == outbox.c.origin,
        earlier.c.identity == outbox.c.identity,
        earlier.c.destination == outbox.c.destination,
        earlier.c.sequence < outbox.c.sequence,
        earlier.c.state.in_(("pending", "unknown", "held")),
    )
    return (
        select(outbox)
        .where(
            _unsettled(),
            outbox.c.next_attempt_at <= now,
            or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now),
            ~waits_for_earlier,
        )
        .order_by(outbox.c.next_attempt_at, outbox.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=outbox)
    )


def _unsettled() -> Any:
    # Written out in the statement, not bound: only then does SQLite see that the partial index serves it.
    return outbox.c.state.in_(bindparam("unsettled", ["pending", "unknown"], expanding=True, literal_execute=True))


def _newer_was_sent(connection: Connection, row: Row[Any]) -> bool:
    return bool(
        connection.execute(
            select(
                exists().where(
                    _same_identity(row.origin, row.identity, row.destination),
                    outbox.c.sequence > row.sequence,
                    or_(
                        outbox.c.state.in_(("delivered", "unknown")),
                        and_(outbox.c.state == "pending", outbox.c.attempts > 0),
                    ),
                )
            )
        ).scalar()
    )


def _same_identity(origin: str, identity: str, destination: str) -> Any:
    return and_(outbox.c.origin == origin, outbox.c.identity == identity, outbox.c.destination == destination)


def _leased_by(row_id: int, owner: str) -> Any:
    return and_(outbox.c.id == row_id, outbox.c.lease_owner == owner)


def _release(connection: Connection, row_id: int, owner: str, now: datetime, **values: Any) -> bool:
    changed = connection.execute(
        update(outbox)
        .where(_leased_by(row_id, owner))
        .values(lease_owner=None, lease_until=None, updated_at=now, **values)
    )
    return changed.rowcount == 1


def _change(connection: Connection, row_id: int, now: datetime, **values: Any) -> None:
    connection.execute(update(outbox).where(outbox.c.id == row_id).values(updated_at=now, **values))


def _dumped(outcome: Mapping[str, Any] | None) -> str | None:
    return None if outcome is None else json.dumps(outcome, ensure_ascii=False, default=str)


def _queued(row: Row[Any]) -> Queued:
    values = dict(row._mapping)
    values["outcome"] = None if values["outcome"] is None else json.loads(values["outcome"])
    return Queued(**values)
