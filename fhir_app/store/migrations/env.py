"""What Alembic runs: the migrations, on the connection and in the transaction that it is handed."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,
    # SQLite can undo DDL as long as nobody commits behind our back; database.py says BEGIN itself.
    transactional_ddl=True,
)
context.run_migrations()
