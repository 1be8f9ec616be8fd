"""What destinations hold of ours, and documents that are rendered once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from fhir_app.store import ledger, renderings
from fhir_app.store.database import Database
from fhir_app.store.ledger import Written
from tests.store.test_record import submission

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ENTRY = Written("d", "Observation", "ours", "s", "digest", "theirs", "1", NOW)


def test_what_was_written_last_is_known(database: Database) -> None:
    with database.begin() as connection:
        submission(connection, "s")
        ledger.note(connection, ENTRY)
        ledger.note(connection, replace(ENTRY, server_version="2", digest="other"))
        ledger.note(connection, replace(ENTRY, destination="e"))
    with database.read() as connection:
        assert ledger.known(connection, "d", ["ours", "nobody's"]) == {
            "Observation/ours": replace(ENTRY, server_version="2", digest="other")
        }
        assert ledger.known(connection, "d", []) == {}


def test_a_rendering_that_was_kept_first_is_the_one_that_is_sent(database: Database) -> None:
    with database.begin() as connection:
        submission(connection, "s")
        assert renderings.find(connection, "s", "application/pdf", "en") is None
        assert renderings.keep(connection, "s", "application/pdf", "en", b"first", NOW) == b"first"
        assert renderings.keep(connection, "s", "application/pdf", "en", b"second", NOW) == b"first"
        assert renderings.keep(connection, "s", "application/pdf", "es", b"spanish", NOW) == b"spanish"
    with database.read() as connection:
        assert renderings.find(connection, "s", "application/pdf", "en") == b"first"
