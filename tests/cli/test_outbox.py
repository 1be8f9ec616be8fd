"""`fhir-app outbox`, `worker` and `publish`, on a real store and a fake FHIR server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from fhir_app.cli import main
from fhir_app.fhir.destinations import Destination
from fhir_app.knowledge.intake import Intake
from fhir_app.store.database import open_database
from tests.contract.fake_fhir import FakeFhir, Fault, running
from tests.delivery.queueing import Desk
from tests.fhir.conftest import intake

__all__ = ["intake"]


@pytest.fixture
def fake() -> Iterator[FakeFhir]:
    with running(FakeFhir()) as fake:
        fake.update("Patient", "pat-1", {"resourceType": "Patient", "id": "pat-1"}, None)
        yield fake


@pytest.fixture
def desk(fake: FakeFhir, intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A store with one result in it, and the environment of an installation that uses it."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("FHIR_APP_DATABASE_URL", url)
    monkeypatch.setenv("FHIR_APP_FHIR_SERVER_URL", fake.url)
    monkeypatch.setenv("FHIR_APP_FHIR_SERVER_KIND", "generic-r4")
    monkeypatch.setenv("FHIR_APP_FHIR_SERVER_TOKEN", "secret-token")
    monkeypatch.setenv("FHIR_APP_ORGANIZATION_NAME", "Example Clinic")
    monkeypatch.setenv("FHIR_APP_ORGANIZATION_IDENTIFIER", "https://clinic.example/o|42")
    monkeypatch.setenv("FHIR_APP_LOG_LEVEL", "ERROR")
    database = open_database(url)
    desk = Desk(database, intake, Destination.of_kind("generic-r4", fake.url), "pat-1", "form-1")
    desk.first()
    yield desk
    database.close()
    structlog.reset_defaults()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_a_worker_delivers_what_is_due_and_exits(desk: Desk, fake: FakeFhir) -> None:
    shown = run("worker", "--once")

    assert shown.exit_code == 0, shown.output
    assert desk.states() == ["delivered"]
    assert {seen.headers["Authorization"] for seen in fake.seen} == {"Bearer secret-token"}


def test_a_dry_run_prints_the_bundle_and_sends_nothing(desk: Desk, fake: FakeFhir) -> None:
    shown = run("worker", "--dry-run")

    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["type"] == "transaction"
    assert fake.writes == []
    assert desk.states() == ["pending"]


def test_a_worker_without_a_server_says_what_is_missing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FHIR_APP_FHIR_SERVER_URL", "FHIR_APP_FHIR_SERVER_TOKEN"):
        monkeypatch.delenv(name)

    shown = run("worker", "--once")

    assert shown.exit_code == 2
    assert "FHIR_APP_FHIR_SERVER_URL" in shown.output


def test_a_dead_letter_is_listed_shown_with_its_reason_and_sent_again(desk: Desk, fake: FakeFhir) -> None:
    fake.faults.append(Fault(status=422, text="the code is unknown"))
    run("worker", "--once")

    listed = run("outbox", "list", "--state", "rejected", "--json")
    (row,) = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (row["state"], row["reason"], row["attempts"]) == ("rejected", "422, processing", 1)
    assert "outcome" not in row

    shown = json.loads(run("outbox", "show", str(row["number"])).stdout)
    assert shown["outcome"]["issue"][0]["diagnostics"] == "the code is unknown"

    retried = run("outbox", "retry", "--rejected")
    assert retried.exit_code == 0
    assert retried.stdout == f"{row['number']}: queued\n"
    run("worker", "--once")
    assert desk.states() == ["delivered"]


def test_the_list_for_people_has_a_line_for_each_row_and_a_sum(desk: Desk) -> None:
    shown = run("outbox", "list")

    assert shown.stdout.split()[:4] == ["1", "pending", "0", "tries"]
    assert "1 pending" in shown.stderr


def test_what_is_delivered_is_not_sent_again(desk: Desk) -> None:
    run("worker", "--once")

    shown = run("outbox", "retry", "1")

    assert shown.exit_code == 1
    assert shown.stdout == "1: left as it is\n"


@pytest.mark.parametrize("arguments", [("retry",), ("retry", "1", "--rejected"), ("show", "99")])
def test_what_cannot_be_meant_is_a_usage_error(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert run("outbox", *arguments).exit_code == 2


def test_a_held_row_is_sent_where_a_person_says(desk: Desk, fake: FakeFhir) -> None:
    here = desk.destination
    desk.destination = Destination.of_kind("generic-r4", "https://other.example/fhir")
    desk.form_id = "form-2"
    desk.first()
    desk.destination = here
    run("worker", "--once")
    assert desk.states() == ["delivered", "held"]

    assert run("outbox", "retry", "2", "--to", fake.url).exit_code == 0
    run("worker", "--once")
    assert desk.states() == ["delivered", "delivered"]


def test_the_bundle_of_one_row_can_be_seen(desk: Desk, fake: FakeFhir) -> None:
    shown = run("outbox", "show", "1", "--bundle")

    assert json.loads(shown.stdout)["resourceType"] == "Bundle"
    assert fake.writes == []


def test_publishing_twice_says_created_and_then_unchanged(desk: Desk, fake: FakeFhir) -> None:
    first, second = run("publish"), run("publish")

    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert {line.split()[0] for line in first.stdout.splitlines()} == {"created"}
    assert {line.split()[0] for line in second.stdout.splitlines()} == {"unchanged"}
    assert len(first.stdout.splitlines()) == len(second.stdout.splitlines()) > 5
    (library,) = fake.search("Library", {})
    assert "Funding source of the technical implementation" in library["usage"]


def test_another_server_than_the_configured_one_never_sees_the_token(desk: Desk) -> None:
    with running(FakeFhir()) as other:
        assert run("publish", "--to", other.url).exit_code == 0

    assert all("Authorization" not in seen.headers for seen in other.seen)


def test_publishing_to_a_server_that_is_not_r4_or_not_there_fails(desk: Desk) -> None:
    with running(FakeFhir(fhir_version="5.0.0")) as other:
        refused = run("publish", "--to", other.url)
    gone = run("publish", "--to", other.url)

    assert (refused.exit_code, gone.exit_code) == (1, 1)
    assert "5.0.0" in refused.stderr
    assert "not reached" in gone.stderr


def test_publishing_what_differs_under_the_same_version_fails_unless_it_is_meant(desk: Desk, fake: FakeFhir) -> None:
    run("publish")
    (key,) = [key for key, each in fake.resources.items() if key[0] == "Questionnaire"][:1]
    fake.resources[key]["title"] = "Something else"

    refused = run("publish")
    forced = run("publish", "--overwrite")

    assert (refused.exit_code, forced.exit_code) == (1, 0)
    assert "differs" in refused.stdout
    assert "updated" in forced.stdout
