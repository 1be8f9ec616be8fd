"""The whole knowledge of one intake as one HTML page or one Markdown text, and as plain data."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.intake import Intake, Source
from fhir_app.knowledge.questionnaire import Item
from fhir_app.review.rules import (
    ReviewedRule,
    all_rules,
    causes,
    hints,
    in_words,
    named_conditions,
    none_fits_floors,
    red_flags,
    triggers,
)
from fhir_app.review.source_attributes import SourceAttribute, attributes_json

NOT_REVIEWED = "not yet reviewed by a clinician"


def review_page(intake: Intake, attributes: tuple[SourceAttribute, ...]) -> str:
    """One self-contained HTML page, made for A4: a box and a line for initials beside every rule."""
    return _environment().get_template("knowledge.html.jinja").render(_content(intake, attributes))


def review_markdown(intake: Intake, attributes: tuple[SourceAttribute, ...]) -> str:
    """The same as Markdown, for review as a text with changes."""
    return _environment().get_template("knowledge.md.jinja").render(_content(intake, attributes))


def review_json(intake: Intake, attributes: tuple[SourceAttribute, ...]) -> dict[str, Any]:
    """Version, review, the 13 source attributes, every rule, every source: strings and whole numbers only."""
    return {
        "intake": intake.name,
        "questionnaire": intake.canonical,
        "knowledge_version": intake.knowledge_version,
        "digest": intake.digest,
        "reviewed": reviewed(intake),
        "source_attributes": attributes_json(attributes),
        "rules": [_rule_json(rule) for rule in all_rules(intake)],
        "sources": [_source_json(source) for source in intake.sources.values()],
    }


def reviewed(intake: Intake) -> str:
    """Who reviewed it and when, in words."""
    if intake.reviewed_by is None:
        return NOT_REVIEWED
    return f"reviewed by {intake.reviewed_by} on {intake.reviewed_on}"


def counts(intake: Intake) -> dict[str, int]:
    """How many rules rest on what, and how many sources are confirmed."""
    by_basis = Counter(rule.basis for rule in all_rules(intake))
    return {
        "rules": sum(by_basis.values()),
        "published": by_basis["published"],
        "derived": by_basis["derived"],
        "judgement": by_basis["judgement"],
        "sources": len(intake.sources),
        "unconfirmed sources": sum(1 for source in intake.sources.values() if not source.confirmed),
    }


def _rule_json(rule: ReviewedRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "kind": rule.kind,
        "says": rule.says,
        "when": rule.when,
        "weight": rule.weight,
        "why": rule.why,
        "basis": rule.basis,
        "figure": rule.figure,
        "sources": [f"{citation.source.id}#{citation.locator}" for citation in rule.citations],
    }


def _source_json(source: Source) -> dict[str, Any]:
    kept = ("id", "title", "publisher", "year", "url", "found_at", "confirmed", "note")
    return {key: getattr(source, key) for key in kept} | {"locators": list(source.locators)}


def _content(intake: Intake, attributes: tuple[SourceAttribute, ...]) -> dict[str, Any]:
    rules = tuple(all_rules(intake))
    cited = {
        source: tuple(r.id for r in rules if any(c.source.id == source for c in r.citations))
        for source in intake.sources
    }
    return {
        "intake": intake,
        "reviewed": reviewed(intake),
        "counts": counts(intake),
        "attributes": attributes,
        "conditions": named_conditions(intake),
        "families": [(family, red_flags(intake, family.id)) for family in intake.families.values()],
        "triggers": triggers(intake),
        "causes": causes(intake),
        "none_fits": none_fits_floors(intake),
        "hints": hints(intake),
        "numbers": {source: number for number, source in enumerate(intake.sources, start=1)},
        "cited": cited,
        "questions": [_question(item) for item in intake.questionnaire.by_link_id.values() if item.is_question],
        "in_words": in_words,
    }


def _question(item: Item) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    options = ((str(o.value.code), o.text) for o in item.options if isinstance(o.value, Coding))
    return item.link_id, item.text or "", tuple(options)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("fhir_app.review"),
        autoescape=select_autoescape(enabled_extensions=("html.jinja",), default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
