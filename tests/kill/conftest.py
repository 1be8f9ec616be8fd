"""A runner whose children are killed, on both databases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.databases import database, postgres_server, url

__all__ = ["database", "postgres_server", "url"]

Kill = Callable[..., str]


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
            return runner.stdout.readline().strip()

        yield order
        assert runner.stdin is not None
        runner.stdin.close()
