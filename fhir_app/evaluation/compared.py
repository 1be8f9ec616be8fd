"""Two knowledge versions on the same answers: every story and case whose result changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_app.errors import KnowledgeError
from fhir_app.evaluation.played import Result, play_case, play_story
from fhir_app.knowledge.cases import Case, Story
from fhir_app.knowledge.intake import Intake


@dataclass(frozen=True)
class Change:
    """A story or case that comes out differently. A side that cannot be played says why in words instead."""

    id: str
    name: str
    before: Result | str
    after: Result | str

    @property
    def said(self) -> tuple[str, ...]:
        """Each thing that changed, one sentence each."""
        if isinstance(self.before, str) or isinstance(self.after, str):
            return (f"{_short(self.before)} -> {_short(self.after)}",)
        said = []
        if self.before.urgency != self.after.urgency:
            said.append(f"urgency {self.before.urgency} -> {self.after.urgency}")
        if gone := sorted(set(self.before.present) - set(self.after.present)):
            said.append(f"no longer present: {', '.join(gone)}")
        if come := sorted(set(self.after.present) - set(self.before.present)):
            said.append(f"now present: {', '.join(come)}")
        if self.before.causes != self.after.causes:
            said.append(f"causes {', '.join(self.before.causes) or 'none'} -> {', '.join(self.after.causes) or 'none'}")
        return tuple(said)


def _short(side: Result | str) -> str:
    return side if isinstance(side, str) else side.urgency


def changes(before: Intake, after: Intake, cases: Iterable[Case], stories: Iterable[Story]) -> tuple[Change, ...]:
    """Every case and story whose urgency, present rows or first three causes differ under the two versions.

    Answers that one of the versions does not take are a change too, and said in its words.
    """
    found = []
    for case in cases:
        found.append(Change(case.id, case.name, _played(before, case), _played(after, case)))
    for story in stories:
        name = f"{story.label.diagnosis}, {story.label.urgency}"
        found.append(Change(story.id, name, _played(before, story), _played(after, story)))
    return tuple(change for change in found if change.before != change.after)


def _played(intake: Intake, given: Case | Story) -> Result | str:
    try:
        return Result.of(play_case(intake, given) if isinstance(given, Case) else play_story(intake, given))
    except KnowledgeError as error:
        return f"cannot be played ({error.public_text})"
