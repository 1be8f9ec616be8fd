"""`fhir-app token new`: make a bearer token."""

from __future__ import annotations

import click

from fhir_app.auth.tokens import new_token


@click.group()
def token() -> None:
    """Bearer tokens for those who may call this service."""


@token.command()
@click.argument("name")
@click.option("--origin", help="Base URL of the FHIR server whose references come with this token.")
def new(name: str, origin: str | None) -> None:
    """Make a token called NAME: the secret for the caller, and the line for FHIR_APP_TOKENS.

    The secret is shown once and kept nowhere.
    """
    try:
        secret, line = new_token(name, origin)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    click.echo(f"For the caller, once:     {secret}")
    click.echo(f"Add to FHIR_APP_TOKENS:   {line}")
