"""Cases beside an intake: sentences with answers and what must come out; and stories with a clinician's labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.schemas import DISPOSITIONS, URGENCIES
from fhir_app.knowledge.strict_yaml import read_yaml


@dataclass(frozen=True)
class Expected:
    """What must come out of a case; what is None or empty is not looked at.

    `urgency`: a disposition in words. `present`, `absent`, `not_assessed`: red-flag rows or triggers with that status.
    `no_flag`: no red-flag row may be present. `first`: the leading cause. `likelihoods`: words of causes.
    `capped`: causes stopped by their ceiling or required feature. `variants`, `hints`: those that must be named.
    """

    urgency: str | None
    present: tuple[str, ...]
    absent: tuple[str, ...]
    not_assessed: tuple[str, ...]
    no_flag: bool
    first: str | None
    likelihoods: Mapping[str, str]
    capped: Mapping[str, str]
    variants: tuple[str, ...]
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """One sentence, the answers it stands for, and what must come out. `status`: of the response."""

    id: str
    name: str
    answers: Mapping[str, Any]
    expected: Expected
    status: str
    sample: bool


@dataclass(frozen=True)
class Label:
    """A clinician's reading of a story. `diagnosis`: a cause id or `other:<name>`."""

    diagnosis: str
    acceptable: tuple[str, ...]
    urgency: str
    red_flag: str | None
    reason: str


@dataclass(frozen=True)
class Story:
    """A patient story with its encoding and its label; `part` says whether rules may be tuned on it."""

    id: str
    part: str
    age: int
    sex: str
    text: str
    source: str
    answers: Mapping[str, Any]
    encoder_notes: str | None
    label: Label


class ExpectedSchema(Schema):
    urgency = fields.String(load_default=None, validate=validate.OneOf(DISPOSITIONS))
    present = fields.List(fields.String(), load_default=list)
    absent = fields.List(fields.String(), load_default=list)
    not_assessed = fields.List(fields.String(), load_default=list)
    no_flag = fields.Boolean(load_default=False)
    first = fields.String(load_default=None)
    likelihoods = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    capped = fields.Dict(
        keys=fields.String(), values=fields.String(validate=validate.OneOf(("ceiling", "required"))), load_default=dict
    )
    variants = fields.List(fields.String(), load_default=list)
    hints = fields.List(fields.String(), load_default=list)


class CaseSchema(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True, validate=validate.Length(min=10))
    answers = fields.Dict(keys=fields.String(), required=True)
    expect = fields.Nested(ExpectedSchema, required=True)
    status = fields.String(load_default="completed")
    sample = fields.Boolean(load_default=False)


class LabelSchema(Schema):
    diagnosis = fields.String(required=True)
    acceptable = fields.List(fields.String(), load_default=list)
    urgency = fields.String(required=True, validate=validate.OneOf(URGENCIES))
    red_flag = fields.String(load_default=None, allow_none=True)
    reason = fields.String(required=True)


class StorySchema(Schema):
    id = fields.String(required=True)
    part = fields.String(required=True, validate=validate.OneOf(("tune", "report")))
    age = fields.Integer(required=True, strict=True)
    sex = fields.String(required=True)
    text = fields.String(required=True)
    source = fields.String(required=True)
    answers = fields.Dict(keys=fields.String(), required=True)
    encoder_notes = fields.String(load_default=None, allow_none=True)
    label = fields.Nested(LabelSchema, required=True)


class CasesFile(Schema):
    cases = fields.List(fields.Nested(CaseSchema), load_default=list)
    stories = fields.List(fields.Nested(StorySchema), load_default=list)


def read_cases(path: Path) -> tuple[tuple[Case, ...], tuple[Story, ...]]:
    """The cases and stories of one file. Raises KnowledgeError with every problem, naming file and place."""
    document, problems = read_yaml(path)
    if problems:
        raise KnowledgeError(problems)
    try:
        data = CasesFile().load(document.data or {})
    except ValidationError as error:
        raise KnowledgeError([f"{path.name}: {error.messages}"]) from None
    return (
        tuple(_case(row) for row in data["cases"]),
        tuple(_story(row) for row in data["stories"]),
    )


def _case(row: Mapping[str, Any]) -> Case:
    expect = row["expect"]
    lists = {key: tuple(expect[key]) for key in ("present", "absent", "not_assessed", "variants", "hints")}
    return Case(
        id=row["id"],
        name=row["name"],
        answers=row["answers"],
        status=row["status"],
        sample=row["sample"],
        expected=Expected(
            urgency=expect["urgency"],
            no_flag=expect["no_flag"],
            first=expect["first"],
            likelihoods=expect["likelihoods"],
            capped=expect["capped"],
            **lists,
        ),
    )


def _story(row: Mapping[str, Any]) -> Story:
    label = row["label"]
    return Story(
        id=row["id"],
        part=row["part"],
        age=row["age"],
        sex=row["sex"],
        text=row["text"],
        source=row["source"],
        answers=row["answers"],
        encoder_notes=row["encoder_notes"],
        label=Label(
            label["diagnosis"], tuple(label["acceptable"]), label["urgency"], label["red_flag"], label["reason"]
        ),
    )
