"""translations/<language>.yaml -> translation extensions in the Questionnaire.

http://hl7.org/fhir/R4/extension-translation.html. Each entry names the text it translates (`of`); when that text has
changed since, the translation is stale and must not be shown.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fhir_app.knowledge.strict_yaml import read_yaml

TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def with_translations(
    questionnaire: Mapping[str, Any], folder: Path, languages: list[str]
) -> tuple[dict[str, Any], list[str]]:
    """A copy of the Questionnaire with every language beside its own, and the problems (missing, stale, unknown)."""
    resource = copy.deepcopy(dict(questionnaire))
    problems: list[str] = []
    for language in languages:
        if language == resource.get("language"):
            continue
        path = folder / f"{language}.yaml"
        if not path.is_file():
            problems.append(f"translations/{language}.yaml: the file is missing")
            continue
        document, found = read_yaml(path)
        problems.extend(found)
        entries = document.data if isinstance(document.data, dict) else {}
        problems.extend(f"translations/{line}" for line in _apply(resource, language, entries, path.name))
    return resource, problems


def _apply(resource: dict[str, Any], language: str, entries: Mapping[str, Any], name: str) -> Iterator[str]:
    left = set(entries)
    for key, holder, element in translatable(resource):
        entry = entries.get(key)
        left.discard(key)
        text = holder[element]
        if not isinstance(entry, Mapping) or not isinstance(entry.get("text"), str):
            yield f"{name}: {key} is not translated"
        elif entry.get("of") != text:
            yield f"{name}: {key} is stale: it translates {entry.get('of')!r}"
        else:
            sibling = holder.setdefault(f"_{element}", {})
            sibling.setdefault("extension", []).append(
                {
                    "url": TRANSLATION,
                    "extension": [
                        {"url": "lang", "valueCode": language},
                        {"url": "content", "valueString": entry["text"]},
                    ],
                }
            )
    for key in sorted(left):
        yield f"{name}: {key} is not in the questionnaire"


def translatable(resource: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every text of a Questionnaire: its key (`title`, `linkId`, `linkId/code`), the object and the element."""
    if "title" in resource:
        yield "title", resource, "title"
    yield from _items(resource.get("item", []))


def _items(items: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], str]]:
    for item in items:
        if "text" in item:
            yield item["linkId"], item, "text"
        for option in item.get("answerOption", []):
            coding = option.get("valueCoding")
            if coding and "display" in coding:
                yield f"{item['linkId']}/{coding['code']}", coding, "display"
        yield from _items(item.get("item", []))
