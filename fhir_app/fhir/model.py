"""The only importer of fhir.resources: its tables for the shape check, its models for what we send."""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from fhir.resources.R4B import fhirtypes
from fhir_core.constraints import FHIR_PRIMITIVES_MAPS
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from fhir_app.errors import FhirAppError, Issue
from fhir_app.fhir.primitives import CHECKS
from fhir_app.fhir.r4_differences import (
    CHANGED_TYPES,
    CODES,
    META_CHOICES,
    NOT_IN_THE_LIBRARY,
    R4B_ONLY_ELEMENTS,
    R4B_ONLY_TYPES,
)
from fhir_app.fhir.read_json import dump_json
from fhir_app.fhir.shape import Element, Table, walk


class OutboundResourceError(FhirAppError):
    """A resource that we made is not R4. A fault of ours: nothing is sent, and the places are named."""

    def __init__(self, resource_type: str, problems: tuple[str, ...]) -> None:
        super().__init__(f"The {resource_type} that was built is not FHIR R4: {'; '.join(problems)}")
        self.problems = problems


def check_shape(resource: Mapping[str, Any], resource_type: str | None = None) -> tuple[Issue, ...]:
    """Every fault in the shape of a resource read by `read_json`; none means that it is JSON of FHIR R4.

    `resource_type`: the one type that is accepted. Values are not altered and never repeated. Conformance to
    a Questionnaire is another matter, and so are terminology beyond the closed lists and references.
    """
    if resource_type is not None and resource.get("resourceType") != resource_type:
        return (Issue("error", "structure", f"The resource must be a {resource_type}.", "resourceType"),)
    return walk(resource, table)


def parse_with_library(resource: Mapping[str, Any]) -> None:
    """Lets a resource pass if R4's rules and the models of fhir.resources both do. Raises OutboundResourceError.

    Our own walk refuses what only R4B has; what is legal in R4 and wrongly refused by the models is left out of what
    they see.
    """
    kind = str(resource.get("resourceType"))
    issues = check_shape(resource)
    if issues:
        raise OutboundResourceError(kind, tuple(issue.text for issue in issues))
    if kind in NOT_IN_THE_LIBRARY or kind in CHANGED_TYPES:
        return
    try:
        _model(kind).model_validate_json(dump_json(_for_the_models(resource)))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        places = tuple(f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in found)
        raise OutboundResourceError(kind, places) from None
    except (KeyError, RecursionError) as error:
        raise OutboundResourceError(kind, (type(error).__name__,)) from None


# --- tables -----------------------------------------------------------------------------------------------------


@cache
def table(type_name: str) -> Table | None:
    """The table of a type or nested element, built on first use; see `fhir_app.fhir.shape.Tables`."""
    if type_name in NOT_IN_THE_LIBRARY or type_name in CHANGED_TYPES:
        return None
    if type_name in R4B_ONLY_TYPES:
        raise KeyError(type_name)
    model = _model(type_name)
    elements: dict[str, Element] = {}
    required: list[tuple[str, bool]] = []
    required_choices: dict[str, None] = {}
    for name, info in model.model_fields.items():
        alias = info.alias or name
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        if not extra.get("element_property") or (type_name, alias) in R4B_ONLY_ELEMENTS:
            continue
        element = elements[alias] = _element(type_name, alias, info, extra)
        if info.is_required() or extra.get("element_required"):
            required.append((alias, element.check is not None and element.has_sibling))
        if element.choice is not None and extra.get("one_of_many_required"):
            required_choices[element.choice] = None
    for alias, choice in META_CHOICES.get(type_name, ()):
        elements[alias] = Element(choice, False, None, "Meta", choice, False, None)
    return Table(type_name, model.has_resource_base(), elements, tuple(required), tuple(required_choices))


def _element(type_name: str, alias: str, info: FieldInfo, extra: Mapping[str, Any]) -> Element:
    kind, is_list = _kind(info.annotation)
    primitive = FHIR_PRIMITIVES_MAPS.get(kind)
    choice = extra.get("one_of_many")
    codes = None
    if primitive == "code":
        codes = CODES.get((type_name, alias), tuple(extra.get("enum_values") or ()))
    return Element(
        path_name=str(choice or alias),
        is_list=is_list,
        check=None if primitive is None else CHECKS[primitive],
        type_name=None if primitive is not None else kind.__name__.removesuffix("Type"),
        choice=None if choice is None else str(choice),
        # Attributes in XML, so that no extension of theirs has a place.
        has_sibling=primitive is not None and alias != "id" and (type_name, alias) != ("Extension", "url"),
        codes=frozenset(codes) if codes else None,
    )


def _kind(annotation: Any) -> tuple[Any, bool]:
    """The FHIR type inside of `Optional[List[Optional[...]]]`, and whether there was a list around it."""
    origin = get_origin(annotation)
    if origin is Annotated or annotation in FHIR_PRIMITIVES_MAPS:
        return annotation, False
    if origin is list:
        return _kind(get_args(annotation)[0])[0], True
    if origin in (Union, types.UnionType):
        (inner,) = (arg for arg in get_args(annotation) if arg is not type(None))
        return _kind(inner)
    return annotation, False


def _model(type_name: str) -> type[FHIRAbstractModel]:
    """Imports the one module that holds the type. Raises KeyError for what is no type."""
    reader = getattr(fhirtypes, f"{type_name}Type", None)
    if reader is None or not hasattr(reader, "get_model_klass"):
        raise KeyError(type_name)
    model: type[FHIRAbstractModel] = reader.get_model_klass()
    return model


# --- what the models wrongly refuse -----------------------------------------------------------------------------


def _for_the_models(value: Any) -> Any:
    """The resource without what is legal in R4 and refused by the models: `_value[x]` and `valueMeta` in an Extension,
    a `valueUuid` of another version than 4, and contained resources that R4B does not have or shapes otherwise."""
    if isinstance(value, Mapping):
        return {name: _for_the_models(content) for name, content in value.items() if not _refused(name, content, value)}
    if isinstance(value, list):
        return [_for_the_models(part) for part in value if not _unknown_to_the_models(part)]
    return value


def _refused(name: str, content: Any, holder: Mapping[str, Any]) -> bool:
    if name.endswith("Meta") and name in {alias for choices in META_CHOICES.values() for alias, _ in choices}:
        return True
    return "url" in holder and (name.startswith("_value") or (name == "valueUuid" and UUID(content).version != 4))


def _unknown_to_the_models(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("resourceType") in NOT_IN_THE_LIBRARY | CHANGED_TYPES
