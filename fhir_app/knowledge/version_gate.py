"""A change needs a new knowledge version: the versions that were locked, each with the digests it had."""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library
from fhir_app.knowledge.loader import FILES

LOCK = "knowledge.lock"
CHANGELOG = "CHANGELOG.md"
RULES, TEXTS = "the rules, sources or form", "the texts that people read"
_HEAD = """\
# Every knowledge version with two digests: of its rules, sources and form, and of the texts that people read.
# Written by `fhir-app knowledge FOLDER --lock`. A version that was given out never changes again: after any change,
# raise `knowledge_version` in intake.yaml, say in CHANGELOG.md what changed and why, and lock the new version last.
"""
_LINE = re.compile(r"(?P<version>\d+\.\d+\.\d+) sha256:(?P<rules>[0-9a-f]{64})(?: texts:(?P<texts>[0-9a-f]{64}))?")
# What checks the knowledge and what is made from it; nobody is treated by it.
_NOT_READ = frozenset({CHANGELOG, LOCK, "leaflets/rules.yaml"})
_NOT_READ_FOLDERS = frozenset({"cases", "samples"})
_WRITTEN = frozenset({".md", ".yaml"})  # JSON is the form alone, which is locked with the rules


@dataclass(frozen=True)
class Digests:
    """Of one version. `texts` is None in a lock that was written before texts were locked, too."""

    rules: str
    texts: str | None


def digests(folder: Path, intake: Intake) -> Digests:
    """Of the rules, sources and form (the digest that results carry), and of every other file of the intake in
    `folder` that a patient or clinician reads: leaflets, phrases, plan, translations, source attributes."""
    texts = hashlib.sha256()
    for name in sorted(_texts(folder)):
        texts.update(f"{name}\0{hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n".encode())
    return Digests(intake.digest, texts.hexdigest())


def is_locked(folder: Path) -> bool:
    """Whether any version of the knowledge in `folder` was locked; one that never was is a draft."""
    return (folder / LOCK).is_file()


def check_version(folder: Path, intake: Intake) -> list[str]:
    """What is wrong with the version of the knowledge in `folder`, one line each; empty when it is in order.

    Rules and texts must be those that were locked under this version, the version must be the newest that was locked,
    and the changelog beside the rules must have an entry for it.
    """
    problems: list[str] = []
    locked = _read_lock(folder / LOCK, problems)
    version = intake.knowledge_version
    if version in locked:
        then, now = locked[version], digests(folder, intake)
        if changed := _changed(then, now):
            problems.append(f"{LOCK}: {changed} changed, but the knowledge version is still {version}: raise it")
        elif then.texts is None:
            problems.append(f"{LOCK}: version {version} was locked without its texts: {_how_to_lock(folder)}")
        if newer := [other for other in locked if _numbers(other) > _numbers(version)]:
            problems.append(f"{LOCK}: version {version} is older than {newer[-1]}, which was locked already")
    elif not problems:
        problems.append(f"{LOCK}: version {version} is not locked: when all else is done, {_how_to_lock(folder)}")
    if not _has_entry(folder / CHANGELOG, version):
        problems.append(f"{CHANGELOG}: there is no entry `## {version}` that says what changed and why")
    return problems


def folders(root: Path) -> list[Path]:
    """Those of the intakes of the library in `root`, in its order."""
    return [root] if (root / "intake.yaml").is_file() else sorted(path.parent for path in root.glob("*/intake.yaml"))


def check_versions(root: Path, library: Library) -> None:
    """What was given out under a version (it has a lock) is what it was. Raises KnowledgeError."""
    problems: list[str] = []
    for folder, intake in zip(folders(root), library.intakes, strict=True):
        if is_locked(folder):
            problems += [f"{folder.name}/{line}" for line in check_version(folder, intake)]
    if problems:
        raise KnowledgeError(problems)


def write_lock(folder: Path, intake: Intake) -> Path:
    """Locks the version of the intake in `folder` and returns the path of the lock file; locking again changes nothing.

    Raises KnowledgeError when this version was locked with other rules or texts, or when a newer one was locked: what
    was given out under a version stays what it was.
    """
    problems: list[str] = []
    path = folder / LOCK
    locked = _read_lock(path, problems) if path.exists() else {}
    version, now = intake.knowledge_version, digests(folder, intake)
    if changed := _changed(locked.get(version, now), now):
        problems.append(f"{LOCK}: {changed} changed after {version} was locked: raise `knowledge_version` first")
    if any(_numbers(other) > _numbers(version) for other in locked):
        problems.append(f"{LOCK}: a version newer than {version} was locked already")
    if problems:
        raise KnowledgeError(problems)
    path.write_text(_HEAD + "".join(_line(*entry) for entry in {**locked, version: now}.items()), encoding="utf-8")
    return path


def _texts(folder: Path) -> list[str]:
    """Names inside `folder` of the files that are read and are not among the rules; what editors leave is not."""
    names = [path.relative_to(folder) for path in folder.rglob("*") if path.suffix in _WRITTEN and path.is_file()]
    return [
        name.as_posix()
        for name in names
        if not any(part.startswith(".") for part in name.parts)
        and name.parts[0] not in _NOT_READ_FOLDERS
        and name.as_posix() not in {*_NOT_READ, *FILES}
    ]


def _changed(then: Digests, now: Digests) -> str | None:
    """Which of the two is another now, in words."""
    rules = then.rules != now.rules
    texts = then.texts not in (None, now.texts)
    if rules and texts:
        return f"{RULES} and {TEXTS}"
    return RULES if rules else TEXTS if texts else None


def _how_to_lock(folder: Path) -> str:
    return f"run `fhir-app knowledge {shlex.quote(str(folder))} --lock`"


def _line(version: str, of: Digests) -> str:
    return f"{version} sha256:{of.rules}" + (f" texts:{of.texts}" if of.texts else "") + "\n"


def _read_lock(path: Path, problems: list[str]) -> dict[str, Digests]:
    """version -> digests, in the order of the file."""
    if not path.is_file():
        problems.append(f"{path.name}: the file is missing: {_how_to_lock(path.parent)}")
        return {}
    locked: dict[str, Digests] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            problems.append(f"{path.name}:{number}: must be a version, `sha256:` and `texts:` with their digests")
        elif match["version"] in locked:
            problems.append(f"{path.name}:{number}: version {match['version']} stands twice")
        else:
            locked[match["version"]] = Digests(match["rules"], match["texts"])
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
