"""One database behind one URL: durable SQLite in a file, or PostgreSQL; writers take turns."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from fhir_app.errors import FhirAppError
from fhir_app.store import migrations

BUSY_TIMEOUT_MS = 15_000


class UnusableDatabase(FhirAppError):
    """The database cannot be used as it is: wrong URL, out of reach, or its tables are not those of this version."""


class Database:
    """An engine with the two ways to use it.

    `begin()` is for writing: on SQLite one process lock and BEGIN IMMEDIATE put writers in a queue, because
    SQLite's own busy handler sleeps and starves. `read()` sees one unchanging state and never waits for a writer.
    Neither may be nested in the same thread.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._one_writer = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction: committed (and on disk) when the block ends, rolled back when it raises."""
        with self._one_writer, self.engine.connect() as connection:
            if self.is_sqlite:
                connection = connection.execution_options(begin_with="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction for reading only."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give back every connection; on SQLite the last one folds the write-ahead log into the file."""
        self.engine.dispose()


def open_database(url: str, *, migrated: bool = True) -> Database:
    """The database at `url` (`sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://...`).

    A SQLite database that has no table yet is created and migrated. Any other one that is not at this version's
    migration raises UnusableDatabase; `migrated=False` leaves that check out (for the migration command itself).
    One that cannot be reached raises UnusableDatabase, too.
    """
    database = _reached(_parsed(url))
    if not migrated:
        return database
    if database.is_sqlite and migrations.is_empty(database):
        migrations.upgrade(database)
    found = migrations.current(database)
    if found != migrations.HEAD:
        database.close()
        raise UnusableDatabase(
            f"The database is at migration {found or 'none'}, this version needs {migrations.HEAD}: "
            "run `fhir-app db upgrade` with the version that you mean to use."
        )
    return database


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UnusableDatabase("The database URL cannot be read.") from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise UnusableDatabase("The database must be SQLite or PostgreSQL.")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise UnusableDatabase("SQLite needs a file: what is accepted must outlive the process.")
    return parsed


def _reached(url: URL) -> Database:
    """Only what to look at is told: the driver's own words may hold a part of the URL, and so of its password."""
    try:
        database = Database(_engine(url))
        with database.engine.connect():
            return database
    except (DatabaseError, OSError):
        raise UnusableDatabase(
            "The database cannot be reached, is none, or does not let this program in: see FHIR_APP_DATABASE_URL."
        ) from None


def _engine(url: URL) -> Engine:
    # hide_parameters: an error of the database must not carry a patient's answers into a log.
    if url.get_backend_name() == "postgresql":
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=10, max_overflow=10)
    _create_private_file(Path(str(url.database)))
    engine = create_engine(url, hide_parameters=True, pool_size=10, max_overflow=20)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _create_private_file(path: Path) -> None:
    """Health data: readable by its owner alone. SQLite gives its -wal and -shm files the same mode."""
    if not path.is_absolute():  # a slip in an absolute path must not become an empty database of its own
        path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None  # we say BEGIN ourselves, so that DDL is transactional too
    cursor = dbapi_connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",  # WAL with NORMAL may lose the last commits at a power cut
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin_with", "BEGIN"))
