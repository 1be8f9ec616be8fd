"""anchors.yaml -> what is published about each measure, and our target for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.strict_yaml import read_yaml


@dataclass(frozen=True)
class Anchor:
    """A published figure, as printed; `confirmed` is false where it was not checked at its source."""

    who: str
    figure: str
    cite: str
    confirmed: bool


@dataclass(frozen=True)
class Anchors:
    """`target`: per cent, by measure. `titles`: of the sources, by id."""

    published: Mapping[str, tuple[Anchor, ...]]
    target: Mapping[str, int]
    titles: Mapping[str, str]


class _AnchorSchema(Schema):
    who = fields.String(required=True)
    figure = fields.String(required=True)
    cite = fields.String(required=True)
    confirmed = fields.Boolean(load_default=True, truthy={True}, falsy={False})


class _MeasureSchema(Schema):
    id = fields.String(required=True)
    target = fields.Integer(load_default=None, strict=True)
    anchors = fields.List(fields.Nested(_AnchorSchema), required=True)


class _SourceSchema(Schema):
    id = fields.String(required=True)
    title = fields.String(required=True)


class _AnchorsFile(Schema):
    measures = fields.List(fields.Nested(_MeasureSchema), required=True)
    sources = fields.List(fields.Nested(_SourceSchema), required=True)


def read_anchors(path: Path) -> Anchors:
    """The anchors in `path`. Raises KnowledgeError for a wrong shape or a citation without source."""
    document, problems = read_yaml(path)
    if problems:
        raise KnowledgeError(problems)
    try:
        data: dict[str, Any] = _AnchorsFile().load(document.data or {})
    except ValidationError as error:
        raise KnowledgeError([f"{path.name}: {error.messages}"]) from None
    titles = {row["id"]: row["title"] for row in data["sources"]}
    published = {row["id"]: tuple(Anchor(**anchor) for anchor in row["anchors"]) for row in data["measures"]}
    cited = {anchor.cite for anchors in published.values() for anchor in anchors}
    if cited != set(titles):
        raise KnowledgeError(
            [f"{path.name}: no source, or no citation, of {name}" for name in sorted(cited ^ set(titles))]
        )
    target = {row["id"]: row["target"] for row in data["measures"] if row["target"] is not None}
    return Anchors(published, target, titles)
