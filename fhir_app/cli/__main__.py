"""`python -m fhir_app.cli`, for starting the command line without its script on the path."""

from __future__ import annotations

from fhir_app.cli import main

main(prog_name="fhir-app")
