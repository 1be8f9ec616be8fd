"""Whose response this is, and which revision of it: read once at the door, then only passed on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.read_json import dump_json

LOCAL = "local"
UNVERSIONED = (0, "")
"""The order of a revision that no server numbered."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HISTORY = re.compile(r"/_history/[^/]+$")
_PATIENT = re.compile(r"(^|/)Patient/[A-Za-z0-9\-.]{1,64}$")


@dataclass(frozen=True)
class ReceivedResponse:
    """A QuestionnaireResponse with its place in the world.

    `origin`: the base URL of the FHIR server that its references belong to, or `local`. `identity` names the response
    through all its revisions and `revision` one of them. `order` says which revision is newer; equal orders are in the
    order of arrival. `held_by_origin`: its server gave it its id, so it need not be written there.
    `questionnaire_response` is the copy that is sent: with an id and an identifier. `subject` is set only for
    a Patient. `accepted` is an instant.
    """

    submission_id: str
    origin: str
    identity: str
    revision: str
    order: tuple[int, str]
    held_by_origin: bool
    questionnaire_response: Mapping[str, Any]
    status: str
    subject: str | None
    encounter: str | None
    authored: str | None
    accepted: str
    language: str | None

    @property
    def day(self) -> date:
        """On which it was filled in, where the person was; the day on which it came in when `authored` is missing,
        lies after that, or more than a week before, since then it may be any other day."""
        came = date.fromisoformat(self.accepted[:10])
        if self.authored is None or len(self.authored) < 10:
            return came
        written = date.fromisoformat(self.authored[:10])
        return written if timedelta(days=-7) <= written - came <= timedelta(days=1) else came


def receive(
    questionnaire_response: Mapping[str, Any],
    *,
    origin: str,
    accepted: str,
    namespace: Namespace,
    notified_id: str | None = None,
    digest: str | None = None,
    believe_own: bool = True,
) -> ReceivedResponse:
    """A response whose shape was checked -> the same with identity, revision and references resolved.

    `digest`: of everything that came in, when `questionnaire_response` is only the head of it that could be read.
    `believe_own`: whether an identifier or a tag of ours is to be believed.

    An id counts only if a server gave it: its origin is a server and the resource carries that server's meta, or the
    server named it in the URL of its notification (`notified_id`). A client's own id is no identity, or every sample
    called "example" would correct the one before. A copy that we wrote ourselves is known by our identifier or tag,
    and comes out with the identity and revision that it had when we wrote it.
    """
    questionnaire_response = _with_relative_references(questionnaire_response, origin)
    meta = questionnaire_response.get("meta") or {}
    resource_id = notified_id or questionnaire_response.get("id")
    server_gave_id = notified_id is not None or (bool(resource_id) and _has_server_meta(meta, origin))
    own = own_identity(questionnaire_response, namespace) if believe_own else None
    identity = own or namespace.derived_id(
        "questionnaire-response",
        origin,
        _identity_key(questionnaire_response, resource_id, server_gave_id, digest, namespace),
    )
    version = meta.get("versionId") if server_gave_id and own is None else None
    # What an application read, edited and sent on still carries the version that it read.
    revision = f"version:{version or ''} content:{digest or _content_hash(questionnaire_response, namespace)}"
    if server_gave_id:
        sent = {**questionnaire_response, "id": resource_id}
    else:
        sent = _copy_to_send(questionnaire_response, identity, namespace)
    return ReceivedResponse(
        submission_id=namespace.derived_id("submission", origin, identity, revision),
        origin=origin,
        identity=identity,
        revision=revision,
        order=_order(meta) if server_gave_id else UNVERSIONED,
        held_by_origin=server_gave_id and origin != LOCAL,
        questionnaire_response=sent,
        status=questionnaire_response["status"],
        subject=patient_reference(questionnaire_response.get("subject")),
        encounter=_reference(questionnaire_response.get("encounter")),
        authored=questionnaire_response.get("authored"),
        accepted=accepted,
        language=questionnaire_response.get("language"),
    )


def patient_reference(subject: object) -> str | None:
    """The Patient whom a subject refers to, without the version; None when it refers to nobody or nothing else."""
    reference = _reference(subject) if isinstance(subject, Mapping) else None
    return reference if reference and _PATIENT.search(reference) else None


def _has_server_meta(meta: Mapping[str, Any], origin: str) -> bool:
    return origin != LOCAL and bool(meta.get("versionId") or meta.get("lastUpdated"))


def _identity_key(
    questionnaire_response: Mapping[str, Any],
    resource_id: object,
    server_gave_id: bool,
    digest: str | None,
    namespace: Namespace,
) -> str:
    """An identifier counts for one person only: vendors put the code of a form there, and one patient's result must
    never become another's. Without any, a response is what it says, whatever its status says of that."""
    if server_gave_id:
        return f"id:{resource_id}"
    identifier = questionnaire_response.get("identifier") or {}
    if value := identifier.get("value"):
        subject = (questionnaire_response.get("subject") or {}).get("reference", "")
        return f"identifier:{identifier.get('system', '')}|{value} of {subject}"
    return f"content:{digest or _content_hash(questionnaire_response, namespace, leave_out=('status',))}"


def own_identity(questionnaire_response: Mapping[str, Any], namespace: Namespace) -> str | None:
    """The identity that we gave to a response, by our identifier or tag on it."""
    identifier = questionnaire_response.get("identifier") or {}
    if identifier.get("system") == namespace.questionnaire_response_identifiers and _is_uuid(identifier.get("value")):
        return str(identifier["value"])
    for tag in (questionnaire_response.get("meta") or {}).get("tag") or ():
        if tag.get("system") == namespace.response_tags and _is_uuid(tag.get("code")):
            return str(tag["code"])
    return None


def _is_uuid(value: object) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def _content_hash(
    questionnaire_response: Mapping[str, Any], namespace: Namespace, leave_out: tuple[str, ...] = ()
) -> str:
    """Over what was said: not over what servers add (id, meta), make themselves (narrative), or got from us."""
    without = ("id", "meta", "text", *leave_out)
    content = {key: value for key, value in questionnaire_response.items() if key not in without}
    if (content.get("identifier") or {}).get("system") == namespace.questionnaire_response_identifiers:
        del content["identifier"]
    return hashlib.sha256(dump_json(content, sort_keys=True)).hexdigest()


def _copy_to_send(questionnaire_response: Mapping[str, Any], identity: str, namespace: Namespace) -> dict[str, Any]:
    meta = {
        key: value
        for key, value in (questionnaire_response.get("meta") or {}).items()
        if key not in ("versionId", "lastUpdated", "source")
    }
    tag = {"system": namespace.response_tags, "code": identity}
    meta["tag"] = [*(t for t in meta.get("tag") or () if t.get("system") != tag["system"]), tag]
    sent: dict[str, Any] = {"resourceType": "QuestionnaireResponse", "id": identity, "meta": meta}
    sent |= {key: value for key, value in questionnaire_response.items() if key not in sent}
    if not (sent.get("identifier") or {}).get("value"):
        sent["identifier"] = {"system": namespace.questionnaire_response_identifiers, "value": identity}
    return sent


def _with_relative_references(questionnaire_response: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """HAPI refuses its own base in an absolute reference, so what points into the origin is made relative."""
    resource = dict(questionnaire_response)
    for name in ("subject", "encounter", "author", "source"):
        reference = (resource.get(name) or {}).get("reference")
        if reference:
            resource[name] = {**resource[name], "reference": _relative(reference, origin)}
    return resource


def _order(meta: Mapping[str, Any]) -> tuple[int, str]:
    """By numeric versionId where a server counts, else by lastUpdated in UTC."""
    version = str(meta.get("versionId") or "")
    number = int(version) if version.isascii() and version.isdigit() and len(version) <= 18 else 0
    return number, _in_utc(meta.get("lastUpdated"))


def _in_utc(instant: str | None) -> str:
    if not instant:
        return ""
    try:
        return datetime.fromisoformat(instant).astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        return instant


def _reference(element: Mapping[str, Any] | None) -> str | None:
    """The reference without its version; None for contained and logical references."""
    reference = (element or {}).get("reference")
    if not isinstance(reference, str) or reference.startswith(("#", "urn:")):
        return None
    return _HISTORY.sub("", reference)


def _relative(reference: str, origin: str) -> str:
    base = origin.rstrip("/") + "/"
    return reference.removeprefix(base) if origin != LOCAL else reference
