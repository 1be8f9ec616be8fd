"""`fhir-app evaluate`: how good is the knowledge, beside what is published about others?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from fhir_app.cli._shown import console as shown_on
from fhir_app.errors import KnowledgeError
from fhir_app.evaluation.anchors import Anchors, read_anchors
from fhir_app.evaluation.collection import Collected, case_files, collect
from fhir_app.evaluation.compared import Change, changes
from fhir_app.evaluation.page import evaluation_page
from fhir_app.evaluation.report import (
    Evaluation,
    evaluation_json,
    interval_in_words,
    meets,
    per_cent,
)
from fhir_app.evaluation.report import (
    evaluate as evaluate_all,
)
from fhir_app.evaluation.scores import URGENCIES, Score
from fhir_app.knowledge.library import Library, load_library, questionnaires_root

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
PIPED = 140
"""Columns where there is no terminal: none of the tables is wider."""

_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command()
@click.argument("cases", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--part", type=click.Choice(["tune", "report"]), help="Only the stories of this part.")
@click.option("--knowledge", type=_FOLDER, help="Folder with one intake or several; default: those of this program.")
@click.option("--against", type=_FOLDER, help="Another such folder: list every case and story whose result changes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--html", type=_FILE, help="Write the report as one HTML page, too.")
def evaluate(
    cases: tuple[Path, ...], part: str | None, knowledge: Path | None, against: Path | None, as_json: bool,
    html: Path | None,
) -> None:  # fmt: skip
    """Score the stories in CASES (files or folders; default: those beside the intakes) against their labels, and check
    the cases among them.

    Exits 1 when a case does not come out as it says. What a story misses is counted, never an error.
    """
    root = knowledge or questionnaires_root()
    library = load_library(root)
    files = case_files(cases or (root,)) or case_files((questionnaires_root(),))
    collected = collect(files, library, part)
    if not collected:
        raise click.ClickException("There is no case and no story in what was given.")
    changed = None if against is None else _changes(load_library(against), collected)
    evaluation = evaluate_all(collected, changed)
    anchors = _anchors(root)
    if html is not None:
        html.write_text(evaluation_page(evaluation, anchors), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(evaluation_json(evaluation, anchors), ensure_ascii=False, indent=2))
    else:
        _print(evaluation, anchors)
    sys.exit(1 if evaluation.failed_cases else 0)


def _anchors(root: Path) -> Anchors:
    """Those beside the intakes, wherever they are; a folder of one intake alone has none of its own."""
    places = [root / "anchors.yaml", root.parent / "anchors.yaml", questionnaires_root() / "anchors.yaml"]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise KnowledgeError(["anchors.yaml: the file is missing"])
    return read_anchors(found)


def _changes(other: Library, collected: tuple[Collected, ...]) -> tuple[Change, ...]:
    """From the other version to the one that is scored."""
    before = {intake.name: intake for intake in other.intakes}
    found: list[Change] = []
    for one in collected:
        if one.intake.name not in before:
            raise click.ClickException(f"The other folder has no intake {one.intake.name!r}.")
        found.extend(changes(before[one.intake.name], one.intake, one.cases, one.stories))
    return tuple(found)


# --- tables -------------------------------------------------------------------------------------------------------


def _print(evaluation: Evaluation, anchors: Anchors) -> None:
    console = shown_on(PIPED)
    for intake in evaluation.intakes:
        reviewed = f"reviewed by {intake.reviewed_by}" if intake.reviewed_by else "not yet reviewed by a clinician"
        console.print(f"{intake.name}, knowledge {intake.knowledge_version}, {reviewed}.")
    if evaluation.outcomes:
        console.print(_measures(evaluation, anchors))
        console.print(
            'Strict: only labels of the list count. Elsewhere "none fits" is right too for one outside the list.'
        )
        console.print(_published(evaluation, anchors))
        for part in evaluation.sets:
            console.print(_confusion(evaluation, part))
    console.print(f"{evaluation.cases} cases, {len(evaluation.failed_cases)} not as expected.")
    for case in evaluation.failed_cases:
        console.print(escape(f"  {case.id} ({case.name}): {'; '.join(case.unmet)}"))
    if evaluation.changes is not None:
        console.print(f"{len(evaluation.changes)} results change against the other version.")
        for change in evaluation.changes:
            console.print(escape(f"  {change.id} ({change.name}): {'; '.join(change.said)}"))


def _table(*headers: str, title: str | None = None) -> Table:
    """Where it is too wide, its words go on in the next line: none is left out."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1), header_style="bold", show_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _measures(evaluation: Evaluation, anchors: Anchors) -> Table:
    """One row for each measure; counts and intervals by part."""
    parts = [f"{part} ({scores.stories})" for part, scores in evaluation.sets.items()]
    table = _table("Measure", *parts, "Target")
    shown = evaluation.sets.get("report") or next(iter(evaluation.sets.values()))
    group = None
    for score in shown.scores:
        if score.measure.group != group:
            group = score.measure.group
            table.add_row(f"[bold]{group}[/]")
        own = [_share(scores.of(score.measure.id)) for scores in evaluation.sets.values()]
        target = anchors.target.get(score.measure.id)
        met = {True: " met", False: " [bold red]not met[/]", None: ""}[meets(score, anchors)]
        table.add_row(score.measure.says, *own, "" if target is None else f"{target} %{met}")
    return table


def _share(score: Score) -> str:
    count = f"{score.proportion.hits}/{score.proportion.total}"
    return f"{per_cent(score.proportion.share)} {count}\n[dim]{interval_in_words(score)}[/]"


def _published(evaluation: Evaluation, anchors: Anchors) -> Table:
    """What others reached, one figure a row."""
    table = _table("Published", "", "Who", "Source")
    for score in next(iter(evaluation.sets.values())).scores:
        for anchor in anchors.published.get(score.measure.id, ()):
            doubt = "" if anchor.confirmed else " (not confirmed)"
            title = anchors.titles[anchor.cite].rpartition(", ")[2]
            table.add_row(score.measure.id, anchor.figure, anchor.who + doubt, f"{anchor.cite}: {title}")
    return table


def _confusion(evaluation: Evaluation, part: str) -> Table:
    words = [urgency.word for urgency in URGENCIES]
    table = _table("label \\ rules", *words, title=f"Urgency, {part}")
    for i, (word, row) in enumerate(zip(words, evaluation.sets[part].confusion, strict=True)):
        cells = [
            f"[green]{n}[/]" if i == j else f"[red]{n}[/]" if j > i else f"[yellow]{n}[/]" for j, n in enumerate(row)
        ]
        table.add_row(word, *(cell if n else "." for cell, n in zip(cells, row, strict=True)))
    return table
