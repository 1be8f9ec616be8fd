"""The log: JSON lines of an allow-list of keys, so that nothing of a patient can be in one by accident."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, cast

import structlog

ALLOWED = frozenset(
    {
        # structlog's own
        "event",
        "level",
        "timestamp",
        # requests
        "method",
        "route",
        "status",
        "milliseconds",
        "caller",
        # our own ids, derived one-way or counted
        "error_id",
        "submission_id",
        "outbox_id",
        # what happened, in words and numbers of the program
        "error",
        "frames",
        "reason",
        "state",
        "attempts",
        "destination_kind",
        "version",
        "address",
        "count",
    }
)


def keep_allowed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drops every key that is not on the list: forgetting to list one loses a detail, never a secret."""
    return {key: value for key, value in event.items() if key in ALLOWED}


def configure_log(level: str) -> None:
    """JSON lines to standard error from `level` upwards, ours and those of the standard library's loggers.

    Of a library's record only its logger's name and level are kept: its text may quote what it worked on.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_allowed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_NamesOnly()]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


class _NamesOnly(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # urllib3 warns with the full address, werkzeug with the request line: both may hold identifiers.
        log().warning("library", reason=f"{record.name} {record.levelname}")


def log() -> structlog.stdlib.BoundLogger:
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger())


def frames(error: BaseException) -> list[str]:
    """Where `error` and its causes came from: class, file and line, innermost last; no message, no local variable."""
    places: list[str] = []
    current: BaseException | None = error
    while current is not None:
        stack = traceback.extract_tb(current.__traceback__)
        places = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in stack] + places
        places.insert(0, type(current).__name__)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return places


def _short(path: str) -> str:
    for folder in ("/site-packages/", "/fhir_app/"):
        if folder in path:
            return folder.strip("/").replace("site-packages", "") + "/" + path.rsplit(folder, 1)[1]
    return path.rsplit("/", 1)[-1]
