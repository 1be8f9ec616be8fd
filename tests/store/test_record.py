"""The embedded record: versions, what is kept once, and what a server shows."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from fhir_app.store import record
from fhir_app.store.database import Database
from fhir_app.store.packed import unpack
from fhir_app.store.record import Kept
from fhir_app.store.tables import record as record_table
from fhir_app.store.tables import record_search, submissions

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def submission(connection: Connection, key: str, body: bytes = b"{}", origin: str = "local") -> None:
    connection.execute(
        insert(submissions).values(
            id=key,
            origin=origin,
            identity=key,
            revision="1",
            order_key='[0, ""]',
            arrival=0,
            newest=True,
            body=body,
            body_hash=key,
            valid=True,
            issues="[]",
            accepted=NOW,
        )
    )


def keep(
    database: Database, key: str, *resources: dict[str, Any], now: datetime = NOW, **more: Any
) -> tuple[Kept, ...]:
    values: dict[str, Any] = {"origin": "local", "received": {}, **more}
    with database.begin() as connection:
        submission(connection, key, json.dumps(values["received"]).encode())
        return record.write(connection, resources, submission_id=key, now=now, **values)


def device(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Device", "id": "d", **elements}


def test_what_is_written_can_be_read_with_every_digit(database: Database) -> None:
    written = device(extension=[{"url": "urn:x", "valueDecimal": Decimal("1.50")}])
    keep(database, "a", written)
    with database.read() as connection:
        found = record.read(connection, "Device", "d")
    assert found is not None
    assert found.resource == written
    assert str(found.resource["extension"][0]["valueDecimal"]) == "1.50"
    assert (found.version, found.last_updated, found.is_current) == (1, NOW, True)


def test_what_says_the_same_gets_no_new_version(database: Database) -> None:
    first = keep(database, "a", device())
    assert keep(database, "b", device(), now=NOW + timedelta(1)) == first


def test_what_says_something_else_is_a_new_version_and_the_old_one_stays_readable(database: Database) -> None:
    keep(database, "a", device(status="active"))
    keep(database, "b", device(status="inactive"), now=NOW + timedelta(1))
    with database.read() as connection:
        current = record.read(connection, "Device", "d")
        old = record.read(connection, "Device", "d", 1)
        missing = record.read(connection, "Device", "d", 3)
    assert current is not None
    assert old is not None
    assert (current.version, current.resource["status"], current.is_current) == (2, "inactive", True)
    assert (old.version, old.resource["status"], old.is_current) == (1, "active", False)
    assert missing is None


def test_an_unknown_resource_is_none(database: Database) -> None:
    with database.read() as connection:
        assert record.read(connection, "Device", "nobody") is None


def test_the_index_speaks_of_the_current_version_alone(database: Database) -> None:
    keep(database, "a", device(status="active"))
    keep(database, "b", device(status="inactive"))
    with database.read() as connection:
        values = connection.execute(select(record_search.c.value)).scalars().all()
    assert values == ["inactive"]


def test_two_resources_of_one_id_and_different_types_are_two(database: Database) -> None:
    keep(database, "a", device(), {"resourceType": "Organization", "id": "d"})
    with database.read() as connection:
        assert record.read(connection, "Organization", "d") is not None
        assert connection.execute(select(func.count()).select_from(record_table)).scalar() == 2


def test_the_answers_of_a_response_are_not_kept_a_second_time(database: Database) -> None:
    received = {"resourceType": "QuestionnaireResponse", "item": [{"linkId": "x"}], "id": "theirs", "text": {"a": 1}}
    held = {"resourceType": "QuestionnaireResponse", "id": "ours", "item": [{"linkId": "x"}], "identifier": {"v": 1}}
    keep(database, "a", held, received=received)
    with database.read() as connection:
        content = connection.execute(select(record_table.c.content)).scalar_one()
        found = record.read(connection, "QuestionnaireResponse", "ours")
        same = record.response_of(connection, "a")
    assert json.loads(unpack(content)) == {"id": "ours", "identifier": {"v": 1}, "text": None}
    assert found is not None
    assert found.resource == held
    assert same == found


@pytest.mark.parametrize(
    ("origin", "source"), [("local", None), ("https://ehr.example/fhir", "https://ehr.example/fhir")]
)
def test_a_server_shows_version_time_and_foreign_origin_in_meta(
    database: Database, origin: str, source: str | None
) -> None:
    keep(database, "a", device(meta={"tag": [{"code": "t"}]}, status="active"), origin=origin)
    with database.read() as connection:
        found = record.read(connection, "Device", "d")
    assert found is not None
    served = found.served
    assert list(served)[:3] == ["resourceType", "id", "meta"]
    assert served["meta"].pop("source", None) == source
    assert served["meta"] == {
        "tag": [{"code": "t"}],
        "versionId": "1",
        "lastUpdated": "2026-03-01T12:00:00.000+00:00",
    }
    assert served["status"] == "active"


def test_two_writers_that_need_the_same_new_device_at_once_keep_it_once(database: Database) -> None:
    start = threading.Barrier(3)
    kept: list[Kept] = []

    def write(key: str) -> None:
        start.wait()
        kept.extend(keep(database, key, device()))

    threads = [threading.Thread(target=write, args=(f"s{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 3
    assert len(set(kept)) == 1


def test_nothing_to_write_writes_nothing(database: Database) -> None:
    assert keep(database, "a") == ()
