"""A FHIR R4 server over HTTP: every call has a timeout, every outcome a type, and no write is ever sent twice here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.exceptions import SSLError as TlsError

from fhir_app.errors import MalformedBody
from fhir_app.fhir.read_json import dump_json, read_json
from fhir_app.fhir.replies import (
    Delivered,
    Found,
    JsonObject,
    Outcome,
    Rejected,
    Reply,
    SearchOutcome,
    TryAgain,
    Unknown,
    judge_read,
    judge_write,
)
from fhir_app.fhir.reply_structure import is_usable

FHIR_JSON = "application/fhir+json"
MOST_PAGES = 50
REPLY_DEPTH = 100


class FhirClient:
    """One server, for one thread: `session` keeps its connections, and is not safe to share.

    `token` is a bearer token, or a function that gives a valid one (it is called for every request, so it should
    remember). `timeout` is seconds to connect and seconds between two bytes of the reply.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | Callable[[], str] | None = None,
        timeout: tuple[float, float] = (5.0, 30.0),
        session: requests.Session | None = None,
    ) -> None:
        """Raises ValueError for an address that is not plain http or https."""
        parts = urlsplit(base_url)
        foreign = parts.query or parts.fragment or parts.username or _origin(base_url) is None
        if parts.scheme not in {"http", "https"} or not parts.netloc or foreign:
            raise ValueError("the address of a FHIR server is http(s)://host[:port]/path and nothing more")
        self.base_url = base_url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._session = session or requests.Session()
        # No proxies, .netrc passwords or certificates from the environment.
        self._session.trust_env = False

    def capability(self) -> Outcome:
        """The CapabilityStatement; Rejected when the server does not speak R4 (any 4.0.x)."""
        outcome = self._read("metadata")
        if isinstance(outcome, Delivered):
            version = str((outcome.resource or {}).get("fhirVersion", ""))
            if not version.startswith("4.0."):
                spoken = version if len(version) < 20 else "an unknown version"
                return Rejected(f"the server speaks FHIR {spoken or 'of no version'}, and 4.0 is needed")
        return outcome

    def read(self, resource_type: str, resource_id: str) -> Outcome:
        return self._read(f"{resource_type}/{quote(resource_id, safe='')}")

    def search(self, resource_type: str, parameters: Mapping[str, str]) -> SearchOutcome:
        """Every match; pages are followed only on this server's own origin, which the token belongs to."""
        address = f"{self.base_url}/{resource_type}?{urlencode(parameters, quote_via=quote)}"
        found: list[JsonObject] = []
        for _ in range(MOST_PAGES):
            outcome = self._get(address)
            if isinstance(outcome, Unknown):
                return TryAgain(outcome.reason)
            if not isinstance(outcome, Delivered):
                return outcome
            page = _page(outcome.resource or {}, resource_type)
            if page is None:
                return TryAgain("the reply to a search is no Bundle", astray=True)
            found += page.matches
            if page.following is None:
                return Found(tuple(found))
            if _origin(page.following) != _origin(self.base_url):
                return Rejected("the next page of a search is on another server")
            address = page.following
        return Rejected(f"a search has more than {MOST_PAGES} pages")

    def create(self, resource: JsonObject, *, if_none_exist: str | None = None) -> Outcome:
        """POST; `if_none_exist` is a search (`identifier=system|value`) that must find nothing.

        https://hl7.org/fhir/R4/http.html#ccreate
        """
        headers = {} if if_none_exist is None else {"If-None-Exist": if_none_exist}
        return self._write("POST", str(resource["resourceType"]), resource, headers)

    def update(self, resource: JsonObject, *, if_match: str | None = None) -> Outcome:
        """PUT under the resource's own id; `if_match` is the version that it must have now."""
        headers = {} if if_match is None else {"If-Match": f'W/"{if_match}"'}
        path = f"{resource['resourceType']}/{quote(str(resource['id']), safe='')}"
        return self._write("PUT", path, resource, headers)

    def transaction(self, bundle: JsonObject) -> Outcome:
        """POST of a transaction Bundle to the base."""
        return self._write("POST", "", bundle, {})

    def validate(self, resource: JsonObject) -> Outcome:
        """`$validate`; changes nothing. Delivered with the OperationOutcome, also when that holds errors."""
        outcome = self._write("POST", f"{resource['resourceType']}/$validate", resource, {})
        if isinstance(outcome, Rejected) and outcome.outcome is not None:
            return Delivered(outcome.status or 0, outcome.outcome)
        return TryAgain(outcome.reason) if isinstance(outcome, Unknown) else outcome

    def _read(self, path: str) -> Outcome:
        return self._get(f"{self.base_url}/{path}")

    def _get(self, address: str) -> Outcome:
        # HAPI keeps the results of a search for a minute unless told not to.
        reply = self._send("GET", address, None, {"Cache-Control": "no-cache"})
        if isinstance(reply, Unknown):
            return TryAgain(reply.reason)
        return reply if isinstance(reply, TryAgain) else judge_read(reply)

    def _write(self, method: str, path: str, resource: JsonObject, headers: Mapping[str, str]) -> Outcome:
        address = f"{self.base_url}/{path}".rstrip("/")
        reply = self._send(method, address, dump_json(resource), {"Content-Type": FHIR_JSON, **headers})
        return reply if isinstance(reply, TryAgain | Unknown) else judge_write(reply)

    def _send(
        self, method: str, address: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Reply | TryAgain | Unknown:
        """One request, once. Never connected is TryAgain; anything that broke later is Unknown."""
        headers = {"Accept": FHIR_JSON, **headers}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token if isinstance(self._token, str) else self._token()}"
        try:
            reply = self._session.request(
                method, address, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            )
        except (requests.RequestException, ValueError) as failure:
            # ValueError: requests reads the address in Location, even where no redirect is followed.
            # The text of these exceptions holds the address, and that may hold an identifier.
            reason = type(failure).__name__
            return TryAgain(f"not reached ({reason})") if _never_sent(failure) else Unknown(f"no reply ({reason})")
        resource, unreadable = _body(reply.content)
        return Reply(reply.status_code, reply.headers, resource, unreadable)


def _never_sent(failure: requests.RequestException | ValueError) -> bool:
    """Whether the connection was not even made: name, refusal, certificate, time-out while connecting."""
    if isinstance(failure, requests.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    reason: object = getattr(failure.args[0] if failure.args else None, "reason", None)
    if isinstance(reason, NewConnectionError | NameResolutionError):
        return True
    # Other TLS faults may come in the middle of a reply.
    return isinstance(reason, TlsError) and "CERTIFICATE_VERIFY_FAILED" in f"{reason}"


def _body(content: bytes) -> tuple[JsonObject | None, bool]:
    """The resource, and whether there was something that is none that can be used."""
    if not content.strip():
        return None, False
    try:
        resource = read_json(content, max_depth=REPLY_DEPTH)
    except MalformedBody:
        return None, True
    return (resource, False) if is_usable(resource) else (None, True)


@dataclass(frozen=True)
class _Page:
    matches: tuple[JsonObject, ...]
    following: str | None


def _page(bundle: JsonObject, resource_type: str) -> _Page | None:
    """Included resources and warnings (`search.mode` `include`, `outcome`) are no matches. None: not a Bundle, or
    one with a match that has no id."""
    if bundle.get("resourceType") != "Bundle":
        return None
    matches = [
        entry["resource"]
        for entry in bundle.get("entry", [])
        if entry.get("search", {}).get("mode", "match") == "match"
        and (entry.get("resource") or {}).get("resourceType") == resource_type
    ]
    if not all(match.get("id") for match in matches):
        return None
    following = next((link.get("url", "") for link in bundle.get("link", []) if link.get("relation") == "next"), None)
    return _Page(tuple(matches), following)


def _origin(address: str) -> tuple[str, str | None, int] | None:
    """None for what is no address: any other origin than ours."""
    try:
        parts = urlsplit(address)
        return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
