"""Builds the server with Maven, once for each state of its sources, into the user's cache folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).parent
JAVA_AT_LEAST = 17


class MissingTools(Exception):
    """Java 17 or Maven is not on this machine; the text says which."""


def build() -> Path:
    """The folder that holds `classes` and `lib`; built first when it is not there yet (about a minute, network).

    Raises MissingTools, and RuntimeError with Maven's words when the build fails.
    """
    java_and_maven()
    folder = cache_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "built").exists():
            run_maven(folder)
            (folder / "built").touch()
    return folder


def java_and_maven() -> None:
    """Raises MissingTools unless both can be run."""
    java, maven = shutil.which("java"), shutil.which("mvn")
    missing = [name for name, found in (("java", java), ("mvn", maven)) if found is None]
    if missing:
        raise MissingTools(f"{' and '.join(missing)} not found")
    shown = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=True).stderr
    version = re.search(r'version "(\d+)', shown)
    if version is None or int(version.group(1)) < JAVA_AT_LEAST:
        raise MissingTools(f"java {JAVA_AT_LEAST} or newer is needed")


def cache_folder() -> Path:
    digest = hashlib.sha256()
    for source in sorted(path for path in SOURCES.rglob("*") if path.suffix in {".xml", ".java"}):
        digest.update(source.relative_to(SOURCES).as_posix().encode())
        digest.update(source.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "fhir-app" / f"hapi-{digest.hexdigest()[:16]}"


def run_maven(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    command = ["mvn", "-q", "-B", "-f", str(SOURCES / "pom.xml"), f"-Doutput={folder}"]
    command += ["package", "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}/lib"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise RuntimeError(
            f"Maven could not build the HAPI server:\n{finished.stdout[-4000:]}{finished.stderr[-4000:]}"
        )
