"""A client that tags what it writes, and can take it back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from fhir_app.doctor.run import MADE, Run
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.replies import Delivered, JsonObject, Outcome, Rejected, TryAgain, Unknown, id_of, judge_write


class RunClient(FhirClient):
    """A client whose every write carries the tag of one run; `made` are the ids that the server gave to them."""

    def __init__(
        self, base_url: str, run: Run, *, token: str | Callable[[], str] | None, timeout: tuple[float, float]
    ) -> None:
        super().__init__(base_url, token=token, timeout=timeout)
        self._run = run
        self.made: set[tuple[str, str]] = set()

    def delete(self, resource_type: str, resource_id: str) -> Outcome:
        """DELETE; Delivered as well when it is gone already (http://hl7.org/fhir/R4/http.html#delete)."""
        address = f"{self.base_url}/{resource_type}/{quote(resource_id, safe='')}"
        reply = self._send("DELETE", address, None, {})
        outcome = reply if isinstance(reply, TryAgain | Unknown) else judge_write(reply)
        gone = isinstance(outcome, Rejected) and outcome.status in {404, 410}
        return Delivered(404) if gone else outcome

    def create(self, resource: JsonObject, *, if_none_exist: str | None = None) -> Outcome:
        outcome = super().create(self._run.tagged(resource), if_none_exist=if_none_exist)
        return self._noted(resource, outcome)

    def update(self, resource: JsonObject, *, if_match: str | None = None) -> Outcome:
        return self._noted(resource, super().update(self._run.tagged(resource), if_match=if_match))

    def transaction(self, bundle: JsonObject) -> Outcome:
        entries = [{**entry, "resource": self._run.tagged(entry["resource"])} for entry in bundle["entry"]]
        outcome = super().transaction({**bundle, "entry": entries})
        if isinstance(outcome, Delivered):
            for entry in (outcome.resource or {}).get("entry", ()):
                location = str(entry.get("response", {}).get("location", ""))
                kind = next((kind for kind in MADE if f"/{kind}/" in f"/{location}"), None)
                if kind and (resource_id := id_of(location)):
                    self.made.add((kind, resource_id))
        return outcome

    def _noted(self, resource: JsonObject, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Delivered) and outcome.id and resource["resourceType"] in MADE:
            self.made.add((str(resource["resourceType"]), str(outcome.id)))
        return outcome
