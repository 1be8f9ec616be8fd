"""What the two ends of a request speak: media types, `Prefer`, body bytes, our own address.

https://hl7.org/fhir/R4/http.html#general
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, current_app, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_accept_header

from fhir_app.errors import NotAcceptable, TooLarge, UnsupportedMediaType
from fhir_app.fhir.read_json import dump_json

FHIR_JSON = "application/fhir+json"
_JSON = {FHIR_JSON, "application/json", "application/json+fhir", "text/json"}  # the last two are older clients' names
_ANYTHING = {"*/*", "application/*", "*"}
_FORMATS = _JSON | {"json", "application/fhir json"}  # a "+" that was not escaped arrives as a space


def read_body() -> bytes:
    """The body's bytes, exactly as received. Raises UnsupportedMediaType or TooLarge.

    JSON by its media type; in UTF-8 (https://hl7.org/fhir/R4/json.html), FHIR 4.0 where a version is named, unpacked.
    """
    if request.mimetype not in _JSON:
        raise UnsupportedMediaType(f"The body must be {FHIR_JSON}.")
    parameters = request.mimetype_params
    if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType("FHIR's JSON is always UTF-8.")
    if not parameters.get("fhirversion", "4.0").startswith("4.0"):
        raise UnsupportedMediaType("This service speaks FHIR 4.0.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("The body must not be compressed.")
    most: int = current_app.config["MAX_CONTENT_LENGTH"]
    # Of a body without Content-Length werkzeug reads the first so many bytes and says nothing: one more tells.
    request.max_content_length = most + 1
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        body = None
    if body is None or len(body) > most:
        raise TooLarge(f"The body is larger than {most} bytes.")
    return body


def check_acceptable() -> None:
    """Raises NotAcceptable when the caller takes no JSON. `_format` overrides Accept."""
    wanted = request.args.get("_format")
    if wanted is not None:
        if wanted.split(";")[0].strip().lower() not in _FORMATS:
            raise NotAcceptable(f"This service answers in {FHIR_JSON} only.")
        return
    if not request.headers.get("Accept", "").strip():  # an empty one asks for nothing
        return
    if not any(_is_ours(kind) for kind, quality in _accepted() if quality):
        raise NotAcceptable(f"This service answers in {FHIR_JSON} only.")


def _accepted() -> MIMEAccept:
    """Java's own client writes `*; q=.2`, whose number is not quite as RFC 9110 wants it."""
    return parse_accept_header(request.headers.get("Accept", "").replace("q=.", "q=0."), MIMEAccept)


def _is_ours(media_range: str) -> bool:
    kind, *parameters = [part.strip().lower() for part in media_range.split(";")]
    version = next((p.split("=", 1)[1].strip('"') for p in parameters if p.startswith("fhirversion=")), "4.0")
    return version.startswith("4.0") and kind in _JSON | _ANYTHING


def _reply_type() -> str:
    """`application/json` for those who ask for exactly that, FHIR's own type for everybody else."""
    if "_format" in request.args:
        return FHIR_JSON
    kinds = [kind.split(";")[0].strip().lower() for kind, _ in _accepted()]
    return "application/json" if kinds and set(kinds) <= {"application/json", "text/json"} else FHIR_JSON


def preference(name: str, allowed: Sequence[str]) -> str | None:
    """The value of `name` in `Prefer` (RFC 7240) if it is one that we know, else None: unknown ones are ignored."""
    for line in request.headers.getlist("Prefer"):
        for part in line.replace(";", ",").split(","):
            key, _, value = part.strip().partition("=")
            if key.strip().lower() == name:
                wanted = value.strip().strip('"')
                return next((each for each in allowed if each.lower() == wanted.lower()), None)
    return None


def is_strict() -> bool:
    """`Prefer: handling=strict` (https://hl7.org/fhir/R4/search.html#errors)."""
    return preference("handling", ("strict", "lenient")) == "strict"


def base_url() -> str:
    """`[base]`: as configured, else as the caller called us."""
    configured: str | None = current_app.config["BASE_URL"]
    return f"{configured or request.host_url.rstrip('/')}/fhir"


def fhir_reply(
    resource: Mapping[str, Any] | bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A resource, as a dict or as bytes that are JSON already."""
    body = resource if isinstance(resource, bytes) else dump_json(resource)
    reply = Response(body, status, content_type=f"{_reply_type()}; charset=utf-8")
    reply.headers.extend(headers or {})
    return reply
