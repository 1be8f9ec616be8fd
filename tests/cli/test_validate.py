"""`fhir-app validate`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fhir_app.cli import main
from tests.assessment.conformance_cases import ALL_FRUIT, FRUIT_SYSTEM, Case, a, coding, q, v

APPLES = q("c", "choice", answerValueSet=ALL_FRUIT["url"])


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write_one(name: str, resource: Any) -> str:
        path = tmp_path / name
        path.write_text(resource if isinstance(resource, str) else json.dumps(resource), encoding="utf-8")
        return str(path)

    return write_one


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["validate", *arguments])


def checked(write: Any, case: Case, *more: str) -> Result:
    response = write("response.json", case.response_resource())
    return run(response, "--questionnaire", write("form.json", case.questionnaire_resource()), *more)


def test_a_valid_response_exits_0_and_says_so(write: Any) -> None:
    shown = checked(write, Case("", "", [q("s", "string")], [a("s", v("String", "x"))]))
    assert (shown.exit_code, shown.output) == (0, "No issues.\n")


def test_an_error_exits_1_and_names_path_question_and_reason(write: Any) -> None:
    shown = checked(write, Case("", "", [q("s", "string", required=True)], []))
    assert shown.exit_code == 1
    assert shown.output == (
        "error: The question is required, but not answered.\n"
        "    question s: Question s\n"
        "    at QuestionnaireResponse\n"
        "1 error, 0 other.\n"
    )


def test_json_is_an_operation_outcome_with_every_issue(write: Any) -> None:
    case = Case("", "", [q("n", "integer"), q("s", "string", required=True)], [a("n", v("Integer", "6"), odd=1)])
    shown = checked(write, case, "--json")
    outcome = json.loads(shown.output)
    assert shown.exit_code == 1
    assert outcome["resourceType"] == "OperationOutcome"
    assert [(issue["code"], issue["expression"][0]) for issue in outcome["issue"]] == [
        ("structure", "QuestionnaireResponse.item[0].odd"),
        ("value", "QuestionnaireResponse.item[0].answer[0].value"),
        ("required", "QuestionnaireResponse"),
    ]
    assert all("Question" in issue["diagnostics"] for issue in outcome["issue"])


def test_value_sets_and_code_systems_come_from_the_files_given(write: Any) -> None:
    entries = [{"resource": resource} for resource in (ALL_FRUIT, FRUIT_SYSTEM)]
    resources = write("resources.json", {"resourceType": "Bundle", "type": "collection", "entry": entries})
    good = Case("", "", [APPLES], [a("c", v("Coding", coding("boskoop")))])
    bad = Case("", "", [APPLES], [a("c", v("Coding", coding("pear")))])
    assert checked(write, good, "--resources", resources).output == "No issues.\n"
    assert checked(write, bad, "--resources", resources).exit_code == 1
    unchecked = checked(write, bad)
    assert unchecked.exit_code == 0
    assert "not at hand" in unchecked.output


def test_another_version_of_the_questionnaire_is_not_taken_instead(write: Any) -> None:
    case = Case("", "", [q("s", "string")], [], questionnaire={"version": "2"})
    shown = checked(write, case)
    assert shown.exit_code == 1
    assert "is not in the files" in shown.output


def test_of_several_questionnaires_the_one_that_is_named_counts(write: Any) -> None:
    old = Case("", "", [q("s", "string")], [a("s", v("String", "x"))])
    new = Case("", "", [q("s", "integer")], [], questionnaire={"version": "2"})
    forms = [write("old.json", old.questionnaire_resource()), write("new.json", new.questionnaire_resource())]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": c.questionnaire_resource()} for c in (old, new)]}
    response = write("response.json", old.response_resource())
    assert run(response, "--questionnaire", forms[0], "--questionnaire", forms[1]).exit_code == 0
    assert run(response, "--questionnaire", write("bundle.json", bundle)).exit_code == 0


@pytest.mark.parametrize("named", [None, "http://example.org/q"])
def test_a_response_that_names_no_version_is_checked_with_a_warning(write: Any, named: str | None) -> None:
    case = Case("", "", [q("s", "string")], [])
    resource = {key: value for key, value in case.response_resource().items() if key != "questionnaire"}
    response = write("response.json", resource if named is None else {**resource, "questionnaire": named})
    shown = run(response, "--questionnaire", write("form.json", case.questionnaire_resource()))
    assert shown.exit_code == 0
    assert shown.output.startswith("warning: The response names")


def test_a_contained_questionnaire_is_used(write: Any) -> None:
    case = Case("", "", [q("s", "string", required=True)], [])
    form = {**case.questionnaire_resource(), "id": "form"}
    response = {**case.response_resource(), "questionnaire": "#form", "contained": [form]}
    shown = run(write("response.json", response), "--questionnaire", write("form.json", form))
    assert shown.exit_code == 1
    assert "question s" in shown.output


@pytest.mark.parametrize("body", ['{"a": 1, "a": 2}', "[]", "no json", '{"resourceType": "Patient"}'])
def test_what_is_no_response_exits_1_without_a_traceback(write: Any, body: str) -> None:
    case = Case("", "", [q("s", "string")], [])
    form = write("form.json", case.questionnaire_resource())
    shown = run(write("response.json", body), "--questionnaire", form, "--json")
    assert shown.exit_code == 1
    assert json.loads(shown.output)["issue"][0]["severity"] in ("error", "fatal")


def test_a_questionnaire_that_cannot_be_used_exits_1_with_its_reasons(write: Any) -> None:
    case = Case("", "", [q("s", "string"), q("s", "string")], [])
    shown = checked(write, case)
    assert shown.exit_code == 1
    assert "linkId 's' is used more than once" in shown.output
