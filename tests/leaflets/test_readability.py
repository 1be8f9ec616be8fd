"""Every text that a patient reads is at grade 6 as the aim and never above grade 8, file by file."""

from __future__ import annotations

import re

import pytest

from fhir_app.knowledge.phrase_files import PHRASES
from fhir_app.leaflets.page import fill
from fhir_app.leaflets.words import words_for
from tests.leaflets.readability import (
    count,
    english_syllables,
    fernandez_huerta,
    flesch_kincaid,
    sentences,
    spanish_syllables,
)
from tests.leaflets.results import CARE, LANGUAGES, SAMPLES, TODAY, compose_sample, intake

NEVER_ABOVE_GRADE, NEVER_BELOW_EASE = 8.0, 60.0
AIM_GRADE, AIM_EASE = 6.0, 70.0
LEAFLETS = [key for key in intake().leaflets if key[0] != PHRASES]
MORE = {"headline": "Book a visit", "flags": "A cold foot", "causes": "Tight shoes"}


def _filled(leaflet_id: str, language: str) -> str:
    words = words_for(intake(), language, today=TODAY, review=TODAY, care=CARE["default"])
    return fill(intake().leaflets[leaflet_id, language].markdown, words.values)


def _check(text: str, language: str) -> None:
    counts = count(text, language)
    if language == "en":
        assert flesch_kincaid(counts) <= NEVER_ABOVE_GRADE
    else:
        assert fernandez_huerta(counts) >= NEVER_BELOW_EASE


@pytest.mark.parametrize(("leaflet_id", "language"), LEAFLETS)
def test_a_leaflet_is_never_above_grade_8(leaflet_id: str, language: str) -> None:
    _check(_filled(leaflet_id, language), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_leaflets_of_a_language_reach_the_aim_of_grade_6_on_average(language: str) -> None:
    scores = [count(_filled(id_, lang), lang) for id_, lang in LEAFLETS if lang == language]
    if language == "en":
        assert sum(map(flesch_kincaid, scores)) / len(scores) <= AIM_GRADE
    else:
        assert sum(map(fernandez_huerta, scores)) / len(scores) >= AIM_EASE


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("group", ["lead-", "date-", "where-", "net-", "flags-", "causes-", "summary-", "trigger-"])
def test_the_fixed_phrases_are_never_above_grade_8(group: str, language: str) -> None:
    words = words_for(intake(), language, today=TODAY, review=TODAY, care=CARE["default"])
    phrases = [fill(text, {**words.values, **MORE}) for key, text in words.phrases.items() if key.startswith(group)]
    assert phrases
    _check("\n\n".join(phrases), language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_a_composed_document_is_never_above_grade_8(name: str, language: str) -> None:
    text = re.sub(r"\n[=-]{3,}\n", "\n\n", compose_sample(name, language, "default").text)
    _check(text, language)


@pytest.mark.parametrize("text", [f"{id_}.{lang}" for id_, lang in LEAFLETS])
def test_no_sentence_is_longer_than_thirty_words(text: str) -> None:
    id_, language = text.rsplit(".", 1)
    assert [s for s in sentences(_filled(id_, language)) if len(s.split()) > 30] == []


@pytest.mark.parametrize(
    ("word", "number"),
    [("nerve", 1), ("tingle", 2), ("medicine", 3), ("emergency", 4), ("away", 2), ("needed", 2), ("helped", 1)],
)
def test_english_syllables_are_counted(word: str, number: int) -> None:
    assert english_syllables(word) == number


@pytest.mark.parametrize(
    ("word", "number"),
    [("pie", 1), ("hormigueo", 4), ("médico", 3), ("día", 2), ("azúcar", 3), ("caer", 2), ("ciudad", 2), ("muy", 1)],
)
def test_spanish_syllables_are_counted(word: str, number: int) -> None:
    assert spanish_syllables(word) == number


def test_a_hard_text_scores_above_the_limit() -> None:
    hard = "Neurogenic claudication characteristically necessitates comprehensive radiological investigation."
    assert flesch_kincaid(count(hard, "en")) > NEVER_ABOVE_GRADE
