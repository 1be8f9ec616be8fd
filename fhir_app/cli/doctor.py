"""`fhir-app doctor`: try a FHIR server from end to end with made-up data, and say what held."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID, uuid4

import click

from fhir_app import __version__
from fhir_app.app import Parts, load_parts, now
from fhir_app.cli._examined import progress, show
from fhir_app.doctor import Doctor, Installation, Run
from fhir_app.doctor.clients import RunClient
from fhir_app.doctor.patience import Patience
from fhir_app.doctor.removal import remove
from fhir_app.fhir.destinations import SHAPES
from fhir_app.fhir.namespace import Namespace
from fhir_app.knowledge.library import load_library, questionnaires_root
from fhir_app.scrubbed_log import configure_log
from fhir_app.settings import DestinationKind, Settings


@click.command()
@click.option("--to", "address", help="Base URL of the FHIR server; default: FHIR_APP_FHIR_SERVER_URL.")
@click.option("--token-file", type=click.File("rb"), help="File with a bearer token for that server; - is stdin.")
@click.option("--destination", "kind", type=click.Choice(sorted(SHAPES)), help="Its kind; default: the one that fits.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON, and nothing else, on standard output.")
@click.option("--keep", is_flag=True, help="Leave what was made on the server, to look at it there.")
@click.option("--remove", "kept", type=click.UUID, metavar="RUN", help="Only remove what an earlier run has left.")
@click.option("--patience", default=60.0, show_default=True, type=click.FloatRange(1, 3600), help="Seconds for a step.")
@click.option("--timeout", default=30.0, show_default=True, type=click.FloatRange(1, 600), help="Seconds for a reply.")
def doctor(
    address: str | None,
    token_file: BinaryIO | None,
    kind: str | None,
    as_json: bool,
    keep: bool,
    kept: UUID | None,
    patience: float,
    timeout: float,
) -> None:
    """Try a FHIR R4 server: publish, file a made-up patient, submit samples in every language, deliver, read back,
    validate, deliver again, correct, retract, and remove what this run made.

    Only made-up data is sent, all of it tagged with the id of the run, and nothing without that tag is removed. The
    definitions (Questionnaire, CodeSystem and so on) stay. Exits 0 only if everything held.
    """
    settings = Settings.from_env()
    configure_log("ERROR")
    target = (address or settings.fhir_server_url or "").rstrip("/")
    if not target:
        raise click.UsageError("Name a server with --to, or configure FHIR_APP_FHIR_SERVER_URL.")
    # The configured token is for the configured server and for nobody else.
    token = settings.fhir_server_token if target == settings.fhir_server_url else None
    if token_file is not None:
        token = _token(token_file.read())
    settings = replace(settings, fhir_server_url=target, fhir_server_token=token)
    if kept is not None:
        _remove(settings, str(kept), patience, timeout)
        return
    with progress(quiet=as_json) as tell, tempfile.TemporaryDirectory(prefix="fhir-app-") as folder:
        tell("loading the knowledge")
        stores = _Stores(settings, Path(folder))
        try:
            examined = Doctor(
                server=target,
                run=Run(str(uuid4()), now(), Namespace(settings.namespace)),
                library=stores.library,
                root=stores.root,
                software_version=__version__,
                open_installation=stores.open,
                tell=tell,
                clock=now,
                sleep=time.sleep,
                token=token,
                kind=kind,
                keep=keep,
                patience_seconds=patience,
                timeout=(min(timeout, 10.0), timeout),
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        report = examined.examine()
        stores.close()
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        show(report)
    sys.exit(0 if report.all_held else 1)


def _remove(settings: Settings, run_id: str, patience: float, timeout: float) -> None:
    """Exits 1 unless nothing of that run is left."""
    run = Run(run_id, now(), Namespace(settings.namespace))
    address, token = str(settings.fhir_server_url), settings.fhir_server_token
    try:
        client = RunClient(address, run, token=token, timeout=(min(timeout, 10.0), timeout))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    with progress(quiet=False) as tell:
        removed = remove(run, client, Patience(patience, now, time.sleep, tell))
    click.echo(f"{removed.gone} resources removed.")
    for (kind, resource_id), reason in removed.left.items():
        click.echo(f"{kind}/{resource_id} is left: {reason}", err=True)
    if removed.unseen is not None:
        click.echo(f"Could not be looked for: {removed.unseen}", err=True)
    sys.exit(1 if removed.left or removed.unseen is not None else 0)


class _Stores:
    """Installations wired as `serve` wires them, each with an empty database in a folder that goes away."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.root = settings.knowledge or questionnaires_root()
        self.library = load_library(self.root)
        self._settings = settings
        self._folder = folder
        self._opened: list[Parts] = []

    def open(self, kind: str, organization_name: str, organization_identifier: str) -> Installation:
        settings = replace(
            self._settings,
            database_url=f"sqlite:///{self._folder / f'store-{len(self._opened)}.db'}",
            fhir_server_kind=cast(DestinationKind, kind),
            organization_name=organization_name,
            organization_identifier=organization_identifier,
        )
        parts = load_parts(settings, self.library)
        self._opened.append(parts)
        return Installation(parts.submissions, parts.delivery)

    def close(self) -> None:
        for parts in self._opened:
            parts.database.close()


def _token(content: bytes) -> str:
    """The token in a file: one word of ASCII, because anything else cannot be sent in a header."""
    words = content.decode("utf-8", errors="replace").split()
    if len(words) != 1 or not words[0].isascii() or not words[0].isprintable():
        raise click.UsageError("The token file must hold one bearer token and nothing else.")
    return words[0]
