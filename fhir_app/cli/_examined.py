"""The doctor for people: what it is doing, and the table of what it found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import click
from rich.markup import escape
from rich.table import Table

from fhir_app.cli._shown import console
from fhir_app.doctor.findings import Report, Verdict

LINE_EVERY = timedelta(seconds=5)
WIDE = 100
"""Columns from which on each claim has a line of its own."""

_VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    "held": ("held", "green"),
    "failed": ("DID NOT HOLD", "bold red"),
    "untested": ("not tested", "yellow"),
    "waived": ("left out", "cyan"),
}


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Tells what is being done: a line that changes on a terminal, else lines; on standard error when `quiet`."""
    if sys.stdout.isatty() and not quiet:
        with console().status("") as status:
            yield lambda words: status.update(escape(words))
    else:
        yield _Lines(lambda words: click.echo(words, err=quiet))


class _Lines:
    """The first line of each step, and then one every few seconds."""

    def __init__(self, echo: Callable[[str], None]) -> None:
        self._echo = echo
        self._step = ""
        self._due = datetime.now(UTC)

    def __call__(self, words: str) -> None:
        step, now = words.split(" ", 1)[0], datetime.now(UTC)
        if step != self._step or now >= self._due:
            self._echo(words)
            self._step, self._due = step, now + LINE_EVERY


def show(report: Report) -> None:
    """The table, and what is left on the server."""
    out = console()
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column(escape(report.server), overflow="fold", no_wrap=out.width >= WIDE)
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    for finding in report.findings:
        word, style = _VERDICTS[finding.verdict]
        table.add_row(escape(finding.claim), f"[{style}]{word}[/]", escape(finding.detail))
    out.print(table)
    for line in _closing(report):
        out.print(line, markup=False, soft_wrap=True)


def _closing(report: Report) -> Iterator[str]:
    counted = ((report.count(verdict), word.lower()) for verdict, (word, _) in _VERDICTS.items())
    yield f"{', '.join(f'{number} {word}' for number, word in counted if number)}; {report.seconds:.0f} s."
    created, unchanged = (report.definitions.get(result, 0) for result in ("created", "unchanged"))
    if created or unchanged:
        yield (
            f"{created + unchanged} shared definitions ({created} of them new) stay on the server: "
            "others may rely on them."
        )
    if report.left:
        yield f"Still on the server, with the tag of this run: {len(report.left)} resources. To see and remove them:"
        yield f"  {report.server}/Observation?_tag={report.tag.replace('|', '%7C')}"
        if report.patient:
            yield f"  {report.server}/Patient/{report.patient}"
        yield f"  fhir-app doctor --to {report.server} --remove {report.run}"
