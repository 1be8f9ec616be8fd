"""Transactions that take turns."""

from __future__ import annotations

import threading

from sqlalchemy import text

from fhir_app.store.database import Database
from fhir_app.store.turns import take_turns


def test_writers_that_take_turns_lose_no_update(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))

    def count_up() -> None:
        for _ in range(20):
            with database.begin() as connection:
                take_turns(connection, "origin", "identity")
                n = connection.execute(text("SELECT n FROM counter")).scalar_one()
                connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar() == 80
