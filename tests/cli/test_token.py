"""`fhir-app token new`"""

from __future__ import annotations

from click.testing import CliRunner

from fhir_app.auth.tokens import find_token, read_token
from fhir_app.cli import main


def test_the_secret_that_is_shown_is_accepted_by_the_line_that_is_shown() -> None:
    shown = CliRunner().invoke(main, ["token", "new", "clinic", "--origin", "https://ehr.example/fhir"])
    assert shown.exit_code == 0
    secret, line = (text.split()[-1] for text in shown.output.splitlines())
    assert find_token(f"Bearer {secret}", [read_token(line)]) == read_token(line)
    assert read_token(line).origin == "https://ehr.example/fhir"


def test_a_bad_name_is_a_usage_error() -> None:
    shown = CliRunner().invoke(main, ["token", "new", "two words"])
    assert shown.exit_code == 2
    assert "name" in shown.output
