"""What questionnaires/README.md says is so: each row of its tables is evaluated, each example read as its file is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from marshmallow import Schema, fields

from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.assessment.read_answers import read_answers
from fhir_app.knowledge.answers import Answers
from fhir_app.knowledge.cases import CaseSchema
from fhir_app.knowledge.compile_criteria import compile_criterion
from fhir_app.knowledge.criteria import expand, link_ids
from fhir_app.knowledge.criteria_text import parse_criterion
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.missing_answers import Missing
from fhir_app.knowledge.schemas import GROUPS, CauseSchema, RedFlagSchema, ReviewedSchema, SourceSchema
from tests.questionnaires.tried import ROOT, intake_in

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
SCHEMAS: dict[str, type[Schema]] = {
    "a red flag": RedFlagSchema,
    "a cause": CauseSchema,
    "a source": SourceSchema,
    "a case": CaseSchema,
    "a signature": Schema.from_dict({"reviewed": fields.Nested(ReviewedSchema, required=True)}),
}
EXAMPLES: dict[str, str] = dict(re.findall(r"```yaml\n# ([a-z ]+)\n(.*?)```", TEXT, re.DOTALL))


def intake() -> Intake:
    return intake_in(ROOT / "tingling-legs")


def rows(columns: int) -> list[list[str]]:
    """The cells of each table row with so many columns whose first cell is code."""
    lines = [line for line in TEXT.splitlines() if line.startswith("| `")]
    return [cells for line in lines if len(cells := [c.strip() for c in line.strip("|").split("|")]) == columns]


def answered(plain: dict[str, Any]) -> Answers:
    questionnaire = intake().questionnaire
    return read_answers(
        questionnaire, build_questionnaire_response(questionnaire, plain, authored="2026-01-01")
    ).answers


@pytest.mark.parametrize(("answers", "criterion", "rule", "strict", "shown"), rows(5))
def test_a_row_reads_as_it_says(answers: str, criterion: str, rule: str, strict: str, shown: str) -> None:
    tree = parse_criterion(criterion.strip("`"))
    given = answered(yaml.safe_load(answers.strip("`")))
    read = {
        way.value: compile_criterion(tree, way, intake().reading)(given).name.lower()
        for way in (Missing.RULE, Missing.STRICT, Missing.SHOWN)
    }
    assert read == {"rule": rule, "strict": strict, "shown": shown}


def test_every_form_of_a_criterion_is_shown_and_can_be_read() -> None:
    conditions = {name: rule.tree for name, rule in intake().conditions.items()}
    written = [
        code for cells in rows(2) for code in re.findall(r"`([^`]+)`", cells[0]) if re.match(r"[a-z@].*[ A-Z]", code)
    ]
    forms = [text for text in written if not text.startswith(("a ", "questionnaire"))]
    for text in forms:
        assert link_ids(expand(parse_criterion(text), conditions)) <= set(intake().questionnaire.by_link_id), text
    for word in ("includes", "any of", "all of", "n>=", " = ", " in {", ">=", "unanswered", "@"):
        assert any(word in text for text in forms), word


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_example_is_taken_as_it_stands(name: str) -> None:
    example = yaml.safe_load(EXAMPLES[name])
    SCHEMAS[name]().load(example)
    known = intake().questionnaire.by_link_id
    for text in _criteria(example):
        assert link_ids(parse_criterion(text)) <= set(known), text
    assert set(example.get("answers", {})) <= set(known)


def test_every_example_is_one_that_is_tested() -> None:
    assert set(EXAMPLES) == set(SCHEMAS)
    assert TEXT.count("```yaml") == len(EXAMPLES)


def test_the_groups_are_those_of_the_schema() -> None:
    [line] = re.findall(r"^Groups: (.*?)\.", TEXT, re.MULTILINE)
    assert tuple(line.split(", ")) == GROUPS


def test_every_file_of_an_intake_is_in_the_table() -> None:
    table = " ".join(cells[0] for cells in rows(2))
    for path in sorted((ROOT / "tingling-legs").iterdir()):
        assert f"`{path.name}" in table, path.name


def _criteria(example: Any) -> Iterator[str]:
    if isinstance(example, dict):
        for key, value in example.items():
            if key in ("when", "lifted_when"):
                yield value
            else:
                yield from _criteria(value)
    elif isinstance(example, list):
        for value in example:
            yield from _criteria(value)
