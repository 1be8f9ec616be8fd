"""Leaflet files are read strictly, and every problem is told at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.leaflet_files import read_leaflets, split_sections
from fhir_app.leaflets.care import care_setting, read_care_settings
from tests.leaflets.results import CARE, FOLDER, ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "leaflets"))


def _problems(folder: Path) -> str:
    with pytest.raises(KnowledgeError) as caught:
        read_leaflets(folder)
    return "\n".join(caught.value.problems)


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_leaflet_is_read_with_its_head_and_body() -> None:
    leaflet = read_leaflets(FOLDER)["meralgia", "en"]
    assert (leaflet.title, leaflet.reviewed) == ("A pinched skin nerve at the hip", None)
    assert leaflet.sources == ("Parisi11", "vanSlobbe04")
    assert [heading for heading, _ in split_sections(leaflet.markdown)] == [
        "What it is", "Why it may fit you", "What to do now", "What helps stop it", "Get help if",
    ]  # fmt: skip


def test_a_review_is_a_date_and_a_name(folder: Path) -> None:
    path = folder / "cecs.en.md"
    _change(path, "reviewed: null", "reviewed: 2026-12-01 Dr A. Example")
    assert read_leaflets(folder)["cecs", "en"].reviewed == "2026-12-01 Dr A. Example"
    _change(path, "2026-12-01 Dr A. Example", "yes")
    assert "cecs.en.md: reviewed is neither null nor a date and a name" in _problems(folder)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{hospital}", "{hopsital}", "cecs.en.md: unknown placeholder {hopsital}"),
        ("{hospital}", "{hospital", "cecs.en.md: a brace without its partner"),
        ("## What it is", "## What is it", "cecs.en.md: the headings are not What it is / Why it may fit you"),
        ("id: cecs", "id: cesc", "cecs.en.md: id and language of the front matter are not those of the file name"),
        ("sources:", "source:", "cecs.en.md: the front matter is not one line each of id, language"),
        ("---\nid", "id", "cecs.en.md: no front matter"),
        ("- Cut back", "- [urgent] Cut back", "cecs.en.md: unknown marker [urgent]"),
        ("title: ", "title: a: ", "cecs.en.md: the title is not plain YAML text"),
    ],
)
def test_a_fault_in_a_file_is_named(folder: Path, old: str, new: str, problem: str) -> None:
    _change(folder / "cecs.en.md", old, new)
    assert problem in _problems(folder)


def test_a_missing_translation_is_a_problem(folder: Path) -> None:
    (folder / "cecs.es.md").unlink()
    (folder / "rf" / "RF25.en.md").unlink()
    problems = _problems(folder)
    assert "leaflets: cecs is not translated into es" in problems
    assert "leaflets: RF25 is not translated into en" in problems


def test_a_phrase_that_one_language_lacks_is_a_problem(folder: Path) -> None:
    _change(folder / "phrases.es.yaml", "not-diagnosis:", "no-diagnosis:")
    problems = _problems(folder)
    assert "phrases.es.yaml: not-diagnosis is missing" in problems
    assert "phrases.es.yaml: no document says no-diagnosis" in problems


def test_a_phrase_that_a_document_says_is_missed_in_every_language_at_once(folder: Path) -> None:
    for language in ("en", "es"):
        _change(folder / f"phrases.{language}.yaml", "headline-soon:", "headline-sooner:")
    problems = _problems(folder)
    assert "phrases.en.yaml: headline-soon is missing" in problems
    assert "phrases.es.yaml: headline-soon is missing" in problems


def test_a_plan_says_for_every_urgency_how_long_to_wait(folder: Path) -> None:
    _change(folder / "plan.yaml", "  routine: 28\n", "")
    assert "plan.yaml: review_days is not exactly emergency, same-day, soon" in _problems(folder)


def test_a_doubled_phrase_is_a_problem(folder: Path) -> None:
    path = folder / "phrases.en.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "come-back: Again.\n", encoding="utf-8")
    assert "'come-back' stands twice" in _problems(folder)


def test_a_language_without_phrases_is_a_problem(folder: Path) -> None:
    shutil.copy(folder / "cecs.en.md", folder / "cecs.fr.md")
    _change(folder / "cecs.fr.md", "language: en", "language: fr")
    assert "cecs.fr.md: there is no phrases.fr.yaml" in _problems(folder)


def test_a_plan_that_names_what_is_not_there_is_a_problem(folder: Path) -> None:
    _change(folder / "plan.yaml", "sciatica: [posture]", "sciatica: [posing]")
    assert "plan.yaml: no leaflet prevention-posing" in _problems(folder)


def test_every_problem_is_told_at_once(folder: Path) -> None:
    (folder / "cecs.es.md").unlink()
    _change(folder / "sciatica.en.md", "## Get help if", "## Help")
    assert len(_problems(folder).splitlines()) >= 2


def test_the_care_settings_have_the_countries_and_a_neutral_one() -> None:
    assert {"default", "us", "gb", "es", "mx", "au"} <= set(CARE)
    assert care_setting(CARE, "GB").dial == "999"
    assert care_setting(CARE, "fr") is CARE["default"]
    assert care_setting(CARE, None).languages["en"].names["emergency_number"] == "your local emergency number"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("clinician: your GP\n  es", "clinicain: your GP\n  es", "gb.en is not exactly"),
        ("locale: es_MX", "locale: xx_YY", "mx.es: no locale xx_YY"),
        ('dial: "112"', "dial: 112", "es: dial is neither null nor digits in quotes"),
        ("paper: letter", "paper: a5", "us: paper is neither a4 nor letter"),
    ],
)
def test_a_fault_in_the_care_settings_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = tmp_path / "care-settings.yaml"
    shutil.copy(ROOT / "care-settings.yaml", path)
    _change(path, old, new)
    with pytest.raises(KnowledgeError) as caught:
        read_care_settings(path)
    assert any(problem in line for line in caught.value.problems)
