"""One story: what a clinician's label says and what the rules said, ready to be counted."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_app.assessment.assessment import Assessment
from fhir_app.evaluation.played import Result, play_story
from fhir_app.knowledge.cases import Label, Story
from fhir_app.knowledge.intake import Intake, Urgency


@dataclass(frozen=True)
class StoryOutcome:
    """A story's label beside what came out of it. `ranked` begins with the first entry, "none fits" included.

    `flagged`: a row that speaks of a danger is present, not only one that reports a gap or an age."""

    id: str
    part: str
    label: Label
    gold: Urgency
    given: Urgency
    where: str | None
    ranked: tuple[str, ...]
    words: tuple[str, ...]
    present: tuple[str, ...]
    flagged: bool
    none_fits: str
    listed: frozenset[str]

    @property
    def right(self) -> frozenset[str]:
        """The labels of our list that count as right."""
        return frozenset((self.label.diagnosis, *self.label.acceptable)) & self.listed

    @property
    def is_outside(self) -> bool:
        """The diagnosis is no cause of our list."""
        return self.label.diagnosis not in self.listed

    @property
    def position(self) -> int | None:
        """Where the first right label stands, counted from 1."""
        return next((place for place, cause in enumerate(self.ranked, 1) if cause in self.right), None)

    @property
    def position_with_none_fits(self) -> int | None:
        """The same, with "none fits" right as well where the diagnosis is outside our list."""
        right = self.right | {self.none_fits} if self.is_outside else self.right
        return next((place for place, cause in enumerate(self.ranked, 1) if cause in right), None)

    @property
    def none_fits_position(self) -> int | None:
        return next((place for place, cause in enumerate(self.ranked, 1) if cause == self.none_fits), None)

    @property
    def is_covered(self) -> bool:
        """The causes were ranked, with words of likelihood."""
        return bool(self.words) and self.words[0] != "not-assessed"

    @property
    def levels_too_low(self) -> int:
        """0 when the urgency is right or higher."""
        return max(0, self.gold - self.given)


def story_outcome(intake: Intake, story: Story) -> StoryOutcome:
    """Plays one story. Raises KnowledgeError for answers that the questionnaire does not take."""
    return outcome_of(intake, story, play_story(intake, story))


def outcome_of(intake: Intake, story: Story, assessment: Assessment) -> StoryOutcome:
    """An assessment beside the label of its story."""
    causes = assessment.causes if assessment.assessed else ()
    where = assessment.disposition.where
    dangers = {flag.id for flag in intake.red_flags if flag.kind == "red-flag"}
    return StoryOutcome(
        id=story.id,
        part=story.part,
        label=story.label,
        gold=Urgency.from_word(story.label.urgency),
        given=assessment.disposition.urgency,
        where=None if where is None else where.word,
        ranked=tuple(cause.id for cause in causes),
        words=tuple(cause.likelihood for cause in causes),
        present=Result.of(assessment).present,
        flagged=any(flag.id in dangers for flag in assessment.present_flags),
        none_fits=intake.scoring.none_fits.id,
        listed=frozenset(cause.id for cause in intake.causes),
    )
