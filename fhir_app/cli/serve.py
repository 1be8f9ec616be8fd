"""`fhir-app serve`: the HTTP service, and beside it the delivery of what it accepted."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from fhir_app.app import Parts, create_app, load_parts
from fhir_app.cli._steady import keep_loaded
from fhir_app.knowledge.library import Library
from fhir_app.scrubbed_log import configure_log, frames, log
from fhir_app.settings import Settings
from fhir_app.web.gathering_worker import GatheringWorker, Limits

GRACE_SECONDS = 20
MOST_CONNECTIONS = 500
"""Each needs a file descriptor, of which a process often has no more than 1024."""


@click.command()
def serve() -> None:
    """Serve until stopped. Settings, knowledge and database are checked before the first request."""
    settings = Settings.from_env()
    configure_log(settings.log_level)
    checked = load_parts(settings)
    checked.database.close()
    keep_loaded(checked.library)
    Server(settings, checked.library).run()


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with one process of many threads: they share one writer to SQLite and one delivery loop."""

    def __init__(self, settings: Settings, library: Library) -> None:
        self.settings = settings
        self.library = library
        self.limits = Limits(settings.header_seconds, settings.request_seconds, settings.max_body_bytes)
        super().__init__()

    def load_config(self) -> None:
        settings = self.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        for name, value in {
            "bind": [f"{host}:{settings.port}"],
            "workers": 1,
            "worker_class": GatheringWorker,
            "threads": settings.threads,
            "worker_connections": MOST_CONNECTIONS,
            "keepalive": 15,
            "timeout": 60,
            "graceful_timeout": GRACE_SECONDS,
            "limit_request_line": 8190,
            "proc_name": "fhir-app",
            "loglevel": "warning",
            "logger_class": ScrubbedLogger,
            "control_socket_disable": True,
            # The application itself decides about proxies (app.py); gunicorn must not believe anybody before that.
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
            "when_ready": _announce,
            "post_fork": _will_see_requests,
            "post_worker_init": _start_delivery,
            "worker_exit": _stop_delivery,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """In the process that serves: neither database connections nor threads outlive the fork that made it."""
        self.parts = load_parts(self.settings, self.library)
        return create_app(self.parts)


def _announce(arbiter: Any) -> None:
    for listener in arbiter.LISTENERS:
        log().info("listening", address=str(listener))


def _will_see_requests(_arbiter: Any, worker: Any) -> None:
    worker.log.sees_requests = True


def _start_delivery(worker: Any) -> None:
    """A fault that ends the delivery ends the process, and gunicorn starts a fresh one in its place."""
    parts: Parts = worker.app.parts

    def end(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            log().error("thread ended", error=type(args.exc_value).__name__, frames=frames(args.exc_value))
        os.kill(os.getpid(), signal.SIGTERM)

    threading.excepthook = end
    if parts.settings.deliver:
        parts.loop.start()


def _stop_delivery(_arbiter: Any, worker: Any) -> None:
    parts: Parts = worker.app.parts
    parts.loop.stop(within=GRACE_SECONDS)
    parts.database.close()


class ScrubbedLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn says: in full from the process that binds and watches, because an operator needs that at start.

    In the process that serves, a text may quote a request: its address, the name of a header. There a text is told
    only when gunicorn holds its values apart from it, and without those; else no more than the class of the fault.
    """

    sees_requests = False

    def _said(self, level: str, message: object, args: tuple[object, ...]) -> None:
        told: dict[str, object] = {}
        fault = sys.exception()
        if fault is not None:
            told["error"] = type(fault).__name__
        if not self.sees_requests:
            told["reason"] = (str(message) % args if args else str(message))[:200]
        elif args:
            told["reason"] = str(message)[:200]
        log().log(logging.getLevelNamesMapping()[level], "gunicorn", **told)

    def critical(self, msg: object, *args: object, **kwargs: object) -> None:
        self._said("CRITICAL", msg, args)

    def error(self, msg: object, *args: object, **kwargs: object) -> None:
        self._said("ERROR", msg, args)

    def exception(self, msg: object, *args: object, **kwargs: object) -> None:
        self._said("ERROR", msg, args)

    def warning(self, msg: object, *args: object, **kwargs: object) -> None:
        self._said("WARNING", msg, args)
