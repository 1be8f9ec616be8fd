"""Assessments: what was found for a submission, as published JSON, with the knowledge version that found it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select

from fhir_app.fhir.read_json import dump_json
from fhir_app.store.packed import pack, unpack
from fhir_app.store.tables import assessments


@dataclass(frozen=True)
class StoredAssessment:
    """`urgency` sorts: higher is sooner. `flagged`: a red flag is present. `content`: the published JSON."""

    submission_id: str
    intake: str
    knowledge_version: str
    urgency: int
    flagged: bool
    content: Mapping[str, Any]

    @cached_property
    def packed(self) -> bytes:
        """`content` as it is kept. Made once, so that it can be made before a writer has its turn."""
        return pack(dump_json(self.content))


_PLAIN = tuple(field.name for field in fields(StoredAssessment) if field.name != "content")
_INSERT = insert(assessments)


def add(connection: Connection, assessment: StoredAssessment) -> None:
    """Keep the assessment of a submission that is stored already."""
    plain = {name: getattr(assessment, name) for name in _PLAIN}
    connection.execute(_INSERT, {**plain, "content": assessment.packed})


def get(connection: Connection, submission_id: str) -> StoredAssessment | None:
    """The assessment of a submission; None when there was no questionnaire to assess it with."""
    row = connection.execute(select(assessments).where(assessments.c.submission_id == submission_id)).first()
    if row is None:
        return None
    return StoredAssessment(**{**row._mapping, "content": unpacked(row.content)})


def unpacked(content: bytes) -> dict[str, Any]:
    """The column `content` as the JSON that it holds."""
    found: dict[str, Any] = orjson.loads(unpack(content))
    return found
