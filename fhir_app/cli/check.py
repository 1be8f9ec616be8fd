"""`fhir-app check`: is the knowledge fit to be used?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.knowledge.loader import load_intake


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(folder: Path | None) -> None:
    """Check the intakes under FOLDER (or the one intake that FOLDER is); default: those that came with this program.

    Exits 1 with every problem of every file, one a line.
    """
    try:
        library = _library(folder or questionnaires_root())
    except KnowledgeError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        click.echo(f"{len(error.problems)} problem{'s' if len(error.problems) > 1 else ''}.", err=True)
        sys.exit(1)
    for intake in library.intakes:
        click.echo(
            f"{intake.name} {intake.questionnaire.version}, knowledge {intake.knowledge_version}: "
            f"{len(intake.questionnaire.by_link_id)} items, {len(intake.red_flags)} red flags, "
            f"{len(intake.causes)} causes, {len(intake.sources)} sources, {', '.join(intake.languages)}. No problem."
        )


def _library(folder: Path) -> Library:
    if (folder / "intake.yaml").is_file():
        return Library((load_intake(folder),))
    return load_library(folder)
