"""By what the embedded record can be searched: parameters as data, and the rows that they put into the index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fhir_app.store.date_ranges import Range, date_range

Kind = Literal["token", "reference", "date", "uri"]


@dataclass(frozen=True)
class Parameter:
    """One search parameter of R4: where its values stand. `system` is the implied one of a plain code."""

    kind: Kind
    path: tuple[str, ...]
    system: str | None = None


@dataclass(frozen=True)
class IndexRow:
    parameter: str
    system: str | None = None
    value: str | None = None
    span: Range | None = None


_SUBJECT = Parameter("reference", ("subject",))
_IDENTIFIER = Parameter("token", ("identifier",))


def _status(system: str) -> Parameter:
    return Parameter("token", ("status",), f"http://hl7.org/fhir/{system}")


# `_id` and `_lastUpdated` hold for every type and stand in the record itself; `patient` is `subject`, Patients only.
PARAMETERS: Mapping[str, Mapping[str, Parameter]] = {
    "QuestionnaireResponse": {
        "subject": _SUBJECT,
        "encounter": Parameter("reference", ("encounter",)),
        "questionnaire": Parameter("uri", ("questionnaire",)),
        "authored": Parameter("date", ("authored",)),
        "identifier": _IDENTIFIER,
        "status": _status("questionnaire-answers-status"),
    },
    "Observation": {
        "subject": _SUBJECT,
        "encounter": Parameter("reference", ("encounter",)),
        "category": Parameter("token", ("category",)),
        "code": Parameter("token", ("code",)),
        "date": Parameter("date", ("effectiveDateTime",)),
        "derived-from": Parameter("reference", ("derivedFrom",)),
        "identifier": _IDENTIFIER,
        "status": _status("observation-status"),
    },
    "DocumentReference": {
        "subject": _SUBJECT,
        "encounter": Parameter("reference", ("context", "encounter")),
        "category": Parameter("token", ("category",)),
        "type": Parameter("token", ("type",)),
        "date": Parameter("date", ("date",)),
        "related": Parameter("reference", ("context", "related")),
        "identifier": _IDENTIFIER,
        "status": _status("document-reference-status"),
    },
    "Provenance": {
        "target": Parameter("reference", ("target",)),
        "recorded": Parameter("date", ("recorded",)),
    },
    "Device": {"identifier": _IDENTIFIER, "type": Parameter("token", ("type",)), "status": _status("device-status")},
    "Organization": {"identifier": _IDENTIFIER},
}


def parameters_of(resource_type: str) -> dict[str, Kind]:
    """Every parameter that a search of this type takes, with its kind; empty for a type that we do not keep."""
    own = PARAMETERS.get(resource_type)
    if own is None:
        return {}
    kinds: dict[str, Kind] = {"_id": "token", "_lastUpdated": "date"}
    kinds |= {name: parameter.kind for name, parameter in own.items()}
    return kinds | {"patient": "reference"} if "subject" in own else kinds


def index_rows(resource: Mapping[str, Any]) -> Iterator[IndexRow]:
    """What the index says about `resource`."""
    for name, parameter in PARAMETERS.get(resource["resourceType"], {}).items():
        for element in _elements(resource, parameter.path):
            yield from _rows(name, parameter, element)


def _elements(element: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(element, list):
        for each in element:
            yield from _elements(each, path)
    elif not path:
        yield element
    elif isinstance(element, Mapping) and path[0] in element:
        yield from _elements(element[path[0]], path[1:])


def _rows(name: str, parameter: Parameter, element: Any) -> Iterator[IndexRow]:
    match parameter.kind:
        case "date":
            if (span := date_range(element)) is not None:
                yield IndexRow(name, span=span)
        case "reference":
            if element.get("reference"):
                yield IndexRow(name, value=element["reference"])
        case "uri":
            yield IndexRow(name, value=element)
        case "token" if isinstance(element, str):
            yield IndexRow(name, system=parameter.system, value=element)
        case "token":
            for coding in element.get("coding") or [element]:
                code = coding.get("code") or coding.get("value")
                if code:
                    yield IndexRow(name, system=coding.get("system"), value=code)
