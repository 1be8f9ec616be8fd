"""`fhir-app serve` and `fhir-app demo` as processes of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
import requests

from fhir_app.auth.tokens import new_token
from fhir_app.knowledge.library import questionnaires_root

SAMPLE = questionnaires_root() / "tingling-legs" / "samples" / "compartment-runner.json"
FHIR_JSON = {"Content-Type": "application/fhir+json"}

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**settings: object) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FHIR_APP_")}
    return kept | {f"FHIR_APP_{name}": str(value) for name, value in settings.items()}


@contextmanager
def serving(folder: Path, **settings: object) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """The service on a free port; its log is in the file that comes with it."""
    port = free_port()
    env = environment(PORT=port, DATABASE_URL=f"sqlite:///{folder}/served.db", **settings)
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen([sys.executable, "-m", "fhir_app.cli", "serve"], env=env, stderr=stream)
    try:
        base = f"http://127.0.0.1:{port}"
        deadline = monotonic() + 60
        while monotonic() < deadline and process.poll() is None:
            try:
                if requests.get(f"{base}/readyz", timeout=5).ok:
                    break
            except requests.ConnectionError:
                sleep(0.1)
        yield process, base, log
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=30)


def test_what_was_accepted_is_there_after_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, base, log):
        reply = requests.post(f"{base}/fhir/QuestionnaireResponse", SAMPLE.read_bytes(), headers=FHIR_JSON, timeout=30)
        assert reply.status_code == 201, log.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    with serving(tmp_path) as (_, base, _):
        path = reply.headers["Location"].split("/fhir/", 1)[1]
        assert requests.get(f"{base}/fhir/{path}", timeout=30).json() == reply.json()
        again = requests.post(f"{base}/fhir/QuestionnaireResponse", SAMPLE.read_bytes(), headers=FHIR_JSON, timeout=30)
        assert again.status_code == 200


def test_forwarded_headers_of_an_undeclared_proxy_are_not_believed(tmp_path: Path) -> None:
    """Neither by the application nor by gunicorn, which trusts this machine unless told otherwise."""
    with serving(tmp_path) as (_, base, log):
        spoofed = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "10.0.0.1"}
        bundle = requests.get(f"{base}/fhir/Observation", headers={**spoofed, "SCRIPT_NAME": "/x"}, timeout=30).json()
        assert bundle["link"][0]["url"].startswith(base)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"listening", "request"} <= {line["event"] for line in lines}


def test_tokens_are_asked_for_and_probes_need_none(tmp_path: Path) -> None:
    secret, line = new_token("clinic")
    with serving(tmp_path, TOKENS=line) as (_, base, log):
        assert requests.get(f"{base}/healthz", timeout=30).ok
        assert requests.get(f"{base}/fhir/metadata", timeout=30).ok
        assert requests.get(f"{base}/fhir/Observation", timeout=30).status_code == 401
        headers = {"Authorization": f"Bearer {secret}"}
        assert requests.get(f"{base}/fhir/Observation", headers=headers, timeout=30).ok
        assert secret not in log.read_text()


def test_a_peer_from_elsewhere_is_refused_by_the_application_itself(tmp_path: Path) -> None:
    """Listening on every address does not open the service: only tokens do."""
    addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
    if not addresses:
        pytest.skip("this machine has only a loopback address")
    with serving(tmp_path, HOST="0.0.0.0") as (_, base, _):
        port = base.rsplit(":", 1)[1]
        session = requests.Session()
        session.trust_env = False
        reply = session.get(f"http://{addresses[0]}:{port}/fhir/metadata", timeout=30)
        assert reply.status_code == 403
        assert reply.json()["resourceType"] == "OperationOutcome"


def test_the_health_check_of_the_image_tells_a_ready_service_from_none(tmp_path: Path) -> None:
    dockerfile = (Path(__file__).parents[2] / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    _, *arguments = json.loads(dockerfile.split("HEALTHCHECK", 1)[1].split("CMD", 1)[1].splitlines()[0])
    with serving(tmp_path) as (_, base, _):
        env = environment(PORT=base.rsplit(":", 1)[1])
        assert subprocess.run([sys.executable, *arguments], env=env, check=False).returncode == 0
    done = subprocess.run([sys.executable, *arguments], env=env, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode != 0


def test_wrong_settings_stop_the_start_and_are_all_named() -> None:
    env = environment(PORT="x", TOKENS="y", LOG_LEVEL="z")
    done = subprocess.run([sys.executable, "-m", "fhir_app.cli", "serve"], env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert all(f"FHIR_APP_{name}" in done.stderr for name in ("PORT", "TOKENS", "LOG_LEVEL"))
    assert "Traceback" not in done.stderr


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        env = environment(PORT=port, DATABASE_URL=f"sqlite:///{tmp_path}/served.db")
        done = subprocess.run([sys.executable, "-m", "fhir_app.cli", "serve"], env=env, capture_output=True, text=True)
    assert done.returncode != 0
    reasons = [json.loads(line).get("reason", "") for line in done.stderr.splitlines()]
    assert f"Connection in use: ('127.0.0.1', {port})" in reasons


def test_the_demonstration_shows_every_sample_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fhir_app.cli", "demo"]
    env = environment(FHIR_SERVER_URL="http://127.0.0.1:1/fhir", TOKENS="wrong on purpose")
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    for sample in SAMPLE.parent.glob("*.json"):
        assert sample.stem in done.stdout
    assert "emergency" in done.stdout
    assert "make run" in done.stdout
    assert "curl" not in done.stdout, "nobody is there any more"
    assert list(tmp_path.iterdir()) == []


def test_whoever_ends_the_demonstration_ends_its_service(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fhir_app.cli", "demo", "--serve"]
    env = environment(PORT=free_port(), DATABASE_URL=f"sqlite:///{tmp_path}/demo.db")
    env["PYTHONUNBUFFERED"] = "1"
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown = []
        for line in process.stdout:
            shown.append(line)
            if line.startswith("Serving at "):
                break
        base = shown[-1].split()[2]
        assert requests.get(f"{base}/healthz", timeout=30).ok
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert "--data-binary @" in "".join(shown)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{base}/healthz", timeout=30)


def test_a_database_out_of_reach_is_one_line_of_words() -> None:
    env = environment(DATABASE_URL="postgresql://somebody:marker-9d2@127.0.0.1:1/store")
    for words in (["serve"], ["db", "status"]):
        done = subprocess.run([sys.executable, "-m", "fhir_app.cli", *words], env=env, capture_output=True, text=True)
        assert done.returncode == 1
        [line] = done.stderr.splitlines()
        assert "FHIR_APP_DATABASE_URL" in line
        assert "marker" not in line
