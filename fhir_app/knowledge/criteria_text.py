"""The criteria language: one readable line -> a tree. Its grammar is criteria.lark."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, VisitError

from fhir_app.knowledge.comparison import Operator
from fhir_app.knowledge.criteria import And, Compare, Criterion, Named, Not, Or, Ticked, Unanswered


class CriterionError(ValueError):
    """A line that does not parse; `line` and `column` count from 1 inside the text that was given."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


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
