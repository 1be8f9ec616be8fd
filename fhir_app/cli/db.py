"""`fhir-app db`: the tables of the store, from one version of this program to the next."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from fhir_app.settings import Settings
from fhir_app.store import migrations
from fhir_app.store.database import Database, open_database


@click.group()
def db() -> None:
    """The tables of the store that FHIR_APP_DATABASE_URL names.

    A new SQLite file gets its tables by itself; everything else is done when you say so.
    """


@db.command()
def status() -> None:
    """Say which migration the database is at; exits 1 when that is not the one this version needs."""
    with _store() as database:
        found = migrations.current(database)
    click.echo(f"at {found or 'none'}, needed {migrations.HEAD}")
    sys.exit(0 if found == migrations.HEAD else 1)


@db.command()
def upgrade() -> None:
    """Bring the tables to this version, in one transaction; harmless when they are there already."""
    with _store() as database:
        migrations.upgrade(database)
    click.echo(f"at {migrations.HEAD}")


@db.command()
@click.argument("revision")
@click.confirmation_option(prompt="What the newer tables hold will be lost. Go on?")
def downgrade(revision: str) -> None:
    """Go back to REVISION (`base` for no tables at all)."""
    with _store() as database:
        migrations.downgrade(database, revision)
        click.echo(f"at {migrations.current(database) or 'none'}")


@contextmanager
def _store() -> Iterator[Database]:
    database = open_database(Settings.from_env().database_url, migrated=False)
    try:
        yield database
    finally:
        database.close()
