"""What the server's own `$validate` says of what it holds (http://hl7.org/fhir/R4/resource-operation-validate.html)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from fhir_app.doctor.clients import RunClient
from fhir_app.doctor.findings import Notes, plain
from fhir_app.doctor.patience import Patience
from fhir_app.fhir.entries import Resource
from fhir_app.fhir.replies import Delivered

_NO_OPERATION = {404, 405}


def validate_all(resources: Sequence[Resource], client: RunClient, patience: Patience, notes: Notes) -> None:
    """The finding `valid`. A server without the operation leaves it untested."""
    problems: list[str] = []
    for number, resource in enumerate(resources, start=1):
        notes.tell(f"$validate {number} of {len(resources)}: {resource['resourceType']}")
        outcome = patience.asked(partial(client.validate, resource))
        if not isinstance(outcome, Delivered):
            status = getattr(outcome, "status", None)
            if status in _NO_OPERATION or outcome.reason.startswith(("404", "405", "501")):
                return notes.untested("valid", f"it has no $validate ({outcome.reason})")
            return notes.failed("valid", f"$validate of {resource['resourceType']}: {outcome.reason}")
        if outcome.status in _NO_OPERATION:
            return notes.untested("valid", f"it has no $validate ({outcome.status})")
        problems += _errors(resource, outcome.resource or {})
    notes.judge("valid", problems, f"{len(resources)} resources")
    return None


def _errors(resource: Resource, outcome: Resource) -> Iterator[str]:
    if outcome.get("resourceType") != "OperationOutcome":
        yield "its $validate does not answer with an OperationOutcome"
        return
    for issue in outcome.get("issue") or ():
        if issue.get("severity") in {"error", "fatal"}:
            details = issue.get("details")
            text = issue.get("diagnostics") or (details.get("text") if isinstance(details, dict) else None)
            yield f"{resource['resourceType']}: {plain(text or issue.get('code'))}"
