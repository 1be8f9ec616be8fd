"""Errors as replies: what went wrong in public words, and never a traceback or a patient's answer."""

from __future__ import annotations

from uuid import uuid4

from flask import Response, jsonify, request
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from fhir_app.errors import FhirAppError, Issue, NotAuthorised
from fhir_app.fhir.outcome import operation_outcome
from fhir_app.scrubbed_log import frames, log
from fhir_app.web.negotiation import fhir_reply

_ISSUE_TYPES = {
    400: "invalid",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    413: "too-long",
    414: "too-long",
    415: "not-supported",
    429: "throttled",
}


def reply_to_error(error: Exception) -> Response:
    """The one way out for everything that is raised while a request is served."""
    if isinstance(error, FhirAppError):
        return _reply(error.status, error.issues, error)
    if isinstance(error, HTTPException) and error.code is not None and error.code >= 400:
        issue = Issue("error", _ISSUE_TYPES.get(error.code, "processing"), _words(error.code))
        return _reply(error.code, (issue,), error)
    if isinstance(error, HTTPException):  # a redirect, which werkzeug raises as well
        return Response(status=error.code or 500, headers=dict(error.get_headers()))
    if isinstance(error, ParseException):  # by gunicorn, as soon as somebody reads the body
        return _reply(400, (Issue("error", "structure", "The body cannot be read: its chunks are broken."),), error)
    if isinstance(error, OperationalError):
        log().error("database", error=type(error).__name__, frames=frames(error))
        issue = Issue("error", "transient", "The database cannot be reached just now. Nothing was kept; send it again.")
        return _reply(503, (issue,), error)
    error_id = str(uuid4())
    log().error("surprise", error_id=error_id, error=type(error).__name__, frames=frames(error))
    issue = Issue("fatal", "exception", f"Something went wrong here. The log has it as error {error_id}.")
    return _reply(500, (issue,), error)


def _reply(status: int, issues: tuple[Issue, ...], error: Exception) -> Response:
    if request.path.startswith("/fhir/") or request.path == "/fhir":
        reply = fhir_reply(operation_outcome(issues), status)
    else:
        reply = jsonify(error=" ".join(issue.text for issue in issues))
        reply.status_code = status
    if isinstance(error, NotAuthorised):
        reply.headers["WWW-Authenticate"] = 'Bearer realm="fhir-app"'
    if isinstance(error, HTTPException):
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                reply.headers[name] = value
    return reply


def _words(status: int) -> str:
    return {
        400: "The request cannot be read.",
        404: "There is nothing at this address.",
        405: "This address does not take this method.",
        413: "The body is too large.",
        414: "The address is too long.",
    }.get(status, "The request cannot be answered.")
