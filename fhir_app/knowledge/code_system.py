"""One code system: its codes, their displays, their place in the hierarchy
(https://hl7.org/fhir/R4/codesystem.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Concept:
    """One code. `displays` by language, the empty key for those without one; `parents` one level up."""

    displays: Mapping[str, frozenset[str]]
    parents: frozenset[str] = frozenset()
    properties: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class CodeSystem:
    """`complete`: every code is at hand, so that one which is not there is wrong."""

    url: str | None
    version: str | None
    complete: bool
    case_sensitive: bool
    concepts: Mapping[str, Concept]

    def find(self, code: str) -> Concept | None:
        """The concept of a code; a system that is not case-sensitive takes any spelling of it."""
        found = self.concepts.get(code)
        if found is None and not self.case_sensitive:
            wanted = code.casefold()
            found = next((concept for key, concept in self.concepts.items() if key.casefold() == wanted), None)
        return found

    def ancestors(self, code: str) -> frozenset[str]:
        """Every code above `code`."""
        found: set[str] = set()
        waiting = [code]
        while waiting:
            concept = self.find(waiting.pop())
            for parent in concept.parents if concept else ():
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return frozenset(found)


def small_code_system(url: str, entry: Mapping[str, Any]) -> CodeSystem:
    """A code system in the form of hl7_terminology.json."""
    concepts = {code: Concept({"": frozenset(displays)}) for code, displays in entry["concepts"].items()}
    return CodeSystem(url, None, True, entry["caseSensitive"], concepts)


def read_code_system(resource: Mapping[str, Any]) -> CodeSystem:
    """A CodeSystem resource; what cannot be read in it is passed over."""
    concepts: dict[str, Concept] = {}
    language = resource.get("language")
    _read_concepts(resource.get("concept"), None, language if isinstance(language, str) else "", concepts)
    return CodeSystem(
        url=_text(resource.get("url")),
        version=_text(resource.get("version")),
        complete=resource.get("content") == "complete",
        case_sensitive=resource.get("caseSensitive") is not False,
        concepts=concepts,
    )


def _read_concepts(listed: Any, parent: str | None, language: str, into: dict[str, Concept]) -> None:
    waiting = [(raw, parent) for raw in _objects(listed)]
    while waiting:
        raw, above = waiting.pop()
        code = _text(raw.get("code"))
        if code is None:
            continue
        properties = _properties(raw)
        parents = set(properties.get("parent", frozenset()))
        if above is not None:
            parents.add(above)
        into[code] = Concept(_displays(raw, language), frozenset(parents), properties)
        waiting.extend((child, code) for child in _objects(raw.get("concept")))


def _displays(raw: Mapping[str, Any], language: str) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    display = _text(raw.get("display"))
    if display is not None:
        found.setdefault(language, set()).add(display)
    for designation in _objects(raw.get("designation")):
        value = _text(designation.get("value"))
        if value is not None:
            found.setdefault(_text(designation.get("language")) or "", set()).add(value)
    return {key: frozenset(values) for key, values in found.items()}


def _properties(raw: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for entry in _objects(raw.get("property")):
        name = _text(entry.get("code"))
        values = [value for key, value in entry.items() if key.startswith("value")]
        if name is not None and values:
            found.setdefault(name, set()).add(_as_text(values[0]))
    return {key: frozenset(values) for key, values in found.items()}


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return str(value.get("code"))
    return str(value)


def _objects(listed: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []


def _text(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and raw else None
