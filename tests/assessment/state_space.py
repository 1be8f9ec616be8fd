"""Every state of the questions that one red-flag row reads, and what the row says in each of them.

A question that takes several options stands in a state for each set of the options that the row names, with and
without an option that it does not name; besides it may be blank, undetermined, not asked, or answered "not sure".
Options that every criterion of the row names together, or not at all, are one option to the row: as many of them are
tried as any criterion counts, and `interchangeable` says which were spared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, combinations, product
from math import prod

from fhir_app.assessment.assess import find_red_flags
from fhir_app.assessment.assessment import RedFlagFinding
from fhir_app.assessment.compiled import compiled
from fhir_app.assessment.open_questions import gaps_of
from fhir_app.knowledge.answers import Answers, AnswerValue, Coding, State
from fhir_app.knowledge.criteria import And, Compare, Criterion, Leaf, Named, Not, Or, Ticked, leaves
from fhir_app.knowledge.intake import Disposition, Intake, RedFlag
from fhir_app.knowledge.questionnaire import Item
from tests.assessment.knowledge_fixture import intake

GAPS = (State.BLANK, State.UNDETERMINED, State.NOT_ASKED)


@dataclass(frozen=True)
class Standing:
    """One question's state: a gap, or its answers."""

    gap: State | None
    values: tuple[AnswerValue, ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(v.code for v in self.values if isinstance(v, Coding) and v.code is not None)

    @property
    def is_not_sure(self) -> bool:
        return bool(self.codes & intake().reading.not_sure)


@dataclass(frozen=True)
class Said:
    """What a row says in one state."""

    status: str
    disposition: Disposition | None
    by_gap: bool


@dataclass(frozen=True)
class Space:
    """`said[i]` for the i-th combination of `standings`, in the order of itertools.product."""

    flag: RedFlag
    questions: tuple[str, ...]
    standings: tuple[tuple[Standing, ...], ...]
    said: tuple[Said, ...]

    def neighbours(self, question: str, source: int, target: int) -> Iterator[tuple[Said, Said]]:
        """For every combination in which the question stands at `source`: what the row says, and what it says with
        the question at `target` instead."""
        at = self.questions.index(question)
        sizes = [len(some) for some in self.standings]
        inner = prod(sizes[at + 1 :])
        block = inner * sizes[at]
        for start in range(0, len(self.said), block):
            for rest in range(inner):
                yield self.said[start + source * inner + rest], self.said[start + target * inner + rest]

    def place(self, question: str, standing: Standing) -> int:
        return self.standings[self.questions.index(question)].index(standing)


def size(flag: RedFlag) -> int:
    return prod(len(some) for some in standings_of(flag).values())


@lru_cache(maxsize=4)
def space(flag_id: str) -> Space:
    """The whole space of one row."""
    flag = next(flag for flag in intake().red_flags if flag.id == flag_id)
    standings = standings_of(flag)
    only = only_this_row(flag)
    said = tuple(say(only, dict(zip(standings, some, strict=True))) for some in product(*standings.values()))
    return Space(flag, tuple(standings), tuple(standings.values()), said)


@lru_cache(maxsize=256)
def only_this_row(flag: RedFlag) -> Intake:
    """The intake with this row and nothing else to evaluate."""
    scoring = replace(intake().scoring, none_fits=replace(intake().scoring.none_fits, weak_leaders={}, floors=()))
    return replace(intake(), red_flags=(flag,), triggers=(), causes=(), hints=(), conditions={}, scoring=scoring)


def say(only: Intake, standing: dict[str, Standing]) -> Said:
    answers = Answers(
        {question: one.values for question, one in standing.items() if one.gap is None},
        {question: one.gap for question, one in standing.items() if one.gap not in (None, State.NOT_ASKED)},  # type: ignore[misc]
    )
    finding = row(only, answers)
    return Said(finding.status, finding.disposition, finding.by_gap)


def row(only: Intake, answers: Answers) -> RedFlagFinding:
    rules, gaps = compiled(only), gaps_of(answers, only.reading)
    return find_red_flags(rules, answers, gaps, rules.turned(answers, gaps))[0]


@dataclass(frozen=True)
class Alike:
    """Named options of one question that no criterion of a row tells apart. `tried` are as many of them as any
    criterion counts; `spared` are the others."""

    question: str
    tried: tuple[str, ...]
    spared: tuple[str, ...]


@lru_cache(maxsize=256)
def standings_of(flag: RedFlag) -> dict[str, tuple[Standing, ...]]:
    found: dict[str, tuple[Standing, ...]] = {}
    for question, read_by in _leaves_by_question(flag).items():
        alike = _alike(question, read_by)
        values = {leaf.value for leaf in read_by if isinstance(leaf, Compare) and isinstance(leaf.value, int)}
        cuts = {value + step for value in values for step in (-1, 0, 1)}
        tried = {code for group in alike for code in group.tried}
        spared = {code for group in alike for code in group.spared}
        found[question] = tuple(_of_question(intake().questionnaire.by_link_id[question], tried, spared, cuts))
    return found


def interchangeable(flag: RedFlag) -> tuple[Alike, ...]:
    """The groups of options of which not all are tried."""
    by_question = _leaves_by_question(flag).items()
    return tuple(group for question, read_by in by_question for group in _alike(question, read_by) if group.spared)


def _leaves_by_question(flag: RedFlag) -> dict[str, list[Leaf]]:
    found: dict[str, list[Leaf]] = {}
    for leaf in leaves(flag.when.tree):
        assert not isinstance(leaf, Named), "trees are expanded"
        found.setdefault(leaf.link_id, []).append(leaf)
    return found


def _alike(question: str, read_by: list[Leaf]) -> list[Alike]:
    ticked = [leaf for leaf in read_by if isinstance(leaf, Ticked)]
    item, reading = intake().questionnaire.by_link_id[question], intake().reading
    declines = (reading.declines or {}).get(question, {})
    # An option that stands alone, declines others or means "not sure" does more than the criteria say.
    special = {*_exclusive(item), *declines, *reading.not_sure}
    groups: dict[object, list[str]] = {}
    for code in sorted({code for leaf in ticked for code in leaf.codes}):
        read_alike = tuple(code in leaf.codes for leaf in ticked), tuple(code in codes for codes in declines.values())
        groups.setdefault((read_alike, code if code in special else None), []).append(code)
    found = []
    for codes in groups.values():
        count = max(leaf.at_least for leaf in ticked if codes[0] in leaf.codes)
        found.append(Alike(question, tuple(codes[:count]), tuple(codes[count:])))
    return found


def _exclusive(item: Item) -> set[str]:
    options = (option for option in item.options if option.exclusive)
    return {o.value.code for o in options if isinstance(o.value, Coding) and o.value.code is not None}


def _of_question(item: Item, tried: set[str], spared: set[str], cuts: set[int]) -> Iterator[Standing]:
    for gap in GAPS:
        yield Standing(gap)
    for number in sorted(cuts):
        yield Standing(None, (number,))
    options = [o.value.code for o in item.options if isinstance(o.value, Coding) and o.value.code is not None]
    exclusive = _exclusive(item) | intake().reading.not_sure
    declining = set((intake().reading.declines or {}).get(item.link_id, {}))
    alone = [code for code in options if code in exclusive | declining]
    unnamed = [code for code in options if code not in tried | spared and code not in alone]
    together = [code for code in options if code in tried and code not in exclusive] + unnamed[:1]
    most = len(together) if item.repeats else 1
    sets = chain.from_iterable(combinations(together, count) for count in range(1, most + 1))
    for codes in chain(sets, ((code,) for code in alone if code not in together)):
        yield Standing(None, tuple(Coding(None, code) for code in codes))


def excluding(tree: Criterion, negated: bool = False) -> frozenset[tuple[str, str]]:
    """The options that an exclusion mentions: those that stand under a NOT."""
    match tree:
        case And(terms) | Or(terms):
            return frozenset().union(*(excluding(term, negated) for term in terms))
        case Not(term):
            return excluding(term, not negated)
        case Ticked(link_id, codes, _) if negated:
            return frozenset((link_id, code) for code in codes)
        case _:
            return frozenset()
