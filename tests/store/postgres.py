"""A PostgreSQL server of the test run's own: temporary folder, free loopback port, stopped by its process id."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

DEBIAN = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """The folder with initdb and postgres of the newest installed version, None when there is none."""
    found = [folder for folder in DEBIAN.glob("*/bin") if (folder / "initdb").exists()]
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


@dataclass(frozen=True)
class Server:
    """A running server; every call of `new_database` makes an empty database and returns its URL."""

    port: int

    def new_database(self) -> str:
        name = f"t_{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop(self, url: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{url.rsplit("/", 1)[1]}" WITH (FORCE)')

    def url(self, name: str) -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/{name}"


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server and stop it. fsync stays on: durability is part of what is tested."""
    folder = programs()
    if folder is None:
        raise FileNotFoundError(f"no PostgreSQL server under {DEBIAN}")
    home = Path(tempfile.mkdtemp(prefix="fhir-app-postgres-"))
    prefix = _unprivileged(home)
    try:
        data = home / "data"
        _run([*prefix, folder / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C"], home)
        with _process([*prefix, folder / "postgres", "-D", data, "-k", home, "-h", "127.0.0.1"], home) as port:
            yield Server(port)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _unprivileged(home: Path) -> list[str]:
    """initdb and postgres refuse root: as root, drop to the user of Debian's package, else to nobody."""
    if os.geteuid() != 0:
        return []
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in known else "nobody")
    os.chown(home, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _run(command: list[str | Path], home: Path) -> None:
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[-1]} failed: {done.stderr}")


@contextmanager
def _process(command: list[str | Path], home: Path) -> Iterator[int]:
    port = _free_port()
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen([*command, "-p", str(port)], cwd=home, stdout=log, stderr=log)
    try:
        _wait_until_ready(port, process, home)
        yield port
    finally:
        process.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], home: Path) -> None:
    """Ask until it answers; each refused try costs a moment by itself, and a dead process ends the wait."""
    while True:
        try:
            with psycopg.connect(f"postgresql://tester@127.0.0.1:{port}/postgres", connect_timeout=2):
                return
        except psycopg.OperationalError:
            try:
                process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError((home / "server.log").read_text()) from None
