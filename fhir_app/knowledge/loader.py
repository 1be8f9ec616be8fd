"""questionnaires/<intake>/ on disk -> Intake in memory, strictly: every problem of every file at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge import build
from fhir_app.knowledge.checks import check_intake
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.leaflet_files import read_leaflets
from fhir_app.knowledge.questionnaire import Questionnaire, read_questionnaire
from fhir_app.knowledge.schemas import CausesFile, IntakeFile, RedFlagsFile, SourcesFile
from fhir_app.knowledge.strict_yaml import Document, KeyPath, read_yaml
from fhir_app.knowledge.translations import with_translations

FILES: Mapping[str, type[Schema]] = {
    "intake.yaml": IntakeFile,
    "red_flags.yaml": RedFlagsFile,
    "causes.yaml": CausesFile,
    "sources.yaml": SourcesFile,
}


def load_intake(folder: Path) -> Intake:
    """The intake in `folder`. Raises KnowledgeError with one line for each problem, naming file and place."""
    problems: list[str] = []
    documents = {name: _read_checked(folder / name, schema, problems) for name, schema in FILES.items()}
    if problems:
        raise KnowledgeError(problems)
    intake_data = documents["intake.yaml"].data
    questionnaire = _read_form(folder, intake_data["questionnaire"], intake_data["languages"], problems)
    if questionnaire is None:
        raise KnowledgeError(problems)
    try:
        leaflets = read_leaflets(folder / "leaflets") if (folder / "leaflets").is_dir() else {}
    except KnowledgeError as error:
        problems.extend(error.problems)
        leaflets = {}
    intake = build.intake(documents, questionnaire, leaflets, _digest(folder, intake_data["questionnaire"]), problems)
    if intake is None or problems:
        raise KnowledgeError(problems)
    problems.extend(check_intake(intake, documents))
    if problems:
        raise KnowledgeError(problems)
    return intake


def _read_checked(path: Path, schema: type[Schema], problems: list[str]) -> Document:
    if not path.is_file():
        problems.append(f"{path.name}: the file is missing")
        return Document(path, None, {})
    document, found = read_yaml(path)
    problems.extend(found)
    if found:
        return document
    try:
        return Document(path, schema().load(document.data or {}), document.lines)
    except ValidationError as error:
        problems.extend(f"{document.place(at)}: {message}" for at, message in _messages(error.messages))
    return document


def _messages(messages: Any, at: KeyPath = ()) -> list[tuple[KeyPath, str]]:
    if isinstance(messages, Mapping):
        found: list[tuple[KeyPath, str]] = []
        for key, inner in messages.items():
            found.extend(_messages(inner, at if key == "_schema" else (*at, key)))
        return found
    return [(at, str(message).rstrip(".").lower()) for message in messages]


def _read_form(folder: Path, name: str, languages: list[str], problems: list[str]) -> Questionnaire | None:
    path = folder / name
    try:
        resource = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_no_doubled_keys)
    except FileNotFoundError:
        problems.append(f"{name}: the file is missing")
        return None
    except ValueError as error:
        problems.append(f"{name}: {error}")
        return None
    resource, found = with_translations(resource, folder / "translations", languages)
    problems.extend(found)
    try:
        return read_questionnaire(resource)
    except ValueError as error:
        problems.extend(f"{name}: {line}" for line in str(error).splitlines())
        return None


def _no_doubled_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {doubled!r} stands twice in one object")
    return result


def _digest(folder: Path, form: str) -> str:
    """SHA-256 over the rules and the form: what must not change without a new knowledge version."""
    digest = hashlib.sha256()
    for name in sorted((*FILES, form)):
        path = folder / name
        if path.is_file():
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
