"""From what we mean to write to what a server is asked: which request for each resource, with which references.

The resources come with ids of our own and refer to each other by them. A server has other ids, or none of them yet;
which ones it has is told by `known`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, UUID, uuid5

from fhir_app.fhir.destinations import Shape
from fhir_app.fhir.namespace import Namespace

Resource = Mapping[str, Any]
Key = tuple[str, str]
"""Resource type and our own id."""

IN_ERROR = "entered-in-error"
WITHDRAWN = {IN_ERROR, "superseded"}
SHARED = {"Device", "Organization"}
"""Not of one response: created where missing, and never changed afterwards."""

RESULTS = {"Observation", "DocumentReference"}
RESPONSE = "QuestionnaireResponse"
OF_ONE_RESPONSE = RESULTS | {RESPONSE}

_REFERENCE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})")
_NESTED = (dict, list, tuple)
_WITHOUT_REFERENCES = frozenset({"coding", "valueCoding", "component"})
"""Most of a response and of a summary: elements whose types hold no Reference (and whose extensions hold none to what
is of ours)."""
_SERVER_META = {"versionId", "lastUpdated", "source"}


@dataclass(frozen=True)
class Known:
    """What a server already holds of ours: its id for it, the version it has now, and the resource itself."""

    id: str
    version: str | None
    resource: Resource


@dataclass(frozen=True)
class Write:
    """One request. `condition`: a search that must find nothing, for a POST. `version`: for If-Match, with a PUT."""

    key: Key
    method: str
    resource: Resource
    condition: str | None = None
    version: str | None = None


def key_of(resource: Resource) -> Key:
    return str(resource["resourceType"]), str(resource["id"])


def urn(key: Key) -> str:
    """`urn:uuid:` of our id; an id that is no UUID (a configured Organization's) gets one derived from it."""
    try:
        return f"urn:uuid:{UUID(key[1])}"
    except ValueError:
        return f"urn:uuid:{uuid5(NAMESPACE_URL, '/'.join(key))}"


def search_for(resource: Resource, namespace: Namespace) -> tuple[str, str]:
    """The search parameter and value that find this resource, and nothing else, on a server.

    Our own tags come first: a response's identifier may be the patient's or the form's own, "1" perhaps. Raises
    ValueError for a resource that carries neither tag nor identifier.
    """
    for tag in (resource.get("meta") or {}).get("tag") or ():
        if tag.get("system") in {namespace.provenance_tags, namespace.response_tags}:
            return "_tag", f"{escaped(tag['system'])}|{escaped(tag['code'])}"
    identifiers = resource.get("identifier") or []
    first = identifiers if isinstance(identifiers, Mapping) else next(iter(identifiers), {})
    if not first.get("value"):
        raise ValueError(f"{resource['resourceType']} has nothing that a server could find it by")
    return "identifier", f"{escaped(first.get('system', ''))}|{escaped(first['value'])}"


def escaped(text: str) -> str:
    """https://hl7.org/fhir/R4/search.html#escaping"""
    return re.sub(r"([\\,$|])", r"\\\1", text)


def writes(
    resources: Sequence[Resource], known: Mapping[Key, Known], shape: Shape, namespace: Namespace
) -> tuple[Write, ...]:
    """One write for each resource that has to be there, in the order given; references still by our own ids.

    What is withdrawn (entered in error, superseded) and not on the server is left out, with every reference to it:
    there is nothing to withdraw. What is withdrawn there already is not sent again, and never made less withdrawn.
    When no result is left, the outcome is empty.
    """
    absent = {key_of(each) for each in resources if _is_withdrawn(each) and key_of(each) not in known}
    unsent = {
        key for key in map(key_of, resources) if key[0] == RESPONSE and (key in absent or not shape.takes_responses)
    }
    sent = _with_logical_responses(resources, unsent) if unsent else resources
    present = [_without(each, absent) for each in sent if key_of(each) not in absent]
    if not any(each["resourceType"] in RESULTS for each in present):
        return ()
    due = [each for each in present if not _is_withdrawn_there(each, known.get(key_of(each)))]
    return tuple(_write(each, known.get(key_of(each)), shape, namespace) for each in due)


def with_references(resource: Resource, replacement: Callable[[Key], Resource | None]) -> Resource:
    """The resource with each relative reference replaced by the elements that `replacement` gives (None: kept)."""

    def replaced(value: Any) -> Any:
        """What holds no reference to replace is given back as it is, so that hardly anything is copied."""
        if type(value) is dict:
            if "reference" in value and (key := _key_in(value["reference"])) and (new := replacement(key)) is not None:
                return {**{name: inner for name, inner in value.items() if name != "reference"}, **new}
            places: Iterable[tuple[Any, Any]] = value.items()
        else:
            places = enumerate(value)
        changed: Any = None
        for place, inner in places:
            if type(inner) not in _NESTED or place in _WITHOUT_REFERENCES:
                continue
            new = replaced(inner)
            if new is not inner:
                if changed is None:
                    changed = dict(value) if type(value) is dict else list(value)
                changed[place] = new
        return value if changed is None else changed

    found: Resource = replaced(dict(resource))
    return found


def references(value: Any) -> Iterator[str]:
    """Every reference anywhere in a resource."""
    if isinstance(value, Mapping):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from references(inner)


def _write(resource: Resource, known: Known | None, shape: Shape, namespace: Namespace) -> Write:
    key, kind = key_of(resource), resource["resourceType"]
    body = _sendable(resource, shape)
    if kind == "Provenance" and shape.client_ids:
        return Write(key, "PUT", body)
    if known is not None and kind not in SHARED and kind != "Provenance":
        if _is_withdrawn(resource):
            body = _withdrawn(resource, known)
        return Write(key, "PUT", {**body, "id": known.id}, version=known.version)
    parameter, value = search_for(resource, namespace)
    without_id = {name: inner for name, inner in body.items() if name != "id"}
    return Write(key, "POST", without_id, condition=f"{parameter}={quote(value, safe=':/|')}")


def _is_withdrawn(resource: Resource) -> bool:
    return resource["resourceType"] in OF_ONE_RESPONSE and resource.get("status") in WITHDRAWN


def _is_withdrawn_there(resource: Resource, known: Known | None) -> bool:
    return (
        _is_withdrawn(resource) and known is not None and known.resource.get("status") in {resource["status"], IN_ERROR}
    )


def _withdrawn(resource: Resource, known: Known) -> Resource:
    """As it was filed, with every form of a document and every reference, and whatever others added to it: only its
    status changes. What it refers to may be long gone from the resources of this revision, and its content may be of
    a later revision that the server refused."""
    status = {name: resource[name] for name in ("status", "docStatus") if name in resource}
    filed = {name: inner for name, inner in known.resource.items() if name != "meta"}
    meta = {name: inner for name, inner in (known.resource.get("meta") or {}).items() if name not in _SERVER_META}
    head = {"resourceType": filed.pop("resourceType"), "id": known.id} | ({"meta": meta} if meta else {})
    return {**head, **filed, **status}


def _with_logical_responses(resources: Sequence[Resource], unsent: set[Key]) -> list[Resource]:
    """Without these responses; what referred to one names it by its identifier instead."""
    logical = {
        key_of(each): {"type": each["resourceType"], "identifier": each["identifier"]}
        for each in resources
        if key_of(each) in unsent
    }
    return [with_references(each, logical.get) for each in resources if key_of(each) not in logical]


def _sendable(resource: Resource, shape: Shape) -> Resource:
    """Without what only a server may say of it, and with the forms of the document that this server takes."""
    body = dict(resource)
    meta = {name: inner for name, inner in (body.pop("meta", None) or {}).items() if name not in _SERVER_META}
    if meta:
        body = {"resourceType": body.pop("resourceType"), "id": body.pop("id"), "meta": meta, **body}
    if body["resourceType"] == "DocumentReference":
        forms = {each["attachment"].get("contentType", "").split(";")[0]: each for each in body["content"]}
        taken = [forms[name] for name in shape.document_types if name in forms]
        body["content"] = taken or body["content"]
    return body


def _without(resource: Resource, absent: set[Key]) -> Resource:
    """The resource without list entries that refer to what is absent (hasMember, target, related, relatesTo)."""

    def cut(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: kept for name, inner in value.items() if (kept := cut(inner)) not in ([], {})}
        if isinstance(value, list | tuple):
            return [cut(inner) for inner in value if not _refers_to(inner, absent)]
        return value

    return (
        {name: kept for name, inner in resource.items() if (kept := cut(inner)) not in ([], {})} if absent else resource
    )


def _refers_to(value: Any, absent: set[Key]) -> bool:
    if not isinstance(value, Mapping):
        return False
    target = value.get("target")
    own = value.get("reference") or (target.get("reference") if isinstance(target, Mapping) else None)
    return _key_in(own) in absent


def _key_in(reference: object) -> Key | None:
    """`Type/id` as a key; None for absolute, contained and logical references."""
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    return (match.group(1), match.group(2)) if match else None
