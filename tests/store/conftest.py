"""Every store test runs on both databases."""

from tests.store.databases import database, postgres_server, url

__all__ = ["database", "postgres_server", "url"]
