"""The patient's document: what stands in it, in which order, and what never does."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.phrase_files import PHRASES
from fhir_app.leaflets.compose import compose, compose_leaflet
from tests.leaflets.results import (
    CARE,
    E0,
    E1C,
    E1H,
    LANGUAGES,
    ROUTINE,
    SAMPLES,
    SELF_CARE,
    SOON,
    TODAY,
    cause,
    compose_sample,
    document,
    flag,
    intake,
    result,
    trigger,
)

CAUSE_IDS = [
    "nerve-compression", "restrictive-clothing", "dehydration-electrolyte", "fluid-overload", "hyperventilation",
    "peripheral-neuropathy", "b12-deficiency", "peripheral-artery-disease", "popliteal-entrapment", "cecs", "sciatica",
    "spinal-stenosis", "overtraining", "warm-up", "none-fits",
]  # fmt: skip
FAMILIES = sorted({id_ for id_, _ in intake().leaflets if id_.startswith("RF") and id_ != "RF00"})
DISPOSITIONS = [E0, E1H, E1C, SOON, ROUTINE, SELF_CARE]
SIGNS = {
    "en": ("numb between the legs, cannot pee", "a foot is cold, pale or blue"),
    "es": ("entre las piernas, no puede orinar", "un pie se pone frío"),
}
LAST = {
    "en": ("It is fine to come back", "This is not a diagnosis."),
    "es": ("Puede volver o llamar otra vez", "Esto no es un diagnóstico."),
}


def _flat(text: str) -> str:
    return " ".join(text.split())


def _headings(html: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_every_page_has_its_parts_in_order(name: str, language: str) -> None:
    page = compose_sample(name, language)
    phrases = intake().leaflets[PHRASES, language].texts
    order = ["flags", "causes", "signs", "date", "prevention", "where"]
    wanted = [phrases[f"{part}-heading"] for part in order]
    shown = [heading for heading in _headings(page.html) if heading in wanted]
    assert shown == [heading for heading in wanted if heading in shown]
    assert {phrases[f"{part}-heading"] for part in ("signs", "date", "where")} <= set(shown)
    text = _flat(page.text)
    places = [text.index(piece) for piece in (*SIGNS[language], *LAST[language])]
    assert all(a < b for a, b in pairwise(places))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_every_page_gives_three_signs_and_a_date(name: str, language: str) -> None:
    html = compose_sample(name, language).html
    signs = re.search(r'<section class="signs">(.*?)</section>', html, re.DOTALL)
    dates = re.search(r'<section class="date">(.*?)</section>', html, re.DOTALL)
    assert signs is not None
    assert signs[1].count("<li>") == 3
    assert dates is not None
    assert "2026" in dates[1]


def test_the_first_line_is_what_to_do_now() -> None:
    first = {name: compose_sample(name).text.splitlines()[0] for name in SAMPLES}
    assert first["emergency-bladder"] == "CALL 911 NOW"
    assert first["same-day-hospital-both-legs"] == "GO TO THE EMERGENCY ROOM (ER) TODAY"
    assert first["same-day-clinic-swollen-leg"] == "GET MEDICAL CARE TODAY"
    assert first["soon-artery"] == "SEE A CLINICIAN IN THE NEXT FEW DAYS"
    assert first["routine-neuropathy-b12"] == "BOOK A ROUTINE VISIT"
    assert first["self-care-two-causes"] == "YOU CAN LOOK AFTER THIS AT HOME FOR NOW"


@pytest.mark.parametrize("disposition", [E0, E1H, E1C])
@pytest.mark.parametrize("id_", CAUSE_IDS)
def test_an_urgent_page_names_no_cause_and_no_prevention(id_: str, disposition: object) -> None:
    page = document(result(disposition, flags=(flag("RF10.2", disposition),), causes=(cause(id_, 1),)))
    assert intake().leaflets[id_, "en"].title not in page.text
    assert not {"What may fit your answers", "What may help it stay away"} & set(_headings(page.html))


def test_at_most_two_causes_are_explained_and_the_weak_one_is_not() -> None:
    three = (cause("sciatica", 1), cause("cecs", 2, "possible"), cause("warm-up", 3, "possible"))
    text = document(result(ROUTINE, causes=three)).text
    titles = [intake().leaflets[c.id, "en"].title for c in three]
    assert [title in text for title in titles] == [True, True, False]
    weak = document(result(ROUTINE, causes=(cause("sciatica", 1), cause("cecs", 2, "less-likely")))).text
    assert titles[1] not in weak


def test_the_order_of_two_causes_does_not_tell_which_is_likelier() -> None:
    one = document(result(ROUTINE, causes=(cause("sciatica", 1), cause("cecs", 2))))
    other = document(result(ROUTINE, causes=(cause("cecs", 1), cause("sciatica", 2))))
    cards = [re.findall(r"<h3>(.*?)</h3>", page.html) for page in (one, other)]
    assert cards[0] == cards[1]


def test_one_variant_speaks_for_its_cause_and_several_stand_below_it() -> None:
    one = document(result(SELF_CARE, causes=(cause("nerve-compression", 1, variants=("meralgia",)),))).html
    assert "<h3>A pinched skin nerve at the hip</h3>" in one
    assert "<h3>A pressed or stretched nerve</h3>" not in one
    two = document(result(SELF_CARE, causes=(cause("nerve-compression", 1, variants=("tarsal", "morton")),))).html
    assert "<h3>A pressed or stretched nerve</h3>" in two
    assert "<h4>A pressed nerve at the inner ankle</h4>" in two


def test_none_fits_says_so_and_is_mild_only_when_care_is_at_home() -> None:
    mild = _flat(document(result(SELF_CARE, causes=(cause("none-fits", 1, "possible"),))).text)
    assert "What you told us is mild." in mild
    assert "still coming back on Tuesday, December 22, 2026" in mild
    book = _flat(document(result(ROUTINE, causes=(cause("none-fits", 1, "less-likely"),))).text)
    assert "does not rule out something important" in book
    assert "Be seen by Tuesday, December 8, 2026" in book


def test_a_page_with_no_cause_above_less_likely_says_that_none_fits() -> None:
    text = document(result(ROUTINE, causes=(cause("cecs", 1, "not-assessed"),))).text
    assert "No clear match" in text


def test_a_minor_gets_the_page_for_minors_only() -> None:
    page = document(
        result(E0, flags=(flag("RF00.1", SOON), flag("RF03.1", E0)), causes=(cause("cecs", 1),), because="under-age")
    )
    assert page.text.startswith("CALL 911 NOW")
    assert "This tool is for adults" in page.text
    assert "Very bad leg pain or a rock-hard muscle" in page.text
    assert "What may fit your answers" not in page.text
    assert "What may help it stay away" not in page.text


@pytest.mark.parametrize(("because", "words"), [("invalid", "could not use all"), ("status", "was not finished")])
def test_without_ranked_causes_the_page_says_why(because: str, words: str) -> None:
    text = document(result(SOON, causes=(cause("cecs", 1),), because=because)).text
    assert words in text
    assert "Tight muscle pressure" not in text


def test_open_safety_questions_are_told_never_as_no() -> None:
    text = _flat(compose_sample("open-safety-questions").text)
    assert 'We never count it as "no".' in text
    assert "I did not answer some of the safety questions." in text


def test_a_flag_that_rests_on_a_gap_says_so() -> None:
    assert "left an answer blank or were not sure" in _flat(compose_sample("emergency-not-sure").text)
    assert "left an answer blank" not in _flat(compose_sample("emergency-bladder").text)


def test_a_flag_card_keeps_only_the_steps_for_its_own_urgency() -> None:
    now = _flat(document(result(E0, flags=(flag("RF02.1", E0),))).text)
    later = _flat(document(result(SOON, flags=(flag("RF02.4", SOON),))).text)
    assert "Let the foot hang down" in now
    assert "Let the foot hang down" not in later
    assert "Stop the exercise that brings it on" in later
    assert "[emergency]" not in now + later


def test_a_milder_flag_is_named_but_not_explained_on_an_urgent_page() -> None:
    page = compose_sample("same-day-hospital-both-legs")
    assert "Laughing gas and tingling" in page.text
    assert "<h3>Laughing gas" not in page.html


def test_a_row_that_asks_for_two_days_sets_the_date() -> None:
    text = document(result(SOON, flags=(flag("RF09.3", SOON),))).text
    assert "Be seen by Thursday, November 26, 2026" in text


def test_one_page_never_tells_to_drink_and_to_stop_drinking() -> None:
    causes = (cause("fluid-overload", 1), cause("dehydration-electrolyte", 2, "possible"))
    text = document(result(SOON, causes=causes)).text
    assert "Stop all drinks" in text
    assert "Not enough water or salt" not in text
    flagged = result(SELF_CARE, flags=(flag("RF12b.2", SELF_CARE),), causes=(cause("dehydration-electrolyte", 1),))
    assert "Not enough water or salt" not in document(flagged).text


def test_the_hydration_advice_carries_the_overhydration_warning() -> None:
    for page in (
        document(result(SELF_CARE, causes=(cause("dehydration-electrolyte", 1),))),
        compose_leaflet(intake(), "prevention-hydration", language="en", today=TODAY, care=CARE["us"]),
    ):
        assert "Too much water can be dangerous" in _flat(page.text)


def test_the_articles_triggers_are_told_in_plain_words() -> None:
    text = document(result(ROUTINE, causes=(cause("cecs", 1),), triggers=(trigger("B2.2"), trigger("X.1")))).text
    assert "It keeps coming back for 6 weeks or more." in text


@pytest.mark.parametrize(
    ("country", "language", "number"),
    [("us", "en", "911"), ("gb", "en", "999"), ("es", "es", "112"), ("mx", "es", "911"), ("au", "en", "000")],
)
def test_the_number_follows_the_country(country: str, language: str, number: str) -> None:
    page = compose_sample("emergency-bladder", language, country)
    assert number in page.text.splitlines()[0]
    assert f'href="tel:{number}"' in page.html


def test_an_unknown_country_gets_no_number_and_no_link() -> None:
    page = compose_sample("emergency-bladder", "en", "default")
    assert "Call your local emergency number" in page.text
    assert "tel:" not in page.html
    assert not re.search(r"\b(?:911|999|112|000)\b", page.text)


def test_dates_are_written_as_the_country_writes_them() -> None:
    assert "Tuesday, November 24, 2026" in compose_sample("emergency-bladder", "en", "us").text
    assert "Tuesday 24 November 2026" in compose_sample("emergency-bladder", "en", "gb").text.replace(", ", " ")
    assert "martes, 24 de noviembre de 2026" in _flat(compose_sample("emergency-bladder", "es", "es").text)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_page_is_self_contained_and_one_language(name: str) -> None:
    html = compose_sample(name, "es", "es").html
    assert html.startswith('<!DOCTYPE html>\n<html lang="es">')
    assert not re.search(r"<(?:script|link|iframe)|url\(|@import", html)
    assert all(url.startswith(("data:image/svg+xml", "tel:")) for url in re.findall(r'(?:src|href)="(.*?)"', html))
    assert "{" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)


@pytest.mark.parametrize("name", SAMPLES)
def test_headings_never_skip_a_level(name: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])>", compose_sample(name).html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_what_stands_in_a_care_name_cannot_become_markup() -> None:
    from dataclasses import replace

    names = {**CARE["us"].languages["en"].names, "clinic": "<b>&</b> ![x](http://x)"}
    care = replace(CARE["us"], languages={"en": replace(CARE["us"].languages["en"], names=names)})
    html = compose(intake(), result(E1C), language="en", today=TODAY, care=care).html
    assert "<b>" not in html
    assert html.count("<img") == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_the_same_input_gives_the_same_document(name: str, language: str) -> None:
    assert compose_sample(name, language) == compose_sample(name, language)


def test_a_page_nobody_has_reviewed_says_that_it_is_a_draft() -> None:
    assert "no clinician has approved it yet" in compose_sample("self-care-two-causes").text


def test_a_missing_language_is_an_error_not_a_guess() -> None:
    with pytest.raises(KnowledgeError):
        compose(intake(), result(ROUTINE), language="fr", today=TODAY, care=CARE["us"])


@pytest.mark.parametrize(("leaflet_id", "language"), [key for key in intake().leaflets if key[0] != PHRASES])
def test_every_leaflet_stands_on_its_own_with_the_common_signs(leaflet_id: str, language: str) -> None:
    page = compose_leaflet(intake(), leaflet_id, language=language, today=TODAY, care=CARE["default"])
    text = _flat(page.text)
    assert all(sign in text for sign in SIGNS[language])
    assert text.index(LAST[language][0]) < text.index(LAST[language][1])
    assert not re.search(r"[{}]|\[(?:emergency|same-day|soon|routine|self-care)", text)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(DISPOSITIONS),
    st.lists(st.sampled_from(FAMILIES), max_size=5, unique=True),
    st.lists(st.tuples(st.sampled_from(CAUSE_IDS), st.sampled_from(["likely", "possible", "less-likely"])),
             max_size=3, unique_by=lambda pair: pair[0]),
    st.sampled_from(LANGUAGES),
    st.sampled_from(sorted(CARE)),
    st.dates(date(2026, 1, 1), date(2030, 12, 31)),
)  # fmt: skip
def test_any_result_gives_a_whole_page(disposition, families, causes, language, country, today) -> None:  # type: ignore[no-untyped-def]
    flags = tuple(flag(f"{family}.1", disposition) for family in families)
    ranked = tuple(cause(id_, rank, likelihood) for rank, (id_, likelihood) in enumerate(causes, start=1))
    found = result(disposition, flags=flags, causes=ranked)
    page = compose(intake(), found, language=language, today=today, care=CARE[country])
    text = _flat(page.text)
    assert all(sign in text for sign in SIGNS[language])
    assert not re.search(r"[{}%]", text)
    assert all(intake().leaflets[family, language].title in text for family in families)
