"""The criteria language: one readable line -> a tree -> yes, no or unknown.

The same tree serves red flags, evidence, required features, hints, and FHIR's enableWhen
(https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import lru_cache
from importlib import resources

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, VisitError

from fhir_app.knowledge.answers import (
    ANSWERED,
    BLANK,
    NOT_ASKED,
    UNDETERMINED,
    AnswerSource,
    AnswerValue,
    Coding,
    State,
)
from fhir_app.knowledge.comparison import Operator, stands


class Truth(IntEnum):
    """Kleene's three values; AND is the least, OR the greatest, NOT mirrors."""

    NO = 0
    UNKNOWN = 1
    YES = 2


# Names of their own: Python 3.11 takes longer to look a member up in its class than to evaluate most criteria.
NO, UNKNOWN, YES = Truth.NO, Truth.UNKNOWN, Truth.YES


class Missing(Enum):
    """How a criterion reads a question that has no usable answer.

    `RULE` (whether a red flag fires): a blank core question is no, because the rule "this list was not answered"
    speaks for it; a blank or "not sure" follow-up is unknown.
    `STRICT` (whether a flag may be called absent, and whether evidence counts): every gap is unknown.
    `SHOWN` (whether a question is shown, and required features): every gap is no, so its NOT is true.
    """

    RULE = "rule"
    STRICT = "strict"
    SHOWN = "shown"


@dataclass(frozen=True)
class Ticked:
    """At least `at_least` of `codes` are among the ticked options of a question."""

    link_id: str
    codes: tuple[str, ...]
    at_least: int = 1


@dataclass(frozen=True)
class Compare:
    """Any answer to the question stands in this relation to `value`; no answer: no (R4 enableWhen)."""

    link_id: str
    operator: Operator
    value: AnswerValue


@dataclass(frozen=True)
class Exists:
    """The question has an answer (or, with `expected` false, has none)."""

    link_id: str
    expected: bool = True


@dataclass(frozen=True)
class Unanswered:
    """The question was shown and is blank or "not sure"."""

    link_id: str


@dataclass(frozen=True)
class Named:
    """A condition with a name of its own, `@NAME`."""

    name: str


@dataclass(frozen=True)
class Not:
    term: Criterion


@dataclass(frozen=True)
class And:
    terms: tuple[Criterion, ...]


@dataclass(frozen=True)
class Or:
    terms: tuple[Criterion, ...]


Criterion = Ticked | Compare | Exists | Unanswered | Named | Not | And | Or
Leaf = Ticked | Compare | Exists | Unanswered


class CriterionError(ValueError):
    """A line that does not parse; `line` and `column` count from 1 inside the text that was given."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


# --- text -> tree -----------------------------------------------------------------------------------------------


class _TreeBuilder(Transformer[Token, Criterion]):
    def codes(self, tokens: list[Token]) -> tuple[str, ...]:
        return tuple(str(token) for token in tokens)

    def includes(self, parts: list[Token]) -> Criterion:
        return Ticked(str(parts[0]), (str(parts[1]),))

    def any_of(self, parts: list[tuple[str, ...]]) -> Criterion:
        return Ticked(str(parts[0]), parts[1])

    def all_of(self, parts: list[tuple[str, ...]]) -> Criterion:
        return Ticked(str(parts[0]), parts[1], len(parts[1]))

    def at_least(self, parts: list[tuple[str, ...]]) -> Criterion:
        return Ticked(str(parts[0]), parts[2], int(str(parts[1])))

    def equals(self, parts: list[Token]) -> Criterion:
        text = str(parts[1])
        if text.isdigit():
            return Compare(str(parts[0]), "=", int(text))
        return Ticked(str(parts[0]), (text,))

    def chosen_in(self, parts: list[tuple[str, ...]]) -> Criterion:
        return Ticked(str(parts[0]), parts[1])

    def compared(self, parts: list[Token]) -> Criterion:
        operator: Operator = str(parts[1])  # type: ignore[assignment]  # the grammar allows the four only
        return Compare(str(parts[0]), operator, int(str(parts[2])))

    def unanswered(self, parts: list[Token]) -> Criterion:
        return Unanswered(str(parts[0]))

    def named(self, parts: list[Token]) -> Criterion:
        return Named(str(parts[0]))

    def negated(self, parts: list[Criterion]) -> Criterion:
        return Not(parts[0])

    def conjunction(self, parts: list[Criterion]) -> Criterion:
        return And(tuple(parts))

    def disjunction(self, parts: list[Criterion]) -> Criterion:
        return Or(tuple(parts))


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = resources.files(__package__).joinpath("criteria.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


def parse_criterion(text: str) -> Criterion:
    """`text` in the criteria language -> its tree. Raises CriterionError with line and column."""
    try:
        return _TreeBuilder().transform(_parser().parse(text))
    except UnexpectedInput as error:
        reading = text[max(0, (error.pos_in_stream or 0)) :][:20] or "the end"
        raise CriterionError(f"cannot read the criterion at {reading!r}", error.line, error.column) from None
    except VisitError as error:
        raise CriterionError(str(error.orig_exc), 1, 1) from None


# --- looking at a tree ------------------------------------------------------------------------------------------


def leaves(criterion: Criterion) -> Iterator[Leaf | Named]:
    """Every leaf of the tree, names not expanded."""
    match criterion:
        case And(terms) | Or(terms):
            for term in terms:
                yield from leaves(term)
        case Not(term):
            yield from leaves(term)
        case _:
            yield criterion


def expand(criterion: Criterion, conditions: Mapping[str, Criterion]) -> Criterion:
    """The tree with every `@NAME` replaced. Raises KeyError for an unknown name, RecursionError for a circle."""
    match criterion:
        case Named(name):
            return expand(conditions[name], conditions)
        case And(terms):
            return And(tuple(expand(term, conditions) for term in terms))
        case Or(terms):
            return Or(tuple(expand(term, conditions) for term in terms))
        case Not(term):
            return Not(expand(term, conditions))
        case _:
            return criterion


def branches(criterion: Criterion) -> tuple[Criterion, ...]:
    """A top-level OR is read as one row for each branch; anything else is one row."""
    return criterion.terms if isinstance(criterion, Or) else (criterion,)


def gate(criterion: Criterion) -> Criterion:
    """The first term of a row, up to its first top-level AND: what must be yes for a gap to count as present."""
    return criterion.terms[0] if isinstance(criterion, And) else criterion


def link_ids(criterion: Criterion) -> frozenset[str]:
    """Every question that the (expanded) tree reads."""
    return frozenset(leaf.link_id for leaf in leaves(criterion) if not isinstance(leaf, Named))


def by_code(criterion: Criterion) -> Criterion:
    """The tree with every comparison to a Coding read as "this option is ticked", so that "not sure" and declined
    answers leave it unknown, as they do in the rules."""
    match criterion:
        case And(terms):
            return And(tuple(by_code(term) for term in terms))
        case Or(terms):
            return Or(tuple(by_code(term) for term in terms))
        case Not(term):
            return Not(by_code(term))
        case Compare(link_id, "=", Coding(code=str(code))):
            return Ticked(link_id, (code,))
        case _:
            return criterion


# --- tree -> yes, no or unknown ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """How the questions of one intake are read when an answer is missing.

    `core`: questions whose own rule reports a blank. `not_sure`: option codes that mean "not sure".
    `declines`: question -> {option that declines: the options which it leaves unknown}.
    """

    core: frozenset[str] = frozenset()
    not_sure: frozenset[str] = frozenset({"not-sure"})
    declines: Mapping[str, Mapping[str, frozenset[str]]] | None = None


Test = Callable[[AnswerSource], Truth]


def compile_criterion(criterion: Criterion | _AnyCoding, missing: Missing, reading: Reading) -> Test:
    """The (expanded) tree as one function of the answers."""
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
    doubts = _doubts(leaf, missing, reading)

    def test(answers: AnswerSource) -> Truth:
        codes = answers.codes(link_id)
        if not codes:
            return gaps[answers.state(link_id)]
        if at_least == 1:
            if not wanted.isdisjoint(codes):
                return YES
        elif len(wanted & codes) >= at_least:
            return YES
        return NO if doubts.isdisjoint(codes) else UNKNOWN

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
    link_id, keys = leaf.link_id, leaf.keys

    def test(answers: AnswerSource) -> Truth:
        codings = answers.codings(link_id)
        if codings:
            return NO if keys.isdisjoint(codings) else YES
        return gaps[answers.state(link_id)]

    return test


def _compared(leaf: Compare, missing: Missing, reading: Reading) -> Test:
    match leaf:
        case Compare(link_id, "=", Coding(str(system), str(code))):
            return _any_coding(_AnyCoding(link_id, frozenset({(system, code)})), missing, reading)
    gaps = _gaps(leaf.link_id, missing, reading)

    def test(answers: AnswerSource) -> Truth:
        values = answers.values(leaf.link_id)
        if not values:
            return gaps[answers.state(leaf.link_id)]
        return YES if any(stands(value, leaf.operator, leaf.value) for value in values) else NO

    return test


def _exists(leaf: Exists, missing: Missing) -> Test:
    link_id, expected, strict = leaf.link_id, leaf.expected, missing is Missing.STRICT

    def test(answers: AnswerSource) -> Truth:
        state = answers.state(link_id)
        if strict and (state is BLANK or state is UNDETERMINED):
            return UNKNOWN
        return YES if (state is ANSWERED) is expected else NO

    return test


def _unanswered(leaf: Unanswered, reading: Reading) -> Test:
    def test(answers: AnswerSource) -> Truth:
        state = answers.state(leaf.link_id)
        if state is ANSWERED:
            codes = answers.codes(leaf.link_id)
            return YES if codes and codes <= reading.not_sure else NO
        return YES if state is BLANK else NO

    return test
