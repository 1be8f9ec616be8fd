"""kill -9 at every step of a delivery: the server ends up with each resource exactly once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from fhir_app.store import outbox
from fhir_app.store.database import Database, open_database
from tests.contract.fake_fhir import FakeFhir, running
from tests.kill.conftest import Kill
from tests.kill.runner import delivery
from tests.submitting import FLAGGED, START, Installation, response

pytestmark = pytest.mark.slow

SHARED = Counter(Device=1, Organization=1)


def test_a_delivery_that_is_killed_anywhere_is_finished_by_the_next_worker_and_never_doubled(
    database: Database, url: str, kill_at: Kill
) -> None:
    kill_at_every_step(database, url, kill_at, "hapi")


@pytest.mark.parametrize("kind", ["generic-r4", "sequential"])
def test_servers_of_other_kinds_hold_each_resource_once_as_well(tmp_path: Path, kill_at: Kill, kind: str) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    database = open_database(url)
    kill_at_every_step(database, url, kill_at, kind)
    database.close()


def kill_at_every_step(database: Database, url: str, kill_at: Kill, kind: str) -> None:
    """A new response for each step; its delivery is killed at that step and then taken up by another worker."""
    with running(FakeFhir()) as fake:
        _, patient = fake.create({"resourceType": "Patient"})
        here = Installation(database, destination_for=lambda _: fake.url)
        once: Counter[str] | None = None
        for step in count(1):
            before = kinds(fake)
            subject = {"reference": f"Patient/{patient['id']}"}
            sent = response(FLAGGED, subject=subject, identifier={"system": "urn:kill", "value": str(step)})
            submitted = here.submit(sent, origin=fake.url)
            now = START + timedelta(days=step)
            outcome = kill_at(step, "deliver", url=url, server=fake.url, kind=kind, now=now.isoformat())
            # Later, when the dead worker's lease has run out.
            desk = delivery(database, fake.url, kind, now + timedelta(hours=12))
            while desk.deliver_one() is not None:
                pass
            with database.read() as connection:
                (row,) = outbox.of_submission(connection, submitted.submission_id)
            assert row.state == "delivered", f"{row.state} after step {step}: {row.reason}"
            grown = kinds(fake) - before - SHARED
            once = once or grown
            assert grown == once, f"after step {step}"
            assert (kinds(fake)["Device"], kinds(fake)["Organization"]) == (1, 1)
            if outcome == "finished":
                break
            assert outcome == "killed"
        assert step > 20
        assert once is not None
        assert once["QuestionnaireResponse"] == once["DocumentReference"] == once["Provenance"] == 1


def kinds(fake: FakeFhir) -> Counter[str]:
    return Counter(resource_type for resource_type, _ in fake.resources)
