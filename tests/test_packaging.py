"""What is shipped works: the wheel in an empty environment, from the sdist, with its knowledge inside."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


def test_the_sdist_holds_what_a_developer_needs_and_nothing_private(shipped: tuple[Path, Path]) -> None:
    with tarfile.open(shipped[0]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"Makefile", "README.md", "requirements.lock", "fhir_app/app.py", "tests/conftest.py"} <= names
    assert any(name.startswith("questionnaires/tingling-legs/") for name in names)
    assert not [name for name in names if name.startswith((".venv", "var", "secrets", "dist")) or "__pycache__" in name]


def test_the_wheel_holds_the_knowledge(shipped: tuple[Path, Path]) -> None:
    wheel = set(zipfile.ZipFile(shipped[1]).namelist())
    kept = {
        f"fhir_app/_questionnaires/{path.relative_to(ROOT / 'questionnaires')}"
        for path in (ROOT / "questionnaires").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    assert kept
    assert kept <= wheel


def test_the_wheel_works_in_an_empty_environment_as_the_dockerfile_installs_it(
    shipped: tuple[Path, Path], tmp_path: Path
) -> None:
    """The Dockerfile's own commands: the locked dependencies with their hashes, then the package without any."""
    python = tmp_path / "venv" / "bin" / "python"
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    run(python, "-m", "pip", "install", "-q", "--require-hashes", "-r", "requirements.lock", cwd=tmp_path)
    run(python, "-m", "pip", "install", "-q", "--no-deps", shipped[1], cwd=tmp_path)
    run(python, "-m", "pip", "check", cwd=tmp_path)
    run(tmp_path / "venv" / "bin" / "fhir-app", "check", cwd=tmp_path)
    shown = run(tmp_path / "venv" / "bin" / "fhir-app", "demo", cwd=tmp_path)
    assert "urgency" in shown.lower()


def test_the_locks_hold_no_address_and_no_path_and_pin_everything_with_hashes() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"https?://|file:|--(extra-)?index|--find-links|(^|\s)/", text), name
        entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert all(re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", entry) for entry in entries), name
        assert text.count("--hash=sha256:") >= len(entries)


def test_the_locks_agree_with_each_other() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9._-]+==[^\s\\]+", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = project["dependencies"] + [each for extra in project["optional-dependencies"].values() for each in extra]
    locked = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    for requirement in direct:
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert name is not None
        normal = re.sub(r"[-_.]+", "-", name[0]).lower()
        assert re.search(rf"^{re.escape(normal)}==", locked, re.MULTILINE), requirement
