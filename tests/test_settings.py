"""Settings: read strictly, all problems at once, no secret shown."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from fhir_app.auth.tokens import digest_of
from fhir_app.errors import SettingsError
from fhir_app.settings import Settings

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def only_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("FHIR_APP_")]:
        monkeypatch.delenv(name)


def test_an_empty_environment_gives_the_embedded_service_on_this_machine() -> None:
    settings = Settings.from_env()
    assert settings == Settings()
    assert (settings.host, settings.tokens, settings.fhir_server_url) == ("127.0.0.1", (), None)


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "PORT": "eighty",
        "THREADS": "0",
        "DATABASE_URL": "mysql://u:p@h/d",
        "TOKENS": "secret-in-the-clear",
        "FHIR_SERVER_URL": "ftp://x",
        "FHIR_SERVER_KIND": "epic",
        "BASE_URL": "https://user:password@host",
        "CORS_ORIGINS": "https://a.example/path",
        "KNOWLEDGE": "/nowhere/at/all",
        "ORGANIZATION_IDENTIFIER": "no-bar",
        "ORGANIZATION_NAME": "",
        "DELIVER": "perhaps",
        "LOG_LEVEL": "chatty",
        "MAX_BODY_BYTES": "1",
        "TRUSTED_PROXIES": "-1",
        "FHIR_SERVER_TOKEN_FILE": "/nowhere/token",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(f"FHIR_APP_{name}", value)
    with pytest.raises(SettingsError) as caught:
        Settings.from_env()
    named = {line.split(":")[0].removeprefix("FHIR_APP_") for line in caught.value.public_text.splitlines()}
    assert named == set(wrong)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKENS", "MARKER-9f"),
        ("TOKENS", "clinic:MARKER-9f"),
        ("TOKENS", "a:" + "0" * 64 + ":MARKER-9f"),
        ("DATABASE_URL", "MARKER-9f://x"),
        ("FHIR_SERVER_TOKEN", "MARKER-9f"),
    ],
)
def test_an_error_never_repeats_a_secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"FHIR_APP_{name}", value)
    with pytest.raises(SettingsError) as caught:
        Settings.from_env()
    assert "MARKER-9f" not in str(caught.value)


def test_secrets_are_not_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = digest_of("x")
    monkeypatch.setenv("FHIR_APP_TOKENS", f"clinic:{digest}")
    monkeypatch.setenv("FHIR_APP_DATABASE_URL", "postgresql://me:MARKER-9f@db/fhir")
    monkeypatch.setenv("FHIR_APP_FHIR_SERVER_TOKEN", "MARKER-9f")
    monkeypatch.setenv("FHIR_APP_FHIR_SERVER_URL", "https://ehr.example/fhir/")
    monkeypatch.setenv("FHIR_APP_ORGANIZATION_NAME", "Clinic")
    monkeypatch.setenv("FHIR_APP_ORGANIZATION_IDENTIFIER", "urn:oid:1.2|3")
    settings = Settings.from_env()
    assert "MARKER-9f" not in repr(settings)
    assert digest not in repr(settings)
    assert settings.default_origin == "https://ehr.example/fhir"


def test_any_variable_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "tokens"
    secret.write_text(f"a:{digest_of('x')}\nb:{digest_of('y')}:https://ehr.example/fhir\n", encoding="utf-8")
    monkeypatch.setenv("FHIR_APP_TOKENS_FILE", str(secret))
    assert [(token.name, token.origin) for token in Settings.from_env().tokens] == [
        ("a", None),
        ("b", "https://ehr.example/fhir"),
    ]


def test_a_misspelt_variable_is_refused_rather_than_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_APP_TOKEN", f"a:{digest_of('x')}")
    with pytest.raises(SettingsError, match="did you mean FHIR_APP_TOKENS"):
        Settings.from_env()


def test_a_proxy_without_tokens_would_open_the_service_to_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_APP_TRUSTED_PROXIES", "1")
    with pytest.raises(SettingsError, match="FHIR_APP_TOKENS"):
        Settings.from_env()


def test_a_fhir_server_needs_the_organization_that_answers_for_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_APP_FHIR_SERVER_URL", "https://ehr.example/fhir")
    with pytest.raises(SettingsError) as caught:
        Settings.from_env()
    assert "ORGANIZATION_NAME" in caught.value.public_text
    assert "ORGANIZATION_IDENTIFIER" in caught.value.public_text


def test_the_time_for_a_request_includes_that_for_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_APP_HEADER_SECONDS", "31")
    with pytest.raises(SettingsError, match="REQUEST_SECONDS"):
        Settings.from_env()


def test_the_readme_lists_every_setting_with_its_default() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `FHIR_APP_([A-Z_]+)` \| (\S*?) \|", readme, flags=re.MULTILINE))
    assert set(rows) == {each.name.upper() for each in fields(Settings)}
    for each in fields(Settings):
        default = {None: "–", (): "–", True: "`true`"}.get(each.default, f"`{each.default}`")
        assert rows[each.name.upper()] == default, each.name
