"""One value set: whether a coding is in it (https://hl7.org/fhir/R4/valueset.html#compositions)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.code_system import CodeSystem, Concept
from fhir_app.knowledge.truth import Truth

CodeSystems = Mapping[str, CodeSystem]
Imported = Callable[[str], Truth]


@dataclass(frozen=True)
class Filter:
    property: str
    operator: str
    value: str


@dataclass(frozen=True)
class Include:
    """One include or exclude; `codes` None means not listed one by one."""

    system: str | None
    codes: frozenset[str] | None
    filters: tuple[Filter, ...]
    value_sets: tuple[str, ...]


@dataclass(frozen=True)
class ValueSet:
    """`expansion`: the (system, code) pairs of an expansion that came with it, or None."""

    include: tuple[Include, ...]
    exclude: tuple[Include, ...]
    expansion: frozenset[tuple[str | None, str]] | None

    def member(self, coding: Coding, systems: CodeSystems, imported: Imported) -> Truth:
        """Whether the coding is in it; unknown where that depends on codes that are not at hand."""
        result = self._composed(coding, systems, imported) if self.include else Truth.UNKNOWN
        if result is Truth.UNKNOWN and self.expansion is not None:
            return Truth.YES if (coding.system, coding.code) in self.expansion else Truth.NO
        return result

    def _composed(self, coding: Coding, systems: CodeSystems, imported: Imported) -> Truth:
        inside = max(_included(part, coding, systems, imported) for part in self.include)
        outside = max((_included(part, coding, systems, imported) for part in self.exclude), default=Truth.NO)
        return min(inside, (Truth.YES, Truth.UNKNOWN, Truth.NO)[outside])


def _included(part: Include, coding: Coding, systems: CodeSystems, imported: Imported) -> Truth:
    # Several valueSet of one include are an intersection, also with its system.
    result = min((imported(url) for url in part.value_sets), default=Truth.YES)
    if part.system is None:
        return result if part.value_sets else Truth.NO
    if coding.system != part.system or coding.code is None:
        return Truth.NO
    return min(result, _in_system(part, coding.code, systems.get(part.system)))


def _in_system(part: Include, code: str, system: CodeSystem | None) -> Truth:
    if part.codes is not None:
        if code in part.codes:
            return Truth.YES
        folded = {listed.casefold() for listed in part.codes} if system and not system.case_sensitive else set()
        return Truth.YES if code.casefold() in folded else Truth.NO
    if system is None:
        return Truth.UNKNOWN
    concept = system.find(code)
    if concept is None:
        return Truth.NO if system.complete else Truth.UNKNOWN
    return min((_passes(condition, code, concept, system) for condition in part.filters), default=Truth.YES)


def _passes(condition: Filter, code: str, concept: Concept, system: CodeSystem) -> Truth:
    # https://hl7.org/fhir/R4/valueset-filter-operator.html
    name, value = condition.property, condition.value
    values = frozenset({code}) if name in ("code", "concept") else concept.properties.get(name, frozenset())
    if condition.operator == "regex":
        return _matches(value, values)
    above = system.ancestors(code)
    listed = frozenset(part.strip() for part in value.split(","))
    holds = {
        "is-a": code == value or value in above,
        "descendent-of": value in above,
        "is-not-a": code != value and value not in above,
        "generalizes": code == value or code in system.ancestors(value),
        "=": value in values,
        "in": bool(values & listed),
        "not-in": not values & listed,
        "exists": bool(values) is (value == "true"),
    }
    return _truth(holds[condition.operator]) if condition.operator in holds else Truth.UNKNOWN


def _matches(pattern: str, values: frozenset[str]) -> Truth:
    try:
        compiled = re.compile(pattern)
    except re.error:
        return Truth.UNKNOWN
    return _truth(any(compiled.fullmatch(value) for value in values))


def _truth(holds: bool) -> Truth:
    return Truth.YES if holds else Truth.NO


# --- reading ----------------------------------------------------------------------------------------------------


def small_value_set(entry: Sequence[Sequence[Any]]) -> ValueSet:
    """A value set in the form of hl7_terminology.json: system, and codes where not all of them are in."""
    parts = tuple(Include(part[0], frozenset(part[1]) if len(part) > 1 else None, (), ()) for part in entry)
    return ValueSet(parts, (), None)


def read_value_set(resource: Mapping[str, Any]) -> ValueSet:
    """A ValueSet resource; what cannot be read in it is passed over."""
    compose = resource.get("compose")
    compose = compose if isinstance(compose, Mapping) else {}
    expansion = resource.get("expansion")
    return ValueSet(
        include=tuple(_read_include(part) for part in _objects(compose.get("include"))),
        exclude=tuple(_read_include(part) for part in _objects(compose.get("exclude"))),
        expansion=_read_expansion(expansion) if isinstance(expansion, Mapping) else None,
    )


def _read_include(part: Mapping[str, Any]) -> Include:
    concepts = _objects(part.get("concept"))
    codes = frozenset(code for concept in concepts if (code := _text(concept.get("code"))) is not None)
    filters = tuple(
        Filter(_text(raw.get("property")) or "", _text(raw.get("op")) or "", _text(raw.get("value")) or "")
        for raw in _objects(part.get("filter"))
    )
    imports = part.get("valueSet")
    value_sets = tuple(url for url in imports if isinstance(url, str)) if isinstance(imports, list) else ()
    return Include(_text(part.get("system")), codes if concepts else None, filters, value_sets)


def _read_expansion(expansion: Mapping[str, Any]) -> frozenset[tuple[str | None, str]]:
    found = set()
    waiting = _objects(expansion.get("contains"))
    while waiting:
        entry = waiting.pop()
        code = _text(entry.get("code"))
        if code is not None and entry.get("abstract") is not True:
            found.add((_text(entry.get("system")), code))
        waiting.extend(_objects(entry.get("contains")))
    return frozenset(found)


def _objects(listed: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []


def _text(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and raw else None
