"""Clients for a server that nobody vouches for: replies are looked at before they are used, and writes are tagged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from fhir_app.doctor.run import MADE, Run
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.replies import Delivered, JsonObject, Outcome, Rejected, Reply, TryAgain, Unknown, id_of, judge_write


class WaryClient(FhirClient):
    """A client that takes a reply of an impossible structure for what it is: no FHIR at all."""

    def delete(self, resource_type: str, resource_id: str) -> Outcome:
        """DELETE; Delivered as well when it is gone already (http://hl7.org/fhir/R4/http.html#delete)."""
        address = f"{self.base_url}/{resource_type}/{quote(resource_id, safe='')}"
        reply = self._send("DELETE", address, None, {})
        outcome = reply if isinstance(reply, TryAgain | Unknown) else judge_write(reply)
        gone = isinstance(outcome, Rejected) and outcome.status in {404, 410}
        return Delivered(404) if gone else outcome

    def _send(
        self, method: str, address: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Reply | TryAgain | Unknown:
        reply = super()._send(method, address, body, headers)
        if isinstance(reply, Reply) and reply.resource is not None and not is_usable(reply.resource):
            return Reply(reply.status, reply.headers, None, unreadable=True)
        return reply


class RunClient(WaryClient):
    """A client whose every write carries the tag of one run; `made` are the ids that the server gave to them."""

    def __init__(
        self, base_url: str, run: Run, *, token: str | Callable[[], str] | None, timeout: tuple[float, float]
    ) -> None:
        super().__init__(base_url, token=token, timeout=timeout)
        self._run = run
        self.made: set[tuple[str, str]] = set()

    def create(self, resource: JsonObject, *, if_none_exist: str | None = None) -> Outcome:
        outcome = super().create(self._run.tagged(resource), if_none_exist=if_none_exist)
        return self._noted(resource, outcome)

    def update(self, resource: JsonObject, *, if_match: str | None = None) -> Outcome:
        return self._noted(resource, super().update(self._run.tagged(resource), if_match=if_match))

    def transaction(self, bundle: JsonObject) -> Outcome:
        entries = [{**entry, "resource": self._run.tagged(entry["resource"])} for entry in bundle["entry"]]
        outcome = super().transaction({**bundle, "entry": entries})
        if isinstance(outcome, Delivered):
            for entry in (outcome.resource or {}).get("entry") or ():
                location = str((entry.get("response") or {}).get("location") or "")
                kind = next((kind for kind in MADE if f"/{kind}/" in f"/{location}"), None)
                if kind and (resource_id := id_of(location)):
                    self.made.add((kind, resource_id))
        return outcome

    def _noted(self, resource: JsonObject, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Delivered) and outcome.id and resource["resourceType"] in MADE:
            self.made.add((str(resource["resourceType"]), str(outcome.id)))
        return outcome


def is_usable(resource: JsonObject) -> bool:
    """Whether the parts of a reply that are looked into are objects, lists and texts where FHIR has them."""
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not isinstance(resource.get("id", ""), str):
        return False
    if kind == "Bundle":
        entries = resource.get("entry", [])
        return _objects(resource.get("link", [])) and _objects(entries) and all(map(_is_usable_entry, entries))
    if kind == "OperationOutcome":
        issues = resource.get("issue", [])
        places = ("expression", "location")
        return _objects(issues) and all(isinstance(issue.get(name, []), list) for issue in issues for name in places)
    meta, identifiers = resource.get("meta", {}), resource.get("identifier", [])
    return (
        isinstance(meta, Mapping)
        and _objects(meta.get("tag", []))
        and _objects([identifiers] if isinstance(identifiers, Mapping) else identifiers)
    )


def _is_usable_entry(entry: Mapping[str, Any]) -> bool:
    resource = entry.get("resource")
    if resource is not None and not (isinstance(resource, Mapping) and is_usable(resource)):
        return False
    return all(isinstance(entry.get(name, {}), Mapping) for name in ("search", "response"))


def _objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)
