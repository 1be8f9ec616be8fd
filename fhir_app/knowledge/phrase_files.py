"""The fixed phrases of the patient's document in each language, and the plan by which it is put together."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from fhir_app.knowledge.intake import LeafletText
from fhir_app.knowledge.schemas import DISPOSITIONS, URGENCIES
from fhir_app.knowledge.strict_yaml import read_yaml

PHRASES = "phrases"
CARE_PLACEHOLDERS = frozenset({"emergency_number", "hospital", "clinic", "clinician"})
DATE_PLACEHOLDERS = frozenset({"today", "date", "date_1_week", "date_2_weeks", "date_4_weeks", "date_6_weeks"})
LEAFLET_PLACEHOLDERS = CARE_PLACEHOLDERS | DATE_PLACEHOLDERS
PHRASE_PLACEHOLDERS = LEAFLET_PLACEHOLDERS | {"headline", "flags", "causes"}
TRIGGER_PHRASE = "trigger-"
"""Followed by the id of a trigger: what the patient reads when it fires."""

_DISPOSITIONS = tuple(words.replace(" ", "-") for words in DISPOSITIONS)
PHRASE_KEYS = frozenset(
    {
        *("title", "start-with", "by-gap", "also-tell", "invalid", "status", "unanswered", "come-back"),
        *("not-diagnosis", "draft", "made", "leaflet-made", "net-first", "net-second", "net-otherwise"),
        *("flags-heading", "flags-intro", "flags-intro-mild", "causes-heading", "causes-intro", "causes-intro-one"),
        *("signs-heading", "date-heading", "prevention-heading", "where-heading"),
        *(f"heading-{part}" for part in ("what", "why", "now", "helps", "help", "tell")),
        *(f"{part}-{key}" for part in ("icon", "headline", "lead", "date", "where") for key in _DISPOSITIONS),
        *(f"marker-{key}" for key in ("same-day", *_DISPOSITIONS)),
        *("summary-heading", "summary-start", "summary-advice", "summary-flags", "summary-causes"),
        *("summary-none-fits", "summary-unanswered", "summary-end"),
    }
)
"""Every phrase that a document may say, triggers aside. `net-first` and `net-second` are the signs that stand on each
page, `net-otherwise` the third where nothing that is shown has one of its own."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Plan:
    """How a patient's document is put together, the same in every language."""

    review_days: Mapping[str, int]
    red_flag_days: Mapping[str, int]
    cause_days: Mapping[str, int]
    prevention: Mapping[str, tuple[str, ...]]
    always: tuple[str, ...]
    never_with: Mapping[str, tuple[str, ...]]
    keep_general: tuple[str, ...]


@dataclass(frozen=True)
class PhraseBook(LeafletText):
    """The fixed phrases of one language; it stands among the leaflets under the id `phrases`."""

    texts: Mapping[str, str] = field(hash=False)
    plan: Plan = field(hash=False)


def read_phrases(folder: Path, problems: list[str]) -> Mapping[str, PhraseBook]:
    """The PhraseBook of each `phrases.<language>.yaml`, all with the `plan.yaml` beside them; a phrase
    that is missing, or that no document says, is a problem. Problems are appended, nothing is raised."""
    plan = _read_plan(folder / "plan.yaml", problems)
    paths = sorted(folder.glob("phrases.*.yaml"))
    books = {path.name.split(".")[1]: _read_book(path, plan, problems) for path in paths}
    if not books:
        problems.append(f"{folder.name}: no phrases.<language>.yaml, so no language is known")
    triggers = {key for book in books.values() for key in book.texts if key.startswith(TRIGGER_PHRASE)}
    for language, book in sorted(books.items()):
        wanted = PHRASE_KEYS | triggers
        problems += [f"phrases.{language}.yaml: {key} is missing" for key in sorted(wanted - set(book.texts))]
        problems += [f"phrases.{language}.yaml: no document says {key}" for key in sorted(set(book.texts) - wanted)]
    return books


def placeholder_problems(text: str, where: str, known: Collection[str]) -> list[str]:
    """One line for each `{name}` in `text` that is not among `known`, and for a brace that stands alone."""
    found = [f"{where}: unknown placeholder {{{name}}}" for name in _PLACEHOLDER.findall(text) if name not in known]
    if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
        found.append(f"{where}: a brace without its partner")
    return found


def _read_book(path: Path, plan: Plan, problems: list[str]) -> PhraseBook:
    document, found = read_yaml(path)
    problems += found
    texts: dict[str, str] = {}
    for key, text in (document.data if isinstance(document.data, dict) else {}).items():
        if not isinstance(text, str) or not text.strip():
            problems.append(f"{document.place((key,))}: not a text")
            continue
        problems += placeholder_problems(text, document.place((key,)), PHRASE_PLACEHOLDERS)
        texts[str(key)] = text.strip()
    language = path.name.split(".")[1]
    return PhraseBook(PHRASES, language, texts.get("title", ""), None, (), "", MappingProxyType(texts), plan)


def _read_plan(path: Path, problems: list[str]) -> Plan:
    raw: Mapping[str, object] = {}
    if path.is_file():
        document, found = read_yaml(path)
        problems += found
        raw = document.data if isinstance(document.data, dict) else {}

    def days(key: str) -> Mapping[str, int]:
        value = raw.get(key)
        if isinstance(value, dict) and all(type(n) is int and n >= 0 for n in value.values()):
            return MappingProxyType(value)
        problems.append(f"{path.name}: {key} is not a mapping to numbers of days")
        return {}

    def names(value: object, key: str) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return tuple(value)
        problems.append(f"{path.name}: {key} is not a list of ids")
        return ()

    def lists(key: str) -> Mapping[str, tuple[str, ...]]:
        value = raw.get(key)
        if not isinstance(value, dict):
            problems.append(f"{path.name}: {key} is not a mapping to lists of ids")
            return {}
        return MappingProxyType({str(name): names(ids, f"{key}.{name}") for name, ids in value.items()})

    review_days = days("review_days")
    if review_days and set(review_days) != set(URGENCIES):
        problems.append(f"{path.name}: review_days is not exactly {', '.join(URGENCIES)}")
    return Plan(
        review_days=review_days,
        red_flag_days=days("red_flag_days"),
        cause_days=days("cause_days"),
        prevention=lists("prevention"),
        always=names(raw.get("always"), "always"),
        never_with=lists("never_with"),
        keep_general=names(raw.get("keep_general"), "keep_general"),
    )
