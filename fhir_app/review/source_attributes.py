"""The 13 source attributes of an evidence-based decision support intervention (45 CFR 170.315(b)(11)(iv)(A))."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.criteria import Compare, Criterion, Ticked, leaves
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library
from fhir_app.knowledge.rules import every_rule
from fhir_app.knowledge.strict_yaml import read_yaml

FILE = "source_attributes.yaml"

# The regulation's own order; numbers 5 to 13 are whether and how a kind of data is used.
USES = {
    "race": "Use of race",
    "ethnicity": "Use of ethnicity",
    "language": "Use of language",
    "sexual-orientation": "Use of sexual orientation",
    "gender-identity": "Use of gender identity",
    "sex": "Use of sex",
    "date-of-birth": "Use of date of birth",
    "social-determinants": "Use of social determinants of health data",
    "health-status": "Use of health status assessments data",
}


@dataclass(frozen=True)
class SourceAttribute:
    """One of the 13, numbered as in the regulation. `rules`: those that read the data, where any does."""

    number: int
    name: str
    text: str
    rules: tuple[str, ...] = ()


class _UseSchema(Schema):
    says = fields.String(required=True, validate=validate.Length(min=1))
    questions = fields.List(fields.String(), load_default=list)


class _AttributesFile(Schema):
    developer = fields.String(required=True)
    funding = fields.String(required=True)
    released = fields.String(required=True)
    revised = fields.String(required=True)
    use = fields.Dict(
        keys=fields.String(validate=validate.OneOf(tuple(USES))), values=fields.Nested(_UseSchema), required=True
    )


def source_attributes(intake: Intake, folder: Path) -> tuple[SourceAttribute, ...]:
    """All 13 for the intake in `folder`. Which rules use a kind of data is computed from the rules themselves.

    Raises KnowledgeError for a missing or wrong source_attributes.yaml.
    """
    data = _read(folder / FILE, intake)
    fixed = (
        SourceAttribute(1, "Bibliographic citation of the intervention", _citations(intake)),
        SourceAttribute(2, "Developer of the intervention", data["developer"]),
        SourceAttribute(3, "Funding source of the technical implementation", data["funding"]),
        SourceAttribute(4, "Release and revision dates", f"Released {data['released']}, revised {data['revised']}."),
    )
    uses = tuple(
        SourceAttribute(number, title, data["use"][key]["says"], _readers(intake, data["use"][key]["questions"]))
        for number, (key, title) in enumerate(USES.items(), start=5)
    )
    return (*fixed, *uses)


def attributes_json(attributes: tuple[SourceAttribute, ...]) -> list[dict[str, Any]]:
    return [{"number": a.number, "name": a.name, "text": a.text, "rules": list(a.rules)} for a in attributes]


def attribute_texts(attributes: tuple[SourceAttribute, ...]) -> dict[str, str]:
    """name -> text, with the number of rules that use the data: as a FHIR Library carries them."""
    return {
        f"{a.number}. {a.name}": a.text + (f" Read by {len(a.rules)} rules." if a.rules else "") for a in attributes
    }


def library_attributes(library: Library, root: Path) -> Mapping[str, Mapping[str, str]]:
    """`attribute_texts` of every intake, by its name; `root` is the folder that the library was loaded from, or that of
    its only intake.

    Raises KnowledgeError like `source_attributes`.
    """
    folders = [root] if (root / "intake.yaml").is_file() else sorted(path.parent for path in root.glob("*/intake.yaml"))
    return {
        intake.name: attribute_texts(source_attributes(intake, folder))
        for intake, folder in zip(library.intakes, folders, strict=True)
    }


def _read(path: Path, intake: Intake) -> dict[str, Any]:
    if not path.is_file():
        raise KnowledgeError([f"{path.name}: the file is missing"])
    document, problems = read_yaml(path)
    if problems:
        raise KnowledgeError(problems)
    try:
        data: dict[str, Any] = _AttributesFile().load(document.data or {})
    except ValidationError as error:
        raise KnowledgeError([f"{path.name}: {error.messages}"]) from None
    problems = [f"{path.name}: says nothing of the use of {key}" for key in USES if key not in data["use"]]
    for key, use in data["use"].items():
        for question in use["questions"]:
            link_id = question.partition("/")[0]
            if link_id not in intake.questionnaire.by_link_id:
                problems.append(f"{path.name}: {key}: the questionnaire has no {link_id!r}")
    if problems:
        raise KnowledgeError(problems)
    return data


def _citations(intake: Intake) -> str:
    confirmed = sum(1 for source in intake.sources.values() if source.confirmed)
    total = len(intake.sources)
    return (
        f"{total} sources, listed with the place in each ({confirmed} found at their source, {total - confirmed} from "
        "memory or second hand and marked so); rules without a published basis are marked judgement."
    )


def _readers(intake: Intake, questions: list[str]) -> tuple[str, ...]:
    """The rules that read one of these questions (`link-id`) or options (`link-id/code`)."""
    wanted = {tuple(question.partition("/")[::2]) for question in questions}
    found = (name for _, name, rule in every_rule(intake) if any(pair in wanted for pair in _reads(rule.tree)))
    return tuple(dict.fromkeys(found))


def _reads(tree: Criterion) -> Iterator[tuple[str, str]]:
    for leaf in leaves(tree):
        if isinstance(leaf, Ticked):
            yield from ((leaf.link_id, code) for code in leaf.codes)
            yield leaf.link_id, ""
        elif isinstance(leaf, Compare):
            yield leaf.link_id, ""
