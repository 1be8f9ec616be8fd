"""An evaluation as one self-contained HTML page."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fhir_app.evaluation.anchors import Anchors
from fhir_app.evaluation.pictures import confusion_matrix, interval_bar
from fhir_app.evaluation.report import Evaluation, interval_in_words, knowledge_json, meets, per_cent


def evaluation_page(evaluation: Evaluation, anchors: Anchors) -> str:
    """The page as text: one file, no script, nothing fetched; the same evaluation gives the same bytes."""
    sets = list(evaluation.sets.items())
    pictures = {part: Markup(confusion_matrix(scores, f"matrix-{part}")) for part, scores in sets}  # noqa: S704
    shown = max(sets, key=lambda pair: pair[0] == "report")  # the untouched part where there is one, else the first
    bars = {
        score.measure.id: Markup(interval_bar(score.proportion, anchors.target.get(score.measure.id)))  # noqa: S704
        for score in shown[1].scores
    }
    numbers = {source: number for number, source in enumerate(anchors.titles, start=1)}
    return (
        _environment()
        .get_template("evaluation.html.jinja")
        .render(
            knowledge=[knowledge_json(intake) for intake in evaluation.intakes],
            evaluation=evaluation,
            sets=sets,
            shown=shown,
            pictures=pictures,
            bars=bars,
            anchors=anchors,
            numbers=numbers,
            groups=list(dict.fromkeys(score.measure.group for score in shown[1].scores)),
            meets={score.measure.id: meets(score, anchors) for score in shown[1].scores},
            per_cent=per_cent,
            interval=interval_in_words,
        )
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("fhir_app.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
