"""An intake in memory: one questionnaire with its red flags, causes, sources and leaflets. Frozen data, no behaviour
beyond looking things up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import total_ordering
from typing import Literal

from fhir_app.knowledge.criteria import Criterion
from fhir_app.knowledge.missing_answers import Reading
from fhir_app.knowledge.questionnaire import Questionnaire


class Urgency(IntEnum):
    """How soon somebody should act; higher is sooner. The words are the product's, everywhere."""

    SELF_CARE = 1
    ROUTINE = 2
    SOON = 3
    SAME_DAY = 4
    EMERGENCY = 5

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")

    @staticmethod
    def from_word(word: str) -> Urgency:
        """Raises KeyError for a word that is none of ours."""
        return Urgency[word.upper().replace("-", "_")]


class Where(IntEnum):
    """Where a same-day visit should be; `where` never lowers urgency."""

    CLINIC = 1
    HOSPITAL = 2

    @property
    def word(self) -> str:
        return self.name.lower()


@total_ordering
@dataclass(frozen=True)
class Disposition:
    """Urgency and place; ordered: emergency > same-day hospital > same-day clinic > soon > routine > self-care."""

    urgency: Urgency
    where: Where | None = None

    def __lt__(self, other: Disposition) -> bool:
        return self.rank < other.rank

    @property
    def rank(self) -> tuple[int, int]:
        return (int(self.urgency), int(self.where or 0))


Basis = Literal["published", "derived", "judgement"]


@dataclass(frozen=True)
class Source:
    """Where claims come from; each source stands once in sources.yaml."""

    id: str
    title: str
    publisher: str | None
    year: int | None
    url: str | None
    found_at: str | None
    locators: tuple[str, ...]
    confirmed: bool
    note: str | None


@dataclass(frozen=True)
class Citation:
    """A claim -> a source and the place in it."""

    source: Source
    locator: str | None


@dataclass(frozen=True)
class CodingRef:
    """A code in a published code system that stands for a cause or flag, with its grade of confirmation."""

    system: str
    code: str
    display: str


@dataclass(frozen=True)
class Family:
    """Red-flag rows that speak of one danger; `RF10.1` and `RF10.2` are rows of `RF10`."""

    id: str
    label: str
    coding: tuple[CodingRef, ...]


@dataclass(frozen=True)
class Rule:
    """A line of the criteria language: as written, and as its expanded tree."""

    text: str
    tree: Criterion


@dataclass(frozen=True)
class RedFlag:
    """One row of the red-flag table.

    `blank`: the disposition when a follow-up of a ticked option is unanswered or "not sure"; None where that
    cannot happen. `kind`: `red-flag`, or `not-assessed` for the rows that report unanswered lists and declined
    questions, or `age` for the row that withholds the causes from minors.
    """

    id: str
    family: str
    kind: Literal["red-flag", "not-assessed", "age"]
    says: str
    when: Rule
    disposition: Disposition
    blank: Disposition | None
    advice: str
    why: str
    basis: Basis
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class Trigger:
    """A reason to seek help that sets a floor under the urgency; never a red flag."""

    id: str
    says: str
    when: Rule
    disposition: Disposition
    why: str
    basis: Basis
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence; only the best `for` and the worst `against` of a group count."""

    id: str
    says: str
    when: Rule
    counts: Literal["for", "against"]
    strength: int
    group: str
    basis: Basis
    figure: str | None
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class Floor:
    """What a leading cause asks for at least: the first entry whose criterion is yes and likelihood fits."""

    when: Rule | None
    likelihood: Literal["likely", "possible"] | None
    disposition: Disposition


@dataclass(frozen=True)
class Variant:
    """A site or form of a cause, named to the clinician when its criterion is yes; has its own leaflet part."""

    id: str
    label: str
    when: Rule
    says: str
    basis: Basis
    citations: tuple[Citation, ...]
    coding: tuple[CodingRef, ...]


@dataclass(frozen=True)
class Cause:
    id: str
    label: str
    says: str
    coding: tuple[CodingRef, ...]
    required: Rule
    required_says: str
    required_basis: Basis
    required_citations: tuple[Citation, ...]
    ceiling: int | None
    ceiling_lifted: Rule | None
    evidence: tuple[Evidence, ...]
    variants: tuple[Variant, ...]
    floors: tuple[Floor, ...]
    next_step: str
    next_step_citations: tuple[Citation, ...]


@dataclass(frozen=True)
class Hint:
    """A mimic worth naming to the clinician; never ranked. `outside`: it speaks for a disease off the list."""

    id: str
    says: str
    when: Rule
    outside: bool
    basis: Basis
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class TieOrder:
    """Ties between equal scores, by age: applies from `from_age` upwards."""

    from_age: int
    causes: tuple[str, ...]


@dataclass(frozen=True)
class NoneFits:
    """The outcome "none of these fits": its id, when it comes second, and what it asks for."""

    id: str
    label: str
    says: str
    second_up_to: int
    weak_leaders: Mapping[str, Rule | None]
    floors: tuple[Floor, ...]
    next_step: str


@dataclass(frozen=True)
class Scoring:
    """The scoring as data. Every number is a design parameter (judgement)."""

    likely_score: int
    likely_groups: int
    possible_score: int
    without_required: int
    needed: tuple[str, ...]
    tie_orders: tuple[TieOrder, ...]
    outside_rows: Mapping[str, tuple[str, ...]]
    always_outside: tuple[str, ...]
    none_fits: NoneFits


@dataclass(frozen=True)
class LeafletText:
    """One leaflet in one language, as written: `id` is a cause, variant, red-flag family or advice id."""

    id: str
    language: str
    title: str
    reviewed: str | None
    sources: tuple[str, ...]
    markdown: str


@dataclass(frozen=True, eq=False)
class Intake:
    """One questionnaire with its knowledge."""

    name: str
    title: str
    knowledge_version: str
    reviewed_by: str | None
    reviewed_on: str | None
    questionnaire: Questionnaire
    reading: Reading
    descriptive: frozenset[str]
    age_link_id: str
    adult_from: int
    urgency_texts: Mapping[str, str]
    conditions: Mapping[str, Rule]
    families: Mapping[str, Family]
    red_flags: tuple[RedFlag, ...]
    triggers: tuple[Trigger, ...]
    causes: tuple[Cause, ...]
    hints: tuple[Hint, ...]
    scoring: Scoring
    sources: Mapping[str, Source]
    leaflets: Mapping[tuple[str, str], LeafletText]
    languages: tuple[str, ...]
    digest: str

    @property
    def canonical(self) -> str:
        """`url|version` of the Questionnaire that this knowledge was written for."""
        return f"{self.questionnaire.url}|{self.questionnaire.version}"
