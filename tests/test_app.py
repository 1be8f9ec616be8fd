"""The wiring: what the settings decide."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fhir_app.app import create_app, load_parts, published
from fhir_app.auth.tokens import Token, digest_of
from fhir_app.errors import KnowledgeError, SettingsError
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.settings import Settings

SAMPLE = questionnaires_root() / "tingling-legs" / "samples" / "compartment-runner.json"
FHIR_JSON = {"Content-Type": "application/fhir+json"}
ORGANIZATION = {"organization_name": "Clinic", "organization_identifier": "urn:ietf:rfc:3986|https://clinic.example"}


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library(questionnaires_root())


def settings(folder: Path, **changes: object) -> Settings:
    return Settings(database_url=f"sqlite:///{folder}/app.db", **changes)  # type: ignore[arg-type]


def test_results_for_a_fhir_server_are_queued_for_it_and_held_for_any_other_origin(
    tmp_path: Path, library: Library
) -> None:
    url = "http://127.0.0.1:1/fhir"
    tokens = (Token("own", digest_of("a")), Token("other", digest_of("b"), "https://other.example/fhir"))
    parts = load_parts(settings(tmp_path, fhir_server_url=url, tokens=tokens, **ORGANIZATION), library)
    client = create_app(parts).test_client()
    for secret in ("a", "b"):
        headers = {**FHIR_JSON, "Authorization": f"Bearer {secret}"}
        assert client.post("/fhir/QuestionnaireResponse", data=SAMPLE.read_bytes(), headers=headers).status_code == 201
    with parts.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT origin, state FROM outbox ORDER BY id").all()
    parts.database.close()
    assert [tuple(row) for row in rows] == [(url, "pending"), ("https://other.example/fhir", "held")]


def test_without_a_fhir_server_nothing_is_queued(tmp_path: Path, library: Library) -> None:
    parts = load_parts(settings(tmp_path), library)
    client = create_app(parts).test_client()
    assert client.post("/fhir/QuestionnaireResponse", data=SAMPLE.read_bytes(), headers=FHIR_JSON).status_code == 201
    with parts.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar() == 0
    parts.database.close()


def test_the_organization_stands_in_the_results(tmp_path: Path, library: Library) -> None:
    parts = load_parts(settings(tmp_path, **ORGANIZATION), library)
    client = create_app(parts).test_client()
    client.post("/fhir/QuestionnaireResponse", data=SAMPLE.read_bytes(), headers=FHIR_JSON)
    found = client.get("/fhir/Organization?identifier=https://clinic.example").get_json()
    parts.database.close()
    assert found["entry"][0]["resource"]["name"] == "Clinic"


def test_a_library_served_here_is_the_one_that_is_published_with_its_source_attributes(
    tmp_path: Path, library: Library
) -> None:
    parts = load_parts(settings(tmp_path, **ORGANIZATION), library)
    served = create_app(parts).test_client().get("/fhir/Library").get_json()
    parts.database.close()
    (resource,) = [entry["resource"] for entry in served["entry"]]
    assert resource in json.loads(json.dumps(published(parts)))
    assert [line.partition(".")[0] for line in resource["usage"].splitlines()] == [str(n) for n in range(1, 14)]


def test_knowledge_without_its_source_attributes_is_not_used(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(questionnaires_root(), tmp_path / "knowledge"))
    (folder / "tingling-legs" / "knowledge.lock").unlink()  # a draft: what is locked would not be without them
    (folder / "tingling-legs" / "source_attributes.yaml").unlink()
    with pytest.raises(KnowledgeError, match=r"source_attributes\.yaml: the file is missing"):
        load_parts(settings(tmp_path, knowledge=folder))


def test_knowledge_that_is_not_what_was_locked_under_its_version_stops_the_start(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(questionnaires_root(), tmp_path / "knowledge"))
    leaflet = folder / "tingling-legs" / "leaflets" / "rf" / "RF01.en.md"
    leaflet.write_text(leaflet.read_text(encoding="utf-8") + "\n- One more line.\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"knowledge\.lock: the texts"):
        load_parts(settings(tmp_path, knowledge=folder))


def test_a_declared_proxy_is_believed(tmp_path: Path, library: Library) -> None:
    parts = load_parts(settings(tmp_path, trusted_proxies=1, tokens=(Token("own", digest_of("a")),)), library)
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "intake.example"}
    statement = create_app(parts).test_client().get("/fhir/metadata", headers=headers).get_json()
    parts.database.close()
    assert statement["implementation"]["url"] == "https://intake.example/fhir"


def test_a_folder_of_ones_own_is_served_instead(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    shutil.copytree(questionnaires_root() / "tingling-legs", folder / "tingling-legs")
    parts = load_parts(settings(tmp_path, knowledge=folder))
    parts.database.close()
    assert [intake.name for intake in parts.library.intakes] == ["tingling-legs"]


def test_wrong_knowledge_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "knowledge").mkdir()
    with pytest.raises(KnowledgeError):
        load_parts(settings(tmp_path, knowledge=tmp_path / "knowledge"))


def test_a_country_that_the_leaflets_do_not_know_stops_the_start(tmp_path: Path, library: Library) -> None:
    with pytest.raises(SettingsError, match=r"FHIR_APP_COUNTRY: .* zz; there are: au, es, gb, mx, us"):
        load_parts(settings(tmp_path, country="zz"), library)


def test_a_token_that_names_its_origin_reads_what_came_from_there_and_nothing_else(
    tmp_path: Path, library: Library
) -> None:
    tokens = (
        Token("all", digest_of("a")),
        Token("one", digest_of("b"), "https://one.example/fhir"),
        Token("two", digest_of("c"), "https://two.example/fhir"),
    )
    parts = load_parts(settings(tmp_path, tokens=tokens), library)
    client = create_app(parts).test_client()

    def seen(secret: str, path: str) -> tuple[int, int]:
        reply = client.get(f"/fhir/{path}", headers={"Authorization": f"Bearer {secret}"})
        return reply.status_code, reply.get_json().get("total", 1)

    made = client.post(
        "/fhir/QuestionnaireResponse",
        data=SAMPLE.read_bytes(),
        headers={**FHIR_JSON, "Authorization": "Bearer b"},
    ).get_json()
    own = f"QuestionnaireResponse/{made['id']}"
    patient = f"Observation?subject={made['subject']['reference']}"
    device = "Device"
    assert [seen("b", path) for path in (own, patient, device)] == [(200, 1), (200, 1), (200, 1)]
    assert [seen("c", path) for path in (own, "Observation", patient, device)] == [
        (404, 1),
        (200, 0),
        (200, 0),
        (200, 1),
    ]
    assert [seen("a", path) for path in (own, "Observation", patient)] == [(200, 1), (200, 1), (200, 0)]
    parts.database.close()
