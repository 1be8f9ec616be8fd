"""The cases together: no cause, site, hint, ceiling or option of the form without a case."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.intake import Cause, Intake
from tests.questionnaires.tried import FOLDERS, Tried, all_tried, intake_in, reader

pytestmark = pytest.mark.parametrize("folder", [pytest.param(folder, id=folder.name) for folder in FOLDERS])

# What these causes can score without the feature that defines them stays under the cap, or under their own ceiling.
NEVER_CAPPED = {"overtraining", "warm-up"}


def test_each_cause_leads_or_is_likely_in_a_case_that_names_it(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    named = {one.case.expected.first for one in tries}
    named |= {cause for one in tries for cause, word in one.case.expected.likelihoods.items() if word == "likely"}
    assert [cause.id for cause in intake.causes if _can_lead(cause, intake) and cause.id not in named] == []


def test_a_cause_that_can_never_lead_is_the_best_of_the_causes_once(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    none_fits = intake.scoring.none_fits.id
    best = {next((c.id for c in one.assessment.causes if c.id != none_fits), None) for one in tries if _ranked(one)}
    assert [cause.id for cause in intake.causes if not _can_lead(cause, intake) and cause.id not in best] == []


def test_each_cause_is_absent_from_the_top_in_a_case_that_names_it(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    low = {cause for one in tries for cause, word in one.case.expected.likelihoods.items() if word == "less-likely"}
    low |= {cause for one in tries for cause in one.case.expected.capped if one.case.expected.first != cause}
    assert [cause.id for cause in intake.causes if cause.id not in low] == []


def test_each_piece_of_evidence_holds_in_one_case_and_not_in_another(folder: Path) -> None:
    intake, tries = intake_in(folder), [one for one in all_tried(folder) if _ranked(one)]
    missing = []
    for cause in intake.causes:
        for item in cause.evidence:
            said = set(map(reader(item.when.tree, intake), tries))
            if said != {True, False}:
                missing.append(item.id)
    assert missing == []


def test_each_site_or_form_of_a_cause_is_named_in_a_case(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    named = {variant for one in tries for variant in one.case.expected.variants}
    assert [v.id for cause in intake.causes for v in cause.variants if v.id not in named] == []


def test_each_hint_is_shown_in_a_case_that_names_it(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    named = {hint for one in tries for hint in one.case.expected.hints}
    assert [hint.id for hint in intake.hints if hint.id not in named] == []


def test_each_ceiling_and_each_missing_feature_stops_a_score_once(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    hit = {(cause, why) for one in tries for cause, why in one.case.expected.capped.items()}
    wanted = {(cause.id, "ceiling") for cause in intake.causes if cause.ceiling is not None}
    wanted |= {(cause.id, "required") for cause in intake.causes if cause.id not in NEVER_CAPPED}
    assert sorted(wanted - hit) == []


def test_a_ceiling_that_can_be_lifted_is_lifted_once(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    lifted = {c.id for one in tries if _ranked(one) for c in one.assessment.causes for k in intake.causes
              if k.id == c.id and k.ceiling is not None and c.score > k.ceiling}  # fmt: skip
    assert [k.id for k in intake.causes if k.ceiling_lifted is not None and k.id not in lifted] == []


def test_none_fits_stands_first_second_and_last(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    none_fits = intake.scoring.none_fits.id
    ranks = {c.rank for one in tries if _ranked(one) for c in one.assessment.causes if c.id == none_fits}
    assert {1, 2, len(intake.causes) + 1} <= ranks


def test_no_cause_is_ranked_for_a_minor_or_an_unfinished_response(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    for one in tries:
        ages = one.read.answers.values(intake.age_link_id)
        is_minor = any(isinstance(age, int) and age < intake.adult_from for age in ages)
        assert one.assessment.assessed is (one.case.status in ("completed", "amended") and not is_minor), one.case.id


def _can_lead(cause: Cause, intake: Intake) -> bool:
    return cause.ceiling is None or cause.ceiling >= intake.scoring.possible_score or cause.ceiling_lifted is not None


def _ranked(one: Tried) -> bool:
    return one.assessment.assessed


# --- the form ---------------------------------------------------------------------------------------------------


def test_each_option_is_chosen_in_a_case(folder: Path) -> None:
    intake, tries = intake_in(folder), all_tried(folder)
    chosen = {
        (link_id, code) for one in tries for link_id in one.case.answers for code in one.read.answers.codes(link_id)
    }
    wanted = {
        (item.link_id, option.value.code)
        for item in intake.questionnaire.by_link_id.values()
        for option in item.options
        if isinstance(option.value, Coding) and item.link_id not in intake.descriptive
        and f"{item.link_id}/{option.value.code}" not in intake.descriptive
    }  # fmt: skip
    assert sorted(f"{link_id}/{code}" for link_id, code in wanted - chosen) == []
