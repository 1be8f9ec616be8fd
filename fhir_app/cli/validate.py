"""`fhir-app validate`: is a response valid against its Questionnaire? For any R4 Questionnaire."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from fhir_app.assessment.join_issues import join_issues
from fhir_app.assessment.read_answers import read_answers
from fhir_app.errors import Issue, MalformedBody
from fhir_app.fhir.model import check_shape
from fhir_app.fhir.outcome import operation_outcome
from fhir_app.fhir.read_json import dump_json, read_json
from fhir_app.knowledge.questionnaire import Questionnaire, UnusableQuestionnaire, read_questionnaire
from fhir_app.knowledge.terminology import read_terminology

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
# Deep enough for any form that people fill in, and for the value sets and extensions inside it.
_DEPTH = 100
Resource = Mapping[str, Any]


@click.command()
@click.argument("response_file", metavar="RESPONSE", type=_FILE)
@click.option("--questionnaire", "forms", type=_FILE, required=True, multiple=True, help="The Questionnaire.")
@click.option("--resources", type=_FILE, multiple=True, help="Value sets, code systems, or a Bundle of them.")
@click.option("--json", "as_json", is_flag=True, help="Print an OperationOutcome.")
def validate(response_file: Path, forms: tuple[Path, ...], resources: tuple[Path, ...], as_json: bool) -> None:
    """Check the QuestionnaireResponse in the file RESPONSE against the Questionnaire that it names.

    Exits 1 when there is an error. docs/validation.md says what is checked and what is not.
    """
    issues = _issues(response_file, forms, resources)
    if as_json:
        click.echo(dump_json(operation_outcome(issues)).decode())
    else:
        _print(issues)
    if any(issue.is_error for issue in issues):
        sys.exit(1)


def _issues(response_file: Path, forms: Sequence[Path], others: Sequence[Path]) -> tuple[Issue, ...]:
    try:
        questionnaire_response = _read(response_file)
        given = [resource for path in (*forms, *others) for resource in _entries(_read(path))]
    except MalformedBody as error:
        return error.issues
    shape = check_shape(questionnaire_response, "QuestionnaireResponse")
    if questionnaire_response.get("resourceType") != "QuestionnaireResponse":
        return shape
    chosen, found = _choose(questionnaire_response, given)
    if chosen is None:
        return (*shape, *found)
    read = read_answers(chosen, questionnaire_response, read_terminology(given))
    return (*found, *join_issues(shape, read.issues, chosen, questionnaire_response))


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_json(path.read_bytes(), max_depth=_DEPTH)
    except MalformedBody as error:
        raise MalformedBody(f"{path.name}: {error.public_text}") from None


def _entries(resource: Resource) -> Iterator[Resource]:
    if resource.get("resourceType") != "Bundle":
        yield resource
        return
    entries = resource.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        inside = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(inside, Mapping):
            yield from _entries(inside)


# --- which Questionnaire ----------------------------------------------------------------------------------------


def _choose(
    questionnaire_response: Resource, given: Sequence[Resource]
) -> tuple[Questionnaire | None, tuple[Issue, ...]]:
    """The Questionnaire that the response names; the only one, with a warning, when it names none."""
    named = questionnaire_response.get("questionnaire")
    forms = [resource for resource in given if resource.get("resourceType") == "Questionnaire"]
    if isinstance(named, str) and named.startswith("#"):
        contained = questionnaire_response.get("contained")
        forms = [
            resource
            for resource in (contained if isinstance(contained, list) else [])
            if isinstance(resource, Mapping) and f"#{resource.get('id')}" == named
        ]
    elif isinstance(named, str):
        forms = [form for form in forms if _is_named(form, named)]
    if not forms:
        return None, (_about("error", "not-found", "The Questionnaire that the response names is not in the files."),)
    found: tuple[Issue, ...] = ()
    if named is None:
        text = "The response names no Questionnaire; it is checked against the one that is given."
        found = (_about("warning", "required", text),)
    elif isinstance(named, str) and "|" not in named and not named.startswith("#") and forms[-1].get("version"):
        found = (_about("warning", "value", "The response names its Questionnaire without a version."),)
    try:
        return read_questionnaire(forms[-1]), found
    except UnusableQuestionnaire as error:
        return None, (*found, *(Issue("error", "structure", problem) for problem in error.problems))


def _is_named(form: Resource, named: str) -> bool:
    url, _, version = named.partition("|")
    return form.get("url") == url and version in ("", form.get("version"))


def _about(severity: Any, code: str, text: str) -> Issue:
    return Issue(severity, code, text, "QuestionnaireResponse.questionnaire")


# --- for people -------------------------------------------------------------------------------------------------


def _print(issues: Sequence[Issue]) -> None:
    for issue in issues:
        click.echo(f"{issue.severity}: {issue.text}")
        if issue.link_id is not None:
            click.echo(f"    question {issue.link_id}" + (f": {issue.question}" if issue.question else ""))
        if issue.expression is not None:
            click.echo(f"    at {issue.expression}")
    errors = sum(issue.is_error for issue in issues)
    click.echo(f"{errors} error{'' if errors == 1 else 's'}, {len(issues) - errors} other." if issues else "No issues.")
