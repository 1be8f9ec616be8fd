"""One running HAPI server: start, wait, pause, kill, start again on the same port and data."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

import requests

JVM = ["-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
"""Small and quick to start; the default compiler takes a quarter longer to get ready."""

READY_WITHIN = 180.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class HapiServer:
    """A server process. `data` is a folder for a database that outlives the process; without it, memory."""

    def __init__(self, built: Path, *, port: int, log: Path, data: Path | None = None, validate: bool = True) -> None:
        self._built = built
        self._port = port
        self._log = log
        self._data = data
        self._validate = validate
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/fhir"

    def start(self) -> None:
        """Starts the process and returns when it answers; raises RuntimeError with the end of its log if it ends."""
        command = ["java", *JVM, f"-Dport={self._port}", f"-Dvalidate={str(self._validate).lower()}"]
        command.append("-DwithParent=true")
        if self._data is not None:
            # Without WRITE_DELAY=0 H2 answers before a commit is on disk, which no real database does.
            command.append(f"-Ddb=jdbc:h2:file:{self._data / 'hapi'};WRITE_DELAY=0")
        command += ["-cp", f"{self._built}/classes:{self._built}/lib/*", "fhirapp.hapi.TestServer"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        patience = time.monotonic() + READY_WITHIN
        session = requests.Session()
        session.trust_env = False
        while time.monotonic() < patience:
            if self._process.poll() is not None:
                raise RuntimeError(f"HAPI ended at once:\n{self._log.read_text(errors='replace')[-4000:]}")
            try:
                if session.get(f"{self.url}/metadata", timeout=30).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.3)
        raise RuntimeError(f"HAPI was not ready within {READY_WITHIN:.0f} s")

    def pause(self) -> None:
        """Stops answering without closing anything, as a server that hangs."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait()
