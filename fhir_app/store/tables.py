"""The tables, in one place. What changes here needs a migration beside it; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from fhir_app.store.instants import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up only in a column that is declared exactly INTEGER PRIMARY KEY.
_Counter = BigInteger().with_variant(Integer, "sqlite")

submissions = Table(
    "submissions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("revision", Text, nullable=False),
    # Says which of two revisions is newer: a JSON list, compared element by element in Python.
    Column("order_key", Text, nullable=False),
    # How many revisions of this identity had come in before this one.
    Column("arrival", Integer, nullable=False),
    # The newest revision of its identity; an older one that came in late never is.
    Column("newest", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("body_hash", Text, nullable=False),
    Column("status", Text),
    Column("valid", Boolean, nullable=False),
    Column("canonical", Text),
    Column("subject", Text),
    Column("encounter", Text),
    Column("authored", Text),
    Column("language", Text),
    Column("issues", Text, nullable=False),
    Column("accepted", Instant, nullable=False),
    UniqueConstraint("origin", "identity", "revision"),
    Index(None, "origin", "body_hash"),
    Index(None, "origin", "subject"),
    Index(None, "accepted"),
)

assessments = Table(
    "assessments",
    metadata,
    Column("submission_id", Text, ForeignKey("submissions.id"), primary_key=True),
    Column("intake", Text, nullable=False),
    Column("knowledge_version", Text, nullable=False),
    # Rank of the disposition, for sorting: urgency times ten plus where; higher is sooner.
    Column("urgency", Integer, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("submission_id", Text, ForeignKey("submissions.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("destination", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", Instant, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", Instant),
    Column("reason", Text),
    Column("outcome", Text),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    CheckConstraint(
        "state IN ('pending', 'delivered', 'rejected', 'unknown', 'held', 'superseded')", name="state_is_known"
    ),
    UniqueConstraint("submission_id", "destination"),
    UniqueConstraint("origin", "identity", "destination", "sequence"),
    # Only what is still to be sent is searched, however long the history grows.
    Index(
        "ix_outbox_due",
        "next_attempt_at",
        "id",
        sqlite_where=text("state IN ('pending', 'unknown')"),
        postgresql_where=text("state IN ('pending', 'unknown')"),
    ),
    sqlite_autoincrement=True,
)

record = Table(
    "record",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("resource_type", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_current", Boolean, nullable=False, server_default=true()),
    Column("origin", Text, nullable=False),
    Column("last_updated", Instant, nullable=False),
    Column("content", LargeBinary, nullable=False),
    # Members of the top level that differ from the received body, when the body is not kept a second time here.
    Column("is_overlay", Boolean, nullable=False, server_default=false()),
    Column("submission_id", Text, ForeignKey("submissions.id")),
    UniqueConstraint("resource_id", "resource_type", "version"),
    # SQLAlchemy asks `= 1` on SQLite; a partial index serves only the condition that it was made with.
    Index(
        "ix_record_current",
        "resource_type",
        "last_updated",
        "id",
        sqlite_where=text("is_current = 1"),
        postgresql_where=text("is_current"),
    ),
    Index(
        "ix_record_response",
        "submission_id",
        sqlite_where=text("is_overlay = 1"),
        postgresql_where=text("is_overlay"),
    ),
    sqlite_autoincrement=True,
)

# What one revision led to: a WriteBack whose resources stand in `written`, and the rest of it here.
write_backs = Table(
    "write_backs",
    metadata,
    Column("submission_id", Text, ForeignKey("submissions.id"), primary_key=True),
    Column("held_by_origin", Boolean, nullable=False),
    Column("released", Boolean, nullable=False),
    # A response that its origin holds is no resource of ours: here is what differs in it from the received body.
    Column("response", LargeBinary),
)

# Which version of which resource has which part in that, in dependency order, unchanged ones included.
written = Table(
    "written",
    metadata,
    Column("submission_id", Text, ForeignKey("write_backs.submission_id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("role", Text, nullable=False),
    Column("record_id", _Counter, ForeignKey("record.id"), nullable=False),
)

record_search = Table(
    "record_search",
    metadata,
    Column("record_id", _Counter, ForeignKey("record.id"), nullable=False),
    Column("parameter", Text, nullable=False),
    Column("system", Text),
    Column("value", Text),
    # Dates as microseconds since 1970: the first and the last that the written precision covers.
    Column("low", BigInteger),
    Column("high", BigInteger),
    Index(None, "parameter", "value", "record_id"),
    Index(None, "record_id"),
)

write_ledger = Table(
    "write_ledger",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("resource_type", Text, primary_key=True),
    Column("resource_id", Text, primary_key=True),
    Column("submission_id", Text, ForeignKey("submissions.id"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("server_id", Text, nullable=False),
    Column("server_version", Text),
    Column("written_at", Instant, nullable=False),
)

renderings = Table(
    "renderings",
    metadata,
    Column("submission_id", Text, ForeignKey("submissions.id"), primary_key=True),
    Column("content_type", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)
