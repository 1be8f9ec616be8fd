"""kill -9 at every step of a first start and of a submission: nothing lost, nothing doubled, nothing by halves."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import func, select

from fhir_app.store import migrations, outbox, submissions, write_backs
from fhir_app.store.database import Database, open_database
from fhir_app.store.tables import metadata
from tests.kill.conftest import Kill
from tests.submitting import EHR, FLAGGED, Installation, response

pytestmark = pytest.mark.slow


def rows(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }


def test_a_first_start_that_is_killed_anywhere_leaves_a_database_that_the_next_start_takes(
    tmp_path: Path, kill_at: Kill
) -> None:
    for step in count(1):
        file = f"sqlite:///{tmp_path / f'{step}.db'}"
        outcome = kill_at(step, "start", url=file)
        database = open_database(file)
        assert migrations.at_head(database)
        assert rows(database) == dict.fromkeys(metadata.tables, 0)
        database.close()
        if outcome == "finished":
            break
        assert outcome == "killed"
    assert step > 10


def test_a_submission_that_is_killed_anywhere_is_there_whole_or_not_at_all_and_can_be_sent_again(
    database: Database, url: str, kill_at: Kill
) -> None:
    here = Installation(database)
    here.submit(response(FLAGGED, identifier={"system": "urn:kill", "value": "0"}))
    whole = rows(database)
    growing = {"submissions", "assessments", "outbox", "write_backs"}
    kept = 0
    for step in count(1):
        before = rows(database)
        body = json.dumps(response(FLAGGED, identifier={"system": "urn:kill", "value": str(step)}))
        outcome = kill_at(step, "submit", url=url, body=body, origin=EHR)
        after = rows(database)
        grown = {after[name] - before[name] for name in growing}
        assert grown in ({0}, {1}), f"half a submission after step {step}"
        again = here.submissions().submit(body.encode(), origin=EHR)
        assert again.status_code == (200 if grown == {1} else 201)
        assert rows(database)["written"] - before["written"] == whole["written"]
        assert {rows(database)[name] - before[name] for name in growing} == {1}
        kept += grown == {1}
        with database.read() as connection:
            (queued,) = outbox.of_submission(connection, again.submission_id)
            assert submissions.body(connection, again.submission_id) == body.encode()
            assert write_backs.get(connection, again.submission_id) is not None
        assert queued.state == "pending"
        if outcome == "finished":
            break
        assert outcome == "killed"
    assert step > 20
    assert kept >= 2, "no kill came after the commit"
