"""The tables go forward and back on both databases, and match what the code believes them to be."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from fhir_app.store import migrations
from fhir_app.store.database import Database, open_database
from fhir_app.store.tables import metadata


def tables_of(database: Database) -> set[str]:
    with database.read() as connection:
        return set(inspect(connection).get_table_names())


def test_the_migrations_build_exactly_the_tables_of_the_code(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        assert compare_metadata(context, metadata) == []


def test_every_index_and_constraint_has_the_name_that_the_code_gives_it(database: Database) -> None:
    with database.read() as connection:
        found = inspect(connection)
        for table in metadata.sorted_tables:
            uniques = {unique["name"] for unique in found.get_unique_constraints(table.name)}
            indexes = {index["name"] for index in found.get_indexes(table.name)} - uniques
            keys = {key["name"] for key in found.get_foreign_keys(table.name)}
            built = {str(c.name) for c in table.constraints}
            assert indexes == {str(index.name) for index in table.indexes}
            assert uniques == {name for name in built if name.startswith("uq_")}
            assert keys == {name for name in built if name.startswith("fk_")}


def test_going_back_to_base_leaves_no_table_and_forward_again_works(database: Database) -> None:
    migrations.downgrade(database, "base")
    assert tables_of(database) <= {"alembic_version"}
    assert migrations.current(database) is None
    migrations.upgrade(database)
    assert migrations.at_head(database)
    assert set(metadata.tables) < tables_of(database)


def test_going_forward_twice_changes_nothing(database: Database) -> None:
    before = tables_of(database)
    migrations.upgrade(database)
    assert tables_of(database) == before


def test_the_head_named_in_the_code_is_the_last_migration_of_the_folder() -> None:
    folder = Path(migrations.__file__).parent
    assert ScriptDirectory(str(folder)).get_heads() == [migrations.HEAD]


def test_a_migration_that_breaks_halfway_leaves_the_database_as_it_was(url: str) -> None:
    database = open_database(url, migrated=False)
    with database.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE outbox (somebody_elses INTEGER)")
    with pytest.raises(DBAPIError, match="outbox"):
        migrations.upgrade(database)
    assert tables_of(database) == {"outbox"}
    database.close()
