"""The command line: one small file for each command, imported only when it is called."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import click

from fhir_app import __version__
from fhir_app.errors import FhirAppError


class Commands(click.Group):
    """The command `name` is the object `name` in `fhir_app/cli/name.py`; a file put there is a command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(importlib.import_module(f"{__name__}.{cmd_name}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except FhirAppError as error:  # said in its public words; anything else is a fault of ours and shows itself
            click.echo(error.public_text, err=True)
            sys.exit(1)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fhir-app")
def main() -> None:
    """Take in FHIR questionnaire responses, assess them, and write the result back once.

    Settings come from the environment (FHIR_APP_...); the README lists them.
    """
