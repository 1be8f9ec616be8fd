"""Settings from the environment, read by `app` and `cli` alone; every wrong variable is named at once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast

from environs import EnvValidationError, FileAwareEnv
from marshmallow import ValidationError
from marshmallow.validate import Length, OneOf, Range, Regexp

from fhir_app.auth.tokens import Token, is_base_url, read_tokens
from fhir_app.errors import SettingsError

DestinationKind = Literal["hapi", "generic-r4", "sequential"]
PREFIX = "FHIR_APP_"


@dataclass(frozen=True)
class Settings:
    """Everything that an installation may decide. The defaults are the embedded service on this machine.

    The field `name` is the variable `FHIR_APP_NAME`; any of them may come from a file that `FHIR_APP_NAME_FILE` names.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 8
    base_url: str | None = None
    database_url: str = field(default="sqlite:///var/fhir-app.db", repr=False)
    knowledge: Path | None = None
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: int = 0
    max_body_bytes: int = 1_048_576
    header_seconds: int = 10
    request_seconds: int = 30
    namespace: str = "https://w3id.org/fhir-app"
    fhir_server_url: str | None = None
    fhir_server_kind: DestinationKind = "hapi"
    fhir_server_token: str | None = field(default=None, repr=False)
    organization_name: str | None = None
    organization_identifier: str | None = None
    country: str | None = None
    deliver: bool = True
    log_level: str = "INFO"

    @property
    def default_origin(self) -> str:
        """The origin of what comes in without naming one: the configured FHIR server, else this service."""
        return self.fhir_server_url or "local"

    @classmethod
    def from_env(cls) -> Settings:
        """Reads `FHIR_APP_*` of this process. Raises SettingsError naming every wrong variable, never a secret."""
        env = FileAwareEnv(eager=False, prefix=PREFIX, strip_whitespace=True)
        problems = _misspelt()
        values: dict[str, Any] = {}
        for each in fields(cls):
            try:
                values[each.name] = _READERS[each.name](env, each.name.upper(), each.default)
            except ValueError:
                problems.append(f"{PREFIX}{each.name.upper()}_FILE: must name a readable text file")
        try:
            env.seal()
        except EnvValidationError as error:
            messages = cast("dict[str, list[str]]", error.error_messages)  # neither environs nor ours quote the value
            problems += [f"{name}: {' '.join(texts)}" for name, texts in messages.items()]
        problems += [] if problems else _contradictions(values)
        if problems:
            raise SettingsError("\n".join(problems))
        return cls(**values)


def _misspelt() -> list[str]:
    """Variables of ours that nobody reads but that look like a setting: silence would mean the default."""
    known = [PREFIX + each.name.upper() for each in fields(Settings)]
    known += [f"{name}_FILE" for name in known]
    problems = []
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.85)
            problems += [f"{name}: no such setting; did you mean {near[0]}?"] if near else []
    return problems


def _contradictions(values: dict[str, Any]) -> list[str]:
    """What is wrong only in combination."""
    problems = []
    if values["trusted_proxies"] and not values["tokens"]:
        problems.append(f"{PREFIX}TOKENS: needed behind a proxy, since every caller then looks like this machine")
    if values["fhir_server_url"]:
        for name in ("organization_name", "organization_identifier"):
            if not values[name]:
                problems.append(f"{PREFIX}{name.upper()}: needed with {PREFIX}FHIR_SERVER_URL")
    elif values["fhir_server_token"]:
        problems.append(f"{PREFIX}FHIR_SERVER_URL: needed with {PREFIX}FHIR_SERVER_TOKEN")
    if values["request_seconds"] < values["header_seconds"]:
        problems.append(f"{PREFIX}REQUEST_SECONDS: must not be less than {PREFIX}HEADER_SECONDS, which it includes")
    return problems


# --- one reader for each setting ----------------------------------------------------------------------------------


def _text(env: FileAwareEnv, name: str, default: Any) -> Any:
    return env.str(name, default, validate=Length(min=1, error="must not be empty"))


def _number(low: int, high: int) -> Any:
    def read(env: FileAwareEnv, name: str, default: Any) -> Any:
        return env.int(name, default, validate=Range(low, high))

    return read


def _one_of(*choices: str) -> Any:
    def read(env: FileAwareEnv, name: str, default: Any) -> Any:
        return env.str(name, default, validate=OneOf(choices, error="must be one of {choices}"))

    return read


def _address(text: str) -> None:
    if not is_base_url(text):
        raise ValidationError("must be an http or https address without password, query or fragment")


def _base_url(env: FileAwareEnv, name: str, default: Any) -> Any:
    text = env.str(name, default, validate=_address)
    return text.rstrip("/") if text else text


def _tokens_are_fine(text: str) -> None:
    try:
        read_tokens(text)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _tokens(env: FileAwareEnv, name: str, default: Any) -> Any:
    text = env.str(name, None, validate=_tokens_are_fine)
    return read_tokens(text) if text else default


def _origins_are_fine(text: str) -> None:
    if any(not is_base_url(part) or part.count("/") != 2 for part in text.replace(",", " ").split()):
        raise ValidationError("must be web origins such as https://ehr.example, separated by commas")


def _origins(env: FileAwareEnv, name: str, default: Any) -> Any:
    text = env.str(name, None, validate=_origins_are_fine)
    return tuple(text.replace(",", " ").split()) if text else default


def _database_url(env: FileAwareEnv, name: str, default: Any) -> Any:
    known = Regexp(r"(sqlite:///|postgresql(\+psycopg)?://).+", error="must begin sqlite:/// or postgresql://")
    return env.str(name, default, validate=known)


def _folder_is_there(path: Path) -> None:
    if not path.is_dir():
        raise ValidationError("must be a folder that exists")


def _folder(env: FileAwareEnv, name: str, default: Any) -> Any:
    return env.path(name, default, validate=_folder_is_there)


def _identifier(env: FileAwareEnv, name: str, default: Any) -> Any:
    return env.str(name, default, validate=Regexp(r"[a-z]+:[^|\s]+\|\S+", error="must be system|value"))


def _country(env: FileAwareEnv, name: str, default: Any) -> Any:
    return env.str(name, default, validate=Regexp(r"[A-Za-z]{2}$", error="must be two letters (ISO 3166-1)"))


def _switch(env: FileAwareEnv, name: str, default: Any) -> Any:
    return env.bool(name, default)


_READERS: dict[str, Any] = {
    "host": _text,
    "port": _number(0, 65535),
    "threads": _number(1, 256),
    "base_url": _base_url,
    "database_url": _database_url,
    "knowledge": _folder,
    "tokens": _tokens,
    "cors_origins": _origins,
    "trusted_proxies": _number(0, 8),
    "max_body_bytes": _number(10_000, 50_000_000),
    "header_seconds": _number(1, 3600),
    "request_seconds": _number(1, 3600),
    "namespace": _base_url,
    "fhir_server_url": _base_url,
    "fhir_server_kind": _one_of("hapi", "generic-r4", "sequential"),
    "fhir_server_token": _text,
    "organization_name": _text,
    "organization_identifier": _identifier,
    "country": _country,
    "deliver": _switch,
    "log_level": _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
}
