"""A runner whose children are killed, on both databases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.store.databases import database, postgres_server, url

__all__ = ["database", "postgres_server", "url"]

Kill = Callable[..., str]


def let_go_of_the_dead(url: str) -> None:
    """PostgreSQL keeps the transaction of a client that died, with its locks, until it notices: that is now."""
    if not url.startswith("postgresql:"):
        return
    left = "datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    with psycopg.connect(url) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {left}")


@pytest.fixture(scope="module")
def kill_at() -> Iterator[Kill]:
    """`kill_at(step, "submit", url=..., body=...)` -> `killed` or `finished`."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.kill.runner"]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as runner:

        def order(step: int, do: str, **given: Any) -> str:
            assert runner.stdin is not None
            assert runner.stdout is not None
            runner.stdin.write(json.dumps({"do": do, "step": step, "with": given}) + "\n")
            runner.stdin.flush()
            outcome = runner.stdout.readline().strip()
            let_go_of_the_dead(given["url"])
            return outcome

        yield order
        assert runner.stdin is not None
        runner.stdin.close()
