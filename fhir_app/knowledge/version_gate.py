"""A changed rule needs a new knowledge version: the versions that were locked, each with the digest it had."""

from __future__ import annotations

import re
from pathlib import Path

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.intake import Intake

LOCK = "knowledge.lock"
CHANGELOG = "CHANGELOG.md"
_HEAD = """\
# Every knowledge version with the digest of its rules, sources and form. Written by `fhir-app knowledge --lock`.
# A version that stands here never changes again: after any change, raise `knowledge_version` in intake.yaml,
# say in CHANGELOG.md what changed and why, and lock the new version.
"""
_LINE = re.compile(r"(?P<version>\d+\.\d+\.\d+) sha256:(?P<digest>[0-9a-f]{64})")


def is_locked(folder: Path) -> bool:
    """Whether any version of the knowledge in `folder` was locked; one that never was is a draft."""
    return (folder / LOCK).is_file()


def check_version(folder: Path, intake: Intake) -> list[str]:
    """What is wrong with the version of the knowledge in `folder`, one line each; empty when it is in order.

    The rules must be those that were locked under this version, the version must be the newest that was locked, and
    the changelog beside the rules must have an entry for it.
    """
    problems: list[str] = []
    locked = _read_lock(folder / LOCK, problems)
    version = intake.knowledge_version
    if version in locked:
        if locked[version] != intake.digest:
            problems.append(
                f"{LOCK}: the rules, sources or form changed, but the knowledge version is still {version}: raise it"
            )
        if newer := [other for other in locked if _numbers(other) > _numbers(version)]:
            problems.append(f"{LOCK}: version {version} is older than {newer[-1]}, which was locked already")
    elif not problems:
        problems.append(f"{LOCK}: version {version} is not locked: run `fhir-app knowledge --lock`")
    if not _has_entry(folder / CHANGELOG, version):
        problems.append(f"{CHANGELOG}: there is no entry `## {version}` that says what changed and why")
    return problems


def write_lock(folder: Path, intake: Intake) -> Path:
    """Locks the version of the intake in `folder` and returns the path of the lock file; locking again changes nothing.

    Raises KnowledgeError when this version was locked with other rules, or when a newer one was locked: what was
    given out under a version stays what it was.
    """
    problems: list[str] = []
    path = folder / LOCK
    locked = _read_lock(path, problems) if path.exists() else {}
    version = intake.knowledge_version
    if locked.get(version, intake.digest) != intake.digest:
        problems.append(f"{LOCK}: version {version} was locked with other rules: raise `knowledge_version` first")
    if any(_numbers(other) > _numbers(version) for other in locked):
        problems.append(f"{LOCK}: a version newer than {version} was locked already")
    if problems:
        raise KnowledgeError(problems)
    lines = [f"{name} sha256:{digest}\n" for name, digest in {**locked, version: intake.digest}.items()]
    path.write_text(_HEAD + "".join(lines), encoding="utf-8")
    return path


def _read_lock(path: Path, problems: list[str]) -> dict[str, str]:
    """version -> digest, in the order of the file."""
    if not path.is_file():
        problems.append(f"{path.name}: the file is missing: run `fhir-app knowledge --lock`")
        return {}
    locked: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            problems.append(f"{path.name}:{number}: must be a version and `sha256:` with its digest")
        elif match["version"] in locked:
            problems.append(f"{path.name}:{number}: version {match['version']} stands twice")
        else:
            locked[match["version"]] = match["digest"]
    return locked


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _has_entry(path: Path, version: str) -> bool:
    """Whether the changelog has a heading for the version with something written under it."""
    if not path.is_file():
        return False
    parts = re.split(r"^## +", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    heads = (part.partition("\n") for part in parts)
    return any(re.match(rf"\[?{re.escape(version)}\b(?!\.)", head) and body.strip() for head, _, body in heads)
