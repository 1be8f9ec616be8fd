"""Every leaflet says what it must and nothing that it must not, in every language, file by file."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fhir_app.knowledge.leaflet_files import missing_leaflets
from fhir_app.knowledge.phrase_files import PHRASES
from fhir_app.knowledge.strict_yaml import read_yaml
from tests.leaflets.readability import sentences
from tests.leaflets.results import FOLDER, LANGUAGES, intake, real_intake

DOCUMENT, PROBLEMS = read_yaml(FOLDER / "rules.yaml")
RULES: dict[str, Any] = DOCUMENT.data
LEAFLETS = [key for key in intake().leaflets if key[0] != PHRASES]


def is_red_flag_id(leaflet_id: str) -> bool:
    return leaflet_id == "NA" or leaflet_id.startswith("RF")


CAUSES = [id_ for id_, language in LEAFLETS if language == "en" and not is_red_flag_id(id_) and "prevention" not in id_]

# A sentence that warns must not comfort as well (what calms stands in a sentence of its own).
WARNS = {"en": r"\bcall \{|\bgo to \{hosp|dangerous|serious", "es": r"\bllame |\bvaya hoy|peligro|grave"}
COMFORTS = {
    "en": r"get better|improve|passes in|usually|can be fixed|can be treated|be helped|worry|may not be",
    "es": r"mejora|se pasa|suele|se puede arreglar|tiene tratamiento|se puede tratar|preocup|no será nada",
}


def _text(leaflet_id: str, language: str) -> str:
    leaflet = intake().leaflets[leaflet_id, language]
    return " ".join(f"{leaflet.title}\n{leaflet.markdown}".split())


def _groups(leaflet_id: str) -> list[str]:
    if is_red_flag_id(leaflet_id):
        return ["red-flags"]
    return ["prevention"] if leaflet_id.startswith("prevention-") else ["causes"]


def _rules(leaflet_id: str, kind: str) -> list[dict[str, str]]:
    sources = [RULES["everywhere"], *(RULES[g] for g in _groups(leaflet_id)), RULES["leaflets"].get(leaflet_id, {})]
    return [rule for source in sources for rule in source.get(kind, [])]


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def test_the_rules_are_read_without_problems_and_name_leaflets_that_exist() -> None:
    assert PROBLEMS == []
    assert set(RULES["leaflets"]) <= {id_ for id_, _ in LEAFLETS}


def test_every_cause_and_variant_has_its_own_list_of_what_it_must_say() -> None:
    assert [id_ for id_ in CAUSES if not RULES["leaflets"].get(id_, {}).get("must_say")] == []


@pytest.mark.parametrize(("leaflet_id", "language"), LEAFLETS)
def test_a_leaflet_says_what_it_must(leaflet_id: str, language: str) -> None:
    text = _text(leaflet_id, language)
    assert [r["idea"] for r in _rules(leaflet_id, "must_say") if not _found(r[language], text)] == []


@pytest.mark.parametrize(("leaflet_id", "language"), LEAFLETS)
def test_a_leaflet_says_nothing_that_it_must_not(leaflet_id: str, language: str) -> None:
    text = _text(leaflet_id, language)
    assert [r["idea"] for r in _rules(leaflet_id, "must_not_say") if _found(r[language], text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_fixed_phrase_says_what_no_text_may(language: str) -> None:
    texts = intake().leaflets[PHRASES, language].texts
    bad = [
        (key, rule["idea"])
        for key, text in texts.items()
        for rule in RULES["everywhere"]["must_not_say"]
        if _found(rule[language], text)
    ]
    assert bad == []


@pytest.mark.parametrize(("leaflet_id", "language"), LEAFLETS)
def test_no_sentence_warns_and_comforts_at_once(leaflet_id: str, language: str) -> None:
    both = [
        sentence
        for sentence in sentences(intake().leaflets[leaflet_id, language].markdown)
        if _found(WARNS[language], sentence) and _found(COMFORTS[language], sentence)
    ]
    assert both == []


@pytest.mark.parametrize(
    ("text", "language"),
    [("You have sciatica.", "en"), ("Usted tiene ciática.", "es"), ("About 7% of riders.", "en"), ("Call 911.", "en")],
)
def test_a_forbidden_sentence_is_caught(text: str, language: str) -> None:
    assert any(_found(rule[language], text) for rule in RULES["everywhere"]["must_not_say"])


def test_no_cause_variant_family_or_form_of_none_fits_is_without_a_leaflet() -> None:
    real = real_intake()
    assert missing_leaflets(real.leaflets, real.causes, real.red_flags, real.scoring.none_fits.id) == ()


def test_a_missing_leaflet_is_named_with_its_language() -> None:
    real = real_intake()
    fewer = {key: text for key, text in real.leaflets.items() if key != ("sciatica", "es")}
    found = missing_leaflets(fewer, real.causes, real.red_flags, real.scoring.none_fits.id)
    assert found == ("leaflets: sciatica has no leaflet in es",)
