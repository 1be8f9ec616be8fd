"""Which answers a finding rests on, and which gaps it left open."""

from __future__ import annotations

from collections.abc import Callable

from fhir_app.assessment.assessment import Answered
from fhir_app.knowledge.answers import Answers, Coding
from fhir_app.knowledge.compile_criteria import Test, compile_criterion
from fhir_app.knowledge.criteria import And, Compare, Criterion, Not, Or, Ticked
from fhir_app.knowledge.intake import Citation
from fhir_app.knowledge.missing_answers import Missing, Reading
from fhir_app.knowledge.truth import YES

Because = Callable[[Answers], tuple[Answered, ...]]


def compile_because(tree: Criterion, reading: Reading) -> Because:
    """A function that names the answers which make the (expanded) tree true, in the order of the rule.

    Of an OR only the branches that are true speak; of a NOT, what was answered instead.
    """
    named = _named(tree, reading)
    if isinstance(tree, Ticked):
        return named  # names nothing twice

    def because(answers: Answers) -> tuple[Answered, ...]:
        found = named(answers)
        return tuple(dict.fromkeys(found)) if len(found) > 1 else found

    return because


def _named(tree: Criterion, reading: Reading) -> Because:
    """The same, but an answer may be named more than once."""
    match tree:
        case And(terms):
            return _of_all(tuple(_named(term, reading) for term in terms))
        case Or(terms):
            return _of_true(
                tuple((compile_criterion(term, Missing.RULE, reading), _named(term, reading)) for term in terms)
            )
        case Not(Ticked(link_id, _, _)):
            return _instead(link_id, reading.not_sure)
        case Ticked(link_id, codes, _):
            return _ticked(link_id, codes)
        case Compare(link_id, _, _):
            return _value(link_id)
        case _:
            return lambda answers: ()


def _of_all(terms: tuple[Because, ...]) -> Because:
    def because(answers: Answers) -> tuple[Answered, ...]:
        found: tuple[Answered, ...] = ()
        for named in terms:
            found += named(answers)
        return found

    return because


def _of_true(branches: tuple[tuple[Test, Because], ...]) -> Because:
    def because(answers: Answers) -> tuple[Answered, ...]:
        found: tuple[Answered, ...] = ()
        for holds, named in branches:
            if holds(answers) is YES:
                found += named(answers)
        return found

    return because


def _instead(link_id: str, not_sure: frozenset[str]) -> Because:
    def because(answers: Answers) -> tuple[Answered, ...]:
        return tuple([Answered(link_id, code) for code in sorted(answers.codes(link_id) - not_sure)])

    return because


def _ticked(link_id: str, codes: tuple[str, ...]) -> Because:
    named = tuple((code, Answered(link_id, code)) for code in dict.fromkeys(codes))
    wanted = frozenset(codes)

    def because(answers: Answers) -> tuple[Answered, ...]:
        ticked = answers.codes(link_id)
        if ticked.isdisjoint(wanted):
            return ()
        return tuple([answered for code, answered in named if code in ticked])

    return because


def _value(link_id: str) -> Because:
    def because(answers: Answers) -> tuple[Answered, ...]:
        return tuple(
            [
                Answered(link_id, value.code or "" if isinstance(value, Coding) else str(value))
                for value in answers.values(link_id)
            ]
        )

    return because


def sources_of(citations: tuple[Citation, ...]) -> tuple[str, ...]:
    """`Source#locator` of each citation."""
    return tuple(f"{citation.source.id}#{citation.locator}" for citation in citations)
