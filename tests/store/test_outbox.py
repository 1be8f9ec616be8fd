"""The outbox: order within an identity, leases, and what a person may requeue."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert
from sqlalchemy.exc import IntegrityError

from fhir_app.store import outbox
from fhir_app.store.database import Database, open_database
from fhir_app.store.tables import submissions

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)


def submission(connection: Connection, key: str) -> None:
    connection.execute(
        insert(submissions).values(
            id=key,
            origin="o",
            identity=key,
            revision="1",
            order_key="[]",
            arrival=0,
            newest=True,
            body=b"{}",
            body_hash=key,
            valid=True,
            issues="[]",
            accepted=NOW,
        )
    )


def put(connection: Connection, key: str, *, sequence: int = 1, identity: str | None = None, **values: Any) -> int:
    submission(connection, key)
    values = {"destination": "d", "now": NOW, **values}
    return outbox.put(connection, submission_id=key, origin="o", identity=identity or key, sequence=sequence, **values)


def claimed(database: Database, owner: str = "w", now: datetime = NOW) -> outbox.Claimed | None:
    with database.begin() as connection:
        return outbox.claim(connection, owner, now, 60)


def state(database: Database, row_id: int) -> str:
    with database.read() as connection:
        row = outbox.get(connection, row_id)
        assert row is not None
        return row.state


def test_nothing_due_is_none(database: Database) -> None:
    assert claimed(database) is None


def test_a_row_is_claimed_once_while_its_lease_lasts(database: Database) -> None:
    with database.begin() as connection:
        row = put(connection, "a")
    first = claimed(database)
    assert first is not None
    assert (first.id, first.attempts, first.look_up_first) == (row, 1, False)
    assert first.lease_until == NOW + timedelta(seconds=60)
    assert claimed(database, "other") is None


def test_a_row_whose_worker_died_is_claimed_again_and_must_be_looked_up_first(database: Database) -> None:
    with database.begin() as connection:
        row = put(connection, "a")
    claimed(database)
    again = claimed(database, "other", NOW + timedelta(seconds=60))
    assert again is not None
    assert (again.id, again.attempts, again.look_up_first) == (row, 2, True)
    assert state(database, row) == "unknown"


def test_a_worker_that_lost_its_lease_settles_nothing(database: Database) -> None:
    with database.begin() as connection:
        row = put(connection, "a")
    claimed(database, "slow")
    claimed(database, "quick", LATER)
    with database.begin() as connection:
        assert not outbox.settle(connection, row, "slow", "rejected", LATER)
        assert not outbox.retry(connection, row, "slow", LATER, LATER)
        assert not outbox.renew(connection, row, "slow", LATER, LATER)
        assert outbox.settle(connection, row, "quick", "delivered", LATER)
    assert state(database, row) == "delivered"


def test_a_renewed_lease_keeps_others_away_for_longer(database: Database) -> None:
    with database.begin() as connection:
        row = put(connection, "a")
    claimed(database)
    with database.begin() as connection:
        assert outbox.renew(connection, row, "w", LATER, NOW)
    assert claimed(database, "other", LATER - timedelta(seconds=1)) is None


def test_a_retry_waits_until_its_time_and_keeps_what_the_destination_said(database: Database) -> None:
    with database.begin() as connection:
        row = put(connection, "a")
    claimed(database)
    with database.begin() as connection:
        assert outbox.retry(connection, row, "w", LATER, NOW, reason="503", outcome={"issue": []})
        found = outbox.get(connection, row)
    assert found is not None
    assert (found.state, found.reason, found.outcome) == ("pending", "503", {"issue": []})
    assert claimed(database, now=LATER - timedelta(seconds=1)) is None
    again = claimed(database, now=LATER)
    assert again is not None
    assert not again.look_up_first


def test_a_lost_reply_is_looked_up_before_it_is_sent_again(database: Database) -> None:
    with database.begin() as connection:
        row = put(connection, "a")
    claimed(database)
    with database.begin() as connection:
        outbox.retry(connection, row, "w", LATER, NOW, state="unknown", reason="reply lost")
    assert state(database, row) == "unknown"
    again = claimed(database, now=LATER)
    assert again is not None
    assert again.look_up_first


@pytest.mark.parametrize("blocking", ["pending", "unknown", "held"])
def test_a_later_revision_waits_until_the_earlier_one_is_settled(database: Database, blocking: outbox.State) -> None:
    with database.begin() as connection:
        put(connection, "r1", identity="i", sequence=1, state=blocking, now=LATER)
        put(connection, "r2", identity="i", sequence=2)
        other = put(connection, "x", identity="j")
    found = claimed(database)
    assert found is not None
    assert found.id == other
    assert claimed(database) is None


@pytest.mark.parametrize("settled", ["delivered", "rejected", "superseded"])
def test_a_later_revision_goes_once_the_earlier_one_is_settled(database: Database, settled: outbox.State) -> None:
    with database.begin() as connection:
        put(connection, "r1", identity="i", sequence=1, state=settled)
        later = put(connection, "r2", identity="i", sequence=2)
    found = claimed(database)
    assert found is not None
    assert found.id == later


def test_revisions_at_another_destination_do_not_wait_for_each_other(database: Database) -> None:
    with database.begin() as connection:
        put(connection, "r1", identity="i", sequence=1, destination="elsewhere", state="held")
        later = put(connection, "r2", identity="i", sequence=2)
    found = claimed(database)
    assert found is not None
    assert found.id == later


@pytest.mark.parametrize("sent", ["delivered", "unknown"])
def test_an_older_revision_is_never_sent_after_a_newer_one(database: Database, sent: outbox.State) -> None:
    with database.begin() as connection:
        older = put(connection, "r1", identity="i", sequence=1)
        put(connection, "r2", identity="i", sequence=2, state=sent, now=LATER)
        other = put(connection, "x")
    found = claimed(database)
    assert found is not None
    assert found.id == other
    with database.read() as connection:
        row = outbox.get(connection, older)
    assert row is not None
    assert (row.state, row.reason) == ("superseded", outbox.NEWER_WAS_SENT)


def test_an_older_revision_that_is_requeued_while_the_newer_one_is_being_sent_is_superseded(database: Database) -> None:
    with database.begin() as connection:
        older = put(connection, "r1", identity="i", sequence=1, state="rejected")
        put(connection, "r2", identity="i", sequence=2)
    claimed(database)
    with database.begin() as connection:
        assert outbox.requeue(connection, older, NOW)
    assert claimed(database, "other") is None
    assert state(database, older) == "superseded"


def test_a_requeued_row_is_due_at_once(database: Database) -> None:
    with database.begin() as connection:
        row = put(connection, "a", state="rejected", now=LATER, reason="422")
        assert outbox.requeue(connection, row, NOW)
    found = claimed(database)
    assert found is not None
    assert (found.id, found.look_up_first) == (row, False)


def test_an_unknown_row_that_is_requeued_is_still_looked_up_first(database: Database) -> None:
    with database.begin() as connection:
        row = put(connection, "a", state="unknown", now=LATER)
        assert outbox.requeue(connection, row, NOW)
    found = claimed(database)
    assert found is not None
    assert found.look_up_first


@pytest.mark.parametrize("final", ["delivered", "superseded", "pending"])
def test_what_was_delivered_or_waits_already_cannot_be_requeued(database: Database, final: outbox.State) -> None:
    with database.begin() as connection:
        row = put(connection, "a", state=final)
        assert not outbox.requeue(connection, row, NOW)
        assert not outbox.requeue(connection, row + 1, NOW)


def test_a_row_that_is_being_sent_cannot_be_requeued(database: Database) -> None:
    with database.begin() as connection:
        row = put(connection, "a", state="unknown")
    claimed(database)
    with database.begin() as connection:
        assert not outbox.requeue(connection, row, NOW)


def test_a_held_row_is_sent_once_somebody_maps_it_to_a_destination(database: Database) -> None:
    with database.begin() as connection:
        row = put(connection, "a", state="held", destination=outbox.UNMAPPED, reason="patient not matched")
        assert not outbox.requeue(connection, row, NOW)
        assert outbox.requeue(connection, row, NOW, destination="d")
    found = claimed(database)
    assert found is not None
    assert (found.id, found.destination) == (row, "d")


def test_held_revisions_that_are_mapped_newest_first_still_never_go_backwards(database: Database) -> None:
    with database.begin() as connection:
        older = put(connection, "r1", identity="i", sequence=1, state="held", destination=outbox.UNMAPPED)
        newer = put(connection, "r2", identity="i", sequence=2, state="held", destination=outbox.UNMAPPED)
        outbox.requeue(connection, newer, NOW, destination="d")
    first = claimed(database)
    assert first is not None
    assert first.id == newer
    with database.begin() as connection:
        outbox.settle(connection, newer, "w", "delivered", NOW)
        outbox.requeue(connection, older, NOW, destination="d")
    assert claimed(database) is None
    assert state(database, older) == "superseded"


def test_one_submission_is_queued_once_for_a_destination(database: Database) -> None:
    with database.begin() as connection:
        put(connection, "a")
    with pytest.raises(IntegrityError), database.begin() as connection:
        outbox.put(connection, submission_id="a", origin="o", identity="a", sequence=2, destination="d", now=NOW)


def test_a_state_that_nobody_knows_is_refused_by_the_database(database: Database) -> None:
    with pytest.raises(IntegrityError), database.begin() as connection:
        put(connection, "a", state="lost")


def test_listing_pages_through_the_states_asked_for(database: Database) -> None:
    with database.begin() as connection:
        rows = [put(connection, f"k{n}", state="rejected" if n % 2 else "pending") for n in range(6)]
    with database.read() as connection:
        first = outbox.listing(connection, states=("rejected",), limit=2)
        rest = outbox.listing(connection, states=("rejected",), after=first[-1].id)
        everything = outbox.listing(connection)
    assert [row.id for row in (*first, *rest)] == [rows[1], rows[3], rows[5]]
    assert [row.id for row in everything] == rows


def test_counts_name_every_state(database: Database) -> None:
    with database.begin() as connection:
        put(connection, "a")
        put(connection, "b", state="held")
    with database.read() as connection:
        assert outbox.counts(connection) == {
            "pending": 1,
            "delivered": 0,
            "rejected": 0,
            "unknown": 0,
            "held": 1,
            "superseded": 0,
        }


def test_next_due_is_the_earliest_time_of_what_is_not_settled(database: Database) -> None:
    with database.begin() as connection:
        assert outbox.next_due(connection) is None
        put(connection, "a", now=LATER)
        put(connection, "b", state="held")
        assert outbox.next_due(connection) == LATER


def test_the_rows_of_a_submission_are_found_by_it(database: Database) -> None:
    with database.begin() as connection:
        row = put(connection, "a")
        put(connection, "b")
        assert [found.id for found in outbox.of_submission(connection, "a")] == [row]


def test_many_workers_claim_each_row_exactly_once(database: Database) -> None:
    with database.begin() as connection:
        rows = [put(connection, f"k{n}") for n in range(40)]
    taken: list[int] = []

    def work(owner: str) -> None:
        while (row := claimed(database, owner)) is not None:
            taken.append(row.id)
            with database.begin() as connection:
                assert outbox.settle(connection, row.id, owner, "delivered", NOW)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == rows


def test_sqlite_finds_what_is_due_by_the_partial_index_alone(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'plan.db'}")
    executed: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: executed.append(given[2:4]))
    with database.begin() as connection:
        outbox.claim(connection, "w", NOW, 60)
        statement, parameters = executed[-1]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    assert any("USING INDEX ix_outbox_due" in step.detail for step in plan)
    database.close()
