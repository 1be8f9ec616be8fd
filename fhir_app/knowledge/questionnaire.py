"""Questionnaire JSON -> items, options, enableWhen, texts by language. Any R4 Questionnaire, not only ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_app.knowledge.answers import AnswerValue
from fhir_app.knowledge.criteria import Criterion


@dataclass(frozen=True)
class Option:
    """One answerOption. `texts` is by language; the empty key holds the Questionnaire's own language."""

    value: AnswerValue
    text: str
    texts: Mapping[str, str]
    exclusive: bool


@dataclass(frozen=True)
class Item:
    """One item of a Questionnaire, with everything that a check of answers needs."""

    link_id: str
    type: str
    text: str | None
    texts: Mapping[str, str]
    required: bool
    repeats: bool
    read_only: bool
    options: tuple[Option, ...]
    answer_value_set: str | None
    enable_when: Criterion | None
    max_length: int | None
    items: tuple[Item, ...]
    resource: Mapping[str, Any]


@dataclass(frozen=True)
class Questionnaire:
    """A Questionnaire; `by_link_id` finds every item at any depth."""

    url: str | None
    version: str | None
    title: str | None
    language: str | None
    items: tuple[Item, ...]
    by_link_id: Mapping[str, Item]
    resource: Mapping[str, Any]
