"""A process that forks children which kill themselves at a chosen step of a submission, a delivery or a first start.

Run as `python -m tests.kill.runner`. Each line on standard input is a JSON object (`do`, `step`, `url`, ...); each is
answered by one line: `killed`, or `finished` when the work had fewer steps. A step is each statement sent to the
database, each commit and what follows it, and each HTTP request before it leaves and after its reply.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any

import requests
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from fhir_app.delivery import Delivery
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Destination
from fhir_app.fhir.model import parse_with_library
from fhir_app.store.database import open_database
from tests.submitting import FLAGGED, NAMES, Installation, response


class Countdown:
    """Ends this process, as `kill -9` does, when the chosen step is reached."""

    def __init__(self, step: int) -> None:
        self._left = step

    def __call__(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        for place in ("before_cursor_execute", "after_cursor_execute", "begin", "commit"):
            event.listen(Engine, place, self)
        event.listen(Pool, "checkin", self)
        send = requests.Session.send

        def counted(session: Any, request: Any, **how: Any) -> Any:
            self()
            reply = send(session, request, **how)
            self()
            return reply

        requests.Session.send = counted  # type: ignore[method-assign]


def start(url: str) -> None:
    open_database(url).close()


def submit(url: str, body: str, origin: str) -> None:
    database = open_database(url)
    Installation(database).submissions().submit(body.encode(), origin=origin)
    database.close()


def deliver(url: str, server: str, kind: str, now: str) -> None:
    database = open_database(url)
    desk = delivery(database, server, kind, datetime.fromisoformat(now))
    while desk.deliver_one() is not None:
        pass
    database.close()


def delivery(database: Any, server: str, kind: str, now: datetime) -> Delivery:
    """A worker at a given time; nothing in it sleeps."""
    return Delivery(
        database=database,
        destinations={server: Destination.of_kind(kind, server)},
        open_client=lambda to: FhirClient(to.base_url),
        namespace=NAMES,
        owner=f"worker at {now}",
        clock=lambda: now,
        rng=Random(1),
    )


def run(order: Mapping[str, Any]) -> None:
    work = {"start": start, "submit": submit, "deliver": deliver}[order["do"]]
    Countdown(order["step"]).install()
    work(**order["with"])


def warm_up() -> None:
    """Read the knowledge and the library's models once, not in every child."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/warm.db")
        body = json.dumps(response(FLAGGED)).encode()
        parse_with_library(Installation(database).submissions().assess_only(body, origin="https://warm.example"))
        database.close()


def main() -> None:
    warm_up()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what a child says is no answer
            run(json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        how = {-signal.SIGKILL: "killed", 0: "finished"}
        sys.stdout.write(how.get(os.waitstatus_to_exitcode(status), "failed") + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
