"""What a narrative may hold: formatting, never anything that runs, loads or submits (rules txt-1 and txt-2 of
https://hl7.org/fhir/R4/narrative.html)."""

from __future__ import annotations

import re
from html.entities import name2codepoint
from xml.etree import ElementTree

_NAMESPACE = "{http://www.w3.org/1999/xhtml}"
_ELEMENTS = (
    "a abbr acronym address b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 "
    "h6 hr i img kbd li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt u ul var"
)
_FORMATTING = frozenset(_ELEMENTS.split())
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_RUNNING_SCHEME = re.compile(r"\s*(javascript|vbscript|data(?!:image/(png|gif|jpeg)[;,]))\s*:?", re.IGNORECASE)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = frozenset({"lt", "gt", "amp", "quot", "apos"})
_WRONG = "must be well-formed XHTML in one div"


def check_xhtml(text: str) -> str | None:
    """None, or what is wrong with this `div`. Declarations and entities are refused before anything is parsed."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text or "<?" in text or "<![" in text:
        return _WRONG
    try:
        root = ElementTree.fromstring(_ENTITY.sub(_numeric, text))  # noqa: S314  # no DTD gets here
    except ElementTree.ParseError:
        return _WRONG
    if root.tag != f"{_NAMESPACE}div":
        return _WRONG
    for element in root.iter():
        if not isinstance(element.tag, str) or element.tag.removeprefix(_NAMESPACE) not in _FORMATTING:
            return "must hold formatting only: no scripts, forms, frames, objects or styles"
        for name, value in element.attrib.items():
            if (problem := _attribute(name, value)) is not None:
                return problem
    has_content = "".join(root.itertext()).strip() or root.find(f".//{_NAMESPACE}img") is not None
    return None if has_content else "must have content"


def _attribute(name: str, value: str) -> str | None:
    if name.lower().startswith("on") or (name.startswith("{") and name != _XML_LANG):
        return "must not hold event attributes or foreign attributes"
    if name.lower() in ("href", "src") and _RUNNING_SCHEME.match(re.sub(r"[\x00-\x20]", "", value)):
        return "must not hold addresses that run"
    return None


def _numeric(match: re.Match[str]) -> str:
    """HTML's named characters, which XML alone does not know."""
    name = match.group(1)
    if name in _XML_ENTITIES or name not in name2codepoint:
        return match.group(0)
    return f"&#{name2codepoint[name]};"
