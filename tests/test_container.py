"""The Dockerfile and compose.yaml, as far as they can be tested without an engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from fhir_app.settings import Settings

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
KNOWN = {f"FHIR_APP_{each.name.upper()}{suffix}" for each in fields(Settings) for suffix in ("", "_FILE")}


def test_only_settings_that_exist_are_set() -> None:
    named = set(re.findall(r"FHIR_APP_[A-Z_]+", DOCKERFILE + json.dumps(COMPOSE)))
    assert named <= KNOWN


def test_the_service_runs_as_its_own_user_and_secrets_are_files() -> None:
    assert re.search(r"^USER fhir-app$", DOCKERFILE, re.MULTILINE)
    service = COMPOSE["services"]["fhir-app"]
    assert {name for name in service["environment"] if "TOKEN" in name or "DATABASE" in name} == {
        "FHIR_APP_TOKENS_FILE",
        "FHIR_APP_DATABASE_URL_FILE",
    }
    used = {secret for each in COMPOSE["services"].values() for secret in each.get("secrets", ())}
    assert used == set(COMPOSE["secrets"])
    assert all(port.startswith("127.0.0.1:") for each in COMPOSE["services"].values() for port in each.get("ports", ()))


@pytest.mark.slow
def test_what_the_image_copies_is_enough_to_install_and_to_pass_the_check(tmp_path: Path) -> None:
    context, target = tmp_path / "context", tmp_path / "installed"
    context.mkdir()
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            assert source in let_in
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, context / source)
    install = "-m pip install --quiet --no-deps --no-build-isolation"
    assert f"{install.removeprefix('-m ').replace('--quiet', '--no-cache-dir')} ." in DOCKERFILE
    subprocess.run([sys.executable, *install.split(), "--target", str(target), str(context)], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "fhir_app.cli", "check"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (target / "fhir_app" / "_questionnaires" / "tingling-legs" / "intake.yaml").is_file()
    (licence,) = target.glob("fhir_app-*.dist-info/licenses/LICENSE")
    assert licence.read_text(encoding="utf-8") == (ROOT / "LICENSE").read_text(encoding="utf-8")
