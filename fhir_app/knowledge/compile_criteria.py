"""A criterion's tree -> one function of the answers that says yes, no or unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fhir_app.knowledge.answers import ANSWERED, BLANK, NOT_ASKED, UNDETERMINED, AnswerSource, Coding, State
from fhir_app.knowledge.comparison import stands
from fhir_app.knowledge.criteria import And, Compare, Criterion, Exists, Named, Not, Or, Ticked, Unanswered
from fhir_app.knowledge.missing_answers import Missing, Reading
from fhir_app.knowledge.truth import NO, UNKNOWN, YES, Truth

Test = Callable[[AnswerSource], Truth]


def compile_criterion(criterion: Criterion | _AnyCoding, missing: Missing, reading: Reading) -> Test:
    """The (expanded) tree as one function of the answers.

    An answer of which something could not be read says yes to what is ticked in it; to everything else it says what a
    blank says, and its question is `unanswered` (`Answers.unread`).
    """
    match criterion:
        case And(terms):
            return _conjunction(tuple(compile_criterion(term, missing, reading) for term in terms))
        case Or(terms):
            return _disjunction(tuple(compile_criterion(term, missing, reading) for term in _merged(terms)))
        case Not(term):
            return _negation(compile_criterion(term, missing, reading))
        case Ticked():
            return _ticked(criterion, missing, reading)
        case Compare():
            return _compared(criterion, missing, reading)
        case _AnyCoding():
            return _any_coding(criterion, missing, reading)
        case Exists():
            return _exists(criterion, missing)
        case Unanswered():
            return _unanswered(criterion, reading)
        case Named(name):
            raise ValueError(f"@{name} must be expanded before it is compiled")


def _conjunction(tests: tuple[Test, ...]) -> Test:
    def test(answers: AnswerSource) -> Truth:
        result = YES
        for term in tests:
            value = term(answers)
            if value is NO:
                return NO
            if value is UNKNOWN:
                result = UNKNOWN
        return result

    return test


def _disjunction(tests: tuple[Test, ...]) -> Test:
    def test(answers: AnswerSource) -> Truth:
        result = NO
        for term in tests:
            value = term(answers)
            if value is YES:
                return YES
            if value is UNKNOWN:
                result = UNKNOWN
        return result

    return test


def _negation(term: Test) -> Test:
    mirrored = (YES, UNKNOWN, NO)

    def test(answers: AnswerSource) -> Truth:
        return mirrored[term(answers)]

    return test


def _gaps(link_id: str, missing: Missing, reading: Reading) -> Mapping[State, Truth]:
    blank = {
        Missing.RULE: NO if link_id in reading.core else UNKNOWN,
        Missing.STRICT: UNKNOWN,
        Missing.SHOWN: NO,
    }[missing]
    undetermined = UNKNOWN if missing is Missing.STRICT else NO
    return {ANSWERED: NO, BLANK: blank, UNDETERMINED: undetermined, NOT_ASKED: NO}


def _ticked(leaf: Ticked, missing: Missing, reading: Reading) -> Test:
    link_id, at_least = leaf.link_id, leaf.at_least
    wanted = frozenset(leaf.codes)
    gaps = _gaps(link_id, missing, reading)
    blank = gaps[BLANK]
    doubts = _doubts(leaf, missing, reading)

    def test(answers: AnswerSource) -> Truth:
        codes = answers.codes(link_id)
        if not codes:
            state = answers.state(link_id)
            return blank if state is ANSWERED and link_id in answers.unread else gaps[state]
        if at_least == 1:
            if not wanted.isdisjoint(codes):
                return YES
        elif len(wanted & codes) >= at_least:
            return YES
        if not doubts.isdisjoint(codes):
            return UNKNOWN
        return blank if link_id in answers.unread else NO

    return test


def _doubts(leaf: Ticked, missing: Missing, reading: Reading) -> frozenset[str]:
    """Options that, when ticked, leave the wanted options unknown instead of "no"."""
    if missing is Missing.SHOWN:
        return frozenset()
    doubts = set(reading.not_sure)
    if missing is Missing.STRICT:
        for option, left_unknown in ((reading.declines or {}).get(leaf.link_id) or {}).items():
            if left_unknown & set(leaf.codes):
                doubts.add(option)
    return frozenset(doubts)


@dataclass(frozen=True)
class _AnyCoding:
    """Several "= this Coding" on one question, made one while compiling: most enableWhen are nothing else."""

    link_id: str
    keys: frozenset[tuple[str, str]]


def _merged(terms: tuple[Criterion, ...]) -> tuple[Criterion | _AnyCoding, ...]:
    """The terms of an OR with all comparisons to Codings of one question taken together."""
    keys: dict[str, set[tuple[str, str]]] = {}
    others: list[Criterion | _AnyCoding] = []
    for term in terms:
        match term:
            case Compare(link_id, "=", Coding(str(system), str(code))):
                keys.setdefault(link_id, set()).add((system, code))
            case _:
                others.append(term)
    return (*(_AnyCoding(link_id, frozenset(found)) for link_id, found in keys.items()), *others)


def _any_coding(leaf: _AnyCoding, missing: Missing, reading: Reading) -> Test:
    gaps = _gaps(leaf.link_id, missing, reading)
    blank = gaps[BLANK]
    link_id, keys = leaf.link_id, leaf.keys

    def test(answers: AnswerSource) -> Truth:
        codings = answers.codings(link_id)
        if not codings:
            state = answers.state(link_id)
            return blank if state is ANSWERED and link_id in answers.unread else gaps[state]
        if not keys.isdisjoint(codings):
            return YES
        return blank if link_id in answers.unread else NO

    return test


def _compared(leaf: Compare, missing: Missing, reading: Reading) -> Test:
    match leaf:
        case Compare(link_id, "=", Coding(str(system), str(code))):
            return _any_coding(_AnyCoding(link_id, frozenset({(system, code)})), missing, reading)
    gaps = _gaps(leaf.link_id, missing, reading)
    blank = gaps[BLANK]

    def test(answers: AnswerSource) -> Truth:
        values = answers.values(leaf.link_id)
        if not values:
            return gaps[answers.state(leaf.link_id)]
        if any(stands(value, leaf.operator, leaf.value) for value in values):
            return YES
        return blank if leaf.link_id in answers.unread else NO

    return test


def _exists(leaf: Exists, missing: Missing) -> Test:
    link_id, expected, strict = leaf.link_id, leaf.expected, missing is Missing.STRICT

    def test(answers: AnswerSource) -> Truth:
        state = answers.state(link_id)
        if not expected and link_id in answers.unread:
            state = BLANK
        if strict and (state is BLANK or state is UNDETERMINED):
            return UNKNOWN
        return YES if (state is ANSWERED) is expected else NO

    return test


def _unanswered(leaf: Unanswered, reading: Reading) -> Test:
    def test(answers: AnswerSource) -> Truth:
        if leaf.link_id in answers.unread:
            return YES
        state = answers.state(leaf.link_id)
        if state is ANSWERED:
            codes = answers.codes(leaf.link_id)
            return YES if codes and codes <= reading.not_sure else NO
        return YES if state is BLANK else NO

    return test
