"""What help is called where the service runs: emergency number, hospital, clinic, paper size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from babel import Locale, UnknownLocaleError

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.phrase_files import CARE_PLACEHOLDERS
from fhir_app.knowledge.strict_yaml import read_yaml

DEFAULT_COUNTRY = "default"


@dataclass(frozen=True)
class CareNames:
    """The names of one country in one language, and the locale in which its dates are written."""

    locale: str
    names: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class CareSetting:
    """One country, the same only as itself: it is read once, and what was composed with it is kept by it.

    `dial` is the emergency number as a telephone takes it, None where the country is not known."""

    country: str
    paper: Literal["a4", "letter"]
    dial: str | None
    languages: Mapping[str, CareNames]


def read_care_settings(path: Path) -> Mapping[str, CareSetting]:
    """`care-settings.yaml` -> the settings by country, `default` among them.

    Raises KnowledgeError with every problem: unknown or missing keys, a country that lacks a language."""
    document, problems = read_yaml(path)
    data = document.data if isinstance(document.data, dict) else {}
    languages = sorted({key for country in data.values() if isinstance(country, dict) for key in country} - _OWN_KEYS)
    settings = {str(country): _setting(str(country), raw, languages, problems) for country, raw in data.items()}
    if DEFAULT_COUNTRY not in settings:
        problems.append(f"{path.name}: no setting named {DEFAULT_COUNTRY}")
    if problems:
        raise KnowledgeError(problems)
    return MappingProxyType(settings)


def care_setting(settings: Mapping[str, CareSetting], country: str | None) -> CareSetting:
    """The setting of a country (ISO 3166-1 alpha-2, any case), or the neutral one."""
    return settings.get((country or DEFAULT_COUNTRY).lower(), settings[DEFAULT_COUNTRY])


def without_names(settings: Mapping[str, CareSetting], intakes: Iterable[Intake]) -> list[str]:
    """One line for each language of an intake in which help has no names: its documents could not be written."""
    known = settings[DEFAULT_COUNTRY].languages
    return [
        f"care-settings.yaml: no names in {language}, a language of {intake.name}"
        for intake in intakes
        for language in intake.languages
        if language not in known
    ]


_OWN_KEYS = {"paper", "dial"}
_NAME_KEYS = CARE_PLACEHOLDERS | {"locale"}


def _setting(country: str, raw: object, languages: list[str], problems: list[str]) -> CareSetting:
    values = raw if isinstance(raw, dict) else {}
    paper, dial = values.get("paper"), values.get("dial")
    if paper not in ("a4", "letter"):
        problems.append(f"care-settings.yaml: {country}: paper is neither a4 nor letter")
    if not (dial is None or (isinstance(dial, str) and dial.isdigit())):
        problems.append(f"care-settings.yaml: {country}: dial is neither null nor digits in quotes")
    return CareSetting(
        country=country,
        paper="letter" if paper == "letter" else "a4",
        dial=dial if isinstance(dial, str) else None,
        languages=MappingProxyType({key: _names(f"{country}.{key}", values.get(key), problems) for key in languages}),
    )


def _names(where: str, raw: object, problems: list[str]) -> CareNames:
    values = raw if isinstance(raw, dict) else {}
    texts = {str(key): text for key, text in values.items() if isinstance(text, str) and text.strip()}
    if set(values) != _NAME_KEYS or set(texts) != _NAME_KEYS:
        problems.append(f"care-settings.yaml: {where} is not exactly {', '.join(sorted(_NAME_KEYS))}, each a text")
    locale = texts.pop("locale", "en")
    try:
        Locale.parse(locale)
    except (UnknownLocaleError, ValueError):
        problems.append(f"care-settings.yaml: {where}: no locale {locale}")
    return CareNames(locale, MappingProxyType(texts))
