"""`fhir-app check`: is the knowledge fit to be used?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from fhir_app import __version__
from fhir_app.errors import KnowledgeError
from fhir_app.fhir.definitions import definitions
from fhir_app.fhir.model import OutboundResourceError, parse_with_library
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.parties import Author
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.knowledge.version_gate import check_versions, folders
from fhir_app.leaflets.care import read_care_settings, without_names
from fhir_app.review.source_attributes import library_attributes, source_attributes


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(folder: Path | None) -> None:
    """Check the intakes under FOLDER (or the one intake that FOLDER is); default: those that came with this program.

    Files, rules, links and texts are read as the service reads them; what would be published is held to FHIR. Exits
    1 with every problem of every file, one a line.
    """
    root = folder or questionnaires_root()
    try:
        library = load_library(root)
    except KnowledgeError as error:
        _stop(error.problems)
    problems: list[str] = []
    for of in (_check_care_settings, _check_definitions, check_versions):
        try:
            of(root, library)
        except KnowledgeError as error:
            problems += error.problems
    if problems:
        _stop(problems)
    for intake in library.intakes:
        click.echo(
            f"{intake.name} {intake.questionnaire.version}, knowledge {intake.knowledge_version}: "
            f"{len(intake.questionnaire.by_link_id)} items, {len(intake.red_flags)} red flags, "
            f"{len(intake.causes)} causes, {len(intake.sources)} sources, {', '.join(intake.languages)}. No problem."
        )


def _stop(problems: Sequence[str]) -> NoReturn:
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}.", err=True)
    sys.exit(1)


def _check_care_settings(root: Path, library: Library) -> None:
    """The names of help are there in every language: those beside the intakes, or else those of this program."""
    own = root / "care-settings.yaml"
    settings = read_care_settings(own if own.is_file() else questionnaires_root() / "care-settings.yaml")
    if problems := without_names(settings, library.intakes):
        raise KnowledgeError(problems)


def _check_definitions(root: Path, library: Library) -> None:
    """The source attributes can be read, and what would be published is parsed by the reference library. Raises
    KnowledgeError."""
    problems = []
    for folder, intake in zip(folders(root), library.intakes, strict=True):
        try:
            source_attributes(intake, folder)
        except KnowledgeError as error:
            problems += [f"{folder.name}/{line}" for line in error.problems]
    if problems:
        raise KnowledgeError(problems)
    attributes = library_attributes(library, root)
    for resource in definitions(library, Namespace(), Author(None, __version__), attributes=attributes):
        try:
            parse_with_library(resource)
        except OutboundResourceError as error:
            problems.append(f"{resource['resourceType']} {resource['id']}: {error.public_text}")
    if problems:
        raise KnowledgeError(problems)
