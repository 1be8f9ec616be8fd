"""The FHIR door: every route under /fhir, https://hl7.org/fhir/R4/http.html"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from fhir_app.errors import MalformedBody, NotFound, UnsupportedMediaType
from fhir_app.store.database import Database
from fhir_app.submission import Submissions
from fhir_app.web import questionnaire_response_api as intake
from fhir_app.web.capability import capability_statement
from fhir_app.web.definitions_api import DEFINITION_PARAMETERS, DEFINITION_TYPES, Definitions
from fhir_app.web.negotiation import base_url, check_acceptable, fhir_reply, is_strict
from fhir_app.web.results_api import RESULT_PARAMETERS, read_result, search_results
from fhir_app.web.search_parameters import Asked, SearchParameter, read_search

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")  # https://hl7.org/fhir/R4/datatypes.html#id
_FORM = "application/x-www-form-urlencoded"


def fhir_api(
    submissions: Submissions,
    database: Database,
    definitions: Definitions,
    *,
    assess_operation: str,
    secured: bool,
    cors: bool,
) -> Blueprint:
    """All of /fhir for one installation."""
    blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")
    blueprint.before_request(check_acceptable)

    @blueprint.get("/metadata")
    def metadata() -> Response:
        return fhir_reply(
            capability_statement(
                base=base_url(),
                results=RESULT_PARAMETERS,
                definitions=dict.fromkeys(DEFINITION_TYPES, DEFINITION_PARAMETERS),
                assess_operation=assess_operation,
                secured=secured,
                cors=cors,
            )
        )

    _add_intake(blueprint, submissions)
    for resource_type, parameters in RESULT_PARAMETERS.items():
        _add_results(blueprint, database, resource_type, parameters)
    for resource_type in DEFINITION_TYPES:
        _add_definitions(blueprint, definitions, resource_type)
    return blueprint


def _add_intake(blueprint: Blueprint, submissions: Submissions) -> None:
    @blueprint.post("/QuestionnaireResponse")
    def create() -> Response:
        return intake.create(submissions)

    @blueprint.put("/QuestionnaireResponse/<resource_id>")
    def notify(resource_id: str) -> Response:
        return intake.notify(submissions, _checked(resource_id, MalformedBody))

    @blueprint.post("/QuestionnaireResponse/$validate")
    def validate() -> Response:
        return intake.validate(submissions)

    @blueprint.post("/QuestionnaireResponse/$assess")
    def assess() -> Response:
        return intake.assess(submissions)


def _add_results(
    blueprint: Blueprint, database: Database, resource_type: str, parameters: Sequence[SearchParameter]
) -> None:
    def read(resource_id: str) -> Response:
        return read_result(database, resource_type, _checked(resource_id, NotFound))

    def read_version(resource_id: str, version: str) -> Response:
        if not re.fullmatch(r"[1-9]\d{0,8}", version, re.ASCII):
            raise NotFound(f"No such version of this {resource_type} is held here.")
        return read_result(database, resource_type, _checked(resource_id, NotFound), int(version))

    def search(asked: Asked) -> Response:
        return search_results(database, resource_type, asked)

    _add(blueprint, resource_type, "read", f"/{resource_type}/<resource_id>", read)
    _add(blueprint, resource_type, "vread", f"/{resource_type}/<resource_id>/_history/<version>", read_version)
    _add_search(blueprint, resource_type, parameters, search)


def _add_definitions(blueprint: Blueprint, definitions: Definitions, resource_type: str) -> None:
    def read(resource_id: str) -> Response:
        return definitions.read(resource_type, _checked(resource_id, NotFound))

    def search(asked: Asked) -> Response:
        return definitions.search(resource_type, asked)

    _add(blueprint, resource_type, "read", f"/{resource_type}/<resource_id>", read)
    _add_search(blueprint, resource_type, DEFINITION_PARAMETERS, search)


def _add_search(
    blueprint: Blueprint,
    resource_type: str,
    parameters: Sequence[SearchParameter],
    search: Callable[[Asked], Response],
) -> None:
    def by_get() -> Response:
        return search(read_search(_pairs(request.args), parameters, strict=is_strict()))

    def by_post() -> Response:
        if request.mimetype != _FORM:
            raise UnsupportedMediaType(f"A search by POST must be {_FORM}.")
        arguments = [*_pairs(request.args), *_pairs(request.form)]
        return search(read_search(arguments, parameters, strict=is_strict()))

    _add(blueprint, resource_type, "search", f"/{resource_type}", by_get)
    _add(blueprint, resource_type, "search-by-post", f"/{resource_type}/_search", by_post, "POST")


def _add(
    blueprint: Blueprint,
    resource_type: str,
    interaction: str,
    path: str,
    view: Callable[..., Response],
    method: str = "GET",
) -> None:
    blueprint.add_url_rule(path, f"{resource_type}-{interaction}", view, methods=[method])


def _pairs(arguments: MultiDict[str, str]) -> list[tuple[str, str]]:
    return list(arguments.items(multi=True))


def _checked(resource_id: str, error: Callable[[str], Exception]) -> str:
    if not _ID.fullmatch(resource_id):
        raise error("This cannot be an id: 1 to 64 letters, digits, dashes and dots.")
    return resource_id
