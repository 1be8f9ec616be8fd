"""`fhir-app publish`: put the questionnaires and everything they rest on onto a FHIR server."""

from __future__ import annotations

import sys

import click

from fhir_app.app import load_parts, published
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import SHAPES
from fhir_app.fhir.publish import publish as publish_resources
from fhir_app.fhir.replies import Delivered
from fhir_app.settings import Settings


@click.command()
@click.option("--to", "address", help="Base URL of the FHIR server; default: FHIR_APP_FHIR_SERVER_URL.")
@click.option("--kind", type=click.Choice(sorted(SHAPES)), help="What kind of server; default: as configured.")
@click.option("--overwrite", is_flag=True, help="Replace what is there under the same version with other content.")
def publish(address: str | None, kind: str | None, overwrite: bool) -> None:
    """Publish Questionnaire, CodeSystem, ValueSet, Library, Device, Organization and so on.

    Publishing again changes nothing; other versions stay. Exits 1 when the server does not have everything
    afterwards.
    """
    settings = Settings.from_env()
    target = (address or settings.fhir_server_url or "").rstrip("/")
    if not target:
        raise click.UsageError("Name a server with --to, or configure FHIR_APP_FHIR_SERVER_URL.")
    # The token is for the configured server and for nobody else.
    token = settings.fhir_server_token if target == settings.fhir_server_url else None
    try:
        client = FhirClient(target, token=token)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    capable = client.capability()
    if not isinstance(capable, Delivered):
        click.echo(f"{target}: {capable.reason}", err=True)
        sys.exit(1)
    parts = load_parts(settings)
    everything = publish_resources(
        client,
        published(parts),
        shape=SHAPES[kind or settings.fhir_server_kind],
        namespace=parts.namespace,
        overwrite=overwrite,
    )
    missing = 0
    for each in everything:
        click.echo(f"{each.result:10} {each.resource_type:20} {each.name}{f' ({each.reason})' if each.reason else ''}")
        missing += not each.is_there
    sys.exit(1 if missing else 0)
