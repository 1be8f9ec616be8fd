"""Reading FHIR extensions out of plain data that may be anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# https://hl7.org/fhir/R4/extension-translation.html
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def extensions(element: Any, url: str) -> Iterator[Mapping[str, Any]]:
    """The extensions of an element with this url."""
    listed = element.get("extension") if isinstance(element, Mapping) else None
    if isinstance(listed, list):
        for extension in listed:
            if isinstance(extension, Mapping) and extension.get("url") == url:
                yield extension


def extension_value(element: Any, url: str, key: str) -> Any:
    """The raw `value[x]` under `key` of the first such extension, or None."""
    for extension in extensions(element, url):
        return extension.get(key)
    return None


def translations(element: Any) -> dict[str, str]:
    """Language -> text, from the translation extensions of an element (`_text`, `_display`)."""
    found = {}
    for extension in extensions(element, TRANSLATION):
        language, content = extension_value(extension, "lang", "valueCode"), None
        for key in ("valueString", "valueMarkdown"):
            content = content or extension_value(extension, "content", key)
        if isinstance(language, str) and isinstance(content, str):
            found[language] = content
    return found
