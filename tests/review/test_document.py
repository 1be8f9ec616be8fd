"""The knowledge as a document: complete, traceable, signable."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from fhir_app.knowledge.intake import Intake
from fhir_app.review.document import NOT_REVIEWED, review_json, review_markdown, review_page
from fhir_app.review.rules import all_rules
from fhir_app.review.source_attributes import SourceAttribute, source_attributes
from tests.assessment.knowledge_fixture import FOLDER, intake

RULES = tuple(all_rules(intake()))


@pytest.fixture(scope="module")
def attributes() -> tuple[SourceAttribute, ...]:
    return source_attributes(intake(), FOLDER)


@pytest.fixture(scope="module")
def page(attributes: tuple[SourceAttribute, ...]) -> str:
    return review_page(intake(), attributes)


@pytest.fixture(scope="module")
def markdown(attributes: tuple[SourceAttribute, ...]) -> str:
    return review_markdown(intake(), attributes)


def test_every_rule_has_an_id_of_its_own() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))


def test_every_rule_of_the_intake_is_in_the_document() -> None:
    of = intake()
    wanted = {flag.id for flag in of.red_flags} | {t.id for t in of.triggers} | {h.id for h in of.hints}
    wanted |= {f"@{name}" for name in of.conditions} | {item.id for cause in of.causes for item in cause.evidence}
    wanted |= {f"{cause.id}/{part}" for cause in of.causes for part in ("required", "next-step", "floor-1")}
    wanted |= {f"{cause.id}/{variant.id}" for cause in of.causes for variant in cause.variants}
    assert wanted <= {rule.id for rule in RULES}


@pytest.mark.parametrize("form", ["page", "markdown"])
def test_every_rule_is_an_anchor_with_a_place_to_sign(form: str, request: pytest.FixtureRequest) -> None:
    text: str = request.getfixturevalue(form)
    for rule in RULES:
        assert f'id="{rule.id}"' in text
    signed = "agree<br>" if form == "page" else "- [ ] agree"
    assert text.count(signed) >= len(RULES)


def test_every_rule_is_there_as_it_runs(markdown: str) -> None:
    for rule in RULES:
        assert not rule.when or f"- Rule: `{rule.when}`" in markdown


def test_every_link_of_the_page_has_its_target(page: str) -> None:
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_the_page_is_self_contained(page: str) -> None:
    assert not re.search(r"<script|<link|<img|src=|url\(", page)


def test_sources_say_whether_they_were_confirmed(page: str, markdown: str) -> None:
    unconfirmed = sum(1 for source in intake().sources.values() if not source.confirmed)
    assert unconfirmed > 0
    assert page.count("<strong>Not confirmed.</strong>") == unconfirmed
    assert markdown.count("**Not confirmed.**") == unconfirmed


def test_until_somebody_reviewed_it_every_form_of_the_document_says_so(
    page: str, markdown: str, attributes: tuple[SourceAttribute, ...]
) -> None:
    assert intake().reviewed_by is None
    assert "Not yet reviewed by a clinician." in page
    assert "**Not yet reviewed by a clinician.**" in markdown
    assert review_json(intake(), attributes)["reviewed"] == NOT_REVIEWED


def test_once_reviewed_it_names_who_and_when(attributes: tuple[SourceAttribute, ...]) -> None:
    reviewed: Intake = replace(intake(), reviewed_by="Dr A. Example", reviewed_on="2027-01-02")
    assert "Reviewed by Dr A. Example on 2027-01-02." in review_page(reviewed, attributes)


def test_a_rule_is_said_in_the_words_of_the_form(page: str) -> None:
    assert "When rf-nerve: “I would rather not answer the personal ones”." in page


def test_what_stands_in_the_knowledge_cannot_become_markup(attributes: tuple[SourceAttribute, ...]) -> None:
    first, *others = intake().red_flags
    spoiled: Intake = replace(intake(), red_flags=(replace(first, says="<b>bold</b> & co"), *others))
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; co" in review_page(spoiled, attributes)


def test_the_same_knowledge_gives_the_same_bytes(page: str, attributes: tuple[SourceAttribute, ...]) -> None:
    assert review_page(intake(), attributes) == page
