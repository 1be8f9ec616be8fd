"""A sample of the mutation run (`python -m tests.questionnaires.mutation` tries every mutant)."""

from __future__ import annotations

import pytest

from tests.assessment.knowledge_fixture import intake
from tests.questionnaires.mutants import changed, parse, told
from tests.questionnaires.mutation import all_mutants, fate, sample

SEED = 20261124


def noticed(numbers: tuple[int, ...]) -> float:
    return sum(fate(all_mutants()[number]) != "survived" for number in numbers) / len(numbers)


def test_no_change_of_a_red_flags_urgency_goes_unnoticed() -> None:
    numbers = sample(20, SEED, ["urgency of a flag", "urgency of a trigger"])
    left = [all_mutants()[n] for n in numbers if fate(all_mutants()[n]) != "expectation"]
    assert [f"{mutant.rule}: {mutant.change}" for mutant in left] == []


@pytest.mark.parametrize(
    ("kind", "count", "least"),
    [("red flag", 20, 0.6), ("trigger", 5, 0.6), ("evidence", 12, 0.7), ("strength", 8, 0.7), ("required", 8, 0.2)],
)
def test_most_slips_in_a_criterion_are_noticed(kind: str, count: int, least: float) -> None:
    assert noticed(sample(count, SEED, [kind])) >= least


def test_a_line_has_a_mutant_for_every_place_in_it() -> None:
    tree = parse("rf-nerve any of {pee, bowel} AND NOT rf-bowel = rush AND pt-age >= 50")
    said = {change for change, _ in changed(tree, intake().questionnaire)}
    assert {"AND made OR", "NOT dropped before rf-bowel {rush}", "pt-age >= 50 by +1", "rf-nerve: without pee"} <= said
    assert f"AND without {told(parse('pt-age >= 50'))}" in said


def test_no_mutant_of_a_criterion_is_the_original() -> None:
    for mutant in all_mutants()[::7]:
        assert mutant.tree is None or mutant.tree not in [
            rule.tree for rule in (flag.when for flag in intake().red_flags if flag.id == mutant.rule)
        ]
