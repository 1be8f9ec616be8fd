"""What became of one request to a FHIR server: delivered, to be tried again, rejected, or not known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias, TypeVar

JsonObject: TypeAlias = Mapping[str, Any]
Other = TypeVar("Other")

_OF_THE_WAY = frozenset({400, 401, 403, 404, 405, 407, 421})
"""What a proxy says of an address or a caller that it does not know, and of a server that is just being replaced."""


@dataclass(frozen=True)
class Delivered:
    """The server did it. `resource` is the body of the reply, where there was one."""

    status: int
    resource: JsonObject | None = None
    id: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class TryAgain:
    """Nothing was changed, and the same request may succeed later.

    `after`: seconds that the server asked for. `astray`: what answered may not have been the FHIR server.
    """

    reason: str
    after: float | None = None
    astray: bool = False


@dataclass(frozen=True)
class Rejected:
    """The server refuses, and would refuse again.

    `reason` holds status, codes and paths alone, so it may be logged. `outcome` is the server's OperationOutcome as
    it came: it may quote the patient, so it is stored and shown to people, and never logged.
    """

    reason: str
    status: int | None = None
    outcome: JsonObject | None = None

    @property
    def misdirected(self) -> bool:
        """Whether this is about the way there, and not about what was sent: a redirect, or a refusal of address or
        access without an OperationOutcome, which a FHIR server would have given."""
        if self.status is None:
            return False
        return 300 <= self.status < 400 or (self.outcome is None and self.status in _OF_THE_WAY)


@dataclass(frozen=True)
class Unknown:
    """The request may or may not have been carried out. Look before sending it again. Else as TryAgain."""

    reason: str
    after: float | None = None
    astray: bool = False


@dataclass(frozen=True)
class Found:
    """Every match of a search, over all its pages."""

    resources: tuple[JsonObject, ...]


Outcome: TypeAlias = Delivered | TryAgain | Rejected | Unknown
SearchOutcome: TypeAlias = Found | TryAgain | Rejected


@dataclass(frozen=True)
class Reply:
    """The parts of an HTTP reply that decide. `resource` is None for a body that holds none that can be used."""

    status: int
    headers: Mapping[str, str]
    resource: JsonObject | None
    unreadable: bool = False
    hapi_codes: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hapi_codes", frozenset(_hapi_codes(self.resource)))


def unless_misdirected(outcome: Other | Rejected) -> Other | Rejected | TryAgain:
    """For who can wait: what did not get to the FHIR server may get there later, and is no refusal by it."""
    if isinstance(outcome, Rejected) and outcome.misdirected:
        return TryAgain(f"{outcome.reason}, and not in the words of a FHIR server", astray=True)
    return outcome


def judge_write(reply: Reply) -> Outcome:
    """The outcome of a create, update or transaction.

    A 5xx does not say whether the server, or a proxy before it, had already carried the request out: Unknown, unless
    HAPI says that the database refused it (HAPI-0550) or that it is too busy (503). 409 and 412 are other writers, or
    If-Match (HAPI: 409, others: 412), except for 412 about the request itself.
    """
    status = reply.status
    if 200 <= status < 300:
        # Who names the id in Location has stored it, whatever the body is.
        if reply.unreadable and id_of(reply.headers.get("Location")) is None:
            return Unknown(f"{status}, and a body that is not a FHIR resource", astray=True)
        return Delivered(status, reply.resource, *_id_and_version(reply))
    if status in {401, 409, 425, 429, 503} or (status >= 500 and _rolled_back(reply)):
        return _try_again(reply)
    if status == 412 and not reply.hapi_codes & {"0539", "0958"}:
        return _try_again(reply)
    if status >= 500 or status == 408:
        return Unknown(_reason(reply), _retry_after(reply.headers), astray=reply.resource is None)
    return _rejected(reply)


def judge_read(reply: Reply) -> Outcome:
    """The outcome of a read, where asking again does no harm."""
    status = reply.status
    if 200 <= status < 300 and (reply.resource or {}).get("resourceType"):
        return Delivered(status, reply.resource, *_id_and_version(reply))
    if 200 <= status < 300:
        return TryAgain(f"{status}, and a body that is not a FHIR resource", astray=True)
    if status in {401, 408, 409, 425, 429} or status >= 500:
        return _try_again(reply)
    return _rejected(reply)


def version_of(etag: str | None) -> str | None:
    """`W/"2"`, `"2"` and HAPI's bare `2` (in a transaction's reply) alike; versions are opaque text."""
    if not etag:
        return None
    return etag.removeprefix("W/").strip('"') or None


def id_of(location: str | None) -> str | None:
    """The id in `[base/]Type/id[/_history/1]`. Only the id: the address may lead to another host."""
    match = re.search(r"[A-Z][A-Za-z]+/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?/?$", location or "")
    return match.group(1) if match else None


def _id_and_version(reply: Reply) -> tuple[str | None, str | None]:
    resource = reply.resource or {}
    held = (resource.get("meta") or {}).get("versionId")
    # HAPI's Bundles have ids too, and those are not of anything that was stored.
    own = None if resource.get("resourceType") in {"Bundle", "OperationOutcome"} else resource.get("id")
    # A number is no id in R4, and yet what some servers count their versions with.
    version = version_of(reply.headers.get("ETag")) or (str(held) if isinstance(held, str | int) else None)
    return id_of(reply.headers.get("Location")) or own, version


def _rolled_back(reply: Reply) -> bool:
    """https://github.com/hapifhir/hapi-fhir/issues/5131: a lost race may come as 500."""
    return "0550" in reply.hapi_codes


def _try_again(reply: Reply) -> TryAgain:
    return TryAgain(_reason(reply), _retry_after(reply.headers), astray=reply.resource is None)


def _rejected(reply: Reply) -> Rejected:
    outcome = reply.resource if (reply.resource or {}).get("resourceType") == "OperationOutcome" else None
    return Rejected(_reason(reply), reply.status, outcome)


def _reason(reply: Reply) -> str:
    """Status, HAPI's numbers, and for each error its code and path: what cannot hold a patient's words."""
    parts = [str(reply.status), *sorted(f"HAPI-{code}" for code in reply.hapi_codes)]
    for issue in _issues(reply.resource):
        if issue.get("severity") in ("error", "fatal"):
            places = issue.get("expression") or issue.get("location") or ()
            place = next((text for text in places if isinstance(text, str) and _PATH.fullmatch(text)), None)
            code = issue.get("code") if _CODE.fullmatch(str(issue.get("code"))) else "error"
            parts.append(f"{code} at {place}" if place else f"{code}")
    return ", ".join(dict.fromkeys(parts))[:500]


_PATH = re.compile(r"[A-Za-z][A-Za-z0-9.\[\]()_]{0,199}")
_CODE = re.compile(r"[a-z\-]{1,40}")
_SECONDS = re.compile(r"[0-9]{1,9}")


def _issues(resource: JsonObject | None) -> Sequence[JsonObject]:
    issues = (resource or {}).get("issue", [])
    return [issue for issue in issues if isinstance(issue, Mapping)] if isinstance(issues, list) else []


def _hapi_codes(resource: JsonObject | None) -> list[str]:
    """HAPI nests its numbers in the text ("HAPI-0550: HAPI-2745: ..."), so all of them count."""
    return [
        code for issue in _issues(resource) for code in re.findall(r"HAPI-(\d{4})", str(issue.get("diagnostics", "")))
    ]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, or a date measured against the server's own clock (RFC 9110, 10.2.3); nonsense is no wish."""
    wish = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(wish):
        return float(wish)
    try:
        return max(0.0, (parsedate_to_datetime(wish) - parsedate_to_datetime(headers["Date"])).total_seconds())
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
