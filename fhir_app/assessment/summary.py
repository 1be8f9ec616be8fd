"""The clinician's summary: one screen of plain text, every statement with the rule that made it and its sources."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby, islice

from fhir_app.assessment.assessment import (
    Answered,
    Assessment,
    CauseFinding,
    EvidenceFinding,
    RedFlagFinding,
)
from fhir_app.knowledge.answers import Answers, Coding
from fhir_app.knowledge.criteria import link_ids
from fhir_app.knowledge.intake import Disposition, Intake

MOST_LINES = 25
JUDGEMENT = "J"
_NOT_RANKED = {
    "status": "Unverified: the questionnaire is not finished, so causes are not ranked.",
    "invalid": "Unverified: the response breaks its questionnaire, so causes are not ranked.",
    "under-age": "Causes not ranked: under age.",
}
# What others found in others is no likelihood of this person, and reads like one.
_PERCENTAGES = re.compile(r" ?\([^()]*%[^()]*\)")
# How many flags, causes, and answers for each are told, from roomy to tight; the first that fits one screen stands.
_SIZES = ((4, 3, 3), (4, 3, 2), (4, 2, 2), (3, 2, 2), (4, 1, 2), (3, 1, 2), (3, 1, 1), (2, 1, 1))


@dataclass(frozen=True)
class SummaryLine:
    """One statement: its text, the rules that it comes from, and the numbers of their sources (none: judgement).

    `indent` in characters; `tail` says whether rule and source numbers still have to be printed after the text.
    """

    text: str
    rules: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()
    indent: int = 0
    tail: bool = True

    @property
    def printed(self) -> str:
        return f"{self.text} {_tag(self.rules, self.sources)}" if self.tail else self.text


def clinician_summary(
    assessment: Assessment, intake: Intake, answers: Answers | None = None, *, width: int = 80
) -> str:
    """The summary as text: urgency and flags, causes with the answers for and against, gaps, next steps, sources.

    `answers` adds the person's age. No line is longer than `width` (at least 40); no percentage is ever given.
    """
    lines = summary_lines(assessment, intake, answers, width=width)
    return "\n".join(piece for line in lines for piece in _wrapped(line, width))


def summary_lines(
    assessment: Assessment, intake: Intake, answers: Answers | None = None, *, width: int = 80
) -> tuple[SummaryLine, ...]:
    """The statements of `clinician_summary`: as many as fit about 25 lines of `width`; what is left out is counted."""
    told: tuple[SummaryLine, ...] = ()
    for flags, causes, reasons in _SIZES:
        told = tuple(_Teller(assessment, intake, answers, flags, causes, reasons).lines())
        if sum(len(_wrapped(line, width)) for line in told) <= MOST_LINES:
            break
    return told


def _tag(rules: Iterable[str], sources: Iterable[int]) -> str:
    return f"[{' '.join(rules)}; {','.join(str(number) for number in sources) or JUDGEMENT}]"


def _wrapped(line: SummaryLine, width: int) -> tuple[str, ...]:
    return _wrap(line.printed, width, line.indent)


# Made of the knowledge's own words, so the same lines come again from person to person.
@lru_cache(maxsize=2048)
def _wrap(text: str, width: int, indent: int) -> tuple[str, ...]:
    first, further = " " * indent, " " * (indent + 2)
    lines = textwrap.wrap(text, width, initial_indent=first, subsequent_indent=further, break_on_hyphens=False)
    return tuple(lines) or ("",)


@dataclass
class _Teller:
    """Tells one assessment at one size; numbers the sources in the order in which they are met."""

    assessment: Assessment
    intake: Intake
    answers: Answers | None
    most_flags: int
    most_causes: int
    most_reasons: int
    numbers: dict[str, int] = field(default_factory=dict)

    def lines(self) -> Iterator[SummaryLine]:
        yield from self._headline()
        yield from self._flags()
        yield from self._triggers()
        yield from self._causes()
        yield from self._hints()
        yield from self._gaps()
        yield self._basis()

    def _numbered(self, sources: Iterable[str]) -> tuple[int, ...]:
        ids = dict.fromkeys(source.partition("#")[0] for source in sources)
        return tuple(self.numbers.setdefault(source, len(self.numbers) + 1) for source in ids)

    # --- urgency, flags, triggers ---------------------------------------------------------------------------------

    def _headline(self) -> Iterator[SummaryLine]:
        disposition = self.assessment.disposition
        words = _words(disposition)
        age = f" Age {self._age()}." if self._age() else ""
        text = f"{words.upper()}.{age} {self.intake.urgency_texts.get(words, '')}".strip()
        rules = self._decided_by(disposition)
        yield SummaryLine(f"{text} [{' '.join(rules)}]", rules, tail=False)

    def _age(self) -> str:
        values = self.answers.values(self.intake.age_link_id) if self.answers is not None else ()
        return next((str(value) for value in values if isinstance(value, int)), "")

    def _decided_by(self, disposition: Disposition) -> tuple[str, ...]:
        """The flags and triggers that ask for this urgency; only where there is none, the leading cause."""
        flags = [flag.id for flag in self.assessment.present_flags if flag.disposition == disposition]
        triggers = [trigger.id for trigger in self.assessment.triggers if trigger.disposition == disposition]
        decisive = (*flags, *triggers)
        leader = next(iter(self.assessment.causes), None)
        return decisive[: self.most_flags] or ((leader.id,) if leader is not None else ())

    def _flags(self) -> Iterator[SummaryLine]:
        present = self.assessment.present_flags
        for flag in present[: self.most_flags]:
            yield self._flag(flag)
        if left_out := present[self.most_flags :]:
            groups = groupby(left_out, key=lambda flag: _words(flag.disposition))
            told = "; ".join(f"{words} {', '.join(flag.id for flag in flags)}" for words, flags in groups)
            rules = tuple(flag.id for flag in left_out)
            yield SummaryLine(f"! and {len(left_out)} more: {told}", rules, tail=False)
        if not present:
            yield SummaryLine("No red flag is present.", tail=False)
        rows = self.assessment.red_flags
        if missing := sorted({flag.family for flag in rows if flag.status == "not-assessed"}):
            more = f" and {len(missing) - 10} more of {len(self.intake.families)}" if len(missing) > 10 else ""
            yield SummaryLine(f"? Red flags not assessed: {', '.join(missing[:10])}{more}", tail=False)

    def _flag(self, flag: RedFlagFinding) -> SummaryLine:
        said = f"! {_words(flag.disposition)}: {flag.says}"
        if flag.by_gap:
            said += f" (not ruled out: {self._questions(flag.unanswered[:2])} unanswered)"
        elif flag.because:
            said += f" ({self._quoted(_decisive(flag.because))})"
        return SummaryLine(said, (flag.id,), self._numbered(flag.sources))

    def _triggers(self) -> Iterator[SummaryLine]:
        for trigger in self.assessment.triggers[:2]:
            said = f"* {_words(trigger.disposition)}: {trigger.says}"
            yield SummaryLine(said, (trigger.id,), self._numbered(trigger.sources))

    # --- causes ---------------------------------------------------------------------------------------------------

    def _causes(self) -> Iterator[SummaryLine]:
        reason = self.assessment.not_assessed_because
        if reason is not None:
            yield SummaryLine(_NOT_RANKED[reason], tail=False)
        if not self.assessment.assessed:
            return
        worth = [cause for cause in self.assessment.causes if cause.likelihood in ("likely", "possible")]
        for cause in worth[: self.most_causes] or self.assessment.causes[:1]:
            yield from self._cause(cause)

    def _cause(self, cause: CauseFinding) -> Iterator[SummaryLine]:
        variants = f" ({', '.join(cause.variants[:2])})" if cause.variants else ""
        word = cause.likelihood.replace("-", " ")
        yield SummaryLine(
            f"{cause.rank}. {cause.label}{variants}: {word}{_stopped(cause)} [{cause.id}]", (cause.id,), tail=False
        )
        for sign, side in (("+", cause.evidence_for), ("-", cause.evidence_against)):
            if reasons := list(islice(self._reasons(side), self.most_reasons)):
                yield self._joined(sign, reasons)
        cited = next((c.next_step_citations for c in self.intake.causes if c.id == cause.id), ())
        numbers = self._numbered(citation.source.id for citation in cited)
        when = "Once the red flags are ruled out: " if self.assessment.flags_come_first else ""
        yield SummaryLine(f"> {when}{cause.next_step}", (f"{cause.id}/next-step",), numbers, indent=3)

    def _reasons(self, side: tuple[EvidenceFinding, ...]) -> Iterator[tuple[str, EvidenceFinding]]:
        """What each piece of evidence says; one that rests on answers told already is not told again."""
        told: set[Answered] = set()
        for item in side:
            fresh = [answered for answered in item.because if answered not in told]
            if not item.counted or (item.because and not fresh):
                continue
            told.update(item.because)
            yield item.says, item

    def _joined(self, sign: str, reasons: list[tuple[str, EvidenceFinding]]) -> SummaryLine:
        """Several answers on one line, each with the name of its evidence inside the cause, and its sources."""
        numbers: dict[int, None] = {}
        pieces = []
        for said, item in reasons:
            own = self._numbered(item.sources)
            numbers.update(dict.fromkeys(own))
            pieces.append(f"{said} {_tag((item.id.rpartition('/')[2],), own)}")
        rules = tuple(item.id for _, item in reasons)
        return SummaryLine(f"{sign} {'; '.join(pieces)}", rules, tuple(numbers), indent=3, tail=False)

    def _hints(self) -> Iterator[SummaryLine]:
        for hint in self.assessment.hints[:2]:
            says = _PERCENTAGES.sub("", hint.says)
            yield SummaryLine(f"Consider: {says}", (hint.id,), self._numbered(hint.sources))

    # --- gaps and basis -------------------------------------------------------------------------------------------

    def _gaps(self) -> Iterator[SummaryLine]:
        unanswered, best = self.assessment.unanswered, self.assessment.best_next_question
        if best is not None:
            yield SummaryLine(f"Ask first: {self._question(best)}", (best,), tail=False)
        for_the_eye = _for_the_eye(self.intake)
        others = [link_id for link_id in unanswered if link_id != best and link_id not in for_the_eye]
        if others:
            more = f" and {len(others) - 2} more" if len(others) > 2 else ""
            yield SummaryLine(f"Also unanswered: {self._questions(others[:2])}{more}", tuple(others[:2]), tail=False)

    def _basis(self) -> SummaryLine:
        numbered = ", ".join(f"{number} {source}" for source, number in self.numbers.items())
        reviewer = self.intake.reviewed_by
        reviewed = f"reviewed by {reviewer}" if reviewer else "not yet reviewed by a clinician"
        knowledge = f"Knowledge {self.assessment.intake} {self.assessment.knowledge_version}, {reviewed}."
        return SummaryLine(f"Sources: {numbered + ', ' if numbered else ''}J judgement. {knowledge}", tail=False)

    # --- words ----------------------------------------------------------------------------------------------------

    def _question(self, link_id: str) -> str:
        item = self.intake.questionnaire.by_link_id.get(link_id)
        text = item.text if item is not None and item.text else link_id
        return _shortened(text, 60)

    def _questions(self, link_ids: Iterable[str]) -> str:
        return ", ".join(f'"{self._question(link_id)}"' for link_id in link_ids)

    def _quoted(self, answers: Iterable[Answered]) -> str:
        return ", ".join(self._answer(answered) for answered in answers)

    def _answer(self, answered: Answered) -> str:
        item = self.intake.questionnaire.by_link_id.get(answered.link_id)
        for option in item.options if item is not None else ():
            if isinstance(option.value, Coding) and option.value.code == answered.code:
                return f'"{_shortened(option.text, 48)}"'
        return f"{'age' if answered.link_id == self.intake.age_link_id else answered.link_id} {answered.code}"


@lru_cache(maxsize=32)
def _for_the_eye(intake: Intake) -> frozenset[str]:
    """Questions that no red flag, trigger or evidence reads: leaving them out is no gap."""
    rules = [flag.when for flag in intake.red_flags] + [trigger.when for trigger in intake.triggers]
    rules += [item.when for cause in intake.causes for item in cause.evidence]
    read = {link_id for rule in rules for link_id in link_ids(rule.tree)}
    return frozenset(intake.questionnaire.by_link_id) - read


# Questions and options are the same for everybody.
@lru_cache(maxsize=2048)
def _shortened(text: str, width: int) -> str:
    return textwrap.shorten(text, width, placeholder=" ...")


def _decisive(because: tuple[Answered, ...], most: int = 3) -> tuple[Answered, ...]:
    """The answers that settled a flag: those read last, since a rule opens with the tick and goes on to what makes it
    dangerous; "none of these" settles nothing."""
    told = [answered for answered in because if answered.code != "none"]
    return tuple(told[-most:])


def _words(disposition: Disposition | None) -> str:
    if disposition is None:
        return ""
    where = f" {disposition.where.word}" if disposition.where is not None else ""
    return f"{disposition.urgency.word}{where}"


def _stopped(cause: CauseFinding) -> str:
    """Why a score went no further, in words."""
    if cause.capped_by == "ceiling":
        return ", held back: no evidence base"
    return ", held back: its defining feature is missing" if cause.capped_by == "required" else ""
