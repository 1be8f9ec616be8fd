"""The words of one document: phrases and leaflets of a language, filled with care names and dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

from babel.dates import format_date

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.intake import Disposition, Intake, LeafletText, Urgency, Where
from fhir_app.knowledge.leaflet_files import RED_FLAG_HEADINGS, split_sections
from fhir_app.knowledge.phrase_files import PHRASES, PhraseBook, Plan
from fhir_app.leaflets.care import CareNames, CareSetting
from fhir_app.leaflets.page import Part, fill

_MARKED = re.compile(r"- \[([^\]]+)\] (.*)")
_WEEKS = {"date_1_week": 7, "date_2_weeks": 14, "date_4_weeks": 28, "date_6_weeks": 42}


@dataclass(frozen=True)
class Words:
    """`values` are what the placeholders stand for; nothing outside it may be named in a text. `disposition` is that
    of the page; None for a leaflet on its own."""

    leaflets: Mapping[tuple[str, str], LeafletText]
    language: str
    phrases: Mapping[str, str]
    values: Mapping[str, str]
    disposition: Disposition | None = None
    _said: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    _sections: dict[tuple[str, Disposition | None], Mapping[str, Part]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def say(self, key: str, **more: str) -> str:
        """A fixed phrase, filled."""
        if more:
            return fill(self.phrases[key], {**self.values, **more})
        said = self._said.get(key)
        if said is None:
            said = self._said[key] = fill(self.phrases[key], self.values)
        return said

    def leaflet(self, leaflet_id: str) -> LeafletText:
        """Raises KnowledgeError when the leaflet is not there in this language; none is shown in another."""
        try:
            return self.leaflets[leaflet_id, self.language]
        except KeyError:
            raise KnowledgeError([f"leaflets: {leaflet_id} has no leaflet in {self.language}"]) from None

    def title(self, leaflet_id: str) -> str:
        return self.leaflet(leaflet_id).title

    def sections(self, leaflet_id: str, disposition: Disposition | None = None) -> Mapping[str, Part]:
        """The parts of a leaflet by what they are: what, why, now, helps, help and, for a red flag, tell.

        Lines that are marked for a disposition are kept for that one (of a red flag its own, else that of the page);
        without a disposition all are kept and say for which they are."""
        known = self._sections.get((leaflet_id, disposition))
        if known is None:
            known = self._sections[leaflet_id, disposition] = MappingProxyType(self._filled(leaflet_id, disposition))
        return known

    def bullets(self, leaflet_id: str, key: str, disposition: Disposition | None = None) -> tuple[str, ...]:
        """The bullets of one part of a leaflet, chosen as `sections` chooses."""
        lines = self.sections(leaflet_id, disposition)[key].markdown.split("\n")
        return tuple(line.removeprefix("- ") for line in lines if line.startswith("- "))

    def _filled(self, leaflet_id: str, disposition: Disposition | None) -> dict[str, Part]:
        sections = split_sections(self.leaflet(leaflet_id).markdown)
        return {
            key: Part(key, heading, fill(self._marked(body, disposition or self.disposition), self.values))
            for key, (heading, body) in zip(RED_FLAG_HEADINGS, sections, strict=False)
        }

    def _marked(self, body: str, disposition: Disposition | None) -> str:
        lines: list[str] = []
        for line in body.split("\n"):
            match = _MARKED.fullmatch(line)
            if match is None:
                lines.append(line)
                continue
            marks = [mark.strip() for mark in match[1].split(",")]
            if disposition is None:
                lines.append(f"- **{self.phrases[f'marker-{marks[0]}']}:** {match[2]}")
            elif disposition_key(disposition) in marks or disposition.urgency.word in marks:
                lines.append(f"- {match[2]}")
        return "\n".join(lines)


# The same for everybody with the same result on the same day, so what was filled in once is kept.
@lru_cache(maxsize=64)
def words_for(
    intake: Intake,
    language: str,
    *,
    today: date,
    review: date,
    care: CareSetting,
    disposition: Disposition | None = None,
) -> Words:
    """The words of a document made on `today`, with `review` as the date by which something should happen.

    Raises KnowledgeError when the intake or the care setting does not have the language."""
    names = care_names(care, language)
    days = {name: today + timedelta(days=number) for name, number in _WEEKS.items()}
    dates = {"today": today, "date": review, **days}
    values = {**names.names, **{key: _long_date(day, names.locale) for key, day in dates.items()}}
    return Words(intake.leaflets, language, phrase_book(intake, language).texts, values, disposition)


def phrase_book(intake: Intake, language: str) -> PhraseBook:
    book = intake.leaflets.get((PHRASES, language))
    if not isinstance(book, PhraseBook):
        raise KnowledgeError([f"leaflets: no phrases in {language}"])
    return book


def care_names(care: CareSetting, language: str) -> CareNames:
    try:
        return care.languages[language]
    except KeyError:
        raise KnowledgeError([f"care-settings.yaml: {care.country} has no {language}"]) from None


def disposition_key(disposition: Disposition) -> str:
    """`emergency`, `same-day-hospital`, `same-day-clinic`, `soon`, `routine` or `self-care`. A same-day visit
    without a place is one to a hospital: the more able place."""
    if disposition.urgency is Urgency.SAME_DAY:
        return f"same-day-{(disposition.where or Where.HOSPITAL).word}"
    return disposition.urgency.word


def review_days(plan: Plan, disposition: Disposition, ids: Iterable[str]) -> int:
    """In how many days something should have happened: the soonest of the disposition's and of what is shown."""
    own = {**plan.red_flag_days, **plan.cause_days}
    return min([plan.review_days[disposition.urgency.word], *(own[id_] for id_ in ids if id_ in own)])


def _long_date(day: date, locale: str) -> str:
    return format_date(day, "full", locale=locale)
