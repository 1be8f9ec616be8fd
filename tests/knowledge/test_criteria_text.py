"""The criteria language: the tree that a line reads as."""

from __future__ import annotations

import pytest

from fhir_app.knowledge.criteria import And, Compare, Criterion, Named, Not, Or, Ticked, Unanswered
from fhir_app.knowledge.criteria_text import CriterionError, parse_criterion

A, B = Ticked("a", ("x",)), Ticked("b", ("x",))


@pytest.mark.parametrize(
    ("line", "tree"),
    [
        ("a includes x", Ticked("a", ("x",))),
        ("a any of {x, y}", Ticked("a", ("x", "y"))),
        ("a all of {x, y}", Ticked("a", ("x", "y"), 2)),
        ("a n>=2 of {x, y, z}", Ticked("a", ("x", "y", "z"), 2)),
        ("a = x", Ticked("a", ("x",))),
        ("a in {x, y}", Ticked("a", ("x", "y"))),
        ("pt-age >= 60", Compare("pt-age", ">=", 60)),
        ("pt-age = 60", Compare("pt-age", "=", 60)),
        ("a unanswered", Unanswered("a")),
        ("@WEAK", Named("WEAK")),
        ("NOT a = x", Not(Ticked("a", ("x",)))),
        ("a = x AND b = x OR a = y", Or((And((A, B)), Ticked("a", ("y",))))),
        ("a = x AND (b = x OR a = y)", And((A, Or((B, Ticked("a", ("y",))))))),
        ("NOT a = x AND b = x", And((Not(A), B))),
    ],
)
def test_a_line_is_the_tree_that_it_reads_as(line: str, tree: Criterion) -> None:
    assert parse_criterion(line) == tree


@pytest.mark.parametrize(
    "line", ["", "a", "a includes", "a any {x}", "a = x AND", "(a = x", "a == x", "NOT", "A = x", "a = x b = y"]
)
def test_what_cannot_be_read_is_refused_with_its_place(line: str) -> None:
    with pytest.raises(CriterionError) as refused:
        parse_criterion(line)
    assert refused.value.line >= 1
    assert refused.value.column >= -1
