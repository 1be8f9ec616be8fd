"""What can be asked of a criterion without any answers."""

from __future__ import annotations

import pytest

from fhir_app.knowledge.criteria import And, Named, Not, Ticked, branches, expand, gate, link_ids
from fhir_app.knowledge.criteria_text import parse_criterion

A, B = Ticked("a", ("x",)), Ticked("b", ("x",))


def test_names_are_replaced_at_any_depth_and_a_circle_is_found() -> None:
    conditions = {"ONE": A, "TWO": Not(Named("ONE"))}
    assert expand(parse_criterion("b = x AND @TWO"), conditions) == And((B, Not(A)))
    with pytest.raises(RecursionError):
        expand(Named("LOOP"), {"LOOP": Not(Named("LOOP"))})
    with pytest.raises(KeyError):
        expand(Named("NOBODY"), {})


def test_a_top_level_or_is_several_rows_and_the_first_term_of_a_row_is_its_gate() -> None:
    tree = parse_criterion("a = x AND b = x OR b = y")
    assert branches(tree) == (And((A, B)), Ticked("b", ("y",)))
    assert [gate(branch) for branch in branches(tree)] == [A, Ticked("b", ("y",))]
    assert link_ids(tree) == {"a", "b"}
