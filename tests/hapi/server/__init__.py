"""A real HAPI FHIR R4 server for tests: built once by Maven, started on loopback, ended by its pid.

`python -m tests.hapi.server` runs it in the foreground on port 8080, to try things by hand.
"""

from tests.hapi.server.build import MissingTools, build
from tests.hapi.server.running import HapiServer, free_port

__all__ = ["HapiServer", "MissingTools", "build", "free_port"]
