"""The fake server as a public sandbox: it declares what it can do, deletes, and errs on demand at chosen requests."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.contract.fake_fhir import FakeFhir, Fault, Refused, Resource, _Door, _references

TYPES = ("Patient", "Organization", "Device", "QuestionnaireResponse", "Observation", "DocumentReference", "Provenance")
HANG = Fault(text="hang")


def capability(
    *, transactions: bool = True, conditional: bool = True, client_ids: bool = True, version: str = "4.0.1"
) -> Resource:
    resources = [{"type": kind, "conditionalCreate": conditional, "updateCreate": client_ids} for kind in TYPES]
    interactions = [{"code": "transaction"}] if transactions else []
    return {
        "resourceType": "CapabilityStatement",
        "fhirVersion": version,
        "software": {"name": "Sandbox", "version": "1"},
        "rest": [{"mode": "server", "interaction": interactions, "resource": resources}],
    }


class Sandbox(FakeFhir):
    """`strike` looks at method and path of each request, and may have it fail.

    `ignores`: search parameters that it does not know and overlooks. `drops`: elements that it does not keep.
    `doubles`: types for which it overlooks conditions of creation. `invalid`: what its $validate finds.
    """

    def __init__(self, declared: Resource | None = None) -> None:
        super().__init__()
        self.declared = declared or capability()
        self.strike: Callable[[str, str], Fault | None] = lambda method, path: None
        self.ignores: set[str] = set()
        self.drops: set[str] = set()
        self.doubles: set[str] = set()
        self.invalid: list[Resource] = []
        self.deletes = True
        self.deleted: list[tuple[str, str]] = []
        self.hung = threading.Event()

    def search(self, resource_type: str, parameters: Mapping[str, str]) -> list[Resource]:
        return super().search(
            resource_type, {name: value for name, value in parameters.items() if name not in self.ignores}
        )

    def create(self, resource: Resource, if_none_exist: str | None = None) -> tuple[int, Resource]:
        return super().create(resource, None if resource["resourceType"] in self.doubles else if_none_exist)

    def transaction(self, bundle: Resource) -> Resource:
        for entry in bundle["entry"]:
            if entry["resource"]["resourceType"] in self.doubles:
                entry["request"].pop("ifNoneExist", None)
        return super().transaction(bundle)

    def delete(self, resource_type: str, resource_id: str) -> None:
        """Refuses what something else refers to, as HAPI does."""
        with self._lock:
            key = (resource_type, resource_id)
            if not self.deletes:
                raise Refused(405, "HAPI-0000: no deletion here")
            if key not in self.resources:
                raise Refused(404, "HAPI-2001: not known")
            others = [each for each in self.resources.values() if (each["resourceType"], each["id"]) != key]
            if any("/".join(key) in set(_references(each)) for each in others):
                raise Refused(409, "HAPI-0550: HAPI-0515: something refers to it")
            del self.resources[key]
            self.deleted.append(key)

    def _store(self, resource: Resource, version: int) -> Resource:
        return super()._store({name: value for name, value in resource.items() if name not in self.drops}, version)

    def held(self, *kinds: str) -> list[Resource]:
        return [resource for (kind, _), resource in self.resources.items() if kind in kinds]


@contextmanager
def open_sandbox(sandbox: Sandbox) -> Iterator[Sandbox]:
    """`sandbox` answering on a free loopback port; its address is `sandbox.url`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (_SandboxDoor,), {"fake": sandbox}))
    server.daemon_threads = True
    server.block_on_close = False
    sandbox.url = f"http://127.0.0.1:{server.server_address[1]}/fhir"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield sandbox
    finally:
        sandbox.hung.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _SandboxDoor(_Door):
    fake: Sandbox

    def do_GET(self) -> None:  # noqa: N802
        if self._struck():
            return
        if self._path == "metadata":
            self._see(None)
            self._send(200, self.fake.declared)
        else:
            super().do_GET()

    def do_POST(self) -> None:  # noqa: N802
        if self._struck():
            return
        if self._path.endswith("$validate"):
            self._see(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self._send(200, {"resourceType": "OperationOutcome", "issue": self.fake.invalid})
        else:
            super().do_POST()

    def do_PUT(self) -> None:  # noqa: N802
        if not self._struck():
            super().do_PUT()

    def do_DELETE(self) -> None:  # noqa: N802
        if self._struck():
            return
        self._see(None)
        kind, _, key = self._path.partition("/")
        try:
            self.fake.delete(kind, key)
        except Refused as refused:
            self._refuse(refused)
        else:
            self._send_bytes(204, b"", {})

    @property
    def _path(self) -> str:
        return urlsplit(self.path).path.removeprefix("/fhir").strip("/")

    def _struck(self) -> bool:
        """Whether the request has failed here. A fault after the commit is left to the writing."""
        fault = self.fake.strike(self.command, self._path)
        if fault is None:
            return False
        if fault.after_commit:
            self.fake.faults.insert(0, fault)
            return False
        self._see(self.rfile.read(int(self.headers.get("Content-Length", 0))) or None)
        if fault is HANG:
            self.fake.hung.wait(10)
            self.close_connection = True
        else:
            self._fail(fault)
        return True


def at(method: str, path: str, fault: Fault, times: int = 1_000_000) -> Callable[[str, str], Fault | None]:
    """Strikes the first `times` requests of this method whose path matches."""
    left = [times]

    def strike(seen_method: str, seen_path: str) -> Fault | None:
        if left[0] and seen_method == method and re.fullmatch(path, seen_path):
            left[0] -= 1
            return fault
        return None

    return strike


def owned(resource: Any, run: str) -> bool:
    return any(tag.get("code") == run for tag in resource.get("meta", {}).get("tag", ()))
