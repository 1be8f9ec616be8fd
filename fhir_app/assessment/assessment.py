"""What an assessment says: frozen data, complete enough that nobody downstream has to compute again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from fhir_app.knowledge.intake import Basis, Disposition, Urgency

FlagStatus = Literal["present", "absent", "not-assessed"]
Likelihood = Literal["likely", "possible", "less-likely", "not-assessed"]


class Answered(NamedTuple):
    """One answer that a finding rests on: the question and the chosen option, as codes."""

    link_id: str
    code: str


class RedFlagFinding(NamedTuple):
    """One red-flag row. `reported` is false when a more urgent row of its family is present as well.
    `by_gap`: it counts as present because a follow-up was unanswered or "not sure" (listed in `unanswered`)."""

    id: str
    family: str
    status: FlagStatus
    disposition: Disposition | None
    reported: bool
    by_gap: bool
    says: str
    advice: str
    because: tuple[Answered, ...]
    unanswered: tuple[str, ...]
    basis: Basis
    sources: tuple[str, ...]


@dataclass(frozen=True)
class TriggerFinding:
    """A reason to seek help, or a row that reports a gap, that sets a floor."""

    id: str
    disposition: Disposition
    says: str
    because: tuple[Answered, ...]
    unanswered: tuple[str, ...]
    sources: tuple[str, ...]


class EvidenceFinding(NamedTuple):
    """One piece of evidence as it applied (a tuple, since an assessment has some sixty of them):
    `counted` is false when a stronger one of its group counted instead.
    `sources` are `Source id#locator`."""

    id: str
    says: str
    counts: Literal["for", "against"]
    strength: int
    group: str
    basis: Basis
    figure: str | None
    sources: tuple[str, ...]
    counted: bool
    because: tuple[Answered, ...]
    unanswered: tuple[str, ...]


class CauseFinding(NamedTuple):
    """One cause (or the outcome "none fits") in its rank, counted from 1. `capped_by`: why the score stopped."""

    id: str
    label: str
    rank: int
    likelihood: Likelihood
    score: int
    groups_for: int
    evidence_for: tuple[EvidenceFinding, ...]
    evidence_against: tuple[EvidenceFinding, ...]
    unknown: tuple[EvidenceFinding, ...]
    required_missing: bool
    capped_by: Literal["ceiling", "required"] | None
    variants: tuple[str, ...]
    next_step: str


@dataclass(frozen=True)
class HintFinding:
    id: str
    says: str
    basis: Basis
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Assessment:
    """The result for one response.

    `disposition` is the highest of the present flags, the floor, the triggers and what the leading cause asks for.
    `assessed` is false when causes were not ranked; `not_assessed_because` then says why (`status`, `invalid`,
    `under-age`). Red flags are there in every case. `red_flags` holds every row, present and reported ones first.
    """

    intake: str
    canonical: str
    knowledge_version: str
    disposition: Disposition
    floor: Disposition | None
    leading_cause_asks: Disposition | None
    assessed: bool
    not_assessed_because: Literal["status", "invalid", "under-age"] | None
    red_flags: tuple[RedFlagFinding, ...]
    triggers: tuple[TriggerFinding, ...]
    causes: tuple[CauseFinding, ...]
    hints: tuple[HintFinding, ...]
    outside_explanation: tuple[str, ...]
    unanswered: tuple[str, ...]
    best_next_question: str | None

    @cached_property
    def present_flags(self) -> tuple[RedFlagFinding, ...]:
        """The reported rows, most urgent first."""
        return tuple(flag for flag in self.red_flags if flag.status == "present" and flag.reported)

    @property
    def flags_come_first(self) -> bool:
        """Whether a red flag must be ruled out before anything is done about a likely cause."""
        found = (flag.disposition for flag in self.present_flags)
        return any(disposition is not None and disposition.urgency >= Urgency.SAME_DAY for disposition in found)
