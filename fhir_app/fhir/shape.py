"""The walk over plain FHIR JSON with a table for each type: every fault at once, each with its FHIRPath.

It checks what JSON of R4 must be (https://hl7.org/fhir/R4/json.html): known elements of the right JSON type and
cardinality, no nulls or empties, one value for each choice, `_x` beside primitives, and the few invariants that a
QuestionnaireResponse meets. No text of an issue repeats a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fhir_app.errors import Issue
from fhir_app.fhir.primitives import CHECKS, Check

MAX_ISSUES: Final = 200
"""Enough for a person to work with; a hostile body must not become a longer reply."""

ANY_RESOURCE: Final = "Resource"
_ELEMENT_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9_]{0,63}")
_Path = tuple[Any, str, int | None]
"""(path of the parent or None, element, index): made into text only for an issue."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type. `check` for primitives, `type_name` for the others; `codes`: it has a closed list."""

    path_name: str
    is_list: bool
    check: Check | None
    type_name: str | None
    choice: str | None
    has_sibling: bool
    codes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Table:
    """A type: its elements, and what must be there. `required` holds (element, may be said by its `_` sibling)."""

    name: str
    is_resource: bool
    elements: Mapping[str, Element]
    required: tuple[tuple[str, bool], ...]
    required_choices: tuple[str, ...]


_BESIDE_A_PRIMITIVE: Final = Table(
    "Element",
    False,
    {
        "id": Element("id", False, CHECKS["string"], None, None, False, None),
        "extension": Element("extension", True, None, "Extension", None, False, None),
    },
    (),
    (),
)
"""What the `_` sibling of a primitive may hold."""

Tables = Callable[[str], Table | None]
"""The table of a type; None for a type of R4 that has none, where only the general rules are checked.
Raises KeyError for what is no type of R4."""


def walk(resource: Mapping[str, Any], tables: Tables) -> tuple[Issue, ...]:
    """Every issue of a resource, in document order, up to `MAX_ISSUES`."""
    walker = _Walker(tables)
    walker.resource(resource, None, contained=False)
    return tuple(walker.issues)


@dataclass
class _Walker:
    tables: Tables
    issues: list[Issue] = field(default_factory=list)
    root: str = ""

    def add(self, code: str, text: str, path: _Path | None) -> None:
        if len(self.issues) < MAX_ISSUES:
            where = self.root + "".join(_steps(path))
            self.issues.append(Issue("error", code, f"{where or 'The resource'} {text}.", where or None))

    def resource(self, value: object, path: _Path | None, *, contained: bool) -> None:
        if type(value) is not dict:
            self.add("structure", "must be a resource", path)
            return
        kind = value.get("resourceType")
        if type(kind) is not str:
            self.add("required", "must have a resourceType", path)
            return
        try:
            table = self.tables(kind)
        except KeyError:
            self.add("not-supported", "must have a resourceType of FHIR R4", path)
            return
        if path is None:
            self.root = kind
        if contained and "contained" in value:  # dom-2
            self.add("invariant", "must not contain resources inside of a contained one", path)
        if table is None:
            self.general(value, path)
        else:
            self.fields(value, table, path)

    def fields(self, value: object, table: Table, path: _Path | None) -> None:
        if type(value) is not dict:
            self.add("structure", "must be an object", path)
            return
        if not value or (len(value) == 1 and "id" in value and not table.is_resource):  # ele-1
            self.add("structure", "must have content", path)
            return
        elements = table.elements
        chosen: dict[str, str] = {}
        for name, content in value.items():
            element = elements.get(name)
            if element is None:
                element = self._not_listed(name, value, table, path)
                if element is None:
                    continue
                name = name[1:]
            elif element.is_list:
                self._list(content, element, value.get("_" + name), path)
            elif element.check is not None:
                problem = element.check(content)
                if problem is not None:
                    self.add("value", problem, (path, element.path_name, None))
                elif element.codes is not None and content not in element.codes:
                    self._wrong_code(element, (path, element.path_name, None))
            else:
                self._nested(content, element, (path, element.path_name, None))
            choice = element.choice
            if choice is not None and chosen.setdefault(choice, name) != name:
                self.add("structure", "must have one type only", (path, choice, None))
        self._required(value, table, chosen, path)
        rule = _RULES.get(table.name)
        if rule is not None and (broken := rule(value)) is not None:
            self.add("invariant", broken, path)

    def _nested(self, content: object, element: Element, path: _Path) -> None:
        assert element.type_name is not None
        if element.type_name == ANY_RESOURCE:
            self.resource(content, path, contained=element.path_name == "contained")
        else:
            table = self.tables(element.type_name)
            assert table is not None
            self.fields(content, table, path)

    def _not_listed(self, name: str, value: dict[str, Any], table: Table, path: _Path | None) -> Element | None:
        """The element whose `_` sibling this is; None for what needs no more checks."""
        if name == "resourceType" and table.is_resource:
            return None
        element = table.elements.get(name[1:]) if name.startswith("_") else None
        if element is None or not element.has_sibling:
            known = _ELEMENT_NAME.fullmatch(name) is not None
            self.add("structure", "is not an element of FHIR R4", (path, name if known else "(an element)", None))
            return None
        content, beside = value[name], value.get(name[1:])
        if not element.is_list:
            self._sibling(content, beside is not None, (path, element.path_name, None))
        elif type(content) is not list or not content:
            self.add("structure", "must have an array beside it that is not empty", (path, element.path_name, None))
        else:
            for index, part in enumerate(content):
                if part is not None:
                    has_value = type(beside) is list and index < len(beside) and beside[index] is not None
                    self._sibling(part, has_value, (path, element.path_name, index))
        return element

    def _sibling(self, content: object, has_value: bool, path: _Path) -> None:
        """Beside a value an id alone is content enough."""
        if has_value and type(content) is dict and content.keys() == {"id"}:
            if (problem := CHECKS["string"](content["id"])) is not None:
                self.add("value", problem, (path, "id", None))
        else:
            self.fields(content, _BESIDE_A_PRIMITIVE, path)

    def _list(self, content: object, element: Element, sibling: object, path: _Path | None) -> None:
        name, check = element.path_name, element.check
        if type(content) is not list or not content:
            self.add("structure", "must be an array that is not empty", (path, name, None))
            return
        for index, part in enumerate(content):
            if check is None:
                self._nested(part, element, (path, name, index))
            elif part is None:  # R4 allows it as a place holder for what its sibling says
                if not (type(sibling) is list and index < len(sibling) and sibling[index] is not None):
                    self.add("structure", "must not be null", (path, name, index))
            elif (problem := check(part)) is not None:
                self.add("value", problem, (path, name, index))
            elif element.codes is not None and part not in element.codes:
                self._wrong_code(element, (path, name, index))

    def _required(self, value: dict[str, Any], table: Table, chosen: dict[str, str], path: _Path | None) -> None:
        for name, or_sibling in table.required:
            if name not in value:
                beside = value.get("_" + name) if or_sibling else None
                if not (type(beside) is dict and beside.get("extension")):
                    self.add("required", "is missing", (path, name, None))
        for choice in table.required_choices:
            if choice not in chosen:
                self.add("required", "is missing", (path, choice, None))

    def _wrong_code(self, element: Element, path: _Path) -> None:
        self.add("code-invalid", f"must be one of: {', '.join(sorted(element.codes or ()))}", path)

    def general(self, value: object, path: _Path | None) -> None:
        """What holds inside of any resource: no null outside of arrays, nothing empty."""
        if type(value) is dict:
            for name, content in value.items():
                known = _ELEMENT_NAME.fullmatch(name) is not None
                self.general(content, (path, name if known else "(an element)", None))
        elif type(value) is list:
            for index, part in enumerate(value):
                if part is not None:
                    self.general(part, (path, "", index))
        if value is None or value == "" or value == [] or value == {}:
            self.add("structure", "must not be null or empty", path)


def _steps(path: _Path | None) -> Iterator[str]:
    if path is None:
        return
    parent, name, index = path
    yield from _steps(parent)
    yield f".{name}" if name else ""
    yield "" if index is None else f"[{index}]"


def _item_or_answer(item: dict[str, Any]) -> str | None:
    """qrs-1: a group has items, a question has answers, and items beneath those."""
    return "must not have both item and answer" if "item" in item and "answer" in item else None


def _extension_or_value(extension: dict[str, Any]) -> str | None:
    """ext-1."""
    has_value = any(name.startswith(("value", "_value")) for name in extension)
    return "must have either extensions or a value" if has_value is ("extension" in extension) else None


def _data_with_type(attachment: dict[str, Any]) -> str | None:
    """att-1."""
    return "must have a contentType for its data" if "data" in attachment and "contentType" not in attachment else None


def _code_with_system(quantity: dict[str, Any]) -> str | None:
    """qty-3."""
    return "must have a system for its code" if "code" in quantity and "system" not in quantity else None


_RULES: Mapping[str, Callable[[dict[str, Any]], str | None]] = {
    "QuestionnaireResponseItem": _item_or_answer,
    "Extension": _extension_or_value,
    "Attachment": _data_with_type,
    "Quantity": _code_with_system,
    "Age": _code_with_system,
    "Count": _code_with_system,
    "Distance": _code_with_system,
    "Duration": _code_with_system,
}
