"""Every rule can be made true, and false, by filling in the form."""

from __future__ import annotations

import pytest

from fhir_app.evaluation.played import answers_of
from fhir_app.knowledge.answers import Answers
from fhir_app.knowledge.compile_criteria import compile_criterion
from fhir_app.knowledge.criteria import And, Criterion, Not, Ticked
from fhir_app.knowledge.criteria_text import parse_criterion
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.missing_answers import Missing
from fhir_app.knowledge.reachability import witness
from fhir_app.knowledge.rules import every_rule
from fhir_app.knowledge.truth import Truth
from tests.assessment.knowledge_fixture import intake
from tests.knowledge.small_intake import small_intake

RULES = [pytest.param(rule.tree, id=name) for _, name, rule in every_rule(intake())]


def filled_in(tree: Criterion, of: Intake) -> Answers:
    """The answers of a response with what the witness ticks; questions that it does not name are left out."""
    found = witness(tree, of)
    assert found is not None
    repeats = {link_id: item.repeats for link_id, item in of.questionnaire.by_link_id.items()}
    plain: dict[str, object] = {k: sorted(v) if repeats[k] else next(iter(v)) for k, v in found.codes.items()}
    return answers_of(of, {**plain, **found.numbers}, name="a witness")


@pytest.mark.parametrize("tree", RULES)
def test_every_rule_can_be_made_true_by_filling_in_the_form(tree: Criterion) -> None:
    answers = filled_in(tree, intake())
    # Read as the form reads it: what the witness leaves out is not there.
    assert compile_criterion(tree, Missing.SHOWN, intake().reading)(answers) is Truth.YES


@pytest.mark.parametrize("tree", RULES)
def test_every_rule_can_be_made_false_by_filling_in_the_form(tree: Criterion) -> None:
    answers = filled_in(Not(tree), intake())
    assert compile_criterion(tree, Missing.SHOWN, intake().reading)(answers) is Truth.NO


@pytest.mark.parametrize(
    "line",
    [
        "gone = late AND gone = never",
        "where includes foot AND NOT where includes foot",
        "where all of {none, foot}",
        "how-cold = now AND NOT danger includes cold",
        "age >= 50 AND age < 40",
        "danger unanswered AND danger includes fall",
    ],
)
def test_what_no_form_can_say_has_no_witness(line: str) -> None:
    assert witness(parse_criterion(line), small_intake()) is None


def test_a_follow_up_is_answered_only_with_the_tick_that_shows_it() -> None:
    found = witness(Ticked("how-cold", ("now",)), small_intake())
    assert found is not None
    assert found.codes == {"how-cold": {"now"}, "danger": {"cold"}}


def test_the_age_of_a_witness_is_an_adults_where_that_fits() -> None:
    found = witness(And((Ticked("where", ("foot",)), parse_criterion("age < 70"))), small_intake())
    assert found is not None
    assert found.numbers == {"age": 45}
