"""The only place that wires: settings -> knowledge, store, submissions, delivery, doors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from fhir_app import __version__
from fhir_app.fhir.definitions import definitions
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.parties import Author
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.scrubbed_log import log
from fhir_app.settings import Settings
from fhir_app.store import migrations
from fhir_app.store.database import Database, open_database
from fhir_app.submission import Submissions
from fhir_app.web.access import guard
from fhir_app.web.definitions_api import Definitions
from fhir_app.web.faults import reply_to_error
from fhir_app.web.fhir_api import fhir_api
from fhir_app.web.ops import ops


@dataclass(frozen=True)
class Parts:
    """What one installation consists of. Made once a process by `load_parts`."""

    settings: Settings
    library: Library
    namespace: Namespace
    author: Author
    database: Database
    submissions: Submissions


def load_parts(settings: Settings) -> Parts:
    """Loads knowledge and opens the database. Raises KnowledgeError or UnusableDatabase with everything wrong."""
    root = settings.knowledge or questionnaires_root()
    library = load_library(root)
    namespace = Namespace(settings.namespace)
    author = Author(organization=_organization(settings), software_version=__version__)
    database = open_database(settings.database_url)
    submissions = Submissions(
        library=library,
        database=database,
        namespace=namespace,
        author=author,
        clock=lambda: datetime.now(UTC),
        destination_for=lambda origin: settings.fhir_server_url if origin == settings.fhir_server_url else None,
    )
    return Parts(settings, library, namespace, author, database, submissions)


def create_app(parts: Parts) -> Flask:
    """The WSGI application of one installation."""
    settings = parts.settings
    app = Flask("fhir_app.web")
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["BASE_URL"] = settings.base_url
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask types the provider more loosely than it is
    _log_requests(app)  # first, so that it sees every reply, refusals of the guard included
    guard(app, settings.tokens, settings.default_origin, settings.cors_origins)
    app.register_error_handler(Exception, reply_to_error)
    app.register_blueprint(ops(_checks(parts)))
    app.register_blueprint(
        fhir_api(
            parts.submissions,
            parts.database,
            Definitions(definitions(parts.library, parts.namespace, parts.author)),
            assess_operation=parts.namespace.assess_operation,
            secured=bool(settings.tokens),
            cors=bool(settings.cors_origins),
        )
    )
    if hops := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _organization(settings: Settings) -> Mapping[str, Any] | None:
    if settings.organization_name is None or settings.organization_identifier is None:
        return None
    system, value = settings.organization_identifier.split("|", 1)
    return {
        "resourceType": "Organization",
        "identifier": [{"system": system, "value": value}],
        "name": settings.organization_name,
    }


def _checks(parts: Parts) -> dict[str, Any]:
    def database() -> bool:
        try:
            return migrations.at_head(parts.database)
        except SQLAlchemyError:
            return False

    return {"knowledge": lambda: bool(parts.library.intakes), "database": database}


def _log_requests(app: Flask) -> None:
    """One line a request, by route and never by address: addresses hold ids and search values."""

    @app.before_request
    def start() -> None:
        g.started = perf_counter()

    @app.after_request
    def finish(reply: Response) -> Response:
        log().info(
            "request",
            method=request.method,
            route=str(request.url_rule) if request.url_rule else "none",
            status=reply.status_code,
            milliseconds=round((perf_counter() - g.get("started", perf_counter())) * 1000, 1),
            caller=g.caller.name if "caller" in g else "nobody",
        )
        return reply
