"""Runs the server in the foreground until Ctrl-C: `python -m tests.hapi.server [port]`."""

from __future__ import annotations

import os
import sys

from tests.hapi.server.build import build
from tests.hapi.server.running import JVM


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    built = build()
    sys.stdout.write(f"HAPI FHIR R4 starts on http://127.0.0.1:{port}/fhir (data in memory; ready in about 20 s)\n")
    sys.stdout.flush()
    classpath = f"{built}/classes:{built}/lib/*"
    os.execvp("java", ["java", *JVM, f"-Dport={port}", "-Dvalidate=true", "-cp", classpath, "fhirapp.hapi.TestServer"])


if __name__ == "__main__":
    main()
