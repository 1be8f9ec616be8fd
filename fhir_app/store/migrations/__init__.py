"""Steps from one version of the tables to the next and back, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from fhir_app.store.database import Database

HEAD = "0001"
_VERSION_TABLE = "alembic_version"


def current(database: Database) -> str | None:
    """The migration that the database is at, None when it never had one."""
    with database.read() as connection:
        if not inspect(connection).has_table(_VERSION_TABLE):
            return None
        found: str | None = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608
        return found


def at_head(database: Database) -> bool:
    """Whether the tables are those of this version."""
    return current(database) == HEAD


def is_empty(database: Database) -> bool:
    """Whether there is no table at all: a new database, or one whose first start was cut short."""
    with database.read() as connection:
        return not inspect(connection).get_table_names()


def upgrade(database: Database, revision: str = "head") -> None:
    """Go forward to `revision`, in one transaction; nothing happens when it is there already."""
    _run(database, "upgrade", revision)


def downgrade(database: Database, revision: str) -> None:
    """Go back to `revision` (`base` for no tables at all), in one transaction. What the tables held is lost."""
    _run(database, "downgrade", revision)


def _run(database: Database, direction: str, revision: str) -> None:
    # Alembic takes long to import and a normal start does not need it.
    from alembic import command
    from alembic.config import Config

    from fhir_app.store.database import take_turns

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    steps: dict[str, Any] = {"upgrade": command.upgrade, "downgrade": command.downgrade}
    with database.begin() as connection:
        take_turns(connection, "migration")
        config.attributes["connection"] = connection
        steps[direction](config, revision)
