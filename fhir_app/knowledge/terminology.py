"""Value sets and code systems, from the resources that are given and the small ones of HL7 that forms use."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.code_system import CodeSystem, read_code_system, small_code_system
from fhir_app.knowledge.truth import Truth
from fhir_app.knowledge.value_set import ValueSet, read_value_set, small_value_set

_DEEPEST_IMPORT = 8


@dataclass(frozen=True, eq=False)
class Terminology:
    """What codes there are: code systems and value sets by canonical, those contained in a resource also by `#id`."""

    code_systems: Mapping[str, CodeSystem]
    value_sets: Mapping[str, ValueSet]

    def within(self, resource: Mapping[str, Any]) -> Terminology:
        """This terminology as seen from `resource`, whose contained value sets and code systems come first."""
        contained = list(_resources(resource.get("contained")))
        return _with(self, contained, local=True) if contained else self

    def member(self, value_set: str, coding: Coding) -> Truth:
        """Whether `coding` is in the value set with this canonical (or `#id`); unknown when the set, or a code system
        that it draws on, is not at hand."""
        return self._member(value_set, coding, _DEEPEST_IMPORT)

    def _member(self, canonical: str, coding: Coding, depth: int) -> Truth:
        found = self.value_sets.get(canonical)
        if found is None or depth == 0:
            return Truth.UNKNOWN
        return found.member(coding, self.code_systems, lambda other: self._member(other, coding, depth - 1))

    def system(self, coding: Coding) -> CodeSystem | None:
        """The code system of a coding, when every one of its codes is at hand."""
        found = self.code_systems.get(coding.system) if coding.system is not None else None
        return found if found is not None and found.complete else None


def read_terminology(given: Iterable[Mapping[str, Any]]) -> Terminology:
    """CodeSystem and ValueSet resources (others are passed over; a Bundle counts as its entries) and HL7's own."""
    return _with(built_in(), list(_resources(given)), local=False)


def _resources(given: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(given, Iterable) or isinstance(given, str | Mapping):
        return
    for resource in given:
        if not isinstance(resource, Mapping):
            continue
        if resource.get("resourceType") == "Bundle":
            entries = resource.get("entry")
            if isinstance(entries, list):
                yield from _resources([entry.get("resource") for entry in entries if isinstance(entry, Mapping)])
        else:
            yield resource


def _with(known: Terminology, given: list[Mapping[str, Any]], *, local: bool) -> Terminology:
    systems, sets = dict(known.code_systems), dict(known.value_sets)
    for resource in given:
        kind, url, version = (_text(resource.get(key)) for key in ("resourceType", "url", "version"))
        keys = [url, f"{url}|{version}"] if url and version else [url] if url else []
        if local and _text(resource.get("id")):
            keys.append(f"#{resource['id']}")
        if kind == "CodeSystem" and url is not None:
            systems.update(dict.fromkeys(keys, read_code_system(resource)))
        elif kind == "ValueSet":
            sets.update(dict.fromkeys(keys, read_value_set(resource)))
    return Terminology(systems, sets)


def _text(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and raw else None


@lru_cache(maxsize=1)
def built_in() -> Terminology:
    """The small code systems and value sets of HL7 that forms use."""
    text = resources.files(__package__).joinpath("hl7_terminology.json").read_text(encoding="utf-8")
    data = json.loads(text)
    systems = {url: small_code_system(url, entry) for url, entry in data["codeSystems"].items()}
    return Terminology(systems, {url: small_value_set(entry) for url, entry in data["valueSets"].items()})
