"""Steps from one version of the tables to the next and back, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, inspect, text

from fhir_app.store.turns import take_turns

HEAD = "0001"
_VERSION_TABLE = "alembic_version"


class Transactions(Protocol):
    """What a migration needs of a database, which itself asks for its migration when it is opened."""

    def begin(self) -> AbstractContextManager[Connection]: ...

    def read(self) -> AbstractContextManager[Connection]: ...


def current(database: Transactions) -> str | None:
    """The migration that the database is at, None when it never had one."""
    with database.read() as connection:
        if not inspect(connection).has_table(_VERSION_TABLE):
            return None
        found: str | None = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608
        return found


def at_head(database: Transactions) -> bool:
    """Whether the tables are those of this version."""
    return current(database) == HEAD


def is_empty(database: Transactions) -> bool:
    """Whether there is no table at all: a new database, or one whose first start was cut short."""
    with database.read() as connection:
        return not inspect(connection).get_table_names()


def upgrade(database: Transactions, revision: str = "head") -> None:
    """Go forward to `revision`, in one transaction; nothing happens when it is there already."""
    _run(database, "upgrade", revision)


def downgrade(database: Transactions, revision: str) -> None:
    """Go back to `revision` (`base` for no tables at all), in one transaction. What the tables held is lost."""
    _run(database, "downgrade", revision)


def _run(database: Transactions, direction: str, revision: str) -> None:
    # Alembic takes long to import and a normal start does not need it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    steps: dict[str, Any] = {"upgrade": command.upgrade, "downgrade": command.downgrade}
    with database.begin() as connection:
        take_turns(connection, "migration")
        config.attributes["connection"] = connection
        steps[direction](config, revision)
