"""Transactions that would meet on one thing take turns."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, text


def take_turns(connection: Connection, *key: str) -> None:
    """Until this transaction ends, no other one gets past the same key. SQLite has a single writer anyway."""
    if connection.dialect.name != "sqlite":
        digest = hashlib.sha256("\x1f".join(key).encode()).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
