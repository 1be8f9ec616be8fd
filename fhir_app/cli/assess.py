"""`fhir-app assess`: the assessment of responses in files; nothing is stored or sent."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from fhir_app.assessment.as_json import assessment_json
from fhir_app.assessment.assessment import Assessment
from fhir_app.assessment.summary import clinician_summary
from fhir_app.cli._shown import as_table, console
from fhir_app.cli._steady import keep_loaded
from fhir_app.errors import FhirAppError, Issue, MalformedBody
from fhir_app.fhir.outcome import operation_outcome
from fhir_app.fhir.read_json import dump_json, read_json
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.reading import Reading, read_response

if TYPE_CHECKING:
    from fhir_app.leaflets.care import CareSetting

FORMS = ("json", "text", "table", "leaflet")

CHUNK = 200
"""Lines for a process at a time: enough to make the passing of them cheap, few enough to keep memory small."""


@dataclass(frozen=True)
class Assessed:
    """One response's place in its file, its issues, and its assessment when its questionnaire is known: as published
    JSON, as one line of it, or as text (the clinician's summary, the patient's leaflet), whichever was asked for."""

    place: str
    issues: tuple[Issue, ...]
    content: dict[str, Any] | None = None
    line: str | None = None
    text: str | None = None
    reviewed_by: str | None = None

    @property
    def valid(self) -> bool:
        return not any(issue.is_error for issue in self.issues)


Work = Callable[[Iterable[tuple[str, bytes]]], list[Assessed]]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--format", "form", type=click.Choice(FORMS), help="Default: table on a terminal, else text.")
@click.option("--language", help="Of the leaflet; default: that of the response.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes, for NDJSON.")
@click.option("--knowledge", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of intakes.")
def assess(
    files: tuple[str, ...], as_json: bool, form: str | None, language: str | None, jobs: int, knowledge: Path | None
) -> None:
    """Assess the QuestionnaireResponses in FILES: one response, a Bundle, or NDJSON; `-` is standard input.

    With --json, one line for each response, in order: its assessment (assessment.schema.json), or an
    OperationOutcome when there is nothing to assess. Issues go to standard error. Exits 1 when a response is not
    valid; its red flags are shown all the same. `--format leaflet` is the patient's text, for FHIR_APP_COUNTRY.
    """
    chosen = "json" if as_json else form or ("table" if sys.stdout.isatty() else "text")
    root = knowledge or questionnaires_root()
    keep_loaded(_library(root))  # before forking; and wrong knowledge is told once
    _check_language(language, chosen, _library(root))
    all_valid, found = True, False
    for assessed in _assess_all(_documents(files), partial(_assess_chunk, str(root), chosen, language), jobs):
        found = True
        all_valid = all_valid and assessed.valid
        _show(assessed, chosen)
    if not found:
        raise click.ClickException("There is no QuestionnaireResponse in what was given.")
    sys.exit(0 if all_valid else 1)


def _check_language(language: str | None, form: str, library: Library) -> None:
    known = sorted({each for intake in library.intakes for each in intake.languages})
    if language is not None and form != "leaflet":
        raise click.UsageError("--language goes with --format leaflet.")
    if language is not None and language not in known:
        raise click.UsageError(f"There is no leaflet in that language; there are: {', '.join(known)}.")


def _assess_all(documents: Iterator[tuple[str, bytes]], work: Work, jobs: int) -> Iterator[Assessed]:
    """In the order of `documents`, holding no more than a few chunks of them at any time."""
    if jobs == 1:
        for document in documents:
            yield from work([document])
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting: deque[Future[list[Assessed]]] = deque()
        while chunk := list(islice(documents, CHUNK)):
            waiting.append(pool.submit(work, chunk))
            if len(waiting) > 2 * jobs:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _assess_chunk(root: str, form: str, language: str | None, documents: Iterable[tuple[str, bytes]]) -> list[Assessed]:
    return [each for place, body in documents for each in _assess_document(place, body, Path(root), form, language)]


def _assess_document(place: str, body: bytes, root: Path, form: str, language: str | None) -> Iterator[Assessed]:
    """A response, or those in a Bundle; other resources of a Bundle are none of our business."""
    for where, each in _unwrapped(place, body):
        try:
            reading = read_response(each, _library(root))
        except FhirAppError as error:
            yield Assessed(where, error.issues)
            continue
        if reading.assessment is None or reading.intake is None:
            yield Assessed(where, reading.issues)
        elif form == "text":
            answers = None if reading.read is None else reading.read.answers
            summary = clinician_summary(reading.assessment, reading.intake, answers)
            yield Assessed(where, reading.issues, text=summary)
        elif form == "leaflet":
            issues = reading.issues if reading.verified else (*reading.issues, _NOT_GIVEN)
            yield Assessed(where, issues, text=_leaflet(reading, reading.intake, reading.assessment, root, language))
        elif form == "json":  # written here, where there may be many processes
            yield Assessed(where, reading.issues, line=_line(assessment_json(reading.assessment)))
        else:
            yield Assessed(
                where, reading.issues, assessment_json(reading.assessment), reviewed_by=reading.intake.reviewed_by
            )


_NOT_GIVEN = Issue(
    "warning", "business-rule", "The response is unfinished or not valid: the service gives its patient no leaflet."
)


def _leaflet(reading: Reading, intake: Intake, assessment: Assessment, root: Path, language: str | None) -> str:
    from fhir_app.cli._leaflet import leaflet

    own = reading.questionnaire_response.get("language")
    wanted = (language, own if isinstance(own, str) else None)
    return leaflet(intake, assessment, care=_care(root), wanted=wanted)


def _unwrapped(place: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    if b'"Bundle"' not in body:
        yield place, body
        return
    try:
        bundle = read_json(body)
    except MalformedBody:
        yield place, body
        return
    if bundle.get("resourceType") != "Bundle":
        yield place, body
        return
    entries = bundle.get("entry")
    for number, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "QuestionnaireResponse":
            yield f"{place} entry {number}", dump_json(resource)


def _line(content: dict[str, Any]) -> str:
    return dump_json(content).decode()


@lru_cache(maxsize=1)
def _library(root: Path) -> Library:
    return load_library(root)


@lru_cache(maxsize=1)
def _care(root: Path) -> CareSetting:
    from fhir_app.cli._leaflet import care_here

    return care_here(root, _library(root))


# --- files -> documents -------------------------------------------------------------------------------------------


def _documents(files: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Each JSON document with its place: a whole file, or each line of one whose first line is an object by itself."""
    for name in files:
        with ExitStack() as stack:
            stream: BinaryIO = sys.stdin.buffer if name == "-" else stack.enter_context(Path(name).open("rb"))
            shown = "standard input" if name == "-" else name
            first = stream.readline()
            if not (first.lstrip().startswith(b"{") and first.rstrip().endswith(b"}")):
                yield shown, first + stream.read()
                continue
            for number, line in enumerate(chain((first,), stream), start=1):
                if line.strip():
                    yield f"{shown} line {number}", line


# --- what is shown ------------------------------------------------------------------------------------------------


def _show(assessed: Assessed, form: str) -> None:
    for issue in assessed.issues:
        where = f" {issue.link_id}" if issue.link_id else f" {issue.expression}" if issue.expression else ""
        click.echo(f"{assessed.place}: {issue.severity}{where}: {issue.text}", err=True)
    if form == "json":
        click.echo(assessed.line or _line(operation_outcome(assessed.issues)))
    elif assessed.content is not None:
        console().print(as_table(assessed.place, assessed.content, assessed.reviewed_by))
    elif form == "leaflet" and assessed.text is not None:
        click.echo(assessed.text)
    else:
        click.echo(f"{assessed.place}\n{assessed.text or 'Not assessed.'}\n")
