"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fhir_app.store.instants import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_UNSETTLED = sa.text("state IN ('pending', 'unknown')")


def upgrade() -> None:
    _submissions()
    _assessments()
    _outbox()
    _record()
    _delivery()


def downgrade() -> None:
    for table in (
        "renderings",
        "write_ledger",
        "record_search",
        "written",
        "write_backs",
        "record",
        "outbox",
        "assessments",
        "submissions",
    ):
        op.drop_table(table)


def _submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("order_key", sa.Text, nullable=False),
        sa.Column("arrival", sa.Integer, nullable=False),
        sa.Column("newest", sa.Boolean, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("body_hash", sa.Text, nullable=False),
        sa.Column("status", sa.Text),
        sa.Column("valid", sa.Boolean, nullable=False),
        sa.Column("canonical", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("encounter", sa.Text),
        sa.Column("authored", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("issues", sa.Text, nullable=False),
        sa.Column("accepted", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
        sa.UniqueConstraint("origin", "identity", "revision", name="uq_submissions_origin_identity_revision"),
    )
    op.create_index("ix_submissions_origin_body_hash", "submissions", ["origin", "body_hash"])
    op.create_index("ix_submissions_origin_subject", "submissions", ["origin", "subject"])
    op.create_index("ix_submissions_accepted", "submissions", ["accepted"])


def _assessments() -> None:
    op.create_table(
        "assessments",
        sa.Column("submission_id", sa.Text, nullable=False),
        sa.Column("intake", sa.Text, nullable=False),
        sa.Column("knowledge_version", sa.Text, nullable=False),
        sa.Column("urgency", sa.Integer, nullable=False),
        sa.Column("flagged", sa.Boolean, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_assessments"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_assessments_submission_id"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _COUNTER, nullable=False, autoincrement=True),
        sa.Column("submission_id", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("next_attempt_at", Instant, nullable=False),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", Instant),
        sa.Column("reason", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_outbox_submission_id"),
        sa.UniqueConstraint("submission_id", "destination", name="uq_outbox_submission_id_destination"),
        sa.UniqueConstraint(
            "origin", "identity", "destination", "sequence", name="uq_outbox_origin_identity_destination_sequence"
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'rejected', 'unknown', 'held', 'superseded')",
            name="ck_outbox_state_is_known",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_due", "outbox", ["next_attempt_at", "id"], sqlite_where=_UNSETTLED, postgresql_where=_UNSETTLED
    )


def _record() -> None:
    op.create_table(
        "record",
        sa.Column("id", _COUNTER, nullable=False, autoincrement=True),
        sa.Column("resource_type", sa.Text, nullable=False),
        sa.Column("resource_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("is_current", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("last_updated", Instant, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("is_overlay", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("submission_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_record"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_record_submission_id"),
        sa.UniqueConstraint(
            "resource_id", "resource_type", "version", name="uq_record_resource_id_resource_type_version"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_record_current",
        "record",
        ["resource_type", "last_updated", "id"],
        sqlite_where=sa.text("is_current = 1"),
        postgresql_where=sa.text("is_current"),
    )
    op.create_index(
        "ix_record_response",
        "record",
        ["submission_id"],
        sqlite_where=sa.text("is_overlay = 1"),
        postgresql_where=sa.text("is_overlay"),
    )
    op.create_table(
        "write_backs",
        sa.Column("submission_id", sa.Text, nullable=False),
        sa.Column("held_by_origin", sa.Boolean, nullable=False),
        sa.Column("released", sa.Boolean, nullable=False),
        sa.Column("response", sa.LargeBinary),
        sa.PrimaryKeyConstraint("submission_id", name="pk_write_backs"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_write_backs_submission_id"),
    )
    op.create_table(
        "written",
        sa.Column("submission_id", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("record_id", _COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "position", name="pk_written"),
        sa.ForeignKeyConstraint(["submission_id"], ["write_backs.submission_id"], name="fk_written_submission_id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name="fk_written_record_id"),
    )
    op.create_table(
        "record_search",
        sa.Column("record_id", _COUNTER, nullable=False),
        sa.Column("parameter", sa.Text, nullable=False),
        sa.Column("system", sa.Text),
        sa.Column("value", sa.Text),
        sa.Column("low", sa.BigInteger),
        sa.Column("high", sa.BigInteger),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name="fk_record_search_record_id"),
    )
    op.create_index("ix_record_search_parameter_value_record_id", "record_search", ["parameter", "value", "record_id"])
    op.create_index("ix_record_search_record_id", "record_search", ["record_id"])


def _delivery() -> None:
    op.create_table(
        "write_ledger",
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("resource_type", sa.Text, nullable=False),
        sa.Column("resource_id", sa.Text, nullable=False),
        sa.Column("submission_id", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("server_id", sa.Text, nullable=False),
        sa.Column("server_version", sa.Text),
        sa.Column("written_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("destination", "resource_type", "resource_id", name="pk_write_ledger"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_write_ledger_submission_id"),
    )
    op.create_table(
        "renderings",
        sa.Column("submission_id", sa.Text, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "content_type", "language", name="pk_renderings"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_renderings_submission_id"),
    )
