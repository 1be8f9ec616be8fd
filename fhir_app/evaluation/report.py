"""An evaluation as plain data: what the table, the JSON and the HTML page are all made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_app.evaluation.anchors import Anchors
from fhir_app.evaluation.collection import Collected
from fhir_app.evaluation.compared import Change
from fhir_app.evaluation.expectations import unmet
from fhir_app.evaluation.outcome import StoryOutcome, story_outcome
from fhir_app.evaluation.scores import URGENCIES, Score, Scores, score_stories
from fhir_app.knowledge.intake import Intake


@dataclass(frozen=True)
class FailedCase:
    id: str
    name: str
    unmet: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """Everything that was scored. `sets`: by part; the first holds every story."""

    intakes: tuple[Intake, ...]
    outcomes: tuple[StoryOutcome, ...]
    sets: Mapping[str, Scores]
    cases: int
    failed_cases: tuple[FailedCase, ...]
    changes: tuple[Change, ...] | None


def evaluate(collected: Sequence[Collected], changes: tuple[Change, ...] | None = None) -> Evaluation:
    """Plays every case and story. Raises KnowledgeError for answers that the questionnaire does not take."""
    outcomes = tuple(story_outcome(one.intake, story) for one in collected for story in one.stories)
    parts = sorted({outcome.part for outcome in outcomes})
    sets = {"all": score_stories(outcomes)}
    if len(parts) > 1:
        sets.update({part: score_stories([o for o in outcomes if o.part == part]) for part in parts})
    elif parts:
        sets = {parts[0]: sets["all"]}
    tried = [(case, unmet(one.intake, case)) for one in collected for case in one.cases]
    failed = tuple(FailedCase(case.id, case.name, missed) for case, missed in tried if missed)
    return Evaluation(tuple(one.intake for one in collected), outcomes, sets, len(tried), failed, changes)


def per_cent(share: float | None) -> str:
    """`87.5 %`; a dash where there was nothing to count."""
    return "-" if share is None else f"{100 * share:.1f} %"


def interval_in_words(score: Score) -> str:
    """`71.9-95.0`, in per cent."""
    interval = score.proportion.interval
    return "" if interval is None else f"{100 * interval[0]:.1f}-{100 * interval[1]:.1f}"


def meets(score: Score, anchors: Anchors) -> bool | None:
    """Whether the share reaches its target; None without target or without stories."""
    target, share = anchors.target.get(score.measure.id), score.proportion.share
    return None if target is None or share is None else 100 * share >= target


def evaluation_json(evaluation: Evaluation, anchors: Anchors) -> dict[str, Any]:
    """Plain JSON data; shares as numbers between 0 and 1."""
    return {
        "knowledge": [knowledge_json(intake) for intake in evaluation.intakes],
        "sets": [_set_json(part, scores, anchors) for part, scores in evaluation.sets.items()],
        "published": [
            {"measure": measure, "who": a.who, "figure": a.figure, "source": a.cite, "confirmed": a.confirmed}
            for measure, every in anchors.published.items()
            for a in every
        ],
        "sources": dict(anchors.titles),
        "stories": [_outcome_json(outcome) for outcome in evaluation.outcomes],
        "cases": {
            "count": evaluation.cases,
            "failed": [{"id": f.id, "name": f.name, "unmet": list(f.unmet)} for f in evaluation.failed_cases],
        },
        "changes": None if evaluation.changes is None else [_change_json(change) for change in evaluation.changes],
    }


def knowledge_json(intake: Intake) -> dict[str, Any]:
    """Which knowledge was scored."""
    reviewed = {"by": intake.reviewed_by, "date": intake.reviewed_on} if intake.reviewed_by else None
    return {
        "intake": intake.name,
        "version": intake.knowledge_version,
        "digest": intake.digest,
        "reviewed": reviewed,
    }


def _set_json(part: str, scores: Scores, anchors: Anchors) -> dict[str, Any]:
    words = [urgency.word for urgency in URGENCIES]
    return {
        "part": part,
        "stories": scores.stories,
        "measures": [_score_json(score, anchors) for score in scores.scores],
        "confusion": {
            gold: dict(zip(words, row, strict=True)) for gold, row in zip(words, scores.confusion, strict=True)
        },
    }


def _score_json(score: Score, anchors: Anchors) -> dict[str, Any]:
    target = anchors.target.get(score.measure.id)
    interval = score.proportion.interval
    return {
        "id": score.measure.id,
        "group": score.measure.group,
        "says": score.measure.says,
        "hits": score.proportion.hits,
        "total": score.proportion.total,
        "share": score.proportion.share,
        "interval_95": None if interval is None else list(interval),
        "target": None if target is None else target / 100,
        "meets_target": meets(score, anchors),
        "missed": list(score.missed),
    }


def _outcome_json(outcome: StoryOutcome) -> dict[str, Any]:
    return {
        "id": outcome.id,
        "part": outcome.part,
        "diagnosis": outcome.label.diagnosis,
        "acceptable": list(outcome.label.acceptable),
        "urgency": {"label": outcome.gold.word, "given": outcome.given.word, "where": outcome.where},
        "red_flag": outcome.label.red_flag,
        "present": list(outcome.present),
        "first_three": [list(pair) for pair in zip(outcome.ranked[:3], outcome.words[:3], strict=True)],
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {"id": change.id, "name": change.name, "changed": list(change.said)}
