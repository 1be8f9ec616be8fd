"""Which answers a finding rests on, and which gaps it left open."""

from __future__ import annotations

from fhir_app.assessment.assessment import Answered
from fhir_app.knowledge.answers import Answers, Coding
from fhir_app.knowledge.criteria import (
    And,
    Compare,
    Criterion,
    Missing,
    Not,
    Or,
    Reading,
    Ticked,
    Truth,
    compile_criterion,
    link_ids,
)
from fhir_app.knowledge.intake import Citation


def because(tree: Criterion, answers: Answers, reading: Reading) -> tuple[Answered, ...]:
    """The answers that make the tree (or, when it is unknown, its gate and terms) true, in the order of the rule."""
    found: list[Answered] = []
    _collect(tree, answers, reading, found)
    return tuple(dict.fromkeys(found))


def _collect(tree: Criterion, answers: Answers, reading: Reading, found: list[Answered]) -> None:
    match tree:
        case And(terms):
            for term in terms:
                _collect(term, answers, reading, found)
        case Or(terms):
            for term in terms:
                if compile_criterion(term, Missing.RULE, reading)(answers) is Truth.YES:
                    _collect(term, answers, reading, found)
        case Not(Ticked(link_id, _, _)):
            found.extend(Answered(link_id, code) for code in sorted(answers.codes(link_id) - reading.not_sure))
        case Ticked(link_id, codes, _):
            ticked = answers.codes(link_id)
            found.extend(Answered(link_id, code) for code in codes if code in ticked)
        case Compare(link_id, _, _):
            found.extend(Answered(link_id, _as_text(value)) for value in answers.values(link_id))
        case _:
            pass


def _as_text(value: object) -> str:
    return value.code or "" if isinstance(value, Coding) else str(value)


def unanswered_in(tree: Criterion, gaps: frozenset[str]) -> tuple[str, ...]:
    """The questions of the tree that have no usable answer, sorted."""
    return tuple(sorted(link_ids(tree) & gaps))


def sources_of(citations: tuple[Citation, ...]) -> tuple[str, ...]:
    """`Source#locator` of each citation."""
    return tuple(f"{citation.source.id}#{citation.locator}" for citation in citations)


