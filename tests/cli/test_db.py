"""`fhir-app db`"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from fhir_app.cli import main
from fhir_app.store import migrations


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FHIR_APP_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")


def run(*arguments: str) -> tuple[int, str]:
    shown = CliRunner().invoke(main, ["db", *arguments])
    return shown.exit_code, shown.output.strip()


def test_the_tables_go_up_and_down_and_the_status_tells_where_they_are() -> None:
    assert run("status") == (1, f"at none, needed {migrations.HEAD}")
    assert run("upgrade") == (0, f"at {migrations.HEAD}")
    assert run("upgrade") == (0, f"at {migrations.HEAD}")
    assert run("status")[0] == 0
    assert run("downgrade", "base", "--yes") == (0, "at none")


def test_going_back_asks_first() -> None:
    run("upgrade")
    assert run("downgrade", "base")[0] == 1
    assert run("status")[0] == 0
