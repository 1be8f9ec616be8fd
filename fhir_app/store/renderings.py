"""Documents that are rendered once and then sent with the same bytes at every try."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from fhir_app.store.tables import renderings
from fhir_app.store.turns import take_turns


def find(connection: Connection, submission_id: str, content_type: str, language: str) -> bytes | None:
    """The bytes that were rendered for this submission."""
    found: bytes | None = connection.execute(
        select(renderings.c.content).where(
            renderings.c.submission_id == submission_id,
            renderings.c.content_type == content_type,
            renderings.c.language == language,
        )
    ).scalar()
    return found


def keep(
    connection: Connection, submission_id: str, content_type: str, language: str, content: bytes, now: datetime
) -> bytes:
    """Keep a rendering and return the bytes to send: those that were kept first, should somebody have been quicker."""
    take_turns(connection, "rendering", submission_id)
    earlier = find(connection, submission_id, content_type, language)
    if earlier is not None:
        return earlier
    connection.execute(
        insert(renderings).values(
            submission_id=submission_id,
            content_type=content_type,
            language=language,
            content=content,
            created_at=now,
        )
    )
    return content
