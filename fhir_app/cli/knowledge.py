"""`fhir-app knowledge`: the whole knowledge as a document to review, as data, and its version locked."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhir_app.evaluation.collection import case_files, collect
from fhir_app.evaluation.expectations import unmet
from fhir_app.fhir.definitions import knowledge as knowledge_library
from fhir_app.fhir.namespace import PERMANENT_BASE, Namespace
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library, questionnaires_root
from fhir_app.knowledge.loader import load_intake
from fhir_app.knowledge.version_gate import check_version, write_lock
from fhir_app.review.document import counts, review_json, review_markdown, review_page, reviewed
from fhir_app.review.source_attributes import SourceAttribute, attribute_texts, source_attributes

_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--html", type=_FILE, help="Write the document to review as one HTML page.")
@click.option("--markdown", type=_FILE, help="Write the same as Markdown.")
@click.option("--json", "as_json", is_flag=True, help="Print the 13 source attributes, rules and sources as JSON.")
@click.option("--library", "as_library", is_flag=True, help="Print the FHIR Library with the source attributes.")
@click.option(
    "--lock", is_flag=True, help="Lock this knowledge version: from now on its rules and texts may not change."
)
@click.option("--base-url", default=PERMANENT_BASE, show_default=True, help="Canonical base, for --library.")
def knowledge(
    folder: Path | None, html: Path | None, markdown: Path | None, as_json: bool, as_library: bool, lock: bool,
    base_url: str,
) -> None:  # fmt: skip
    """Show what there is in the intake in FOLDER (default: the one that came with this program), and its 13 source
    attributes; every rule is in what --html and --markdown write."""
    folder = _folder(folder)
    intake = load_intake(folder)
    attributes = source_attributes(intake, folder)
    for file, page in ((html, review_page), (markdown, review_markdown)):
        if file is not None:
            file.write_text(page(intake, attributes), encoding="utf-8")
            click.echo(f"Wrote every rule of {intake.name} {intake.knowledge_version} to {file}.", err=True)
    if lock:
        _check_cases(folder, intake)
        write_lock(folder, intake)
        click.echo(f"Locked {intake.knowledge_version} in {folder}.", err=True)
        _say_problems(folder, intake)
    if as_json:
        _print_json(review_json(intake, attributes))
    if as_library:
        _print_json(knowledge_library(intake, Namespace(base_url), attribute_texts(attributes)))
    if not (html or markdown or lock or as_json or as_library):
        _summarise(folder, intake, attributes)
        _say_problems(folder, intake)


def _check_cases(folder: Path, intake: Intake) -> None:
    """What is locked is given out, so every case beside it must come out as it says."""
    cases = [case for collected in collect(case_files([folder]), Library((intake,))) for case in collected.cases]
    if missed := [case.id for case in cases if unmet(intake, case)]:
        raise click.ClickException(
            f"Not locked: `fhir-app evaluate` must pass first; not as expected: {', '.join(missed)}"
        )


def _folder(given: Path | None) -> Path:
    """The folder of one intake: the given one, or the only one inside it."""
    root = given or questionnaires_root()
    if (root / "intake.yaml").is_file():
        return root
    inside = sorted(path.parent for path in root.glob("*/intake.yaml"))
    if len(inside) != 1:
        names = ", ".join(path.name for path in inside) or "none"
        raise click.ClickException(f"Name the folder of one intake; there are: {names}.")
    return inside[0]


def _print_json(data: object) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def _summarise(folder: Path, intake: Intake, attributes: tuple[SourceAttribute, ...]) -> None:
    click.echo(f"{intake.title} ({intake.name}), knowledge {intake.knowledge_version}, {reviewed(intake)}.")
    click.echo(", ".join(f"{count} {what}" for what, count in counts(intake).items()) + ".")
    for attribute in attributes:
        click.echo(f"  {attribute.number:>2}. {attribute.name}: {attribute.text}")


def _say_problems(folder: Path, intake: Intake) -> None:
    for problem in check_version(folder, intake):
        click.echo(f"Version: {problem}", err=True)
