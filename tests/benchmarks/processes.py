"""Servers as processes of their own, pinned to one core: ready when they answer, ended by their id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import requests

FLOOR = ("-m", "tests.benchmarks.floor")
SERVICE = ("-m", "fhir_app.cli", "serve")


@dataclass(frozen=True)
class Running:
    pid: int
    port: int
    ready_after: float

    @property
    def resident_mib(self) -> float:
        """Of the process and its children, shared pages counted once (PSS)."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        lines = (
            line
            for pid in (str(self.pid), *children)
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        )
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def server(
    command: tuple[str, ...], folder: Path, core: int = 0, python: str = sys.executable, **settings: str
) -> Iterator[Running]:
    """A Python process that serves on a free port (FHIR_APP_PORT) and answers /readyz."""
    port = free_port()
    env = os.environ | {"FHIR_APP_PORT": str(port), "FHIR_APP_LOG_LEVEL": "WARNING"}
    env |= {"FHIR_APP_DATABASE_URL": f"sqlite:///{folder}/{port}.db"} | settings
    begin = monotonic()
    process = subprocess.Popen(["taskset", "-c", str(core), python, *command], env=env)
    try:
        while not _answers(port):
            if process.poll() is not None:
                raise SystemExit(f"{' '.join(command)} did not start")
            sleep(0.01)
        yield Running(process.pid, port, monotonic() - begin)
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False
