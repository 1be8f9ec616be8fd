"""The published intake from answers to page: what a person with these answers takes home."""

from __future__ import annotations

import pytest

from fhir_app.assessment.assess import assess
from fhir_app.knowledge.answers import Answers, Coding
from fhir_app.leaflets.compose import compose
from tests.leaflets.results import CARE, LANGUAGES, TODAY, real_intake

LISTS = {"rf-general": ["none"], "rf-body": ["none"], "rf-legs": ["none"], "rf-nerve": ["none"]}
BIKE = {
    "pt-age": 31, "sx-location": ["toes-ball"], "sx-side": "both-same", "sx-onset": "varies", "sx-relief-time": "2-min",
    "sx-relief-how": ["change-position", "loosen"], "sx-trigger": ["cycling"], "sx-course": "2-6w", "kit-test": "yes",
    "sx-assoc": ["none"], "ex-change": ["kit", "new-bike"], "pt-health": ["none"], "sx-trend": "same",
}  # fmt: skip
ANSWERS = {
    "numb toes on the bike": ({**LISTS, **BIKE}, "BOOK|HOME", "Tight shoes or clothes"),
    "cannot pee": (
        {**LISTS, **BIKE, "rf-nerve": ["pee"], "rf-pee-kind": ["retention"], "rf-pee-when": "days"},
        "CALL 911 NOW",
        "A change in pee, poo, sex or feeling between the legs",
    ),
    "sixteen years old": ({**LISTS, "pt-age": 16}, "SEE A CLINICIAN", "This tool is for adults"),
    "drank far too much": (
        {
            **LISTS, **BIKE, "ex-change": ["drank-more", "long-hot"], "fluid-when": "yes",
            "fluid-feel": ["bloated", "headache"],
        },
        "GO TO THE EMERGENCY ROOM",
        "Stop all drinks",
    ),
    "declined the personal list": (
        {**LISTS, **BIKE, "rf-nerve": ["prefer-not"]}, "SEE A CLINICIAN", "Safety questions that are open",
    ),
}  # fmt: skip


def _answers(given: dict[str, object]) -> Answers:
    def values(value: object) -> tuple[Coding | int, ...]:
        if isinstance(value, int):
            return (value,)
        return tuple(Coding(None, str(code)) for code in (value if isinstance(value, list) else [value]))

    return Answers({link_id: values(value) for link_id, value in given.items()})


@pytest.mark.parametrize("story", ANSWERS)
def test_these_answers_give_this_page(story: str) -> None:
    given, headline, says = ANSWERS[story]
    intake = real_intake()
    page = compose(intake, assess(intake, _answers(given)), language="en", today=TODAY, care=CARE["us"])
    first = page.text.splitlines()[0]
    assert any(part in first for part in headline.split("|"))
    assert says in page.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("story", ANSWERS)
def test_every_page_says_that_it_is_no_diagnosis(story: str, language: str) -> None:
    intake = real_intake()
    page = compose(intake, assess(intake, _answers(ANSWERS[story][0])), language=language, today=TODAY, care=CARE["us"])
    assert {"en": "This is not a diagnosis.", "es": "Esto no es un diagnóstico."}[language] in page.text


def test_every_red_flag_row_has_a_card_in_every_language() -> None:
    intake = real_intake()
    families = {flag.family for flag in intake.red_flags}
    assert all((family, language) in intake.leaflets for family in families for language in LANGUAGES)
