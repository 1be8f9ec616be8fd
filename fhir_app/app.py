"""The only place that wires: settings -> knowledge, store, submissions, delivery, doors."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from time import perf_counter
from typing import Any
from uuid import uuid4

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from fhir_app import __version__
from fhir_app.assessment.assessment import Assessment
from fhir_app.delivery import Delivery, DeliveryLoop
from fhir_app.errors import KnowledgeError, SettingsError
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.definitions import definitions
from fhir_app.fhir.destinations import HTML, PLAIN_TEXT, Destination
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.parties import Author
from fhir_app.fhir.received import ReceivedResponse
from fhir_app.fhir.writeback import DocumentContent
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.knowledge.version_gate import check_versions
from fhir_app.leaflets.care import DEFAULT_COUNTRY, CareSetting, care_setting, read_care_settings, without_names
from fhir_app.leaflets.compose import compose
from fhir_app.leaflets.language import choose_language
from fhir_app.leaflets.pdf import pdf_available, render_pdf
from fhir_app.review.source_attributes import library_attributes
from fhir_app.scrubbed_log import log
from fhir_app.settings import PREFIX, Settings
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
    """What one installation consists of, wired. `loop` is not running until somebody starts it."""

    settings: Settings
    library: Library
    attributes: Mapping[str, Mapping[str, str]]
    namespace: Namespace
    author: Author
    database: Database
    submissions: Submissions
    delivery: Delivery
    loop: DeliveryLoop


def load_parts(settings: Settings, library: Library | None = None) -> Parts:
    """Loads the knowledge, unless it is given, and opens the database.

    Raises KnowledgeError or UnusableDatabase with everything that is wrong; knowledge that is not what was locked
    under its version is wrong, since every result names that version.
    """
    root = settings.knowledge or questionnaires_root()
    if library is None:
        library = load_library(root)
        check_versions(root, library)
    attributes = library_attributes(library, root)
    care = care_where_it_runs(settings, root, library)
    namespace = Namespace(settings.namespace)
    author = Author(organization=_organization(settings), software_version=__version__)
    database = open_database(settings.database_url)
    delivery = _delivery(settings, database, namespace)
    loop = DeliveryLoop(delivery)
    submissions = Submissions(
        library=library,
        database=database,
        namespace=namespace,
        author=author,
        compose_document=_composer(care),
        clock=now,
        destination_for=_destination_for(settings),
        stored=loop.wake if settings.fhir_server_url else None,  # without a destination nothing is ever due
    )
    return Parts(settings, library, attributes, namespace, author, database, submissions, delivery, loop)


def published(parts: Parts) -> tuple[Mapping[str, Any], ...]:
    """Every definition, the same under /fhir as on a server that it is published to."""
    return definitions(parts.library, parts.namespace, parts.author, attributes=parts.attributes)


def now() -> datetime:
    return datetime.now(UTC)


def care_where_it_runs(settings: Settings, root: Path, library: Library) -> CareSetting:
    """How help is called where this service runs; a folder of intakes may bring its own names."""
    own = root / "care-settings.yaml"
    known = read_care_settings(own if own.is_file() else questionnaires_root() / "care-settings.yaml")
    if settings.country is not None and settings.country.lower() not in known:
        countries = ", ".join(sorted(set(known) - {DEFAULT_COUNTRY}))
        raise SettingsError(f"{PREFIX}COUNTRY: {own.name} has no {settings.country}; there are: {countries}")
    if problems := without_names(known, library.intakes):
        raise KnowledgeError(problems)
    return care_setting(known, settings.country)


def _composer(
    care: CareSetting,
) -> Callable[[Intake, Assessment, ReceivedResponse], tuple[DocumentContent, ...]]:
    """The patient's document as HTML and plain text, dated by the response, so that the same gives the same."""

    def compose_document(
        intake: Intake, assessment: Assessment, received: ReceivedResponse
    ) -> tuple[DocumentContent, ...]:
        language = choose_language(intake.languages, [received.language], intake.languages[0])
        document = compose(intake, assessment, language=language, today=received.day, care=care)
        return (
            DocumentContent(HTML, document.html.encode(), document.title, document.language),
            DocumentContent(PLAIN_TEXT, document.text.encode(), document.title, document.language),
        )

    return compose_document


def _destination_for(settings: Settings) -> Callable[[str], str | None] | None:
    """Results go to the server that their response came from, and to no other."""
    if settings.fhir_server_url is None:
        return None
    return lambda origin: settings.fhir_server_url if origin == settings.fhir_server_url else None


def _delivery(settings: Settings, database: Database, namespace: Namespace) -> Delivery:
    destinations = {}
    if settings.fhir_server_url is not None:
        destination = Destination.of_kind(settings.fhir_server_kind, settings.fhir_server_url)
        destinations[destination.base_url] = destination
    return Delivery(
        database=database,
        destinations=destinations,
        open_client=lambda to: FhirClient(to.base_url, token=settings.fhir_server_token),
        namespace=namespace,
        owner=f"{socket.gethostname()}:{os.getpid()}:{uuid4()}",
        clock=now,
        rng=SystemRandom(),
        # WeasyPrint takes a second and tens of megabytes to load, so only where something is delivered
        render=render_pdf if destinations and pdf_available() else None,
    )


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
            Definitions(published(parts)),
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


def _checks(parts: Parts) -> dict[str, Callable[[], bool]]:
    def database() -> bool:
        try:
            return migrations.at_head(parts.database)
        except SQLAlchemyError:
            return False

    return {
        "knowledge": lambda: bool(parts.library.intakes),
        "database": database,
        "delivery": lambda: not parts.loop.failed,
    }


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
