"""`fhir-app submissions`: what came in, most urgent first, the refused included, so that a person sees it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from fhir_app.settings import Settings
from fhir_app.store import assessments
from fhir_app.store import submissions as rows
from fhir_app.store.database import Database, open_database
from fhir_app.store.submissions import Listed, Submission

PAGE = 100


@click.group()
def submissions() -> None:
    """Responses as they came in, with what was found in them; the refused ones too."""


@submissions.command("list")
@click.option("--flagged", is_flag=True, help="Only those with a red flag.")
@click.option("--refused", is_flag=True, help="Only those that were refused.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(flagged: bool, refused: bool, as_json: bool) -> None:
    """List the newest revision of each response, the most urgent first: urgency, when, whether taken, its id."""
    database = _database()
    after: str | None = None
    while True:
        with database.read() as connection:
            page = rows.listing(connection, flagged_only=flagged, limit=PAGE, after=after)
        if not page:
            break
        for row in page:
            if not (refused and row.submission.valid):
                click.echo(json.dumps(_plain(row)) if as_json else _line(_plain(row)))
        after = page[-1].mark
    database.close()


@submissions.command()
@click.argument("submission_id")
@click.option("--body", is_flag=True, help="Print the response itself, byte for byte as it was received.")
def show(submission_id: str, body: bool) -> None:
    """Show the issues and the assessment of one submission. Those, and the response, are a patient's data."""
    database = _database()
    with database.read() as connection:
        found = rows.get(connection, submission_id)
        received = rows.body(connection, submission_id)
        stored = assessments.get(connection, submission_id)
    database.close()
    if found is None:
        raise click.UsageError(f"There is no submission {submission_id}.")
    if body:
        click.echo(received or b"", nl=False)
        return
    shown = {
        **_head(found),
        "origin": found.origin,
        "questionnaire": found.canonical,
        "subject": found.subject,
        "issues": [asdict(issue) for issue in found.issues],
        "assessment": None if stored is None else stored.content,
    }
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False))


def _database() -> Database:
    return open_database(Settings.from_env().database_url)


def _head(submission: Submission) -> dict[str, Any]:
    return {
        "submission": submission.id,
        "accepted": submission.accepted.isoformat(timespec="seconds"),
        "status": submission.status,
        "taken": submission.valid,
    }


def _plain(row: Listed) -> dict[str, Any]:
    """Nothing that the patient said: only how urgent it is, and the red-flag rows by their ids."""
    found = row.assessment or {}
    return {
        **_head(row.submission),
        "urgency": found.get("urgency"),
        "where": found.get("where"),
        "red_flags": [flag["id"] for flag in found.get("red_flags", ()) if flag["status"] == "present"],
        "errors": sum(issue.is_error for issue in row.submission.issues),
    }


def _line(plain: dict[str, Any]) -> str:
    urgency = " ".join(filter(None, (plain["urgency"], plain["where"]))) or "not assessed"
    taken = "taken" if plain["taken"] else f"refused, {plain['errors']} error{'' if plain['errors'] == 1 else 's'}"
    flags = ", ".join(plain["red_flags"])
    return f"{urgency:18} {plain['accepted']}  {plain['submission']}  {taken}  {flags}".rstrip()
