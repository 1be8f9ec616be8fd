"""The stories of each intake: they fill the form, they are split once for all, and none is sent home too late."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.assessment.read_answers import read_answers
from fhir_app.evaluation.outcome import StoryOutcome, story_outcome
from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.cases import Story, read_cases
from fhir_app.knowledge.intake import Urgency
from tests.questionnaires.tried import FOLDERS, intake_in


@lru_cache(maxsize=4)
def stories_in(folder: Path) -> tuple[Story, ...]:
    return tuple(story for path in sorted((folder / "cases").glob("*.yaml")) for story in read_cases(path)[1])


@lru_cache(maxsize=4)
def outcomes_in(folder: Path) -> tuple[StoryOutcome, ...]:
    return tuple(story_outcome(intake_in(folder), story) for story in stories_in(folder))


def said(outcome: StoryOutcome) -> str:
    """What a failing test shows of a story."""
    return f"{outcome.id} ({outcome.part}, {outcome.label.diagnosis}): {outcome.gold.word}, came {outcome.given.word}"


INTAKES = [pytest.param(folder, id=folder.name) for folder in FOLDERS if stories_in(folder)]
ALL = [
    pytest.param(folder, story, id=f"{folder.name}/{story.id}") for folder in FOLDERS for story in stories_in(folder)
]
TINGLING_LEGS = next(folder for folder in FOLDERS if folder.name == "tingling-legs")


# --- the encodings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("folder", "story"), ALL)
def test_the_answers_of_a_story_are_a_response_without_errors(folder: Path, story: Story) -> None:
    """A question that the story says nothing of may stay unanswered, except where the form demands an answer."""
    questionnaire = intake_in(folder).questionnaire
    response = build_questionnaire_response(questionnaire, story.answers, authored="2026-11-24T10:00:00Z")
    read = read_answers(questionnaire, response)
    assert response["status"] == "completed"
    assert [f"{issue.code}: {issue.text}" for issue in read.issues if issue.is_error] == []


@pytest.mark.parametrize(("folder", "story"), ALL)
def test_each_question_and_code_of_a_story_exists(folder: Path, story: Story) -> None:
    items = intake_in(folder).questionnaire.by_link_id
    assert set(story.answers) - set(items) == set()
    for link_id, given in story.answers.items():
        codes = {option.value.code for option in items[link_id].options if isinstance(option.value, Coding)}
        if codes:
            assert set(given if isinstance(given, list) else [given]) - codes == set(), link_id


@pytest.mark.parametrize(("folder", "story"), ALL)
def test_no_answer_of_a_story_is_lost_behind_a_question_that_is_not_shown(folder: Path, story: Story) -> None:
    """A follow-up whose option is not ticked any more is a slip of the encoding."""
    questionnaire = intake_in(folder).questionnaire
    response = build_questionnaire_response(questionnaire, story.answers, authored="2026-11-24T10:00:00Z")
    assert set(read_answers(questionnaire, response).answers.answered) == set(story.answers)


@pytest.mark.parametrize("folder", INTAKES)
def test_the_age_told_is_the_age_answered(folder: Path) -> None:
    question = intake_in(folder).age_link_id
    assert [story.id for story in stories_in(folder) if story.answers[question] != story.age] == []


# --- the collection ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", INTAKES)
def test_each_story_stands_once(folder: Path) -> None:
    for told in ([story.id for story in stories_in(folder)], [story.text for story in stories_in(folder)]):
        assert [text for text, count in Counter(told).items() if count > 1] == []


@pytest.mark.parametrize("folder", INTAKES)
def test_each_diagnosis_is_a_cause_or_says_that_it_is_outside(folder: Path) -> None:
    causes = {cause.id for cause in intake_in(folder).causes}
    for story in stories_in(folder):
        for diagnosis in (story.label.diagnosis, *story.label.acceptable):
            assert diagnosis in causes or diagnosis.startswith("other:"), story.id


def test_the_split_of_the_stories_is_complete_and_as_it_was_drawn() -> None:
    """Moving one from `report` to `tune` is a decision, so it must be made here as well."""
    parts = Counter((story.id[0], story.part) for story in stories_in(TINGLING_LEGS))
    assert parts == {
        **{("v", "tune"): 53, ("a", "tune"): 68, ("b", "tune"): 68, ("c", "tune"): 42, ("d", "tune"): 42},
        **{("e", "tune"): 48, ("f", "tune"): 60, ("g", "tune"): 1, ("g", "report"): 49},
    }


@pytest.mark.parametrize("folder", INTAKES)
def test_both_parts_hold_every_urgency(folder: Path) -> None:
    """A part without emergencies could say nothing about them."""
    for part in ("tune", "report"):
        assert {outcome.gold for outcome in outcomes_in(folder) if outcome.part == part} == set(Urgency)


# --- safety: these must hold for every story, of either part ------------------------------------------------------


@pytest.mark.parametrize("folder", INTAKES)
def test_no_emergency_is_given_less(folder: Path) -> None:
    low = [said(o) for o in outcomes_in(folder) if o.gold is Urgency.EMERGENCY and o.given is not Urgency.EMERGENCY]
    assert low == []


@pytest.mark.parametrize("folder", INTAKES)
def test_nobody_who_must_be_seen_today_is_told_to_wait(folder: Path) -> None:
    low = [said(o) for o in outcomes_in(folder) if o.gold is Urgency.SAME_DAY and o.given < Urgency.SAME_DAY]
    assert low == []


@pytest.mark.parametrize("folder", INTAKES)
def test_no_story_is_more_than_one_level_too_low(folder: Path) -> None:
    assert [said(o) for o in outcomes_in(folder) if o.levels_too_low > 1] == []
