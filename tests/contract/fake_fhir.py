"""A small FHIR R4 server in this process, on a real socket, that fails on demand.

It keeps to what the delivery relies on and refuses what HAPI refuses (`tests/contract` runs the same tests on both):
read, search, conditional create, If-Match, transactions with urn:uuid references, no foreign or dangling references.
"""

from __future__ import annotations

import copy
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Resource = dict[str, Any]
PAGE = 20


class Refused(Exception):
    """An HTTP status with one OperationOutcome issue, as HAPI words it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the next write. Without `status` the connection is dropped.

    `after_commit`: the write is carried out first, so that only its reply is lost or wrong.
    """

    status: int | None = None
    after_commit: bool = False
    text: str = "fault on demand"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


def _told(body: str, status: int = 200) -> Fault:
    return Fault(status=status, body=body.encode())


ODD_SUCCESSES = (
    _told(""),
    _told("", 201),
    _told("", 202),
    _told("", 204),
    _told("<html>welcome</html>"),
    _told('{"ok":true}'),
    _told('{"resourceType":"OperationOutcome","id":"made-up"}'),
    _told('{"resourceType":"Bundle","id":"made-up","type":"searchset","total":0}'),
    _told('{"resourceType":"Bundle","entry":[{"response":{"status":"201 Created"}}]}'),
    _told('{"resourceType":"Bundle","type":"batch-response","entry":[{"response":{"status":"201 Created"}}]}'),
    _told('{"resourceType":"Bundle","type":"transaction-response"}'),
    _told('{"resourceType":"Bundle","type":"transaction-response","entry":null}'),
    _told('{"resourceType":"Bundle","type":"transaction-response","entry":[]}'),
    _told('{"resourceType":"Bundle","type":"transaction-response","entry":[1]}'),
    _told('{"resourceType":"Bundle","type":"transaction-response","entry":[{}]}'),
    _told('{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":[]}]}'),
    _told('{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{}}]}'),
    _told('{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"location":7}}]}'),
    _told('{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"status":"422 Oh"}}]}'),
    _told('{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"status":500}}]}'),
)
"""Replies of servers, proxies and portals that are a success by their status, and do not say what was written."""

MISDIRECTIONS = (
    _told("<html>default backend - 404</html>", 404),
    _told('{"message":"no Route matched with those values"}', 404),
    _told("", 404),
    _told("<html>forbidden by a rule</html>", 403),
    _told("", 405),
    _told("<html>The plain HTTP request was sent to HTTPS port</html>", 400),
    _told("", 421),
    Fault(status=301, body=b"", headers={"Location": "https://elsewhere.example/fhir"}),
    Fault(status=302, headers={"Location": "https://login.example/"}),
    Fault(status=307, body=b"", headers={"Location": "https://elsewhere.example/fhir"}),
)
"""Refusals by what stands before a FHIR server, or in its place for a while."""


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class FakeFhir:
    """The server's state: current resources, their version counts, the faults to come and the requests seen."""

    def __init__(self, *, fhir_version: str = "4.0.1", if_match_status: int = 409) -> None:
        self.fhir_version = fhir_version
        self.if_match_status = if_match_status
        self.resources: dict[tuple[str, str], Resource] = {}
        self.faults: list[Fault] = []
        self.read_faults: list[Fault] = []
        self.metadata_faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.before_write: Callable[[], None] = lambda: None
        self.url = ""
        self._next_id = 1000
        self._lock = threading.RLock()

    @property
    def introductions(self) -> int:
        """How often it was asked what it is."""
        return sum(seen.path == "/fhir/metadata" for seen in self.seen)

    @property
    def writes(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.method in {"POST", "PUT"} and "$" not in seen.path]

    # --- the interactions -----------------------------------------------------------------------------------------

    def search(self, resource_type: str, parameters: Mapping[str, str]) -> list[Resource]:
        wanted = {name: value for name, value in parameters.items() if name not in {"_count", "_offset", "_sort"}}
        with self._lock:
            return [
                resource
                for (kind, _), resource in self.resources.items()
                if kind == resource_type and all(_matches(resource, *each) for each in wanted.items())
            ]

    def create(self, resource: Resource, if_none_exist: str | None = None) -> tuple[int, Resource]:
        with self._lock:
            if if_none_exist:
                parameters = dict(parse_qsl(if_none_exist.lstrip("?")))
                found = self.search(resource["resourceType"], parameters)
                if len(found) > 1:
                    raise Refused(412, "HAPI-0958: Failed to CREATE resource with match URL, 2 matches")
                if found:
                    return 200, found[0]
                if not all(_matches(resource, *each) for each in parameters.items()):
                    raise Refused(400, "HAPI-0929: the resource does not match its own URL")
            self._next_id += 1
            return 201, self._store({**resource, "id": str(self._next_id)}, 1)

    def update(
        self, resource_type: str, resource_id: str, resource: Resource, if_match: str | None
    ) -> tuple[int, Resource]:
        with self._lock:
            if (resource.get("resourceType"), resource.get("id")) != (resource_type, resource_id):
                raise Refused(400, "HAPI-0420: id in the body and in the URL differ")
            held = self.resources.get((resource_type, resource_id))
            if held is None and resource_id.isdigit():
                raise Refused(400, "HAPI-0960: client-assigned ids must not be numbers")
            version = held["meta"]["versionId"] if held else None
            if if_match is not None and if_match.removeprefix("W/").strip('"') != version:
                raise Refused(self.if_match_status, "HAPI-0550: HAPI-0989: If-Match does not fit")
            if held and _without_meta(held) == _without_meta(resource):
                return 200, held
            return (200 if held else 201), self._store(resource, int(version or 0) + 1)

    def transaction(self, bundle: Resource) -> Resource:
        """All entries or none; POSTs before PUTs, and references by urn:uuid replaced by the ids that came out."""
        with self._lock:
            before, next_id = dict(self.resources), self._next_id
            try:
                return self._run(bundle)
            except Refused:
                self.resources, self._next_id = before, next_id
                raise

    def _run(self, bundle: Resource) -> Resource:
        entries = copy.deepcopy(bundle["entry"])
        known: dict[str, str] = {}
        # Ids first: a created resource may refer to a later one.
        for entry in entries:
            known |= self._planned(entry)
        replies = []
        for entry in sorted(entries, key=lambda each: each["request"]["method"]):
            replies.append((entry, self._carry_out(entry, known)))
        by_entry = {id(entry): reply for entry, reply in replies}
        return {
            "resourceType": "Bundle",
            "type": "transaction-response",
            "entry": [{"response": by_entry[id(entry)]} for entry in entries],
        }

    def _planned(self, entry: Resource) -> dict[str, str]:
        resource, request = entry["resource"], entry["request"]
        full_url = entry.get("fullUrl", "")
        if full_url and not full_url.startswith("urn:uuid:"):
            raise Refused(400, "HAPI-0533: Invalid placeholder ID found")
        if request["method"] == "PUT":
            return {full_url: request["url"]}
        parameters = dict(parse_qsl(request.get("ifNoneExist", "").lstrip("?")))
        found = self.search(resource["resourceType"], parameters) if parameters else []
        if found:
            entry["found"] = found[0]["id"]
            return {full_url: f"{resource['resourceType']}/{found[0]['id']}"}
        self._next_id += 1
        entry["planned"] = str(self._next_id)
        return {full_url: f"{resource['resourceType']}/{self._next_id}"}

    def _carry_out(self, entry: Resource, known: Mapping[str, str]) -> Resource:
        request = entry["request"]
        resource = _replaced(entry["resource"], known)
        if request["method"] == "PUT":
            resource_type, resource_id = request["url"].split("/")
            self._check_references(resource, set(known.values()))
            status, stored = self.update(resource_type, resource_id, resource, request.get("ifMatch"))
        elif "found" in entry:
            status, stored = self.create(entry["resource"], request.get("ifNoneExist"))
        else:
            self._check_references(resource, set(known.values()))
            parameters = dict(parse_qsl(request.get("ifNoneExist", "").lstrip("?")))
            if not all(_matches(resource, *each) for each in parameters.items()):
                raise Refused(400, "HAPI-0929: the resource does not match its own URL")
            status, stored = 201, self._store({**resource, "id": entry["planned"]}, 1)
        version = stored["meta"]["versionId"]
        location = f"{stored['resourceType']}/{stored['id']}/_history/{version}"
        return {"status": "201 Created" if status == 201 else "200 OK", "location": location, "etag": version}

    def _check_references(self, resource: Resource, planned: set[str]) -> None:
        for reference in _references(resource):
            if ":" in reference:
                raise Refused(400, "HAPI-0507: Resource contains external reference")
            if not reference.startswith("#") and reference not in planned:
                kind, _, key = reference.partition("/")
                if (kind, key) not in self.resources:
                    raise Refused(400, f"HAPI-1094: Resource {reference} not found")

    def _store(self, resource: Resource, version: int) -> Resource:
        stored = {**resource, "meta": {**resource.get("meta", {}), "versionId": str(version)}}
        self.resources[stored["resourceType"], stored["id"]] = stored
        return stored


@contextmanager
def running(fake: FakeFhir) -> Iterator[FakeFhir]:
    """`fake` answering on a free loopback port; its address is `fake.url`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (_Door,), {"fake": fake}))
    server.daemon_threads = True
    server.block_on_close = False
    fake.url = f"http://127.0.0.1:{server.server_address[1]}/fhir"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Door(BaseHTTPRequestHandler):
    fake: FakeFhir
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Silent: test output is for failures."""

    def do_GET(self) -> None:
        self._see(None)
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/fhir").strip("/").split("/")
        faults = self.fake.metadata_faults if path == ["metadata"] else self.fake.read_faults
        if faults:
            return self._fail(faults.pop(0))
        if path == ["metadata"]:
            return self._send(200, {"resourceType": "CapabilityStatement", "fhirVersion": self.fake.fhir_version})
        if len(path) == 2:
            held = self.fake.resources.get((path[0], path[1]))
            if held is None:
                return self._refuse(Refused(404, f"HAPI-2001: Resource {path[0]} is not known"))
            return self._send(200, held, {"ETag": f'W/"{held["meta"]["versionId"]}"'})
        return self._send(200, self._page(path[0], dict(parse_qsl(parts.query))))

    def do_POST(self) -> None:
        body = self._see(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        path = urlsplit(self.path).path.removeprefix("/fhir").strip("/")
        if path.endswith("/$validate"):
            return self._send(200, {"resourceType": "OperationOutcome", "issue": []})
        if not path:
            return self._write(lambda: (200, self.fake.transaction(body)))

        def create() -> tuple[int, Resource]:
            self.fake._check_references(body, set())
            return self.fake.create(body, self.headers.get("If-None-Exist"))

        return self._write(create)

    def do_PUT(self) -> None:
        body = self._see(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        path = urlsplit(self.path).path.removeprefix("/fhir").strip("/").split("/")

        def update() -> tuple[int, Resource]:
            self.fake._check_references(body, set())
            return self.fake.update(path[0], path[1], body, self.headers.get("If-Match"))

        return self._write(update)

    def _write(self, carry_out: Callable[[], tuple[int, Resource]]) -> None:
        self.fake.before_write()
        fault = self.fake.faults.pop(0) if self.fake.faults else None
        if fault and not fault.after_commit:
            return self._fail(fault)
        try:
            status, stored = carry_out()
        except Refused as refused:
            return self._refuse(refused)
        if fault:
            return self._fail(fault)
        headers = {}
        if "id" in stored:
            version = stored["meta"]["versionId"]
            headers["ETag"] = f'W/"{version}"'
            headers["Location"] = f"{self.fake.url}/{stored['resourceType']}/{stored['id']}/_history/{version}"
        return self._send(status, stored, headers)

    def _page(self, resource_type: str, parameters: dict[str, str]) -> Resource:
        found = self.fake.search(resource_type, parameters)
        start, size = int(parameters.get("_offset", 0)), int(parameters.get("_count", PAGE))
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        bundle["entry"] = [{"resource": each, "search": {"mode": "match"}} for each in found[start : start + size]]
        if start + size < len(found):
            query = "&".join(f"{name}={value}" for name, value in {**parameters, "_offset": start + size}.items())
            bundle["link"] = [{"relation": "next", "url": f"{self.fake.url}/{resource_type}?{query}"}]
        return bundle

    def _see(self, body: bytes | None) -> Any:
        parsed = json.loads(body) if body else None
        self.fake.seen.append(Seen(self.command, self.path, dict(self.headers), parsed))
        return parsed

    def _fail(self, fault: Fault) -> None:
        if fault.body is not None:
            return self._send_bytes(fault.status or 200, fault.body, fault.headers)
        if fault.status is not None:
            return self._refuse(Refused(fault.status, fault.text), fault.headers)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
        return None

    def _refuse(self, refused: Refused, headers: Mapping[str, str] | None = None) -> None:
        issue = {"severity": "error", "code": "processing", "diagnostics": refused.text}
        self._send(refused.status, {"resourceType": "OperationOutcome", "issue": [issue]}, headers)

    def _send(self, status: int, resource: Resource, headers: Mapping[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(resource).encode(), headers or {})

    def _send_bytes(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/fhir+json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _matches(resource: Resource, name: str, value: str) -> bool:
    """A comma is an "or", unless it is escaped (https://hl7.org/fhir/R4/search.html#escaping)."""
    return any(_matches_one(resource, name, each) for each in re.split(r"(?<!\\),", value))


def _matches_one(resource: Resource, name: str, value: str) -> bool:
    if name in {"subject", "patient"}:
        reference = resource.get("subject", {}).get("reference")
        return reference == value or (name == "patient" and reference == f"Patient/{value}")
    if name in {"code", "type", "category", "_tag", "identifier"}:
        return any(_is_token(token, value) for token in _tokens(resource, name))
    if name == "target":
        return any(target.get("reference") == value for target in resource.get("target", ()))
    if name == "_id":
        return bool(resource["id"] == value)
    return bool(resource.get(name) == value)


def _tokens(resource: Resource, name: str) -> Iterator[tuple[str | None, str | None]]:
    if name == "identifier":
        identifiers = resource.get("identifier", [])
        for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
            yield identifier.get("system"), identifier.get("value")
        return
    values = resource.get("meta", {}).get("tag", []) if name == "_tag" else resource.get(name, [])
    for value in values if isinstance(values, list) else [values]:
        for coding in value.get("coding", [value]):
            yield coding.get("system"), coding.get("code")


def _is_token(token: tuple[str | None, str | None], wanted: str) -> bool:
    *system, code = (re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\)\|", wanted, maxsplit=1))
    return token[1] == code and (not system or token[0] == (system[0] or None))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield re.sub(r"/_history/.*$", "", value["reference"])
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _replaced(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            name: known.get(inner, inner) if name == "reference" and isinstance(inner, str) else _replaced(inner, known)
            for name, inner in value.items()
        }
    return [_replaced(inner, known) for inner in value] if isinstance(value, list) else value


def _without_meta(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if name != "meta"}
