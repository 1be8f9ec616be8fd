"""An assessment as tables on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

Content = Mapping[str, Any]

STRONGEST = 3
_COLOURS = {"emergency": "bold white on red", "same-day": "bold red", "soon": "yellow", "routine": "cyan"}
_NOT_RANKED = {
    "status": "The response is not finished, so causes were not ranked.",
    "invalid": "The response is not valid, so causes were not ranked and what follows is unverified.",
    "under-age": "Causes are ranked for adults only.",
}


def as_table(title: str, content: Content, reviewed_by: str | None) -> RenderableType:
    """`content`, the published JSON of an assessment (assessment.schema.json), as a panel: urgency and what asks for
    it, red flags, causes with their strongest reasons, and who reviewed the knowledge."""
    urgency = content["urgency"]
    parts: list[RenderableType] = [f"Urgency: [{_COLOURS.get(urgency, 'green')}] {_urgency(content)} [/]"]
    if content["not_assessed_because"]:
        parts.append(f"[italic]{_NOT_RANKED[content['not_assessed_because']]}[/]")
    if present := _present(content):
        table = _table("Red flag", "Urgency", "What", "Because of")
        for flag in present:
            table.add_row(flag["id"], _urgency(flag), escape(flag["says"]), escape(_answers(flag)))
        parts.append(table)
    parts.extend(escape(f"Asks for {_urgency(trigger)}: {_trigger(trigger)}") for trigger in content["triggers"])
    if missing := _not_assessed(content):
        parts.append(f"Red flags not assessed: {', '.join(missing)}")
    if ranked := _ranked(content):
        table = _table("", "Likely cause", "", "Strongest reasons")
        for cause in ranked:
            reasons = escape("\n".join(_reasons(cause)))
            table.add_row(str(cause["rank"]), escape(cause["label"]), cause["likelihood"], reasons)
        parts.append(table)
    reviewed = f"reviewed by {reviewed_by}" if reviewed_by else "not yet reviewed by a clinician"
    parts.append(escape(f"Knowledge {content['intake']} {content['knowledge_version']}, {reviewed}."))
    return Panel(Group(*parts), title=escape(title), title_align="left")


def console(width: int = 110) -> Console:
    """Standard output; when that is no terminal, without colours and of a width of its own."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else width)


def _table(*headers: str) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _urgency(finding: Content) -> str:
    where = f" ({finding['where']})" if finding.get("where") else ""
    return f"{finding['urgency']}{where}"


def _trigger(trigger: Content) -> str:
    return f"{trigger['says']} ({', '.join([trigger['id'], *trigger['sources']])})"


def _present(content: Content) -> list[Content]:
    return [flag for flag in content["red_flags"] if flag["status"] == "present" and flag["reported"]]


def _not_assessed(content: Content) -> list[str]:
    return sorted({flag["family"] for flag in content["red_flags"] if flag["status"] == "not-assessed"})


def _ranked(content: Content) -> list[Content]:
    """Those that are worth a line: the likely and possible ones, at least the first three."""
    if not content["assessed"]:
        return []
    causes: Sequence[Content] = content["causes"]
    return [cause for cause in causes if cause["rank"] <= STRONGEST or cause["likelihood"] in ("likely", "possible")]


def _reasons(cause: Content) -> Iterator[str]:
    for sign, side in (("+", "for"), ("-", "against")):
        counted = [item for item in cause[side] if item["counted"]]
        shown = STRONGEST if cause["likelihood"] in ("likely", "possible") else 1
        for item in sorted(counted, key=lambda item: -abs(item["strength"]))[:shown]:
            source = f" [{item['sources'][0]}]" if item["sources"] else ""
            yield f"{sign} {item['says']}{source}"


def _answers(finding: Content) -> str:
    given = [f"{answer['question']}={answer['answer']}" for answer in finding["answers"]]
    gaps = [f"{link_id} unanswered" for link_id in finding["unanswered"]]
    return ", ".join(given + gaps) or "no single answer"
