"""The measures: each a count of stories out of those that it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fhir_app.evaluation.outcome import StoryOutcome
from fhir_app.evaluation.proportion import Proportion
from fhir_app.knowledge.intake import Urgency

EMERGENCY, SAME_DAY = Urgency.EMERGENCY, Urgency.SAME_DAY
SOON, ROUTINE, SELF_CARE = Urgency.SOON, Urgency.ROUTINE, Urgency.SELF_CARE
URGENCIES = (EMERGENCY, SAME_DAY, SOON, ROUTINE, SELF_CARE)

Among = Callable[[StoryOutcome], bool]


@dataclass(frozen=True)
class Measure:
    """`holds` is asked of every story for which `among` is true. `id` is the one in anchors.yaml."""

    id: str
    group: str
    says: str
    among: Among
    holds: Among


@dataclass(frozen=True)
class Score:
    """One measure with its count, and the stories that it does not hold for."""

    measure: Measure
    proportion: Proportion
    missed: tuple[str, ...]


@dataclass(frozen=True)
class Scores:
    """All measures of one set of stories. `confusion[gold][given]` counts stories."""

    stories: int
    scores: tuple[Score, ...]
    confusion: tuple[tuple[int, ...], ...]

    def of(self, measure_id: str) -> Score:
        """Raises StopIteration for a measure that there is none of."""
        return next(score for score in self.scores if score.measure.id == measure_id)


def score_stories(outcomes: Sequence[StoryOutcome]) -> Scores:
    """Every measure over these stories."""
    scores = []
    for measure in MEASURES:
        asked = [outcome for outcome in outcomes if measure.among(outcome)]
        missed = tuple(outcome.id for outcome in asked if not measure.holds(outcome))
        scores.append(Score(measure, Proportion(len(asked) - len(missed), len(asked)), missed))
    confusion = tuple(
        tuple(sum(1 for o in outcomes if o.gold is gold and o.given is given) for given in URGENCIES)
        for gold in URGENCIES
    )
    return Scores(len(outcomes), tuple(scores), confusion)


def _every(_: StoryOutcome) -> bool:
    return True


def _listed(outcome: StoryOutcome) -> bool:
    return bool(outcome.right)


def _inside(outcome: StoryOutcome) -> bool:
    return not outcome.is_outside


def _labelled_somehow(outcome: StoryOutcome) -> bool:
    return bool(outcome.right) or outcome.is_outside


def _outside_without_label(outcome: StoryOutcome) -> bool:
    return outcome.is_outside and not outcome.right


def _gold(*urgencies: Urgency) -> Among:
    return lambda outcome: outcome.gold in urgencies


def _top(k: int) -> Among:
    return lambda outcome: outcome.position is not None and outcome.position <= k


def _top_with_none_fits(k: int) -> Among:
    def holds(outcome: StoryOutcome) -> bool:
        place = outcome.position_with_none_fits
        return place is not None and place <= k

    return holds


def _none_fits_up_to(k: int) -> Among:
    return lambda outcome: outcome.none_fits_position is not None and outcome.none_fits_position <= k


CAUSES, SAFETY, RESTRAINT = "Causes", "Safety: not too late", "Restraint: not too soon"

MEASURES = (
    Measure("top-1", CAUSES, "right cause first (strict: only labels of the list count)", _listed, _top(1)),
    Measure("top-3", CAUSES, "right cause in the first three (strict)", _listed, _top(3)),
    Measure("top-5", CAUSES, "right cause in the first five (strict)", _listed, _top(5)),
    Measure("top-1-inside", CAUSES, "right first, of stories whose own diagnosis is on the list", _inside, _top(1)),
    Measure("top-3-inside", CAUSES, "the same, in the first three", _inside, _top(3)),
    Measure(
        "top-1-open", CAUSES, 'right first, "none fits" right for a diagnosis outside the list', _labelled_somehow,
        _top_with_none_fits(1),
    ),
    Measure("top-3-open", CAUSES, "the same, in the first three", _labelled_somehow, _top_with_none_fits(3)),
    Measure(
        "none-fits", CAUSES, '"none fits" first or second, of outside stories without a label of the list',
        _outside_without_label, _none_fits_up_to(2),
    ),
    Measure(
        "none-fits-only-outside", CAUSES, '"none fits" not first, of stories with a diagnosis of the list',
        _inside, lambda o: o.none_fits_position != 1,
    ),
    Measure("listed", CAUSES, "diagnosis or an accepted one is on the list", _every, _listed),
    Measure("coverage", CAUSES, "causes were ranked with words of likelihood", _every, lambda o: o.is_covered),
    Measure(
        "emergency", SAFETY, "emergencies sent to emergency", _gold(EMERGENCY), lambda o: o.given is EMERGENCY
    ),
    Measure(
        "same-day", SAFETY, "same-day stories at same-day or above", _gold(SAME_DAY), lambda o: o.given >= SAME_DAY
    ),
    Measure("safe", SAFETY, "at most one level too low", _every, lambda o: o.levels_too_low <= 1),
    Measure("not-under", SAFETY, "at the right level or above (strict)", _every, lambda o: o.levels_too_low == 0),
    Measure(
        "red-flag", SAFETY, "a red-flag row is present where the label names a red flag",
        lambda o: o.label.red_flag is not None, lambda o: o.flagged,
    ),
    Measure("exact", RESTRAINT, "exactly the right level", _every, lambda o: o.given is o.gold),
    Measure(
        "low-not-raised", RESTRAINT, "routine and self-care kept below same-day", _gold(ROUTINE, SELF_CARE),
        lambda o: o.given < SAME_DAY,
    ),
    Measure(
        "self-care", RESTRAINT, "self-care exactly at self-care", _gold(SELF_CARE), lambda o: o.given is SELF_CARE
    ),
    Measure(
        "routine-not-soon", RESTRAINT, "routine not raised to soon", _gold(ROUTINE), lambda o: o.given is not SOON
    ),
    Measure(
        "routine", RESTRAINT, "routine exactly at routine", _gold(ROUTINE), lambda o: o.given is ROUTINE
    ),
)  # fmt: skip
