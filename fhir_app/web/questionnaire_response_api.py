"""The doors of the intake: create, notify, $validate and $assess of a QuestionnaireResponse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from fhir_app.errors import MalformedBody
from fhir_app.fhir.outcome import operation_outcome
from fhir_app.fhir.read_json import dump_json, read_json
from fhir_app.submission import Submissions
from fhir_app.web.access import caller
from fhir_app.web.negotiation import fhir_reply, preference, read_body
from fhir_app.web.results_api import version_headers, version_url

_RETURN = ("minimal", "representation", "OperationOutcome")


def create(submissions: Submissions) -> Response:
    """`POST QuestionnaireResponse` (https://hl7.org/fhir/R4/http.html#create).

    201 with the location when it is accepted, 200 with the same location when it was accepted before, 422 with every
    issue when it is not valid.
    """
    submitted = submissions.submit(read_body(), origin=caller().origin)
    if submitted.status_code >= 400:
        return fhir_reply(operation_outcome(submitted.issues), submitted.status_code)
    held = submitted.response
    headers = {**version_headers(held), "Location": version_url(held)} if held else {}
    wanted = preference("return", _RETURN) or "representation"
    if wanted == "OperationOutcome" or (held is None and wanted != "minimal"):
        return fhir_reply(operation_outcome(submitted.issues), submitted.status_code, headers)
    if wanted == "minimal" or held is None:
        return Response(status=submitted.status_code, headers=headers)
    return fhir_reply(held.served, submitted.status_code, headers)


def notify(submissions: Submissions, notified_id: str) -> Response:
    """`PUT QuestionnaireResponse/{id}`: a FHIR server tells of a response that it holds (R4 rest-hook Subscription).

    Its If-Match is about its own versions, so it is not looked at. The reply is always an OperationOutcome in FHIR's
    own media type, because a HAPI server takes any other JSON for a failure and sends again. 422 is for good: the
    same refusal is given, cheaply, to each of its further tries.
    """
    submitted = submissions.submit(read_body(), origin=caller().origin, notified_id=notified_id)
    return fhir_reply(operation_outcome(submitted.issues), 422 if submitted.status_code == 422 else 200)


def validate(submissions: Submissions) -> Response:
    """`$validate` (https://hl7.org/fhir/R4/resource-operation-validate.html): 200 and every issue; nothing is kept."""
    return fhir_reply(operation_outcome(submissions.validate(_operand(read_body()))))


def assess(submissions: Submissions) -> Response:
    """`$assess`: the transaction Bundle that a destination would get; nothing is kept or sent."""
    return fhir_reply(submissions.assess_only(_operand(read_body()), origin=caller().origin))


def _operand(body: bytes) -> bytes:
    """The resource itself, as sent or wrapped in Parameters (https://hl7.org/fhir/R4/operations.html#request)."""
    if b'"Parameters"' not in body:
        return body
    parameters = read_json(body)
    if parameters.get("resourceType") != "Parameters":
        return body
    entries = parameters.get("parameter")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and entry.get("name") == "resource":
            resource: Any = entry.get("resource")
            if isinstance(resource, Mapping):
                return dump_json(resource)
    raise MalformedBody("Parameters must hold the response as the parameter named resource.")
