"""`fhir-app submissions`: what came in, most urgent first, the refused included, so that a person sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from fhir_app.fhir.received import LOCAL
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
    """List the newest revision of each response, the most urgent first.

    One that could not be assessed may hide anything: it stands after those of the same day, and before the rest.

    The last column names it as its sender does: the id on the FHIR server that it came from, its identifier, or else
    the id that it got here, which the Location of the reply ends with.
    """
    database = _database()
    if not as_json:
        click.echo(_columns("URGENCY", "ACCEPTED", "SUBMISSION", "TAKEN", "RED FLAGS", "RESPONSE"))
    after: str | None = None
    while True:
        with database.read() as connection:
            page = rows.listing(connection, flagged_only=flagged, limit=PAGE, after=after)
            names = [_name(row.submission, rows.body(connection, row.submission.id)) for row in page]
        if not page:
            break
        for row, name in zip(page, names, strict=True):
            if not (refused and row.submission.valid):
                plain = {**_plain(row), "response": name}
                click.echo(json.dumps(plain) if as_json else _line(plain))
        after = page[-1].mark
    database.close()


@submissions.command()
@click.argument("submission_id")
@click.option("--body", is_flag=True, help="Print the response itself, byte for byte as it was received.")
@click.option("--all", "everything", is_flag=True, help="The red-flag rows that are absent, too.")
def show(submission_id: str, body: bool, everything: bool) -> None:
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
        "response": _name(found, received),
        "origin": found.origin,
        "questionnaire": found.canonical,
        "subject": found.subject,
        "issues": [asdict(issue) for issue in found.issues],
        "assessment": None if stored is None else stored.content if everything else _without_absent(stored.content),
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


def _name(submission: Submission, body: bytes | None) -> str:
    """As `list` says. A body that was refused may have anything in these places."""
    questionnaire_response = json.loads(body or b"{}")
    if submission.origin != LOCAL and (given := questionnaire_response.get("id")):
        return str(given)
    identifier = questionnaire_response.get("identifier")
    if isinstance(identifier, dict) and (value := identifier.get("value")):
        return f"{identifier.get('system', '')}|{value}"
    return submission.identity


def _without_absent(content: Mapping[str, Any]) -> dict[str, Any]:
    shown = [flag for flag in content["red_flags"] if flag["status"] != "absent"]
    return {**content, "red_flags": shown, "red_flags_absent": len(content["red_flags"]) - len(shown)}


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
    taken = f"refused, {plain['errors']} error{'' if plain['errors'] == 1 else 's'}"
    if plain["taken"]:
        taken = _TAKEN.get(plain["status"], "taken")
    flags = ", ".join(plain["red_flags"]) or "-"
    return _columns(urgency, plain["accepted"], plain["submission"], taken, flags, plain["response"])


_TAKEN = {"entered-in-error": "withdrawn", "in-progress": "unfinished", "stopped": "unfinished"}


def _columns(urgency: str, accepted: str, submission: str, taken: str, flags: str, response: str) -> str:
    return f"{urgency:18}  {accepted:25}  {submission:36}  {taken:17}  {flags:18}  {response}"
