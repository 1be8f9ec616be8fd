"""Which answers a finding rests on, and which gaps it left open."""

from __future__ import annotations

from collections.abc import Callable

from fhir_app.assessment.assessment import Answered
from fhir_app.knowledge.answers import Answers, Coding
from fhir_app.knowledge.compile_criteria import compile_criterion
from fhir_app.knowledge.criteria import And, Compare, Criterion, Not, Or, Ticked
from fhir_app.knowledge.intake import Citation
from fhir_app.knowledge.missing_answers import Missing, Reading
from fhir_app.knowledge.truth import YES, Truth

Because = Callable[[Answers], tuple[Answered, ...]]
_Collect = Callable[[Answers, list[Answered]], None]


def compile_because(tree: Criterion, reading: Reading) -> Because:
    """A function that names the answers which make the (expanded) tree true, in the order of the rule.

    Of an OR only the branches that are true speak; of a NOT, what was answered instead.
    """
    collect = _collector(tree, reading)

    def because(answers: Answers) -> tuple[Answered, ...]:
        found: list[Answered] = []
        collect(answers, found)
        return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)

    return because


def _collector(tree: Criterion, reading: Reading) -> _Collect:
    match tree:
        case And(terms):
            return _of_all(tuple(_collector(term, reading) for term in terms))
        case Or(terms):
            return _of_true(
                tuple((compile_criterion(term, Missing.RULE, reading), _collector(term, reading)) for term in terms)
            )
        case Not(Ticked(link_id, _, _)):
            return _instead(link_id, reading.not_sure)
        case Ticked(link_id, codes, _):
            return _ticked(link_id, codes)
        case Compare(link_id, _, _):
            return _value(link_id)
        case _:
            return lambda answers, found: None


def _of_all(collectors: tuple[_Collect, ...]) -> _Collect:
    def collect(answers: Answers, found: list[Answered]) -> None:
        for inner in collectors:
            inner(answers, found)

    return collect


def _of_true(branches: tuple[tuple[Callable[[Answers], Truth], _Collect], ...]) -> _Collect:
    def collect(answers: Answers, found: list[Answered]) -> None:
        for holds, inner in branches:
            if holds(answers) is YES:
                inner(answers, found)

    return collect


def _instead(link_id: str, not_sure: frozenset[str]) -> _Collect:
    def collect(answers: Answers, found: list[Answered]) -> None:
        found.extend(Answered(link_id, code) for code in sorted(answers.codes(link_id) - not_sure))

    return collect


def _ticked(link_id: str, codes: tuple[str, ...]) -> _Collect:
    named = tuple((code, Answered(link_id, code)) for code in dict.fromkeys(codes))

    def collect(answers: Answers, found: list[Answered]) -> None:
        ticked = answers.codes(link_id)
        for code, answered in named:
            if code in ticked:
                found.append(answered)

    return collect


def _value(link_id: str) -> _Collect:
    def collect(answers: Answers, found: list[Answered]) -> None:
        for value in answers.values(link_id):
            found.append(Answered(link_id, value.code or "" if isinstance(value, Coding) else str(value)))

    return collect


def sources_of(citations: tuple[Citation, ...]) -> tuple[str, ...]:
    """`Source#locator` of each citation."""
    return tuple(f"{citation.source.id}#{citation.locator}" for citation in citations)
