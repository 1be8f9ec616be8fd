"""`fhir-app demo`: the whole path on sample responses, through the real HTTP service on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import click
import requests
from rich.console import Console

from fhir_app.assessment.as_json import assessment_json
from fhir_app.cli._shown import as_table, console
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.reading import read_response
from fhir_app.settings import PREFIX, Settings

KEPT = ("PORT", "DATABASE_URL", "DATABASE_URL_FILE", "KNOWLEDGE", "COUNTRY", "LOG_LEVEL")
"""What of the environment reaches the demonstration: it is local, and it writes to no FHIR server."""

START_SECONDS = 60
FHIR_JSON = "application/fhir+json"


@click.command()
@click.option("--serve", "keep_serving", is_flag=True, help="Go on serving afterwards, until stopped.")
def demo(keep_serving: bool) -> None:
    """Start the service, send it the sample responses, and show what it makes of them.

    Without --serve it uses a temporary store and leaves nothing behind.
    """
    for name in [name for name in os.environ if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in KEPT]:
        del os.environ[name]
    settings = Settings.from_env()
    root = settings.knowledge or questionnaires_root()
    samples = sorted(root.glob("*/samples/*.json"))
    if not samples:
        raise click.ClickException(f"There are no samples under {root}.")
    library = load_library(root)
    with tempfile.TemporaryDirectory(prefix="fhir-app-") as folder:
        if not keep_serving:
            settings = replace(settings, port=0, database_url=f"sqlite:///{folder}/demo.db")
        with _service(settings) as (process, base):
            _show_all(console(), base, samples, library)
            if keep_serving:
                click.echo(_what_next(base, samples[0]))
                click.echo(f"Serving at {base} until stopped (Ctrl-C).")
                process.wait()
    if not keep_serving:
        click.echo("The service is stopped again. `make run` (fhir-app demo --serve) keeps it running.")


@contextmanager
def _service(settings: Settings) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`fhir-app serve` as a process of its own; ended when the block ends."""
    port = _free_port(settings.port)
    environment = {
        **os.environ,
        f"{PREFIX}PORT": str(port),
        f"{PREFIX}DATABASE_URL": settings.database_url,
        f"{PREFIX}LOG_LEVEL": os.environ.get(f"{PREFIX}LOG_LEVEL", "WARNING"),
    }
    environment.pop(f"{PREFIX}DATABASE_URL_FILE", None)
    for number in (signal.SIGTERM, signal.SIGHUP):  # like Ctrl-C: whoever ends this program ends its service
        signal.signal(number, signal.default_int_handler)
    process = subprocess.Popen([sys.executable, "-m", "fhir_app.cli", "serve"], env=environment)
    try:
        base = f"http://127.0.0.1:{port}"
        _wait_until_ready(process, base)
        yield process, base
    except KeyboardInterrupt:
        click.echo("Stopped.")
    finally:
        process.terminate()
        process.wait(timeout=30)


def _free_port(wanted: int) -> int:
    """`wanted` if nobody listens there, else one that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                click.echo(f"Port {port} is taken, so another one is used.", err=True)
                continue
            free: int = probe.getsockname()[1]
            return free
    raise click.ClickException("No port is free.")


def _wait_until_ready(process: subprocess.Popen[bytes], base: str) -> None:
    deadline = monotonic() + START_SECONDS
    while monotonic() < deadline:
        if process.poll() is not None:
            raise click.ClickException("The service did not start; what it said stands above.")
        try:
            if _get(f"{base}/readyz").ok:
                return
        except requests.ConnectionError:
            pass
        sleep(0.1)
    raise click.ClickException(f"The service was not ready within {START_SECONDS} seconds.")


def _show_all(out: Console, base: str, samples: list[Path], library: Library) -> None:
    for intake in library.intakes:
        found = _get(f"{base}/fhir/Questionnaire", url=str(intake.questionnaire.url)).json()
        out.print(f"Published: [bold]{intake.canonical}[/] ({found['total']} Questionnaire)")
    for sample in samples:
        _show_one(out, base, sample, library)


def _show_one(out: Console, base: str, sample: Path, library: Library) -> None:
    """Send one sample, and show why the result is what it is, after comparing it with what the service wrote."""
    body = sample.read_bytes()
    with _session() as session:
        reply = session.post(
            f"{base}/fhir/QuestionnaireResponse", data=body, headers={"Content-Type": FHIR_JSON}, timeout=30
        )
    reading = read_response(body, library)
    if reading.assessment is None or reply.status_code not in (200, 201, 422):
        raise click.ClickException(f"{sample.name} was answered with {reply.status_code}: {reply.text[:2000]}")
    content = assessment_json(reading.assessment)
    reviewed_by = None if reading.intake is None else reading.intake.reviewed_by
    out.print(as_table(f"{sample.stem}: HTTP {reply.status_code}", content, reviewed_by))
    if location := reply.headers.get("Location"):
        out.print(f"  {location}", _written(base, reply.json(), content), sep="\n  ", markup=False, soft_wrap=True)
    for issue in reply.json()["issue"] if reply.status_code == 422 else ():
        out.print(f"  {issue.get('diagnostics', '')}: {issue['details']['text']}", markup=False)


def _written(base: str, questionnaire_response: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """What the service wrote for a response: its Observation must say what this program finds by itself."""
    subject = questionnaire_response.get("subject", {}).get("reference", "")
    bundle = _get(f"{base}/fhir/Observation", subject=subject).json()
    found = [entry["resource"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]
    if not found:
        return "Nothing for the chart: not finished, and no red flag that is reported."
    for observation in found:
        codes = [coding["code"] for coding in observation.get("valueCodeableConcept", {}).get("coding", ())]
        if content["urgency"] in codes:
            return f"{base}/fhir/Observation/{observation['id']}"
    raise click.ClickException(f"The service's Observations do not say {content['urgency']}.")


def _what_next(base: str, sample: Path) -> str:
    send = (
        f"curl -H 'Content-Type: {FHIR_JSON}' --data-binary @{_shown_path(sample)} '{base}/fhir/QuestionnaireResponse"
    )
    return f"""
Try next, in a second terminal:
  curl {base}/fhir/Observation
  curl {base}/fhir/DocumentReference
  curl {base}/fhir/metadata
  {send}/$validate'
  {send}/$assess'"""


def _shown_path(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _get(address: str, **parameters: str) -> requests.Response:
    with _session() as session:
        return session.get(address, params=parameters, timeout=30)


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy of the environment has no business on this machine
    return session
