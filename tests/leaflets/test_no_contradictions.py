"""One page gives one advice: how soon, whether to move, drink or wait, in every language."""

from __future__ import annotations

import re

import pytest

from fhir_app.knowledge.intake import Disposition
from fhir_app.knowledge.phrase_files import PHRASES
from fhir_app.leaflets.page import PatientDocument
from tests.leaflets.results import (
    E0,
    E1H,
    LANGUAGES,
    ROUTINE,
    SELF_CARE,
    SOON,
    cause,
    document,
    flag,
    intake,
    result,
)

LASTING = (
    "peripheral-neuropathy", "spinal-stenosis", "cecs", "sciatica", "b12-deficiency", "peripheral-artery-disease",
    "popliteal-entrapment",
)  # fmt: skip
BOOK = {"en": r"\b(?:book a visit|see a (?:sports )?c)", "es": r"\b(?:pida (?:una )?cita|vea a un médico|acuda a)"}
STOP_DRINKS = {"en": "Stop all drinks", "es": "Deje toda bebida"}
SUGAR = {"en": "take sugar now", "es": "tome azúcar ya"}
NO_FOOD = {"en": "do not eat or drink", "es": "no coma ni beba"}


def _flat(page: PatientDocument) -> str:
    return " ".join(page.text.split())


def _section(page: PatientDocument, kind: str) -> str:
    match = re.search(rf'<section class="{kind}">(.*?)</section>', page.html, re.DOTALL)
    assert match is not None
    return " ".join(re.sub(r"<[^>]+>", " ", match[1]).split())


def _box(page: PatientDocument) -> str:
    """What stands above the first section."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.html.split("<body", 1)[1].split("<section")[0]).split())


def _title(id_: str, language: str) -> str:
    return intake().leaflets[id_, language].title


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("disposition", "row"), [(SOON, "RF07.5"), (SOON, "RF14.1"), (ROUTINE, "RF17.3")])
def test_none_fits_has_no_time_of_its_own(disposition: Disposition, row: str, language: str) -> None:
    found = result(disposition, flags=(flag(row, disposition),), causes=(cause("none-fits", 1, "possible"),))
    text = _flat(document(found, language))
    assert not re.search(r"within 2 weeks|en 2 semanas", text)
    assert {"en": "first line of your page says how soon", "es": "primera línea de su hoja dice"}[language] in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_that_asks_for_a_visit_within_days_asks_for_no_trial_of_weeks(language: str) -> None:
    causes = (cause("restrictive-clothing", 1),)
    assert not re.search(r"2 weeks|2 semanas", _flat(document(result(SOON, causes=causes), language)))
    assert re.search(r"2 weeks|2 semanas", _flat(document(result(SELF_CARE, causes=causes), language)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("id_", LASTING)
def test_a_page_for_care_at_home_does_not_lead_with_a_visit(id_: str, language: str) -> None:
    assert not re.search(BOOK[language], _box(document(result(SELF_CARE, causes=(cause(id_, 1),)), language)), re.I)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("id_", ["spinal-stenosis", "b12-deficiency", "peripheral-artery-disease"])
def test_the_same_cause_leads_with_a_visit_where_a_visit_is_the_advice(id_: str, language: str) -> None:
    box = _box(document(result(ROUTINE, causes=(cause(id_, 1),)), language))
    steps = box.split(intake().leaflets[PHRASES, language].texts["start-with"])[1]
    assert re.search(BOOK[language], steps, re.I)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("id_", ["peripheral-neuropathy", "none-fits"])
def test_at_home_only_what_is_new_is_told_not_to_last_over_a_day(id_: str, language: str) -> None:
    page = document(result(SELF_CARE, causes=(cause(id_, 1, "possible"),)), language)
    sentences = re.split(r"(?<=[.:]) ", _flat(page))
    over_a_day = [s for s in sentences if re.search(r"more than a day|over a day|más de un día", s)]
    assert over_a_day
    assert all(re.search(r"\bnew\b|\bnuevo\b", s) for s in over_a_day)
    assert not re.search(r"short and mild|breve y leve", _flat(page))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("other", [(), ("iliac-endofibrosis",)])
def test_two_causes_in_arteries_give_one_advice_on_walking(other: tuple[str, ...], language: str) -> None:
    causes = (cause("peripheral-artery-disease", 1), cause("popliteal-entrapment", 2, "possible", other))
    text = _flat(document(result(ROUTINE, causes=causes), language))
    assert not re.search(r"then go on|luego siga", text)
    assert {"en": "Once you have been checked, walk", "es": "Cuando ya le hayan visto, ande"}[language] in text
    assert {"en": "Stop when it hurts", "es": "Pare si duele"}[language] in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("disposition", [SELF_CARE, ROUTINE, SOON])
def test_too_much_to_drink_is_looked_at_again_the_next_day(disposition: Disposition, language: str) -> None:
    day = {"en": "November 25, 2026", "es": "25 de noviembre de 2026"}[language]
    flagged = result(disposition, flags=(flag("RF12b.2", SELF_CARE),))
    for found in (flagged, result(disposition, causes=(cause("fluid-overload", 1),))):
        assert day in _section(document(found, language), "date")


@pytest.mark.parametrize("language", LANGUAGES)
def test_after_too_much_to_drink_a_sign_that_was_told_is_not_a_new_one(language: str) -> None:
    page = document(result(SELF_CARE, flags=(flag("RF12b.2", SELF_CARE),)), language)
    hospital = [s for s in re.split(r"(?<=\.) ", _flat(page)) if re.search(r"Go to the emergency|Vaya hoy a", s)]
    assert any({"en": "you did not tell us", "es": "no nos contó"}[language] in s for s in hospital)
    assert not any(re.search(r"headache|dolor de cabeza", s) for s in hospital)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("disposition", [SELF_CARE, ROUTINE, SOON])
def test_nothing_tells_to_drink_below_stop_all_drinks(disposition: Disposition, language: str) -> None:
    salts = cause("dehydration-electrolyte", 2, "possible", ("low-potassium", "low-calcium"))
    flags = (flag("RF12b.2", SELF_CARE), flag("RF06b.1", SELF_CARE))
    for found in (
        result(disposition, flags=flags, causes=(cause("fluid-overload", 1), salts)),
        result(disposition, flags=flags, causes=(salts,)),
        result(disposition, flags=flags[1:], causes=(cause("fluid-overload", 1), salts)),
    ):
        text = _flat(document(found, language))
        assert STOP_DRINKS[language] in text
        assert _title("prevention-hydration", language) not in text
        # What is left is for later, and has its end: "and stop when you are not".
        assert not re.search(r"or a sports drink|o una bebida deportiva", text)
        assert not re.search(r"Drink when you are thirsty\.|Beba cuando tenga sed\.", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_low_sugar_is_told_to_take_sugar_before_anything_about_food(language: str) -> None:
    page = document(result(E0, flags=(flag("RF23.1", E0), flag("RF12b.1", E1H))), language)
    text = _flat(page).lower()
    assert text.index(SUGAR[language]) < text.index(NO_FOOD[language])
    assert STOP_DRINKS[language].lower() not in text
    assert _title("RF12b", language) in _flat(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_low_sugar_is_open_no_cause_tells_to_stop_drinking(language: str) -> None:
    found = result(SOON, flags=(flag("RF23.1", SOON, by_gap=True),), causes=(cause("fluid-overload", 1),))
    assert STOP_DRINKS[language] not in _flat(document(found, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_for_hospital_is_not_dropped_for_a_gap(language: str) -> None:
    found = result(E1H, flags=(flag("RF12b.1", E1H), flag("RF23.1", SOON, by_gap=True)))
    assert STOP_DRINKS[language] in _flat(document(found, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_weakness_in_effort_alone_is_a_call_when_it_stays_at_rest(language: str) -> None:
    signs = _section(document(result(ROUTINE, flags=(flag("RF10.7", ROUTINE),)), language), "signs")
    assert {"en": "weak at rest, or is not back to normal within an hour", "es": "débil en reposo o no vuelve"}[
        language
    ] in signs
    assert not re.search(r"if both legs get weak|si se debilitan las dos", signs)
    urgent = _section(document(result(E1H, flags=(flag("RF10.4", E1H),)), language), "signs")
    assert re.search(r"both legs get weak|se debilitan por primera vez las dos piernas", urgent)


@pytest.mark.parametrize("language", LANGUAGES)
def test_signs_from_the_spine_name_numbness_from_the_waist_down(language: str) -> None:
    text = _flat(document(result(E1H, flags=(flag("RF08.3", E1H),)), language))
    assert {"en": "from the waist, belly or chest down", "es": "la cintura, el vientre o el pecho"}[language] in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("row", ["RF03.5", "RF06.4", "RF09.3", "RF11.6", "RF24.2"])
def test_rows_that_ask_for_two_days_set_the_date(row: str, language: str) -> None:
    day = {"en": "November 26, 2026", "es": "26 de noviembre de 2026"}[language]
    assert day in _section(document(result(SOON, flags=(flag(row, SOON),)), language), "date")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("disposition", [E0, E1H])
def test_an_urgent_page_for_a_minor_starts_with_its_reason(disposition: Disposition, language: str) -> None:
    flags = (flag("RF00.1", SOON), flag("RF03.1", disposition), flag("RF14.1", SOON))
    page = document(result(disposition, flags=flags, because="under-age"), language)
    headings = re.findall(r"<h[23]>(.*?)</h[23]>", page.html)
    assert headings.index(_title("RF03", language)) < headings.index(_title("RF00", language))
    assert headings[0] == intake().leaflets[PHRASES, language].texts["flags-heading"]
    assert _title("RF14", language) not in headings
    assert not re.search(r"If none of these fits|Si nada de esto", _flat(page))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_for_a_minor_that_is_not_urgent_has_no_card(language: str) -> None:
    flags = (flag("RF00.1", SOON), flag("RF14.1", SOON))
    page = document(result(SOON, flags=flags, because="under-age"), language)
    headings = re.findall(r"<h[23]>(.*?)</h[23]>", page.html)
    assert headings[0] == _title("RF00", language)
    assert _title("RF14", language) not in headings
    assert re.search(r"If none of these fits|Si nada de esto", _flat(page))


MILDER = [
    ("RF02.7", SOON, {"en": "the kit or pose too", "es": "también la prenda o la postura"}),
    ("RF02.6", ROUTINE, {"en": "Ask for an ankle blood pressure test", "es": "presión arterial en el tobillo"}),
    ("RF04.5", SOON, {"en": "without hard effort or stays weak for an hour", "es": "sin gran esfuerzo o sigue débil"}),
    ("RF04.4", E1H, {"en": "in the leg and in the hand or face", "es": "en la pierna y en la mano o la cara"}),
    ("RF07.6", SOON, {"en": "even if it comes and goes", "es": "aunque vaya y venga"}),
    ("RF07.7", ROUTINE, {"en": "climbs higher within hours or days", "es": "sube más en horas o días"}),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("row", "disposition", "says"), MILDER, ids=[row for row, _, _ in MILDER])
def test_a_milder_row_of_a_family_reads_right(
    row: str, disposition: Disposition, says: dict[str, str], language: str
) -> None:
    page = document(result(disposition, flags=(flag(row, disposition),)), language)
    assert says[language] in _flat(page)
    book = {SOON: r"within days|en unos días", ROUTINE: r"Book a visit|Pida cita", E1H: r"Go today|Vaya hoy"}
    steps = re.search(r'<section class="card">.*?<section class="now">(.*?)</section>', page.html, re.DOTALL)
    assert steps is not None
    assert re.search(book[disposition], steps[1])
