"""Answers that make a criterion true, found by search: shows that a rule can fire, and is a case of it.

The search walks the tree with a partial set of answers; whatever question it answers must also be shown, so the
question's own enableWhen (and that of every group around it) joins the goals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

from fhir_app.knowledge.answers import AnswerValue, Coding
from fhir_app.knowledge.criteria import And, Compare, Criterion, Exists, Named, Not, Or, Ticked, Unanswered
from fhir_app.knowledge.questionnaire import Item, Questionnaire

if TYPE_CHECKING:
    from fhir_app.knowledge.intake import Intake


@dataclass(frozen=True)
class _Partial:
    """What is decided so far: options ticked and refused, number ranges, questions left blank, shown, or absent."""

    ticked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    refused: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Witness:
    """Answers that make a criterion true: option codes, numbers, and the questions that must stay blank."""

    codes: Mapping[str, frozenset[str]]
    numbers: Mapping[str, int]
    blank: frozenset[str]


def witness(tree: Criterion, intake: Intake) -> Witness | None:
    """The first answers found that make the (expanded) tree true, or None when there are none."""
    search = _Search(intake.questionnaire, intake.reading.not_sure)
    for found in search.solve((tree,), _Partial()):
        numbers = {link_id: _pick(bounds) for link_id, bounds in found.ranges.items()}
        return Witness({k: v for k, v in found.ticked.items() if v}, numbers, found.blank)
    return None


def _pick(bounds: tuple[int, int]) -> int:
    """A plausible number inside the bounds: an adult's age where that fits."""
    low, high = bounds
    return min(max(low, 45), high)


@lru_cache(maxsize=32)
def shown_when(questionnaire: Questionnaire) -> Mapping[str, tuple[Criterion, ...]]:
    """For each item, what must hold for it to be shown: its own condition and those of the groups around it."""
    found: dict[str, tuple[Criterion, ...]] = {}

    def walk(items: tuple[Item, ...], above: tuple[Criterion, ...]) -> None:
        for item in items:
            here = above if item.enable_when is None else (*above, item.enable_when)
            found[item.link_id] = here
            walk(item.items, here)

    walk(questionnaire.items, ())
    return found


class _Search:
    def __init__(self, questionnaire: Questionnaire, not_sure: frozenset[str]) -> None:
        self.items = questionnaire.by_link_id
        self.conditions = shown_when(questionnaire)
        self.not_sure = not_sure

    def solve(self, goals: tuple[Criterion, ...], partial: _Partial) -> Iterator[_Partial]:
        if not goals:
            yield partial
            return
        goal, rest = goals[0], goals[1:]
        match goal:
            case And(terms):
                yield from self.solve((*terms, *rest), partial)
            case Or(terms):
                for term in terms:
                    yield from self.solve((term, *rest), partial)
            case Not(term):
                yield from self._refute(term, rest, partial)
            case Named(name):
                raise ValueError(f"@{name} must be expanded before it is searched")
            case _:
                for more, decided in self._decide(goal, True, partial):
                    yield from self.solve((*more, *rest), decided)

    def _refute(self, term: Criterion, rest: tuple[Criterion, ...], partial: _Partial) -> Iterator[_Partial]:
        match term:
            case And(terms):
                for inner in terms:
                    yield from self.solve((Not(inner), *rest), partial)
            case Or(terms):
                yield from self.solve((*(Not(inner) for inner in terms), *rest), partial)
            case Not(inner):
                yield from self.solve((inner, *rest), partial)
            case Named(name):
                raise ValueError(f"@{name} must be expanded before it is searched")
            case _:
                for more, decided in self._decide(term, False, partial):
                    yield from self.solve((*more, *rest), decided)

    def _decide(
        self, leaf: Criterion, wanted: bool, partial: _Partial
    ) -> Iterator[tuple[tuple[Criterion, ...], _Partial]]:
        """Each way to make one leaf true (or false), with the goals that this adds."""
        match leaf:
            case Ticked(link_id, codes, at_least):
                yield from self._tick(link_id, codes, at_least, wanted, partial)
            case Compare(link_id, operator, value) if isinstance(value, Coding):
                is_ticked = (operator == "=") is wanted
                yield from self._tick(link_id, (value.code or "",), 1, is_ticked, partial)
            case Compare(link_id, operator, value) if isinstance(value, int):
                yield from self._bound(link_id, operator, value, wanted, partial)
            case Exists(link_id, expected):
                yield from self._exist(link_id, expected is wanted, partial)
            case Unanswered(link_id):
                yield from self._leave_blank(link_id, partial) if wanted else self._exist(link_id, True, partial)
            case _:
                yield (), partial

    def _tick(
        self, link_id: str, codes: tuple[str, ...], at_least: int, wanted: bool, partial: _Partial
    ) -> Iterator[tuple[tuple[Criterion, ...], _Partial]]:
        ticked = partial.ticked.get(link_id, frozenset())
        refused = partial.refused.get(link_id, frozenset())
        if not wanted:
            if len(ticked & set(codes)) >= at_least:
                return
            keep = ticked & set(codes)
            spare = [code for code in codes if code not in keep]
            for left in combinations(spare, at_least - 1 - len(keep)):
                yield (), replace(partial, refused={**partial.refused, link_id: refused | (set(spare) - set(left))})
            return
        if link_id in partial.blank:
            return
        for chosen in combinations([code for code in codes if code not in refused], at_least):
            together = ticked | set(chosen)
            if self._fits(link_id, together):
                decided = replace(partial, ticked={**partial.ticked, link_id: together})
                yield self._show(link_id, decided)

    def _fits(self, link_id: str, codes: frozenset[str]) -> bool:
        item = self.items[link_id]
        if len(codes) > 1 and not item.repeats:
            return False
        exclusive = {o.value.code for o in item.options if o.exclusive and isinstance(o.value, Coding)}
        return len(codes) == 1 or not (codes & exclusive)

    def _show(self, link_id: str, partial: _Partial) -> tuple[tuple[Criterion, ...], _Partial]:
        if link_id in partial.shown:
            return (), partial
        return self.conditions[link_id], replace(partial, shown=partial.shown | {link_id})

    def _bound(
        self, link_id: str, operator: str, value: int, wanted: bool, partial: _Partial
    ) -> Iterator[tuple[tuple[Criterion, ...], _Partial]]:
        if not wanted:
            operator = {"=": "!=", "!=": "=", ">": "<=", "<": ">=", ">=": "<", "<=": ">"}[operator]
        low, high = partial.ranges.get(link_id, (0, 120))
        for below, above in {
            "=": [(value, value)],
            "!=": [(low, value - 1), (value + 1, high)],
            ">": [(value + 1, high)],
            ">=": [(value, high)],
            "<": [(low, value - 1)],
            "<=": [(low, value)],
        }[operator]:
            bounds = (max(low, below), min(high, above))
            if bounds[0] <= bounds[1]:
                yield self._show(link_id, replace(partial, ranges={**partial.ranges, link_id: bounds}))

    def _exist(self, link_id: str, wanted: bool, partial: _Partial) -> Iterator[tuple[tuple[Criterion, ...], _Partial]]:
        answered = bool(partial.ticked.get(link_id)) or link_id in partial.ranges
        if not wanted:
            if not answered:
                yield (), replace(partial, blank=partial.blank | {link_id})
            return
        if answered:
            yield (), partial
            return
        refused = partial.refused.get(link_id, frozenset())
        codes: list[AnswerValue | None] = [
            o.value.code for o in self.items[link_id].options if isinstance(o.value, Coding)
        ]
        for code in codes:
            if isinstance(code, str) and code not in refused and code not in self.not_sure:
                yield from self._tick(link_id, (code,), 1, True, partial)

    def _leave_blank(self, link_id: str, partial: _Partial) -> Iterator[tuple[tuple[Criterion, ...], _Partial]]:
        if not partial.ticked.get(link_id) and link_id not in partial.ranges:
            yield self._show(link_id, replace(partial, blank=partial.blank | {link_id}))
