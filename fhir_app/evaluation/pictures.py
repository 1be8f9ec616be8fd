"""Pictures as inline SVG: the confusion matrix, and one bar for a share with its interval and target."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fhir_app.evaluation.proportion import Proportion
from fhir_app.evaluation.scores import URGENCIES, Scores

_CELL_WIDTH, _CELL_HEIGHT, _LEFT, _TOP = 92, 52, 116, 58
_RIGHT, _TOO_SOON, _TOO_LATE = (0, 110, 80), (190, 110, 0), (180, 30, 40)


def confusion_matrix(scores: Scores, name: str) -> str:
    """Rows: the label; columns: what the rules said. Colour says right, too soon or too late, and so does the sign in
    the cell, for a print in black and white. `name` makes the ids unique on a page."""
    side = len(URGENCIES)
    width, height = _LEFT + side * _CELL_WIDTH + 4, _TOP + side * _CELL_HEIGHT + 40
    words = [urgency.word for urgency in URGENCIES]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="matrix" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc">',
        f'<title id="{name}-title">Urgency of the label against urgency of the rules, {scores.stories} stories</title>',
        f'<desc id="{name}-desc">{escape(" ".join(_described(scores)))}</desc>',
        f'<text x="{_LEFT + side * _CELL_WIDTH / 2}" y="18" class="axis">what the rules said</text>',
        f'<text x="{_LEFT - 10}" y="40" class="label end">label</text>',
    ]
    for column, word in enumerate(words):
        parts.append(f'<text x="{_LEFT + (column + 0.5) * _CELL_WIDTH}" y="46" class="label">{word}</text>')
    for row, word in enumerate(words):
        middle = _TOP + (row + 0.5) * _CELL_HEIGHT
        parts.append(f'<text x="{_LEFT - 10}" y="{middle + 5}" class="label end">{word}</text>')
        total = sum(scores.confusion[row])
        parts.extend(_cell(row, column, count, total) for column, count in enumerate(scores.confusion[row]))
    meaning = "= right &#160; + too soon &#160; \N{MINUS SIGN} too late"
    legend = f'<text x="{_LEFT}" y="{height - 10}" class="legend">{meaning}</text>'
    return "".join([*parts, legend, "</svg>"])


def _cell(row: int, column: int, count: int, total: int) -> str:
    x, y = _LEFT + column * _CELL_WIDTH, _TOP + row * _CELL_HEIGHT
    colour, sign = (
        (_RIGHT, "=") if row == column else (_TOO_SOON, "+") if column < row else (_TOO_LATE, "\N{MINUS SIGN}")
    )
    strength = 0.12 + 0.68 * (count / total) if count and total else 0.0
    fill = "rgb({}, {}, {})".format(*(round(255 - (255 - part) * strength) for part in colour))
    ink = "#fff" if strength > 0.5 else "#111"
    rect = f'<rect x="{x}" y="{y}" width="{_CELL_WIDTH - 3}" height="{_CELL_HEIGHT - 3}" fill="{fill}" stroke="#888"/>'
    if not count:
        return rect
    middle = x + (_CELL_WIDTH - 3) / 2
    number = f'<text x="{middle}" y="{y + 26}" class="count" fill="{ink}">{count}</text>'
    return f'{rect}{number}<text x="{middle}" y="{y + 42}" class="sign" fill="{ink}">{sign}</text>'


def _described(scores: Scores) -> Iterator[str]:
    words = [urgency.word for urgency in URGENCIES]
    for word, row in zip(words, scores.confusion, strict=True):
        if sum(row):
            given = ", ".join(f"{count} {column}" for column, count in zip(words, row, strict=True) if count)
            yield f"Of {sum(row)} labelled {word}: {given}."


def interval_bar(proportion: Proportion, target: int | None) -> str:
    """A line from 0 to 100 % with the interval as a thick stroke, the share as a dot, and the target as a mark. It
    repeats what the table says in figures, so it is hidden from screen readers."""
    interval, share = proportion.interval, proportion.share
    if interval is None or share is None:
        return ""
    low, high = (100 * edge for edge in interval)
    mark = "" if target is None else f'<path d="M{target + 5} 1v14" class="target"/>'
    return (
        '<svg class="bar" viewBox="0 0 110 16" aria-hidden="true"><path d="M5 8h100" class="scale"/>'
        f'<path d="M{low + 5:.1f} 8h{high - low:.1f}" class="interval"/>{mark}'
        f'<circle cx="{100 * share + 5:.1f}" cy="8" r="3.5"/></svg>'
    )
