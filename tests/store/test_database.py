"""Opening, durability settings, and writers that take turns."""

from __future__ import annotations

import stat
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, Table, insert, select, text
from sqlalchemy.exc import DBAPIError, StatementError

from fhir_app.store import migrations
from fhir_app.store.database import Database, UnusableDatabase, open_database
from fhir_app.store.instants import Instant


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'new.db'}"


def test_a_sqlite_file_that_does_not_exist_yet_is_created_and_migrated(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path))
    assert migrations.at_head(database)
    database.close()


def test_a_sqlite_file_without_tables_is_migrated_because_its_first_start_may_have_been_killed(tmp_path: Path) -> None:
    (tmp_path / "new.db").touch()
    database = open_database(sqlite_url(tmp_path))
    assert migrations.at_head(database)
    database.close()


def test_a_sqlite_file_with_other_tables_is_refused(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path), migrated=False)
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE somebody_elses (id INTEGER)"))
    database.close()
    with pytest.raises(UnusableDatabase, match="at migration none"):
        open_database(sqlite_url(tmp_path))


def test_a_database_at_another_migration_is_refused(database: Database, url: str) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnusableDatabase, match="9999"):
        open_database(url)


@pytest.mark.postgres
def test_an_empty_postgresql_is_refused_until_somebody_migrates_it(postgres_server) -> None:  # type: ignore[no-untyped-def]
    url = postgres_server.new_database()
    with pytest.raises(UnusableDatabase, match="fhir-app db upgrade"):
        open_database(url)
    postgres_server.drop(url)


@pytest.mark.parametrize(
    "url", ["postgresql://somebody:marker-9d2@127.0.0.1:1/store", "sqlite:////dev/null/x/store.db"]
)
@pytest.mark.parametrize("migrated", [True, False])
def test_a_database_out_of_reach_is_told_in_one_line_without_its_password(url: str, migrated: bool) -> None:
    with pytest.raises(UnusableDatabase, match="FHIR_APP_DATABASE_URL") as caught:
        open_database(url, migrated=migrated)
    assert "\n" not in caught.value.public_text
    assert "marker" not in caught.value.public_text


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "no url at all"])
def test_a_database_that_could_lose_what_was_accepted_is_refused(url: str) -> None:
    with pytest.raises(UnusableDatabase):
        open_database(url)


def test_the_sqlite_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path))
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    database.close()


def test_every_sqlite_connection_is_durable_and_checks_foreign_keys(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path))
    with database.read() as first, database.read() as second:
        for connection in (first, second):
            asked = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15000}
    database.close()


def test_what_raises_inside_a_write_leaves_nothing_behind(database: Database) -> None:
    def write_and_fail() -> None:
        with database.begin() as connection:
            connection.execute(text("CREATE TABLE doomed (id INTEGER)"))
            raise KeyError("too late")

    with pytest.raises(KeyError):
        write_and_fail()
    with database.read() as connection, pytest.raises(DBAPIError):
        connection.execute(text("SELECT * FROM doomed"))


def test_a_reader_sees_one_state_while_a_writer_commits(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (n INTEGER)"))
    with database.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM numbers")).scalar() == 0
        with database.begin() as writer:
            writer.execute(text("INSERT INTO numbers VALUES (1)"))
        assert reader.execute(text("SELECT count(*) FROM numbers")).scalar() == 0
    with database.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM numbers")).scalar() == 1


def test_two_processes_worth_of_databases_on_one_file_wait_for_each_other(tmp_path: Path) -> None:
    one, other = open_database(sqlite_url(tmp_path)), open_database(sqlite_url(tmp_path))
    with one.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))

    def count_up(database: Database) -> None:
        for _ in range(20):
            with database.begin() as connection:
                n = connection.execute(text("SELECT n FROM counter")).scalar_one()
                connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=count_up, args=(database,)) for database in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with one.read() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar() == 40
    one.close()
    other.close()


def test_a_moment_comes_back_in_utc_and_equal_whatever_zone_it_was_given_in(database: Database) -> None:
    moments = Table("moments", MetaData(), Column("at", Instant))
    given = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=timezone(timedelta(hours=-7)))
    with database.begin() as connection:
        moments.create(connection)
        connection.execute(insert(moments).values(at=given))
    with database.read() as connection:
        found = connection.execute(select(moments.c.at).where(moments.c.at <= given)).scalar_one()
    assert found == given
    assert found.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    moments = Table("moments", MetaData(), Column("at", Instant))
    with database.begin() as connection:
        moments.create(connection)
        with pytest.raises(StatementError, match="needs a zone"):
            connection.execute(insert(moments).values(at=datetime(2026, 3, 4)))


def test_an_error_of_the_database_does_not_repeat_the_values(database: Database) -> None:
    with database.begin() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("INSERT INTO nowhere VALUES (:answer)"), {"answer": "marker-7c1"})
    assert "marker-7c1" not in str(caught.value)
