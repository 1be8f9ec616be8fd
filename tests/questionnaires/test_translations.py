"""The Questionnaire's translations: complete, faithful in their numbers, plain where it matters, and in use."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fhir_app.app import create_app, load_parts
from fhir_app.assessment.assess import assess
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.assessment.read_answers import ReadResponse, read_answers
from fhir_app.fhir.model import check_shape, parse_with_library
from fhir_app.knowledge.cases import Case
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library
from fhir_app.knowledge.translations import TRANSLATION, translatable, with_translations
from fhir_app.settings import Settings
from tests.questionnaires.tried import ROOT, cases_in, intake_in

FOLDER = ROOT / "tingling-legs"
CORE_LISTS = ("rf-general", "rf-body", "rf-legs", "rf-nerve")
CASES = [pytest.param(case, id=case.id) for _, case in cases_in(FOLDER)[::10]]
# Figures of speech and words that mislead: "de golpe" beside a part of the body reads as a blow to it.
FIGURES = re.compile(r"\bde golpe\b|\bcomo (una )?(piedra|roca)\b|\balfileres\b|\bagujas\b|\bpierna muerta\b", re.I)
# Forms of tú, vos and vosotros; the patient is addressed with usted.
FAMILIAR = re.compile(r"\b(tú|tu|tus|te|ti|vos|vosotros|vuestr[oa]s?|tienes|tenés|puedes|podés|marca|llama)\b", re.I)


def form() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "questionnaire.json").read_text(encoding="utf-8"))
    return loaded


@cache
def texts() -> dict[str, tuple[str, str]]:
    """Key -> the English text and the Spanish one, as they are published."""
    resource = copy.deepcopy(dict(intake().questionnaire.resource))
    return {key: (holder[element], _spanish(holder[f"_{element}"])) for key, holder, element in translatable(resource)}


def intake() -> Intake:
    return intake_in(FOLDER)


def _spanish(element: dict[str, Any]) -> str:
    parts = [extension["extension"] for extension in element["extension"] if extension["url"] == TRANSLATION]
    found = [{part["url"]: part.get("valueString", part.get("valueCode")) for part in extension} for extension in parts]
    return next(str(translation["content"]) for translation in found if translation["lang"] == "es")


def _items(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        yield item
        yield from _items(item.get("item", []))
        for answer in item.get("answer", []):
            yield from _items(answer.get("item", []))


def in_spanish_only(response: dict[str, Any]) -> dict[str, Any]:
    """The response as a form filler shows and sends it that knows nothing of the English texts."""
    response = copy.deepcopy(response)
    for item in _items(response["item"]):
        if "text" in item:  # groups that only carry a condition have none
            item["text"] = texts()[item["linkId"]][1]
        item.pop("_text", None)
        for answer in item.get("answer", []):
            if coding := answer.get("valueCoding"):
                coding["display"] = texts()[f"{item['linkId']}/{coding['code']}"][1]
                coding.pop("_display", None)
    return response


def spanish_response(answers: Mapping[str, object]) -> dict[str, Any]:
    return build_questionnaire_response(intake().questionnaire, answers, authored="2026-03-01T09:00:00Z", language="es")


def test_every_text_has_a_spanish_one_for_exactly_these_words() -> None:
    assert with_translations(form(), FOLDER / "translations", ["en", "es"])[1] == []


def test_the_intake_is_offered_in_english_and_spanish() -> None:
    assert tuple(intake().languages) == ("en", "es")


def test_a_changed_question_makes_its_translation_stale() -> None:
    resource = form()
    resource["item"][1]["item"][0]["text"] = "In the last 14 days, or right now:"
    _, problems = with_translations(resource, FOLDER / "translations", ["es"])
    assert problems == ["translations/es.yaml: rf-general is stale: it translates 'In the last 7 days, or right now:'"]


def test_numbers_are_the_same_in_both_languages() -> None:
    def numbers(text: str) -> list[str]:
        return re.findall(r"\d+", text)

    assert {key: pair for key, pair in texts().items() if numbers(pair[0]) != numbers(pair[1])} == {}


def test_two_options_of_a_question_never_read_alike() -> None:
    seen: dict[tuple[str, str], str] = {}
    alike = []
    for key, (_, spanish) in texts().items():
        question, _, code = key.partition("/")
        if code and (other := seen.setdefault((question, spanish.casefold()), key)) != key:
            alike.append((other, key))
    assert alike == []


@pytest.mark.parametrize("word", ["None of these", "Not sure", "Yes", "No"])
def test_an_answer_that_many_questions_share_is_worded_alike_everywhere(word: str) -> None:
    assert len({spanish for english, spanish in texts().values() if english == word}) == 1


def test_a_question_stays_a_question_and_a_lead_in_stays_open() -> None:
    for key, (english, spanish) in texts().items():
        assert spanish.count("¿") == spanish.count("?"), key
        if english.endswith("?"):
            assert "?" in spanish, key
        if english.endswith(":"):
            assert spanish.endswith((":", "?")), key


def test_the_patient_is_addressed_with_usted() -> None:
    assert {key: spanish for key, (_, spanish) in texts().items() if FAMILIAR.search(spanish)} == {}


def test_safety_questions_use_no_figures_of_speech() -> None:
    assert {key: text for key, (_, text) in texts().items() if key.startswith("rf-") and FIGURES.search(text)} == {}


def test_the_safety_lists_say_what_numb_means() -> None:
    """Dormido also means asleep; the four lists everyone sees say what is felt."""
    listed = {key: spanish for key, (_, spanish) in texts().items() if key.split("/")[0] in CORE_LISTS}
    numb = {key: text for key, text in listed.items() if re.search(r"dormid|durmió", text)}
    assert len(numb) >= 4
    assert {key: text for key, text in numb.items() if "poco o nada" not in text} == {}


def test_the_published_questionnaire_with_translations_is_valid_fhir() -> None:
    resource = intake().questionnaire.resource
    assert check_shape(resource, "Questionnaire") == ()
    parse_with_library(resource)


@pytest.mark.parametrize("case", CASES)
def test_a_response_built_in_spanish_is_read_without_a_remark(case: Case) -> None:
    response = spanish_response(case.answers)
    assert check_shape(response, "QuestionnaireResponse") == ()
    assert read_answers(intake().questionnaire, response).issues == _in_english(case).issues


@pytest.mark.parametrize("case", CASES)
def test_a_response_with_spanish_texts_alone_gets_the_same_result(case: Case) -> None:
    read = read_answers(intake().questionnaire, in_spanish_only(spanish_response(case.answers)))
    english = _in_english(case)
    assert read.issues == english.issues
    assert assess(intake(), read.answers, rank_causes=True) == assess(intake(), english.answers, rank_causes=True)


def _in_english(case: Case) -> ReadResponse:
    response = build_questionnaire_response(intake().questionnaire, case.answers, authored="2026-03-01T09:00:00Z")
    return read_answers(intake().questionnaire, response)


@pytest.mark.parametrize(("language", "written_in"), [("es", "es"), ("es-MX", "es"), ("en", "en"), ("fr", "en")])
def test_the_patient_is_answered_in_the_language_of_the_response(
    tmp_path: Path, language: str, written_in: str
) -> None:
    response = json.loads((FOLDER / "samples" / "compartment-runner.json").read_text(encoding="utf-8"))
    response["language"] = language
    parts = load_parts(Settings(database_url=f"sqlite:///{tmp_path}/app.db"), Library((intake(),)))
    client = create_app(parts).test_client()
    reply = client.post("/fhir/QuestionnaireResponse", json=response, content_type="application/fhir+json")
    found = client.get("/fhir/DocumentReference").get_json()
    parts.database.close()
    assert reply.status_code == 201
    [document] = [entry["resource"] for entry in found["entry"]]
    assert {content["attachment"]["language"] for content in document["content"]} == {written_in}
