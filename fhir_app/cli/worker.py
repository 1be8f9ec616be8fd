"""`fhir-app worker`: deliver in a process of its own, beside or instead of the one inside `serve`."""

from __future__ import annotations

import json
import signal
import sys
from types import TracebackType

import click

from fhir_app.app import Parts, load_parts
from fhir_app.delivery.planned import planned
from fhir_app.scrubbed_log import configure_log, frames, log
from fhir_app.settings import Settings


@click.command()
@click.option("--once", is_flag=True, help="Deliver what is due now, then exit.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent for what waits; write nothing anywhere.")
def worker(once: bool, dry_run: bool) -> None:
    """Deliver queued results to the configured FHIR server until stopped.

    Any number of workers may run on one database: each result is leased by one of them at a time.
    """
    settings = Settings.from_env()
    configure_log(settings.log_level)
    sys.excepthook = _end
    if settings.fhir_server_url is None:
        raise click.UsageError("There is nowhere to deliver to: configure FHIR_APP_FHIR_SERVER_URL.")
    parts = load_parts(settings)
    if dry_run:
        _print_planned(parts)
    elif once:
        while parts.delivery.deliver_one() is not None:
            pass
    else:
        for number in (signal.SIGTERM, signal.SIGINT):
            # The try that is being made is finished first.
            signal.signal(number, lambda *_: parts.loop.stop())
        parts.loop.run()
    parts.database.close()


def _end(_kind: type[BaseException], error: BaseException, _places: TracebackType | None) -> None:
    """A fault that ends the worker is told by its places in the code: what a worker prints is kept as its log, and a
    message may quote what was worked on."""
    log().error("worker ended", error=type(error).__name__, frames=frames(error))


def _print_planned(parts: Parts) -> None:
    """One JSON line for each result: these are a patient's data, so they go to standard output and into no log."""
    unreadable = 0
    for each in planned(parts.delivery):
        if each.bundle is not None:
            click.echo(json.dumps(each.bundle, ensure_ascii=False, default=str))
        else:
            click.echo(f"{each.row.id}: {each.reason}", err=True)
            unreadable += each.failed
    sys.exit(1 if unreadable else 0)
