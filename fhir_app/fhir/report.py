"""The clinician's account of an assessment, once as structure, then as XHTML narrative and as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape

from fhir_app.assessment.assessment import (
    Answered,
    Assessment,
    CauseFinding,
    EvidenceFinding,
    RedFlagFinding,
)
from fhir_app.fhir import codes
from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.intake import Basis, Disposition, Intake, Source

NOT_RANKED = {
    "status": "Unverified: the questionnaire is not finished. Likely causes were not ranked.",
    "invalid": "Unverified: the response breaks its questionnaire. Likely causes were not ranked.",
    "under-age": "Under age: likely causes were not ranked.",
}
_BASIS = {"published": "published", "derived": "derived from published figures", "judgement": "judgement"}


@dataclass(frozen=True)
class Line:
    """One statement and what belongs under it. `minor`: a brief account leaves out what is under it."""

    text: str
    under: tuple[Line, ...] = ()
    minor: bool = False


@dataclass(frozen=True)
class Section:
    title: str
    lines: tuple[Line, ...]
    minor: bool = False


@dataclass(frozen=True)
class Report:
    headline: str
    sections: tuple[Section, ...] = field(default=())


def report(assessment: Assessment, intake: Intake) -> Report:
    """Urgency, red flags, what was not assessed, causes with their evidence and sources, and the basis in words."""
    sections = (
        Section("Attention", _attention(assessment)),
        Section("Red flags present", tuple(_flag(flag, intake) for flag in assessment.present_flags)),
        Section("Red flags not assessed", _gaps(assessment, intake)),
        Section("Other reasons for this urgency", _triggers(assessment, intake)),
        Section(
            "Likely causes", tuple(_cause(cause, intake, assessment.flags_come_first) for cause in assessment.causes)
        ),
        Section("Also consider", tuple(Line(_sourced(hint.says, hint.sources)) for hint in assessment.hints)),
        Section("Basis", _basis(assessment)),
        Section("Sources", _sources(assessment, intake), minor=True),
    )
    return Report(headline(assessment, intake), tuple(section for section in sections if section.lines))


def headline(assessment: Assessment, intake: Intake) -> str:
    return f"Urgency: {disposition_words(assessment.disposition, intake)}"


def disposition_words(disposition: Disposition, intake: Intake) -> str:
    """For instance "Same day (hospital). Go to a hospital emergency department today."""
    word = disposition.urgency.word
    label = codes.URGENCIES[word][0]
    if disposition.where is None:
        text = intake.urgency_texts.get(word)
    else:
        label = f"{label} ({disposition.where.word})"
        text = intake.urgency_texts.get(f"{word} {disposition.where.word}")
    return f"{label}. {text}" if text else label


def flag_lines(flag: RedFlagFinding, intake: Intake) -> tuple[Line, ...]:
    """What stands under one present row: advice, answers, gaps and sources."""
    return (
        *_optional("Advice: ", flag.advice),
        *_optional("Because: ", _answers(flag.because, intake)),
        *_optional("Counted as present because not answered: ", _questions(flag.unanswered, intake)),
        Line(f"Basis: {_sourced(_BASIS[flag.basis], flag.sources)}"),
    )


def _flag(flag: RedFlagFinding, intake: Intake) -> Line:
    urgency = f" [{_short(flag.disposition)}]" if flag.disposition else ""
    return Line(f"{flag.id} {flag.says}{urgency}", flag_lines(flag, intake))


def _attention(assessment: Assessment) -> tuple[Line, ...]:
    lines = []
    if assessment.not_assessed_because:
        lines.append(Line(NOT_RANKED[assessment.not_assessed_because]))
    if assessment.floor is not None:
        lines.append(Line(f"The urgency is at least {_short(assessment.floor)}, because not everything was assessed."))
    if assessment.outside_explanation:
        lines.append(Line(f"May come from outside of the listed causes: {', '.join(assessment.outside_explanation)}"))
    return tuple(lines)


def _gaps(assessment: Assessment, intake: Intake) -> tuple[Line, ...]:
    rows = [flag for flag in assessment.red_flags if flag.status == "not-assessed"]
    questions: dict[str, list[str]] = {}
    for flag in rows:
        questions.setdefault(codes.family_label(intake, flag.family), []).extend(flag.unanswered)
    return tuple(
        Line(label, _optional("Not answered: ", _questions(dict.fromkeys(link_ids), intake)))
        for label, link_ids in questions.items()
    )


def _triggers(assessment: Assessment, intake: Intake) -> tuple[Line, ...]:
    return tuple(
        Line(
            _sourced(f"{trigger.id} {trigger.says} [{_short(trigger.disposition)}]", trigger.sources),
            (
                *_optional("Because: ", _answers(trigger.because, intake)),
                *_optional("Not answered: ", _questions(trigger.unanswered, intake)),
            ),
        )
        for trigger in assessment.triggers
    )


def _cause(cause: CauseFinding, intake: Intake, flags_come_first: bool) -> Line:
    word = "not assessed" if cause.likelihood == "not-assessed" else codes.LIKELIHOODS[cause.likelihood][0].lower()
    leads = cause.likelihood in ("likely", "possible")
    under = [
        *(_evidence("For", piece) for piece in cause.evidence_for if piece.counted),
        *(_evidence("Against", piece) for piece in cause.evidence_against if piece.counted),
    ]
    if cause.required_missing:
        under.append(Line("A feature that this cause requires was not reported."))
    if leads:
        gaps = dict.fromkeys(link_id for piece in cause.unknown for link_id in piece.unanswered)
        under += _optional("Not answered: ", _questions(gaps, intake))
        under += _optional(f"Next{', once the red flags are ruled out' if flags_come_first else ''}: ", cause.next_step)
    return Line(f"{cause.rank}. {cause.label}: {word}", tuple(under), minor=not leads)


def _evidence(word: str, piece: EvidenceFinding) -> Line:
    return _evidence_line(word, piece.says, piece.figure, piece.basis, piece.sources)


# Of the knowledge's own words, the same from person to person.
@lru_cache(maxsize=2048)
def _evidence_line(word: str, says: str, figure: str | None, basis: Basis, sources: tuple[str, ...]) -> Line:
    figures = f" ({figure})" if figure else ""
    rests_on = "" if basis == "judgement" else f" [{_BASIS[basis]}]"
    return Line(f"{word}: {_sourced(says + figures + rests_on, sources)}")


def _basis(assessment: Assessment) -> tuple[Line, ...]:
    return (
        Line(
            "Rules applied to the answers of one questionnaire, without examination. Ranks are weighed evidence, "
            "not probabilities; a weight whose basis is not named is judgement. A clinician decides."
        ),
        Line(f"Intake {assessment.canonical}, knowledge {assessment.knowledge_version}."),
    )


def _sources(assessment: Assessment, intake: Intake) -> tuple[Line, ...]:
    """The sources named above, each once, so that the account stands on its own."""
    pieces = (piece for cause in assessment.causes for piece in (*cause.evidence_for, *cause.evidence_against))
    cited = (
        *(finding.sources for finding in assessment.present_flags),
        *(finding.sources for finding in assessment.triggers),
        *(finding.sources for finding in assessment.hints),
        *(piece.sources for piece in pieces if piece.counted),
    )
    ids = sorted({source.partition("#")[0] for sources in cited for source in sources})
    lines = _source_lines(intake)
    return tuple([lines[source_id] for source_id in ids])


@lru_cache(maxsize=32)
def _source_lines(intake: Intake) -> Mapping[str, Line]:
    return {source_id: Line(f"{source_id}: {source_words(source)}") for source_id, source in intake.sources.items()}


def source_words(source: Source) -> str:
    """Title, publisher and year, address."""
    parts = (source.title, source.publisher, str(source.year) if source.year else None, source.url)
    return ", ".join(part for part in parts if part)


def _short(disposition: Disposition) -> str:
    label = codes.URGENCIES[disposition.urgency.word][0].lower()
    return label if disposition.where is None else f"{label}, {disposition.where.word}"


def _sourced(text: str, sources: tuple[str, ...]) -> str:
    return f"{text}. Source: {'; '.join(sources)}" if sources else text


def _optional(label: str, text: str) -> tuple[Line, ...]:
    return (Line(label + text),) if text else ()


def _answers(because: Iterable[Answered], intake: Intake) -> str:
    """Questions with the chosen options in their own words, one mention for each question."""
    chosen: dict[str, list[str]] = {}
    for answered in because:
        chosen.setdefault(answered.link_id, []).append(_option_text(answered, intake))
    return "; ".join(f"{_question(link_id, intake)} {', '.join(texts)}" for link_id, texts in chosen.items())


def _option_text(answered: Answered, intake: Intake) -> str:
    item = intake.questionnaire.by_link_id.get(answered.link_id)
    for option in item.options if item else ():
        if isinstance(option.value, Coding) and option.value.code == answered.code:
            return option.text
    return answered.code


def _questions(link_ids: Iterable[str], intake: Intake) -> str:
    return "; ".join(_question(link_id, intake) for link_id in link_ids)


def _question(link_id: str, intake: Intake) -> str:
    item = intake.questionnaire.by_link_id.get(link_id)
    return (item.text if item else None) or link_id


# --- rendering --------------------------------------------------------------------------------------------------


def as_brief_text(content: Report) -> str:
    """Plain text for a note beside the whole account: without the reasons of less likely causes and the sources."""
    lines = [content.headline]
    for section in content.sections:
        if section.minor:
            continue
        lines += ["", section.title]
        for line in section.lines:
            lines.append(f"- {line.text}")
            if not line.minor:
                lines += [f"  - {under.text}" for under in line.under]
    return "\n".join(lines)


def as_xhtml(content: Report, language: str) -> str:
    """The narrative `div` (https://hl7.org/fhir/R4/narrative.html): every text escaped, no attribute from data."""
    parts = [f"<p><b>{escape(content.headline)}</b></p>"]
    for section in content.sections:
        parts.append(f"<p><b>{escape(section.title)}</b></p><ul>")
        for line in section.lines:
            under = "".join([_item(item.text) for item in line.under])
            parts.append(f"<li>{escape(line.text)}{f'<ul>{under}</ul>' if under else ''}</li>")
        parts.append("</ul>")
    return div("".join(parts), language)


# Questions, options and evidence in the knowledge's own words; a few hold an age or a code that somebody sent, which
# stays in this process and says of nobody whose it is.
@lru_cache(maxsize=2048)
def _item(text: str) -> str:
    return f"<li>{escape(text)}</li>"


def div(xhtml: str, language: str) -> str:
    """`xhtml` that is already safe, in the `div` that FHIR wants."""
    lang = escape(language, quote=True)
    return f'<div xmlns="http://www.w3.org/1999/xhtml" lang="{lang}" xml:lang="{lang}">{xhtml}</div>'
