"""A criterion as a tree, and what can be asked of a tree without any answers.

The same tree serves red flags, evidence, required features, hints, and FHIR's enableWhen
(https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fhir_app.knowledge.answers import AnswerValue, Coding
from fhir_app.knowledge.comparison import Operator


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
