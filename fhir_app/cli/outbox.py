"""`fhir-app outbox`: see what is delivered, what waits, and what went wrong, and send it again."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import click

from fhir_app.app import load_parts
from fhir_app.delivery.planned import plan
from fhir_app.settings import Settings
from fhir_app.store import outbox as rows
from fhir_app.store.database import Database, open_database
from fhir_app.store.outbox import STATES, Queued, State

PAGE = 100


@click.group()
def outbox() -> None:
    """Results on their way to a FHIR server, one row each."""


@outbox.command("list")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only these; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(states: tuple[State, ...], as_json: bool) -> None:
    """List rows, oldest first: number, state, tries, when last changed, and why."""
    database = _database()
    after = 0
    while True:
        with database.read() as connection:
            page = rows.listing(connection, states=states or STATES, after=after, limit=PAGE)
        if not page:
            break
        for row in page:
            click.echo(json.dumps(_plain(row)) if as_json else _line(row))
        after = page[-1].id
    if not as_json:
        with database.read() as connection:
            found = rows.counts(connection)
        click.echo(", ".join(f"{number} {state}" for state, number in found.items()), err=True)
    database.close()


@outbox.command()
@click.argument("number", type=int)
@click.option("--bundle", is_flag=True, help="Print the Bundle that would be sent now; nothing is written anywhere.")
def show(number: int, bundle: bool) -> None:
    """Show row NUMBER with what the destination said last. That, and the Bundle, may hold a patient's data."""
    if bundle:
        parts = load_parts(Settings.from_env())
        planned = plan(parts.delivery, _row(parts.database, number))
        if planned.bundle is None:
            click.echo(planned.reason, err=True)
            sys.exit(1)
        click.echo(json.dumps(planned.bundle, indent=2, ensure_ascii=False, default=str))
        return
    database = _database()
    row = _row(database, number)
    database.close()
    click.echo(json.dumps({**_plain(row), "outcome": row.outcome}, indent=2, ensure_ascii=False))


@outbox.command()
@click.argument("numbers", type=int, nargs=-1)
@click.option("--rejected", "all_rejected", is_flag=True, help="Every rejected row.")
@click.option("--to", "destination", help="For held rows: the base URL of the server that their patient belongs to.")
def retry(numbers: tuple[int, ...], all_rejected: bool, destination: str | None) -> None:
    """Send rows NUMBERS again that were rejected, are held, or whose outcome is unknown (those are looked up first).

    Exits 1 when one of them cannot be: it is delivered, being sent, or has no destination yet.
    """
    if bool(numbers) == all_rejected:
        raise click.UsageError("Name rows by number, or all the rejected ones with --rejected.")
    database = _database()
    now = datetime.now(UTC)
    refused = 0
    for number in numbers or _rejected(database):
        with database.begin() as connection:
            done = rows.requeue(connection, number, now, destination=destination and destination.rstrip("/"))
        click.echo(f"{number}: {'queued' if done else 'left as it is'}")
        refused += not done
    database.close()
    sys.exit(1 if refused else 0)


def _database() -> Database:
    return open_database(Settings.from_env().database_url)


def _row(database: Database, number: int) -> Queued:
    with database.read() as connection:
        row = rows.get(connection, number)
    if row is None:
        raise click.UsageError(f"There is no row {number}.")
    return row


def _rejected(database: Database) -> list[int]:
    found: list[int] = []
    while True:
        with database.read() as connection:
            page = rows.listing(connection, states=("rejected",), after=found[-1] if found else 0, limit=PAGE)
        if not page:
            return found
        found += [row.id for row in page]


def _plain(row: Queued) -> dict[str, object]:
    """Without the outcome, which may quote the patient."""
    return {
        "number": row.id,
        "submission": row.submission_id,
        "destination": row.destination or None,
        "state": row.state,
        "attempts": row.attempts,
        "created": row.created_at.isoformat(timespec="seconds"),
        "updated": row.updated_at.isoformat(timespec="seconds"),
        "next_attempt": row.next_attempt_at.isoformat(timespec="seconds"),
        "reason": row.reason,
    }


def _line(row: Queued) -> str:
    tries = f"{row.attempts} {'try' if row.attempts == 1 else 'tries'}"
    return f"{row.id:>6} {row.state:10} {tries:>9}  {row.updated_at:%Y-%m-%d %H:%M:%S}Z  {row.reason or ''}".rstrip()
